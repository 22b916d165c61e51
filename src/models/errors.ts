import { diagnostic, type Note, SmcError } from '../diagnostics/diagnostic.js'

/** An error of the models room (codes M001 and on) that has no place in the program: the caller may add the span of the declaration. */
export function modelError(code: string, message: string, hint?: string, notes: readonly Note[] = []): SmcError {
  return new SmcError(diagnostic(code, undefined, message, { notes, ...(hint !== undefined && { hint }) }))
}

/** The text of whatever was thrown by a library. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

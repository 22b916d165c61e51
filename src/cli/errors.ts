import { type Blame, diagnostic, SmcError } from '../diagnostics/diagnostic.js'

/** A mistake in the command line: exit code 2. */
export function commandError(code: string, message: string, hint?: string): SmcError {
  return new SmcError(diagnostic(code, undefined, message, hint === undefined ? {} : { hint }), 'command')
}

/** Exit codes of cli.md. */
export const exitCodes: Readonly<Record<Blame | 'done' | 'interrupted', number>> = {
  done: 0,
  program: 1,
  command: 2,
  inference: 3,
  internal: 4,
  interrupted: 130,
}

/** The short reason of a failed file operation, as a person would say it. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission is denied'
    case 'EISDIR':
      return 'it is a folder'
    case 'ENOTDIR':
      return 'a part of the path is not a folder'
    case 'ENOSPC':
      return 'the disk is full'
    case 'EROFS':
      return 'the disk is read-only'
    case 'ENAMETOOLONG':
      return 'the name is too long'
    default:
      return code ?? (error instanceof Error ? error.message : String(error))
  }
}

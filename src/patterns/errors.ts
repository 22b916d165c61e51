import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'

/** What a pattern was read from, as its errors name it where the caller puts no file in its place. */
export type Origin = 'the pattern' | 'the grammar' | 'the schema'

/** A place in the text of a pattern: `source.path` is its kind and `source.text` the whole text, so that a caller who knows its file can say that instead. */
export function placeIn(path: Origin, text: string, start: number, end: number): Span {
  return { source: { path, text }, start, end }
}

/** An error of the patterns room (codes P001 and on). */
export function patternError(code: string, message: string, { place, hint }: { place?: Span; hint?: string } = {}): SmcError {
  return new SmcError(diagnostic(code, place, message, { ...(hint !== undefined && { hint }) }))
}

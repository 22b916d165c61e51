/** A text that was read, with the name it is shown under. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** A half-open range [start, end) of UTF-16 offsets in a source. */
export interface Span {
  readonly source: Source
  readonly start: number
  readonly end: number
}

/** Line and column of an offset, both from 1; the column counts code points. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Lines end with `\n`, `\r\n` or `\r`. */
const lineBreak = /\r\n|\n|\r/g

export function positionAt(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset)
  let line = 1
  let lineStart = 0
  for (const match of before.matchAll(lineBreak)) {
    line++
    lineStart = match.index + match[0].length
  }
  return { line, column: [...before.slice(lineStart)].length + 1 }
}

/** Where the line of an offset starts and ends, without its line break. */
export function lineAt(source: Source, offset: number): { readonly start: number; readonly end: number } {
  let start = 0
  for (const match of source.text.slice(0, offset).matchAll(lineBreak)) start = match.index + match[0].length
  const rest = source.text.slice(offset).search(/[\r\n]/)
  return { start, end: rest < 0 ? source.text.length : offset + rest }
}

/** The smallest span that covers both; they must be of one source. */
export function spanning(first: Span, last: Span): Span {
  return { source: first.source, start: first.start, end: last.end }
}

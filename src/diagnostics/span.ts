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

export function positionAt(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++
  return { line, column: [...before.slice(lineStart)].length + 1 }
}

/** The smallest span that covers both; they must be of one source. */
export function spanning(first: Span, last: Span): Span {
  return { source: first.source, start: first.start, end: last.end }
}

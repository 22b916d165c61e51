import type { Exp } from './ast.js'
import { cookEscape } from './escapes.js'

/** A piece of a string literal as the grammar finds it. */
export type Piece = { readonly kind: 'text' | 'escape'; readonly raw: string } | { readonly kind: 'hole'; readonly value: Exp }

/** Pieces to parts: escapes resolved, neighbouring texts joined, line ends made `\n`; an empty string has no parts. */
export function cook(pieces: readonly Piece[], long: boolean): (string | Exp)[] {
  const parts: (string | Exp)[] = []
  for (const piece of long ? withoutMargin(pieces) : pieces) {
    if (piece.kind === 'hole') {
      parts.push(piece.value)
      continue
    }
    const text = piece.kind === 'escape' ? cookEscape(piece.raw) : piece.raw
    const last = parts.at(-1)
    if (typeof last === 'string') parts[parts.length - 1] = last + text
    else if (text !== '') parts.push(text)
  }
  return parts
}

/**
 * A long string loses its first line if that is blank, its last line if that is blank, and the white space that all other lines
 * that are not blank begin with. The line of the opening quotes has no margin. Escapes and holes count as text, not as margin.
 */
function withoutMargin(pieces: readonly Piece[]): Piece[] {
  // A line is a run of pieces; only plain text is cut at line ends.
  const lines: Piece[][] = [[]]
  for (const piece of pieces) {
    if (piece.kind !== 'text') {
      lines.at(-1)!.push(piece)
      continue
    }
    for (const [i, raw] of piece.raw.split(/\r\n|\n|\r/).entries()) {
      if (i > 0) lines.push([])
      if (raw !== '') lines.at(-1)!.push({ kind: 'text', raw })
    }
  }
  if (lines.length === 1) return lines[0]!
  const opensWithBreak = isBlank(lines[0]!)
  if (opensWithBreak) lines.shift()
  if (lines.length > 1 && isBlank(lines.at(-1)!)) lines.pop()
  else if (opensWithBreak && lines.length === 1 && isBlank(lines[0]!)) lines[0] = []

  const indented = opensWithBreak ? lines : lines.slice(1)
  const margin = commonMargin(indented.filter((line) => !isBlank(line)).map(indentation))
  return lines.flatMap((line, i) => {
    const hasMargin = opensWithBreak || i > 0
    const kept = !hasMargin ? line : isBlank(line) ? [] : line.map((piece, j) => (j === 0 ? withoutPrefix(piece, margin) : piece))
    return i > 0 ? [{ kind: 'text' as const, raw: '\n' }, ...kept] : kept
  })
}

function isBlank(line: readonly Piece[]): boolean {
  return line.every((piece) => piece.kind === 'text' && /^[ \t]*$/.test(piece.raw))
}

function indentation(line: readonly Piece[]): string {
  const first = line[0]
  return first?.kind === 'text' ? /^[ \t]*/.exec(first.raw)![0] : ''
}

function commonMargin(margins: readonly string[]): string {
  let common = margins[0] ?? ''
  for (const margin of margins) {
    let same = 0
    while (same < common.length && common[same] === margin[same]) same++
    common = common.slice(0, same)
  }
  return common
}

function withoutPrefix(piece: Piece, margin: string): Piece {
  return piece.kind === 'text' ? { kind: 'text', raw: piece.raw.slice(margin.length) } : piece
}

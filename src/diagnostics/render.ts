import type { Diagnostic } from './diagnostic.js'
import { lineAt, positionAt, type Span } from './span.js'

/** How a renderer marks its parts; each function returns the text it was given, painted. */
export interface Paint {
  error(text: string): string
  warning(text: string): string
  note(text: string): string
  strong(text: string): string
  faint(text: string): string
}

export const plain: Paint = { error: same, warning: same, note: same, strong: same, faint: same }
export const ansi: Paint = { error: sgr(31), warning: sgr(33), note: sgr(36), strong: sgr(1), faint: sgr(2) }

export interface HumanOptions {
  /** ANSI colours; false unless told. */
  readonly colour?: boolean
  /** In place of `colour`. */
  readonly paint?: Paint
}

/** For a person: place, message, the line with carets under the span, notes, hint. Empty for no diagnostics. */
export function renderHuman(diagnostics: readonly Diagnostic[], options: HumanOptions = {}): string {
  const paint = options.paint ?? (options.colour === true ? ansi : plain)
  return diagnostics.map((each) => `${human(each, paint)}\n`).join('\n')
}

/** One line each for editors: `path:line:column: error S001: message`. */
export function renderShort(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((each) => `${place(each.span)}${each.severity} ${each.code}: ${oneLine(each.message)}\n`).join('')
}

/**
 * A JSON list for programs. A span is `{path, line, column, endLine, endColumn, start, end}`: lines and columns from 1, columns
 * in code points; start and end are offsets in UTF-16 units, half-open. What a diagnostic lacks is null.
 */
export function renderJson(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify(diagnostics.map(diagnosticToJson), null, 2)}\n`
}

/** One diagnostic as plain data, as `renderJson` writes it. */
export function diagnosticToJson(diagnostic: Diagnostic): object {
  return {
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    hint: diagnostic.hint ?? null,
    span: spanToJson(diagnostic.span),
    notes: diagnostic.notes.map((note) => ({ message: note.message, span: spanToJson(note.span) })),
  }
}

function spanToJson(span: Span | undefined): object | null {
  if (!span) return null
  const start = positionAt(span.source, span.start)
  const end = positionAt(span.source, span.end)
  return {
    path: span.source.path,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
    start: span.start,
    end: span.end,
  }
}

function human(diagnostic: Diagnostic, paint: Paint): string {
  const mark = paint[diagnostic.severity]
  const head = `${paint.strong(place(diagnostic.span))}${mark(`${diagnostic.severity} ${diagnostic.code}`)}: ${paint.strong(diagnostic.message)}`
  const lines = [head]
  if (diagnostic.span) lines.push(...excerpt(diagnostic.span, paint, mark))
  for (const note of diagnostic.notes) {
    lines.push(`${paint.note('note')}: ${place(note.span)}${note.message}`)
    if (note.span) lines.push(...excerpt(note.span, paint, paint.note))
  }
  if (diagnostic.hint !== undefined) lines.push(`${paint.note('hint')}: ${diagnostic.hint}`)
  return lines.join('\n')
}

function place(span: Span | undefined): string {
  if (!span) return ''
  const { line, column } = positionAt(span.source, span.start)
  return `${span.source.path}:${line}:${column}: `
}

const widest = 110

/** The line where a span starts, and carets under it; of a very long line only the part around the span. */
function excerpt(span: Span, paint: Paint, mark: (text: string) => string): string[] {
  const { line } = positionAt(span.source, span.start)
  const { start, end } = lineAt(span.source, span.start)
  const cut = span.start - start > widest - 20 ? span.start - 40 : start
  const shown = span.source.text.slice(cut, Math.min(end, cut + widest))
  const before = span.source.text.slice(cut, span.start)
  const under = span.source.text.slice(span.start, Math.min(Math.max(span.end, span.start + 1), cut + shown.length))
  const gutter = String(line)
  const left = `${cut > start ? '…' : ''}`
  const right = cut + shown.length < end ? '…' : ''
  return [
    `${paint.faint(`  ${gutter} | `)}${left}${visible(shown)}${right}`,
    `${paint.faint(`  ${' '.repeat(gutter.length)} | `)}${' '.repeat(width(left + visible(before)))}${mark('^'.repeat(Math.max(1, width(visible(under)))))}`,
  ]
}

// Tabs become two spaces and control characters their picture, so that carets stand where they should.
function visible(text: string): string {
  return text
    .replaceAll('\t', '  ')
    .replace(/[\0-\x1f]/g, (character) => String.fromCodePoint(0x2400 + character.codePointAt(0)!))
    .replaceAll('\x7f', '\u{2421}')
    .replace(/[\u{80}-\u{9f}\u{202a}-\u{202e}\u{2066}-\u{2069}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
}

/** Columns on a terminal: 2 for East Asian wide characters and emoji, 0 for marks that combine. */
export function width(text: string): number {
  let columns = 0
  for (const character of text) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) continue
    columns +=
      /[\u{1100}-\u{115f}\u{2e80}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe4f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1
  }
  return columns
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ')
}

function same(text: string): string {
  return text
}

function sgr(code: number): (text: string) => string {
  return (text) => (text === '' ? '' : `\u{1b}[${code}m${text}\u{1b}[0m`)
}

import type { Json } from '../infer/result.js'

/**
 * What would move the cursor, colour the terminal or hide in the line: control characters, line and paragraph separators,
 * zero-width and direction marks, and lone surrogates.
 */
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|\p{Cs}/gu

/** Graphemes that take two cells of a terminal. */
const wide =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** One line in which every character can be seen: a line break is `⏎`, a tab `⇥`, other control characters `\u{1b}`. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '⏎').replace(invisible, (character) => {
    if (character === '\n') return '⏎'
    if (character === '\t') return '⇥'
    return `\\u{${character.codePointAt(0)!.toString(16)}}`
  })
}

/** A value as a person reads it: text as it is, anything else as compact JSON. One line, no control characters. */
export function showValue(value: Json): string {
  if (value === '') return '(empty text)'
  return visible(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Whether a value is made of numbers alone, so that mean, sd and quantiles say all that a person wants to know of it. */
export function isNumeric(value: Json): boolean {
  if (value === null || typeof value !== 'object') return typeof value === 'number'
  return Object.values(value).every(isNumeric)
}

/** Cells of a terminal that the text takes. */
export function cells(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/** The text cut to `width` cells, the last of them `…` when something is left out. */
export function truncate(text: string, width: number): string {
  if (text.length <= width && !wide.test(text)) return text
  let kept = ''
  let used = 0
  let cut = ''
  for (const { segment } of graphemes.segment(text)) {
    const next = used + (wide.test(segment) ? 2 : 1)
    if (next > width) return `${cut}…`
    kept += segment
    used = next
    if (used <= width - 1) cut = kept
  }
  return kept
}

/** Four significant digits, without an exponent where the number is of a readable size: `0.1235`, `1200`, `1.5e-9`. */
export function showNumber(value: number): string {
  const rounded = Number(value.toPrecision(4))
  return Object.is(rounded, -0) ? '0' : String(rounded)
}

/** A fixed number of decimals, without a negative zero. */
export function showFixed(value: number, digits: number): string {
  const text = value.toFixed(digits)
  return Number(text) === 0 ? text.replace('-', '') : text
}

/** Probabilities of one column, with as many digits as its smallest one needs (at most four). */
export function showProbabilities(probabilities: readonly number[]): string[] {
  const smallest = Math.min(...probabilities.filter((p) => p > 0))
  const digits = smallest >= 0.1 ? 2 : smallest >= 0.01 ? 3 : 4
  return probabilities.map((p) => (p > 0 && p < 0.5 * 10 ** -digits ? `<${(10 ** -digits).toFixed(digits)}` : p.toFixed(digits)))
}

import { suggest } from '../diagnostics/suggest.js'
import { commandError } from './errors.js'

/** A whole number within limits, both ends included. */
export function wholeNumber(flag: string, text: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= low && value <= high) return value
  throw commandError('X005', `expected a whole number from ${low} to ${high} after \`${flag}\`, found \`${text}\``)
}

/** A number within limits, both ends included. */
export function numberWithin(flag: string, text: string, low: number, high: number): number {
  const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (value >= low && value <= high) return value
  throw commandError('X005', `expected a number from ${low} to ${high} after \`${flag}\`, found \`${text}\``)
}

/** A number above a limit. */
export function numberAbove(flag: string, text: string, low: number): number {
  const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (value > low && value < Number.POSITIVE_INFINITY) return value
  throw commandError('X005', `expected a number above ${low} after \`${flag}\`, found \`${text}\``)
}

/** One word of a list. */
export function choice<T extends string>(flag: string, text: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === text)
  if (word !== undefined) return word
  throw commandError('X006', `expected ${oneOf(words)} after \`${flag}\`, found \`${text}\``, didYouMean(text, words))
}

/** Repeated `name=value` flags; each name once, the value may hold further `=`. */
export function pairs(flag: string, texts: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at <= 0)
      throw commandError(
        'X008',
        `expected name=value after \`${flag}\`, found \`${text}\``,
        `write \`${flag} ${at === 0 ? 'name' : text}${at === 0 ? text : '=value'}\``,
      )
    const name = text.slice(0, at)
    if (found.has(name)) throw commandError('X019', `\`${flag} ${name}=...\` is given twice`, 'keep one of the two')
    found.set(name, text.slice(at + 1))
  }
  return found
}

/** `a`, `b` or `c`. */
export function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``)
  if (quoted.length <= 1) return quoted.join('')
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

/** "did you mean `particles`?", or undefined when nothing is near. */
export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  const near = suggest(name, candidates)
  return near === undefined ? undefined : `did you mean \`${near}\`?`
}

import type { SmcError } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import { type CodePoints, codePointLimit } from './code-points.js'
import { patternError, placeIn } from './errors.js'

/** A rule name where it is used or defined. */
export interface Name {
  readonly text: string
  readonly start: number
  readonly end: number
}

const space = /(?:\s|#[^\r\n]*)*/y
const name = /\w[\w-]*/y
const defines = /(?:\s|#[^\r\n]*)*::=/y
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

const quotes = 'texts stand in `"`'
const outside = 'take it out, or write it as a text'
/** What to do about signs of other dialects. */
const hints: Readonly<Record<string, string>> = {
  ...Object.fromEntries(["'", '`', '\u2018', '\u2019', '\u201c', '\u201d'].map((quote) => [quote, quotes])),
  ...Object.fromEntries([')', ']', '}'].map((bracket) => [bracket, outside])),
  '/': 'a note begins with `#`; a regular expression is written in parts, such as `[a-z]+`',
  ';': 'leave it out: a rule goes on until the next `name ::=`',
  ',': 'leave it out: what follows stands behind what is before',
  '<': 'names of rules stand without `<` and `>`',
  '\\': 'write the characters as a set: `[0-9]` for `\\d`, `[A-Za-z0-9_]` for `\\w`',
}

/** The signs of a grammar, from the left. Methods read one thing and the space behind it, or return undefined and stay. */
export class EbnfReader {
  at = 0

  constructor(readonly text: string) {
    this.#match(space)
  }

  span(start: number, end: number): Span {
    return placeIn('the grammar', this.text, start, end)
  }

  error(start: number, end: number, message: string, hint: string): SmcError {
    return patternError('P004', message, { place: this.span(start, end), hint })
  }

  take(sign: string): boolean {
    if (!this.text.startsWith(sign, this.at)) return false
    this.at += sign.length
    this.#match(space)
    return true
  }

  /** The name of a rule and the `::=` behind it. */
  definition(): Name | undefined {
    const found = this.#name()
    if (!found) return undefined
    this.#match(space)
    if (!this.take('::=')) {
      const end = Math.min(this.at + 1, this.text.length)
      throw this.error(this.at, end, `expected \`::=\` behind the rule name \`${found.text}\``, `write \`${found.text} ::= ...\``)
    }
    return found
  }

  /** The name of a rule that is no new definition. */
  use(): Name | undefined {
    const start = this.at
    const found = this.#name()
    if (found && this.#match(defines) === undefined) {
      this.#match(space)
      return found
    }
    this.at = start
    return undefined
  }

  literal(): string | undefined {
    const start = this.at
    if (this.text[start] !== '"') return undefined
    this.at++
    let read = ''
    while (this.text[this.at] !== '"') {
      if (this.at >= this.text.length || this.text[this.at] === '\n') {
        throw this.error(start, start + 1, 'this `"` is never closed', 'add `"`; a line break inside is written `\\n`')
      }
      read += String.fromCodePoint(this.#character())
    }
    this.at++
    this.#match(space)
    return read
  }

  /** `[...]` */
  set(): CodePoints | undefined {
    const start = this.at
    if (this.text[start] !== '[') return undefined
    this.at++
    const isNegative = this.text[this.at] === '^'
    if (isNegative) this.at++
    const ranges: { min: number; max: number }[] = []
    while (this.text[this.at] !== ']') {
      if (this.at >= this.text.length || this.text[this.at] === '\n') {
        throw this.error(start, start + 1, 'this `[` is never closed', 'add `]`; a bracket inside is written `\\]`')
      }
      const from = this.at
      const min = this.#character()
      const isRange = this.text[this.at] === '-' && this.text[this.at + 1] !== ']'
      if (isRange) this.at++
      const max = isRange && this.at < this.text.length ? this.#character() : min
      if (max < min) {
        const range = this.text.slice(from, this.at)
        throw this.error(from, this.at, `the range \`${range}\` ends before it begins`, 'swap its ends')
      }
      ranges.push({ min, max })
    }
    this.at++
    this.#match(space)
    return isNegative ? complement(merged(ranges)) : merged(ranges)
  }

  /** `*`, `+`, `?`, `{m}`, `{m,}` or `{m,n}`. */
  repetition(): { readonly min: number; readonly max: number } | undefined {
    if (this.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.take('?')) return { min: 0, max: 1 }
    const start = this.at
    if (this.text[start] !== '{') return undefined
    const [whole, least, comma, most] = this.#match(/\{\s*(\d+)\s*(,?)\s*(\d*)\s*\}/y) ?? []
    if (whole === undefined || (comma === '' && most !== '')) {
      throw this.error(start, start + 1, 'expected a count behind `{`', 'write `{2}`, `{2,}` or `{2,5}`')
    }
    this.#match(space)
    const min = Number(least)
    const max = comma === '' ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most)
    if (max < min) throw this.error(start, start + whole.length, `\`${whole}\` ends before it begins`, 'swap its counts')
    return { min, max }
  }

  /** Throws where a repetition has nothing before it to repeat. */
  requirePart(): void {
    const sign = this.text[this.at]
    if (sign === undefined || !'*+?{'.includes(sign)) return
    const hint = 'write what is repeated before it, as in `("a" | "b")*`; a note begins with `#`'
    throw this.error(this.at, this.at + 1, `there is nothing before \`${sign}\` to repeat`, hint)
  }

  /** Throws when something is left. */
  finish(): void {
    if (this.at >= this.text.length) return
    const found = String.fromCodePoint(this.text.codePointAt(this.at)!)
    const hint = hints[found] ?? 'a rule is written `name ::= "text" other [a-z]*`'
    const expected = found === '=' || found === ':' ? '`::=`' : 'a rule'
    throw this.error(this.at, this.at + found.length, `expected ${expected}, found \`${found}\``, hint)
  }

  /** One character inside `"` or `[`, written out or escaped. */
  #character(): number {
    const start = this.at
    const code = this.text.codePointAt(start)!
    if (code !== 0x5c) {
      this.at += code > 0xffff ? 2 : 1
      return code
    }
    const [whole, x, u, long, other] =
      this.#match(/\\(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})|([nrt\\"[\]^-]))/y) ?? []
    if (whole === undefined) {
      const end = Math.min(start + 2, this.text.length)
      throw this.error(
        start,
        end,
        `\`${this.text.slice(start, end)}\` means nothing`,
        'the escapes are `\\n`, `\\r`, `\\t`, `\\\\`, `\\"`, `\\[`, `\\]`, `\\^`, `\\-`, `\\xHH`, `\\uHHHH` and `\\UHHHHHHHH`',
      )
    }
    if (other !== undefined) return (escapes[other] ?? other).codePointAt(0)!
    const escaped = Number.parseInt((x ?? u ?? long)!, 16)
    if (escaped >= codePointLimit || (escaped >= 0xd800 && escaped <= 0xdfff)) {
      throw this.error(start, this.at, `\`${whole}\` is no character`, 'write the code point of a character, as in `\\U0001F600`')
    }
    return escaped
  }

  #name(): Name | undefined {
    const start = this.at
    const found = this.#match(name)
    return found && { text: found[0], start, end: this.at }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (!found) return undefined
    this.at += found[0].length
    return found
  }
}

function merged(ranges: readonly { readonly min: number; readonly max: number }[]): CodePoints {
  const apart: { min: number; max: number }[] = []
  for (const { min, max } of [...ranges].sort((a, b) => a.min - b.min)) {
    const last = apart.at(-1)
    if (last && min <= last.max + 1) last.max = Math.max(last.max, max)
    else apart.push({ min, max })
  }
  return apart
}

function complement(ranges: CodePoints): CodePoints {
  const mins = [0, ...ranges.map(({ max }) => max + 1)]
  const maxes = [...ranges.map(({ min }) => min - 1), codePointLimit - 1]
  return mins.map((min, i) => ({ min, max: maxes[i]! })).filter(({ min, max }) => min <= max)
}

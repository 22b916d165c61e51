import { type Diagnostic, diagnostic } from '../diagnostics/diagnostic.js'
import type { Source } from '../diagnostics/span.js'

const signs = new Set('()[]{}.,:;=+-*/%^<>~"')
const otherOperators: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' }

/** A finding where the character at this place can stand nowhere outside strings and comments, else undefined. */
export function foreignCharacter(source: Source, at: number): Diagnostic | undefined {
  const { text } = source
  const character = String.fromCodePoint(text.codePointAt(at)!)
  if (signs.has(character) && !text.startsWith('/*', at)) return undefined
  if (character === '!' && text[at + 1] === '=') return undefined
  const span = { source, start: at, end: at + character.length }

  if (character === "'" || character === '`' || '‘’“”„«»'.includes(character)) {
    const lineEnd = text.slice(at).search(/[\r\n]|$/) + at
    const close = text.indexOf(character, at + 1)
    const end = close > at && close < lineEnd ? close + 1 : at + 1
    return diagnostic('S005', { source, start: at, end }, `a string stands between double quotes, found \`${character}\``, {
      hint: 'write "text"',
    })
  }
  if (text.startsWith('/*', at)) {
    return diagnostic('S016', { source, start: at, end: at + 2 }, 'a comment starts with `//`, found `/*`', {
      hint: 'begin every line of the comment with `//`',
    })
  }
  if (character === '#') {
    return diagnostic('S016', span, 'a comment starts with `//`, found `#`', { hint: 'write `//` in its place' })
  }
  const operator = text.slice(at, at + 2) in otherOperators ? text.slice(at, at + 2) : character
  const word = otherOperators[operator]
  if (word !== undefined) {
    return diagnostic('S012', { source, start: at, end: at + operator.length }, `smc has no operator \`${operator}\``, {
      hint: `write \`${word}\``,
    })
  }
  if (character === '\0')
    return diagnostic('S022', span, 'a NUL character stands in the program', { hint: 'is this a text file?' })
  const isVisible = /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)
  const shown = isVisible ? `\`${character}\`` : `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  return diagnostic('S023', span, `smc does not use the character ${shown}`, {
    hint: isVisible ? 'delete it, or put it into a string' : 'put a plain space in its place',
  })
}

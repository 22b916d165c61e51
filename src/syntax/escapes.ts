import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Source } from '../diagnostics/span.js'

const plainEscapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', '{': '{', '}': '}' }
const codePointPattern = /u\{([0-9a-fA-F]+)\}/y

/** The length of the escape that begins at `\`. Throws an SmcError for one that smc does not have. */
export function checkEscape(source: Source, at: number): number {
  const character = source.text[at + 1]
  if (character !== undefined && character in plainEscapes) return 2
  codePointPattern.lastIndex = at + 1
  const digits = codePointPattern.exec(source.text)?.[1]
  if (digits === undefined) {
    const atEnd = character === undefined || character === '\n' || character === '\r'
    const shown = atEnd ? '\\' : `\\${String.fromCodePoint(source.text.codePointAt(at + 1)!)}`
    const hint =
      character === 'u'
        ? 'write the code point in hexadecimal between braces: \\u{1F600}'
        : 'the escapes are \\n \\t \\r \\" \\\\ \\{ \\} and \\u{...}; write \\\\ for a backslash'
    throw new SmcError(
      diagnostic('S017', { source, start: at, end: at + shown.length }, `no escape is called \`${shown}\``, { hint }),
    )
  }
  const length = digits.length + 4
  if (!isScalar(parseInt(digits, 16))) {
    throw new SmcError(
      diagnostic('S018', { source, start: at, end: at + length }, `U+${digits.toUpperCase()} is no character`, {
        hint: 'code points run from 0 to 10FFFF, without D800 to DFFF',
      }),
    )
  }
  return length
}

/** The text that a checked escape stands for; `written` begins with `\`. */
export function cookEscape(written: string): string {
  return plainEscapes[written[1]!] ?? String.fromCodePoint(parseInt(written.slice(3, -1), 16))
}

function isScalar(codePoint: number): boolean {
  return codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff)
}

/** Text as it is written in a short string, between the quotes. */
export function escapeShort(text: string): string {
  return escapeControls(text.replace(/[\\"{}]/g, '\\$&').replaceAll('\n', '\\n'))
}

/** Text as it is written in a long string; a quote is escaped only where three could meet, as before the closing ones. */
export function escapeLong(text: string, closes: boolean): string {
  const quotes = closes ? /[\\{}]|"(?="|$)/g : /[\\{}]|"(?=")/g
  return escapeControls(text.replace(quotes, '\\$&').replaceAll('\n', '\\n'))
}

// Characters that cannot be seen, or that would end the line for some reader, are spelled out.
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u{a0}\u{feff}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu, (character) => {
    if (character === '\t') return '\\t'
    if (character === '\r') return '\\r'
    return `\\u{${character.codePointAt(0)!.toString(16).toUpperCase()}}`
  })
}

import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Source, Span } from '../diagnostics/span.js'
import type { Comment } from './ast.js'
import { foreignCharacter } from './characters.js'
import { checkEscape } from './escapes.js'
import { declarationWords, innerWords, reservedWords, statementWords } from './words.js'

/**
 * A pass over the characters before the grammar sees them. Ohm reports the right-most failure, so a bracket that is never
 * closed would be reported lines later; here it is reported where it opens, and so are strings, holes and foreign characters.
 * It needs no stack of its own calls: `open` below is the stack. Its tokens serve the sentences of mistakes.ts.
 */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'regex' | 'sign'
  readonly start: number
  /** One past the last character; for a string its closing quote, the tokens of its holes follow in the list. */
  end: number
  readonly text: string
  /** The first token of its line. */
  readonly startsLine: boolean
  /** How many brackets are open around it. */
  readonly depth: number
}

export interface Scan {
  readonly tokens: readonly Token[]
  readonly comments: readonly Comment[]
  /** Offsets where a top-level statement surely begins: the text can be cut there. */
  readonly cuts: readonly number[]
}

/** Brackets, blocks and holes inside one another. Ohm needs some 10 kB of stack for each; half of what overflows in Node 20. */
export const maximumNesting = 48

interface Open {
  readonly sign: '(' | '[' | '{' | 'hole' | '"' | '"""'
  readonly start: number
  readonly token?: Token
}

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', hole: '}' }
const signs = [
  '...',
  '===',
  '!==',
  '"""',
  '==',
  '!=',
  '<=',
  '>=',
  '=>',
  '->',
  '<-',
  '+=',
  '-=',
  '*=',
  '/=',
  '^=',
  '..',
  '&&',
  '||',
  '**',
  '++',
  '--',
  '/*',
  ':=',
  '::',
]
const wordPattern = /[\p{L}_][\p{L}0-9_]*/uy
const numberPattern = /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const regexPattern = /\/(?:\\[^\r\n]|\[(?:\\[^\r\n]|[^\]\r\n\\])*\]|[^/\r\n[\\])+\/\p{L}*/uy
const commentPattern = /\/\/[^\r\n]*/y

/** Throws an SmcError for the first character that cannot be right. */
export function scan(source: Source): Scan {
  const text = source.text
  const tokens: Token[] = []
  const comments: Comment[] = []
  const cuts: number[] = []
  const open: Open[] = []
  let at = 0
  let startsLine = true

  const span = (start: number, end: number): Span => ({ source, start, end })
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0]
  }
  const add = (kind: Token['kind'], length: number): Token => {
    const token: Token = { kind, start: at, end: at + length, text: text.slice(at, at + length), startsLine, depth: open.length }
    if (open.length === 0 && startsLine && beginsStatement(token, tokens.at(-1))) cuts.push(at)
    tokens.push(token)
    at += length
    startsLine = false
    return token
  }
  const push = (entry: Open): void => {
    open.push(entry)
    if (!entry.sign.startsWith('"') && open.filter((each) => !each.sign.startsWith('"')).length > maximumNesting) {
      throw new SmcError(
        diagnostic('S019', span(entry.start, entry.start + 1), `brackets are nested deeper than ${maximumNesting}`, {
          hint: 'give the inner part a name with let, or make it a function',
        }),
      )
    }
  }

  while (at < text.length) {
    const inside = open.at(-1)
    if (inside?.sign === '"' || inside?.sign === '"""') {
      at = scanString(source, at, inside, open, push)
      startsLine = false
      continue
    }
    const character = text[at]!
    if (character === '\n' || character === '\r') {
      startsLine = true
      at++
    } else if (character === ' ' || character === '\t') {
      at++
    } else if (text.startsWith('//', at)) {
      const comment = match(commentPattern)!
      comments.push({ text: comment, span: span(at, at + comment.length) })
      at += comment.length
    } else {
      scanToken(character)
    }
  }
  if (open.length > 0) throw unclosedString(source, open, at) ?? neverClosed(source, open)
  return { tokens, comments, cuts }

  function scanToken(character: string): void {
    const word = match(wordPattern)
    if (word !== undefined) {
      if (startsLine && statementWords.has(word) && isStuck(word)) throw neverClosed(source, open, span(at, at + word.length))
      add('word', word.length)
      return
    }
    const number = match(numberPattern)
    if (number !== undefined) {
      add('number', number.length)
      return
    }
    if (character === '"') {
      const sign = text.startsWith('"""', at) ? '"""' : '"'
      const start = at
      const token = add('string', sign.length)
      push({ sign, start, token })
      return
    }
    if (character === '(' || character === '[' || character === '{') {
      const start = at
      add('sign', 1)
      push({ sign: character, start })
      return
    }
    if (character === ')' || character === ']' || character === '}') {
      close(character)
      return
    }
    const foreign = foreignCharacter(source, at)
    if (foreign) throw new SmcError(foreign)
    const regex =
      character === '/' && (beginsHole() || canBeginRegex(tokens.at(-1), tokens.at(-2))) ? match(regexPattern) : undefined
    if (regex !== undefined) {
      add('regex', regex.length)
      return
    }
    add('sign', signs.find((sign) => text.startsWith(sign, at))?.length ?? 1)
  }

  function close(character: string): void {
    const inside = open.at(-1)
    if (!inside) {
      throw new SmcError(
        diagnostic('S003', span(at, at + 1), `\`${character}\` closes nothing`, {
          hint: 'delete it, or open its bracket before',
        }),
      )
    }
    if (closers[inside.sign] !== character) throw neverClosed(source, open, span(at, at + 1))
    if (beginsHole()) {
      throw new SmcError(
        diagnostic('S031', span(inside.start, at + 1), 'a hole in a string has no expression', {
          hint: 'write an expression between the braces, or \\{\\} for plain braces',
        }),
      )
    }
    open.pop()
    if (inside.sign === 'hole') at++
    else add('sign', 1)
  }

  function beginsHole(): boolean {
    const inside = open.at(-1)
    return inside?.sign === 'hole' && tokens.at(-1)!.start < inside.start
  }

  // Inside ( [ and holes a line cannot begin with `let` and the like, unless it is a field or an argument's name.
  function isStuck(word: string): boolean {
    const sign = open.at(-1)?.sign
    if (sign === undefined || sign === '{' || tokens.at(-1)?.text === '.') return false
    return !/^\s*:/.test(text.slice(at + word.length, at + word.length + 20))
  }
}

/** Reads on inside a string: to a hole, an escape or the end of it. Returns the new offset. */
function scanString(source: Source, from: number, inside: Open, open: Open[], push: (entry: Open) => void): number {
  const text = source.text
  let at = from
  while (at < text.length) {
    const character = text[at]!
    if (character === '\\') {
      at += checkEscape(source, at)
    } else if (character === '{') {
      push({ sign: 'hole', start: at })
      return at + 1
    } else if (text.startsWith(inside.sign, at)) {
      open.pop()
      inside.token!.end = at + inside.sign.length
      return inside.token!.end
    } else if (inside.sign === '"' && (character === '\n' || character === '\r')) {
      throw unclosedString(source, open, at)!
    } else {
      at++
    }
  }
  throw unclosedString(source, open, at)!
}

/** The innermost open thing is a string, whose line or program ends; undefined if it is a bracket. */
function unclosedString(source: Source, open: readonly Open[], end: number): SmcError | undefined {
  const string = open.at(-1)!
  if (string.sign !== '"' && string.sign !== '"""') return undefined
  // A quote inside a hole on the same line was most likely meant to close the outer string.
  const hole = open.at(-2)
  const isHole = string.sign === '"' && hole?.sign === 'hole' && open.at(-3)?.sign === '"'
  if (isHole && !/[\r\n]/.test(source.text.slice(hole.start, string.start))) return neverClosed(source, open.slice(0, -1))
  const isShort = string.sign === '"'
  const hint = isShort
    ? 'put `"` at its end; a string over several lines stands between `"""` and `"""`'
    : 'put `"""` where the string ends'
  const span = { source, start: string.start, end: isShort ? end : string.start + 3 }
  return new SmcError(diagnostic('S004', span, 'a string is never closed', { hint }))
}

/** The innermost open bracket is wrong; `met` is the place where it was still open. */
function neverClosed(source: Source, open: readonly Open[], met?: Span): SmcError {
  const inner = open.at(-1)!
  const notes = met ? [{ message: `it is still open at \`${source.text.slice(met.start, met.end)}\``, span: met }] : []
  const span = { source, start: inner.start, end: inner.start + 1 }
  if (inner.sign === 'hole') {
    const hint = 'close the hole with }, or write \\{ for a plain brace'
    return new SmcError(diagnostic('S031', span, 'a hole in a string is never closed', { notes, hint }))
  }
  const closer = closers[inner.sign]!
  const hint = `put \`${closer}\` where the bracket should end`
  return new SmcError(diagnostic('S002', span, `\`${inner.sign}\` is never closed`, { notes, hint }))
}

/** After something that ends an expression `/` divides; elsewhere it begins a regular expression. */
function canBeginRegex(previous: Token | undefined, beforePrevious: Token | undefined): boolean {
  if (!previous) return true
  if (beforePrevious?.text === '.') return false // `from.for / 2`
  // Words that are free as names end an expression, except in their clause.
  const pair = `${beforePrevious?.text} ${previous.text}`
  if (['twisted by', 'blocks of', 'resampling every', 'up to'].includes(pair)) return true
  if (previous.kind === 'word') return reservedWords.has(previous.text) && previous.text !== 'true' && previous.text !== 'false'
  return previous.kind === 'sign' && ![')', ']', '}'].includes(previous.text)
}

/** Whether a token at the start of a top-level line must begin a statement; when in doubt, no. */
function beginsStatement(token: Token, previous: Token | undefined): boolean {
  if (!previous || token.kind !== 'word') return false
  if (statementWords.has(token.text)) return previous.text !== '.' && previous.text !== 'extern' && previous.text !== 'learn'
  if (reservedWords.has(token.text) || innerWords.has(token.text)) return false
  if (previous.kind === 'word') return !reservedWords.has(previous.text) && !declarationWords.has(previous.text)
  return previous.kind !== 'sign' || [')', ']', '}'].includes(previous.text)
}

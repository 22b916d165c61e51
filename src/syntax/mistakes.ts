import { type Diagnostic, diagnostic } from '../diagnostics/diagnostic.js'
import type { Source, Span } from '../diagnostics/span.js'
import { suggest } from '../diagnostics/suggest.js'
import type { Exp } from './ast.js'
import { describe, expectedSentence, startsStatement } from './expected.js'
import { foreignWords } from './foreign.js'
import type { Token } from './scan.js'
import { clauseWords, declarationWords, innerWords, reservedWords, statementWords } from './words.js'

/** What is known where the grammar stopped. */
interface Place {
  readonly source: Source
  /** The token that does not fit; undefined at the end of the program. */
  readonly found: Token | undefined
  readonly previous: Token | undefined
  readonly beforePrevious: Token | undefined
  readonly next: Token | undefined
  /** The word that the statement begins with, and where. */
  readonly head: Token | undefined
  readonly span: Span
  /** Whether it stands in a hole of a string. */
  readonly isInString: boolean
  /** What the grammar would have taken, as ohm names it. */
  readonly expected: ReadonlySet<string>
}

/** A statement that is only a value. */
export function valueAlone(value: Exp, span: Span): Diagnostic {
  const word = value.kind === 'Name' ? value.text : ''
  const foreign = foreignWords.get(word)
  if (foreign) return diagnostic('S014', span, `smc has no \`${word}\``, { hint: foreign })
  const close = suggest(word, [...statementWords, ...declarationWords])
  const hint = close
    ? `did you mean \`${close}\`?`
    : 'a statement does something: write `let name = ...`, `return ...`, or call it'
  return diagnostic('S024', span, 'a value alone is not a statement', { hint })
}

/** The sentence for the right-most place that ohm reached; the first rule below that knows the mistake tells it. */
export function explainMistake(source: Source, tokens: readonly Token[], offset: number, expectedAt: ExpectedAt): Diagnostic {
  const place = locate(source, tokens, offset, expectedAt)
  for (const rule of rules) {
    const told = rule(place)
    if (told) return told
  }
  return general(place)
}

/** What the grammar takes at an offset. */
type ExpectedAt = (offset: number) => ReadonlySet<string>

function locate(source: Source, tokens: readonly Token[], offset: number, expectedAt: ExpectedAt): Place {
  // Ohm may stop inside white space or inside a word (`5x`): take the token around the place, else the next.
  let at = tokens.findIndex((token) => token.start >= offset)
  const around = tokens.findLastIndex((token) => token.start < offset && offset < token.end && token.kind !== 'string')
  if (around >= 0) at = around
  if (at < 0) at = tokens.length
  const found = tokens[at]
  const expected = expectedAt(found ? found.start : source.text.length)
  // What does not fit on a new line was met while the statement before went on.
  const isNew = startsStatement(expected)
  let first = Math.min(found?.startsLine && !isNew ? Math.max(at - 1, 0) : at, tokens.length - 1)
  const depth = found?.depth ?? 0
  while (first > 0 && !(tokens[first]!.startsLine && tokens[first]!.depth <= depth && beginsSomething(tokens[first]!))) first--
  const previous = tokens.slice(0, at).findLast((token) => !found || token.end <= found.start)
  const end = source.text.length
  const span = found
    ? { source, start: found.start, end: found.kind === 'string' ? Math.min(found.end, lineEnd(source, found.start)) : found.end }
    : { source, start: previous?.end ?? end, end: previous?.end ?? end }
  const isInString = tokens.some(({ kind, start, end }) => kind === 'string' && start < offset && offset < end)
  return {
    source,
    found,
    previous,
    beforePrevious: tokens[at - 2],
    next: tokens[at + 1],
    head: tokens[first],
    span,
    isInString,
    expected,
  }
}

function lineEnd(source: Source, offset: number): number {
  const rest = source.text.slice(offset).search(/[\r\n]/)
  return rest < 0 ? source.text.length : offset + rest
}

function beginsSomething(token: Token): boolean {
  if (token.kind !== 'word') return false
  return statementWords.has(token.text) || token.text === 'if' || token.text === 'for' || !reservedWords.has(token.text)
}

type Rule = (place: Place) => Diagnostic | undefined

const rules: readonly Rule[] = [
  foreignWord,
  elseAlone,
  reservedName,
  loopHeader,
  missingTilde,
  equalsInCondition,
  letWithoutValue,
  foreignOperator,
  pythonColon,
  chainedComparison,
  declarationInside,
  brokenClause,
  twoOnOneLine,
]

function foreignWord({ source, found, previous, head, expected }: Place): Diagnostic | undefined {
  // `elif b` stops at `elif`; `var x` at `x`, because `var` alone would be a statement.
  const couldBegin = found?.kind === 'word' && (startsStatement(expected) || expected.has('";"'))
  const word =
    couldBegin && foreignWords.has(found.text) ? found : previous !== undefined && previous === head ? previous : undefined
  const hint = word && foreignWords.get(word.text)
  if (!word || hint === undefined || (word === previous && found?.startsLine !== false)) return undefined
  return diagnostic('S014', spanOf(source, word), `smc has no \`${word.text}\``, { hint })
}

function elseAlone({ found, span }: Place): Diagnostic | undefined {
  if (found?.text !== 'else') return undefined
  return diagnostic('S010', span, '`else` has no `if` before it', {
    hint: '`else` follows the `}` of its `if` at once, with no other statement between',
  })
}

function reservedName({ found, previous, span, expected }: Place): Diagnostic | undefined {
  if (found?.kind !== 'word' || startsStatement(expected) || !reservedWords.has(found.text)) return undefined
  const wantsName = expected.has('a name') && !expected.has('"("') && !expected.has('"["') && !expected.has('"let"')
  const listed =
    expected.has('a name') && (previous?.text === '(' || previous?.text === ',') && expected.has('")"') && expected.size <= 3
  if (!wantsName && !listed) return undefined
  return diagnostic('S006', span, `\`${found.text}\` is a word of the language and cannot be a name`, {
    hint: `choose another name, such as \`${found.text}_\`; as a field (\`x.${found.text}\`) it is free`,
  })
}

function loopHeader({ source, found, previous, beforePrevious, next, head, span }: Place): Diagnostic | undefined {
  const hint = 'write `for x in xs { ... }`; `for i in 1..n` counts'
  if (head?.text !== 'for' || !found) return undefined
  if (found.text === '(' && previous?.text === 'for') {
    return diagnostic('S011', spanOf(source, found), 'a loop has no brackets around its head', { hint })
  }
  const isHead = beforePrevious?.text === 'for' && previous?.kind === 'word'
  if (!isHead || found.startsLine) return undefined
  const shown = next && !next.startsLine && found.text === ',' ? ', ' : found.text
  return diagnostic('S011', span, `expected \`in\` after the loop's name, found ${describe({ ...found, text: shown.trim() })}`, {
    hint,
  })
}

function missingTilde({ source, found, head, span, expected }: Place): Diagnostic | undefined {
  if (!head || !['sample', 'observe', 'force'].includes(head.text) || !expected.has('"~"')) return undefined
  const form = head.text === 'sample' ? 'sample x ~ D' : `${head.text} value ~ ${head.text === 'force' ? 'story' : 'D'}`
  const isArrow = found !== undefined && found.text === '<' && source.text[found.end] === '-'
  const whole = isArrow ? { ...span, end: span.end + 1 } : span
  const shown = isArrow ? '`<-`' : describe(found)
  return diagnostic('S007', whole, `expected \`~\` and a distribution, found ${shown}`, { hint: `write \`${form}\`` })
}

function equalsInCondition({ found, previous, head, span, expected }: Place): Diagnostic | undefined {
  if (found?.text !== '=' || expected.has('"="')) return undefined
  if (head && ['let', 'param'].includes(head.text) && found.depth === head.depth) return undefined
  if (previous?.text === ')' && previous.depth === head?.depth) {
    return diagnostic('S008', span, 'only a name, a field or an element can be set', { hint: 'to compare, write `==`' })
  }
  if (found.depth > (head?.depth ?? 0) && (expected.has('","') || expected.has('":"'))) {
    const hint = 'an argument or a field is named with `:`, as in `temperature: 0.8`; `==` compares'
    return diagnostic('S008', span, '`=` stands where a value is read', { hint })
  }
  return diagnostic('S008', span, '`=` stands where a value is read', { hint: '`==` compares; `=` only sets a variable' })
}

function letWithoutValue({ head, found, span, expected, previous }: Place): Diagnostic | undefined {
  if (head?.text !== 'let' || found?.text === '=' || previous?.text === 'let') return undefined
  if (!(expected.has('"="') && expected.has('":"'))) return undefined
  return diagnostic('S009', span, `a variable needs a value, found ${describe(found)}`, {
    hint: 'write `let x = value`; set it later with `x = ...`',
  })
}

const otherOperators: ReadonlyMap<string, string> = new Map([
  ['**', '`^` is the power'],
  ['===', '`==` compares'],
  ['!==', '`!=` compares'],
  ['++', '`x += 1` counts up'],
  ['--', '`x = x - 1` counts down'],
  ['-=', 'write `x = x - e`'],
  ['*=', 'write `x = x * e`'],
  ['/=', 'write `x = x / e`'],
  ['^=', 'write `x = x ^ e`'],
  ['->', 'a function of one expression is `x => e`'],
  [':=', '`let x = e` declares, `x = e` sets'],
  ['::', 'a field is read with `.`'],
  ['<-', '`sample x ~ D` draws, `x = e` sets'],
  ['...', '`1..n` is a range with both ends'],
])

function foreignOperator({ source, found, previous }: Place): Diagnostic | undefined {
  for (const token of [found, previous]) {
    const hint = token?.kind === 'sign' ? otherOperators.get(token.text) : undefined
    if (token && hint !== undefined && (token === found || token.text !== '->')) {
      return diagnostic('S012', spanOf(source, token), `smc has no operator \`${token.text}\` here`, { hint })
    }
  }
  return undefined
}

function pythonColon({ found, next, head, span, expected }: Place): Diagnostic | undefined {
  if (found?.text !== ':' || !expected.has('"{"') || (next && !next.startsLine && head?.text !== 'if')) return undefined
  return diagnostic('S027', span, 'expected `{`, found `:`', { hint: 'a block stands between { and }' })
}

const comparisons: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!=', 'in'])

function chainedComparison({ found, span, expected }: Place): Diagnostic | undefined {
  if (!found || !comparisons.has(found.text) || found.startsLine || !(expected.has('"and"') || expected.has('"or"')))
    return undefined
  return diagnostic('S030', span, 'comparisons do not chain', { hint: 'write `a < b and b < c`, or put brackets around one' })
}

function declarationInside({ source, found, previous, expected }: Place): Diagnostic | undefined {
  for (const token of [found, previous]) {
    if (!token || token.depth === 0 || !(declarationWords.has(token.text) || token.text === 'fn')) continue
    if (token === found && !startsStatement(expected)) continue
    if (token === previous && !(found?.kind === 'word' && !found.startsLine)) continue
    const hint =
      token.text === 'fn' ? 'move it out; `let f = x => ...` is a function of one expression' : 'move it out of the block'
    return diagnostic('S029', spanOf(source, token), `\`${token.text}\` declares something, which a block cannot`, { hint })
  }
  return undefined
}

function brokenClause({ found, previous, head, span, expected }: Place): Diagnostic | undefined {
  if (head?.text !== 'sample') return undefined
  const forms =
    '`for 5 tokens`, `for up to 30 tokens`, `within 30 tokens`, `twisted by e`, `resampling every 4 tokens`, `via q in blocks of 4`'
  if (expected.has('"tokens"') || expected.has('"by"') || expected.has('"every"') || expected.has('"of"')) {
    const wanted = ['"tokens"', '"by"', '"every"', '"of"'].find((word) => expected.has(word))!.replaceAll('"', '`')
    return diagnostic('S026', span, `expected ${wanted} in this clause, found ${describe(found)}`, {
      hint: `the forms are ${forms}`,
    })
  }
  if (!expected.has('"until"') || found?.kind !== 'word' || found.startsLine) return undefined
  const close = suggest(found.text, clauseWords)
  if (close === undefined && (found.startsLine || reservedWords.has(found.text) || previous?.text === ';')) return undefined
  const hint =
    close === undefined
      ? `the clauses are ${[...clauseWords].map((word) => `\`${word}\``).join(' ')}`
      : `did you mean \`${close}\`?`
  return diagnostic('S026', span, `no clause of \`sample\` is called \`${found.text}\``, { hint })
}

function twoOnOneLine({ found, previous, head, span, expected }: Place): Diagnostic | undefined {
  if (!found || found.startsLine || !expected.has('";"') || !previous) return undefined
  const begins =
    found.kind === 'word' &&
    (statementWords.has(found.text) || ['if', 'for'].includes(found.text) || declarationWords.has(found.text))
  if (begins) {
    return diagnostic('S015', span, 'a second statement begins on this line', {
      hint: 'start a new line, or put `;` between them',
    })
  }
  // `lett x = 1`, `retrun x`: the first word alone would be a statement.
  if (head && previous === head && head.kind === 'word' && found.kind !== 'sign') {
    const close = suggest(head.text, [...statementWords, ...declarationWords, 'if', 'for'])
    const hint = close
      ? `did you mean \`${close}\`?`
      : 'a statement begins with a word such as let, sample, observe, factor or return'
    return diagnostic('S001', { ...span, start: head.start, end: head.end }, `no statement begins with \`${head.text}\``, {
      hint,
    })
  }
  return undefined
}

function general(place: Place): Diagnostic {
  const { found, next, span, expected } = place
  if (found?.kind === 'number' && next?.kind === 'word' && next.start === found.end) {
    const written = `${found.text}${next.text}`
    const hint = 'a name does not begin with a digit; `*` multiplies'
    return diagnostic('S001', { ...span, end: next.end }, `expected a number or a name, found \`${written}\``, { hint })
  }
  const wanted = expectedSentence(expected)
  const hint = generalHint(place)
  return diagnostic('S001', span, `expected ${wanted}, found ${describe(found)}`, hint === undefined ? {} : { hint })
}

function generalHint({ found, previous, head, expected, isInString }: Place): string | undefined {
  if (isInString && (found?.text === ',' || found?.text === ':'))
    return 'in a string `{` inserts a value: write `\\{` for the sign itself'
  if (head?.text === 'extern' && expected.has('"->"')) return 'write `extern fn name(a: Type) -> Type from "./file.mjs"`'
  if (head?.text === 'use') return 'write `use name, other from "std/text"`'
  if (head && ['model', 'classifier'].includes(head.text) && found?.kind !== 'string') return `write \`${head.text} name = "id"\``
  if (previous?.kind === 'number' && found?.kind === 'word') return 'a name does not begin with a digit; `*` multiplies'
  if (found?.text === '.' && previous?.kind !== 'word') return 'a number has a digit before its point: 0.5'
  if (found?.kind === 'word' && innerWords.has(found.text))
    return `\`${found.text}\` has a meaning only in some clauses and declarations`
  if (found?.text === ',' && head?.text === 'sample') return 'clauses follow one another without commas'
  if (found?.text === 'for' && previous?.text === '[') return 'a list of results is `xs.map(x => e)`'
  if (found?.text === '~') return '`~` stands in sample, observe and force only'
  if (head && ['if', 'while', 'repeat'].includes(head.text) && previous?.text === '}' && expected.has('"{"')) {
    return `\`{\` right after \`${head.text}\` begins a record: write the ${head.text === 'repeat' ? 'count' : 'condition'} before the block`
  }
  if (expected.has('"else"') && expected.size < 4) return 'an `if` that is a value needs both: `if c { a } else { b }`'
  if (found?.text === ';') return '`;` stands between statements on one line'
  return undefined
}

function spanOf(source: Source, token: Token): Span {
  return { source, start: token.start, end: token.end }
}

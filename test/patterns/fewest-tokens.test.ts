import { expect, test } from 'vitest'
import { fewestTokens } from '../../src/patterns/fewest-tokens.js'
import { ebnfAutomaton } from '../../src/patterns/grammar.js'
import { regexAutomaton } from '../../src/patterns/regex.js'
import { schemaAutomaton } from '../../src/patterns/schema.js'
import { vocabularyOf } from './vocabularies.js'

const vocabulary = vocabularyOf(['a', 'ab', 'bab', 'c', 'é', ''])

/** The same by trying all sequences of tokens, shortest first. */
function byTrying(fits: RegExp): number {
  let texts = ['']
  for (let tokens = 0; tokens <= 6; tokens++) {
    if (texts.some((text) => fits.test(text))) return tokens
    texts = texts.flatMap((text) => ['a', 'ab', 'bab', 'c', 'é'].map((token) => text + token))
  }
  return Number.POSITIVE_INFINITY
}

test.each(['', 'a', 'abab', 'a{5}', '(ab){4}', 'abbabc+', 'c*ba', '(a|b)(a|b){6}', 'éa', 'cb', 'b', 'x|a', 'xa', '.{9}'])(
  'the fewest tokens of /%s/',
  (source) => {
    const found = fewestTokens(regexAutomaton(source, ''), vocabulary)
    expect(found).toEqual({ tokens: byTrying(new RegExp(`^(?:${source})$`, 'u')), exact: true })
  },
)

test('a grammar with counts that no finite automaton keeps', () => {
  const automaton = ebnfAutomaton('root ::= "a" root "c" | "aacc"')
  expect(fewestTokens(automaton, vocabulary)).toEqual({ tokens: 4, exact: true })
})

test('a search that grows too large says what it knows', () => {
  // Brackets nest without an end and are never closed: there is no token for it.
  const brackets = vocabularyOf(['(', '[', ''])
  const automaton = ebnfAutomaton('root ::= "(" root ")" | "[" root "]" | "(" ")"')
  const { tokens, exact } = fewestTokens(automaton, brackets)
  expect(exact).toBe(false)
  // Eight levels of brackets were looked behind, and as many bytes would close them.
  expect(tokens).toBeGreaterThan(9)
  expect(tokens).toBeLessThanOrEqual(16)
})

test('a search that grows too large counts the bytes that are left', () => {
  // Every length is another state. "bab" is three characters, and no token has more.
  expect(fewestTokens(regexAutomaton('.{500}', ''), vocabulary)).toEqual({ tokens: Math.ceil(500 / 3), exact: false })
})

test('a grammar knows the bytes of its shortest text', () => {
  const fewestBytes = (text: string) => ebnfAutomaton(text).fewestBytes
  expect(fewestBytes('root ::= "a"{7} | "\u00e9" [\u4e00-\u4e09 ]{2} x*\nx ::= "b"')).toBe(4)
  expect(fewestBytes('root ::= "(" root ")" | x{2}\nx ::= [^\\x00-\\x7f] root? | "abc"')).toBe(4)
  expect(fewestBytes('root ::= ""')).toBe(0)
  // Records of three bytes and more, forty of them: too many states to look behind.
  const schema = { type: 'array', minItems: 40, items: { type: 'object', required: ['n'] } }
  expect(schemaAutomaton(schema).fewestBytes).toBe(2 + 40 * '{"n":0}'.length + 39)
})

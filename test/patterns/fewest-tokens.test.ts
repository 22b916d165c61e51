import { expect, test } from 'vitest'
import { fewestTokens } from '../../src/patterns/fewest-tokens.js'
import { ebnfAutomaton } from '../../src/patterns/grammar.js'
import { regexAutomaton } from '../../src/patterns/regex.js'
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
  expect(tokens).toBe(9)
})

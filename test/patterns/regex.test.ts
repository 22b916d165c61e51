import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteAutomaton } from '../../src/patterns/pattern.js'
import { regexAutomaton } from '../../src/patterns/regex.js'

const encoder = new TextEncoder()

function accepts(automaton: ByteAutomaton, text: string): boolean {
  let state = automaton.start
  for (const byte of encoder.encode(text)) {
    state = automaton.step(state, byte)
    if (state < 0) return false
  }
  return automaton.accepting(state)
}

/** What a pattern means: JavaScript's own answer for the whole text. `(?![^])` is the end of the text whatever the flags. */
function javascript(source: string, flags: string): (text: string) => boolean {
  const whole = new RegExp(`(?:${source})(?![^])`, `${flags}uy`)
  return (text) => {
    whole.lastIndex = 0
    return whole.test(text)
  }
}

const letters = ['a', 'b', 'K', 'k', '\u212a', 'ſ', 's', '1', '_', ' ', '\n', '\u2028', 'é', 'ß', '€', '😀', '-']
const atom = fc.constantFrom(
  ...['a', 'b', 'K', 's', '1', ' ', 'é', '€', '😀', '.', '\\w', '\\W', '\\d', '\\s', '\\S', '\\n', '[^a]', '[a-k]', '[^]', '[]'],
  ...['\\p{L}', '\\P{Lu}', '[^\\p{L}]', '[é-€]', '[\\s\\S]', '\\u{1F600}', '\\xe9', '^', '$', '\\b', '\\B', '', '_'],
)
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'pattern' },
    atom,
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,3}?', '{2,}', '*?'))
      .map(([a, quantifier]) => `(${a})${quantifier}`),
  ),
}))
const flags = fc.subarray(['i', 'm', 's']).map((each) => each.join(''))

describe('a regular expression', () => {
  it('accepts what JavaScript matches as a whole', () => {
    fc.assert(
      fc.property(
        pattern,
        flags,
        fc.array(fc.array(fc.constantFrom(...letters), { maxLength: 5 }), { maxLength: 30 }),
        (source, flags, texts) => {
          const matches = javascript(source, flags)
          let automaton: ByteAutomaton | undefined
          try {
            automaton = regexAutomaton(source, flags)
          } catch (error) {
            expect(String(error)).toContain('P001')
          }
          for (const text of [[], ...letters.map((letter) => [letter]), ...texts]) {
            const joined = text.join('')
            expect([source, flags, joined, automaton ? accepts(automaton, joined) : false]).toEqual([
              source,
              flags,
              joined,
              matches(joined),
            ])
          }
        },
      ),
      { numRuns: 400, seed: 1 },
    )
  }, 60_000)
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteAutomaton, Pattern } from '../../src/patterns/pattern.js'
import { choicePattern, regexAutomaton, regexPattern } from '../../src/patterns/regex.js'
import { vocabularyOf } from './vocabularies.js'
import { accepts, completion, stateAfter, tokensOf, walk } from './walk.js'

const encoder = new TextEncoder()

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
      { numRuns: 300, seed: 1 },
    )
  }, 60_000)

  it('allows the tokens after which the text can be completed, and no others', () => {
    // Words of up to 4 of these letters: every way that a text of this size can go on.
    const few = ['a', 'k', 'é', '€', ' ']
    const words = ['', ...few]
    for (let at = 1; at < words.length && words.length < 3906; at++) {
      if ([...words[at]!].length < 4) for (const letter of few) words.push(words[at]! + letter)
    }
    const spelt = words.map((word) => encoder.encode(word))
    const token = fc.oneof(
      fc.constantFrom(...few, 'aa', 'é ', 'k€').map((text) => encoder.encode(text)),
      fc
        .tuple(fc.constantFrom(...few, 'aé', '😀', '€k'), fc.nat(4), fc.nat(4))
        .map(([text, from, to]) => encoder.encode(text).subarray(from, from + to)),
      fc.uint8Array({ maxLength: 2 }),
    )
    fc.assert(
      fc.property(
        pattern,
        fc.array(token, { minLength: 4, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (source, tokens, choices) => {
          const vocabulary = vocabularyOf([...tokens, ''])
          const matches = javascript(source, '')
          const fitting = spelt.filter((_, i) => matches(words[i]!))
          const automaton = alive(source)
          if (!automaton) {
            expect(fitting).toEqual([])
            return
          }
          let fitted: Pattern
          try {
            fitted = regexPattern(source, '', vocabulary)
          } catch (error) {
            // No token can begin: then none of the texts may begin with a token, nor may the empty text fit.
            expect(String(error)).toContain('P002')
            expect(
              fitting.filter((word) => word.length === 0 || tokens.some((each) => each.length > 0 && begins(word, each))),
            ).toEqual([])
            return
          }
          const { states, tokens: way } = walk(
            fitted,
            vocabulary.size,
            3,
            (allowed) => allowed[choices.next().value! % allowed.length],
          )
          for (const [i, state] of states.entries()) {
            const before = Buffer.concat(way.slice(0, i).map((each) => vocabulary.bytes(each)))
            expect(state.accepting).toBe(isText(before) && matches(before.toString()))
            const allowed = tokensOf(state, vocabulary.size)
            expect(allowed.length).toBe(state.allowed.count)
            for (const [id, bytes] of [...tokens, new Uint8Array(0)].entries()) {
              const text = Buffer.concat([before, bytes])
              if (!allowed.includes(id)) {
                if (bytes.length > 0)
                  expect([source, text, fitting.filter((word) => begins(word, text))]).toEqual([source, text, []])
                expect(() => state.next(id)).toThrow(RangeError)
                continue
              }
              const rest = completion(automaton, stateAfter(automaton, text))
              const whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat([text, rest!]))
              expect([source, whole, bytes.length > 0 && matches(whole)]).toEqual([source, whole, true])
            }
          }
        },
      ),
      { numRuns: 200, seed: 2 },
    )
  })

  it('has one state for texts that go on alike, and one set for equal masks', () => {
    const { start } = regexPattern('(?:ab|cb)*d|xd', '', vocabularyOf(['a', 'b', 'c', 'd', 'ab', 'x', 'cb']))
    expect(start.next(4)).toBe(start.next(6))
    expect(start.next(0)).toBe(start.next(2))
    expect(start.next(0).next(1)).toBe(start.next(4))
    expect(start.next(0).allowed).toBe(start.next(2).allowed)
    expect(start.next(5)).not.toBe(start.next(4))
    expect(tokensOf(start.next(3), 7)).toEqual([])
    expect([start.accepting, start.next(3).accepting]).toEqual([false, true])
  })

  it('reads signs of expressions as themselves in a list of texts', () => {
    const vocabulary = vocabularyOf(['a', '.', '*', 'b', '\\', '|', 'é'])
    const { start } = choicePattern(['a.*', 'b|a', '\\', 'é'], vocabulary)
    expect(tokensOf(start, vocabulary.size)).toEqual([0, 3, 4, 6])
    expect(start.next(0).next(1).next(2).accepting).toBe(true)
    expect(tokensOf(start.next(0), vocabulary.size)).toEqual([1])
    expect(tokensOf(start.next(3), vocabulary.size)).toEqual([5])
    expect(start.next(4).accepting).toBe(true)
  })

  // refa folds case by Unicode 15.0; these two have got capitals since.
  const capitalised = ['\u019b', '\u0264']
  it('knows the characters of every class as this JavaScript does', () => {
    for (const each of [
      '\\w',
      '\\W',
      '\\d',
      '\\s',
      '\\S',
      '.',
      '\\p{Lu}',
      '\\P{L}',
      '\\p{Script=Greek}',
      '[^\\p{Ll}]',
      '[k-m]',
      '[^s]',
      'K',
    ]) {
      for (const flags of ['', 'i', 's']) {
        const automaton = regexAutomaton(each, flags)
        const matches = javascript(each, flags)
        const differing: string[] = []
        for (let code = 0; code < (flags === 'i' ? 0x1c80 : 0x12000); code += code === 0xd7ff ? 0x801 : 1) {
          const character = String.fromCodePoint(code)
          if (accepts(automaton, character) !== matches(character) && !capitalised.includes(character)) differing.push(character)
        }
        expect([each, flags, differing]).toEqual([each, flags, []])
      }
    }
  })
})

function alive(source: string, flags = ''): ByteAutomaton | undefined {
  try {
    return regexAutomaton(source, flags)
  } catch (error) {
    expect(String(error)).toContain('P001')
    return undefined
  }
}

function begins(word: Uint8Array, beginning: Uint8Array): boolean {
  return Buffer.compare(word.subarray(0, beginning.length), beginning) === 0
}

function isText(bytes: Buffer): boolean {
  return Buffer.compare(Buffer.from(bytes.toString()), bytes) === 0
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ebnfAutomaton } from '../../src/patterns/grammar.js'
import { accepts, completion, stateAfter } from './walk.js'

/** A grammar as a tree, from which the text of the grammar is printed and which `ends` follows by itself. */
type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'set'; readonly characters: string; readonly negative: boolean }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number }

const letters = ['a', 'b', 'é', 'è', '😀']
const ruleNames = ['root', 'x', 'y']

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'node' },
    fc.record({ kind: fc.constant('text' as const), text: fc.constantFrom('', 'a', 'b', 'ab', 'é', 'aé', '😀') }),
    fc.record({
      kind: fc.constant('set' as const),
      characters: fc.constantFrom('a', 'ab', 'éa', 'èé', 'b😀'),
      negative: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('rule' as const), name: fc.constantFrom(...ruleNames) }),
    fc.record({
      kind: fc.constantFrom('sequence' as const, 'choice' as const),
      parts: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    }),
    fc
      .tuple(tie('node'), fc.constantFrom([0, 1], [0, Infinity], [1, Infinity], [2, 2], [0, 2], [1, 3]))
      .map(([part, [min, max]]) => ({ kind: 'repeat' as const, part, min: min!, max: max! })),
  ),
}))

function printed(node: Node): string {
  switch (node.kind) {
    case 'text':
      return JSON.stringify(node.text)
    case 'set':
      return `[${node.negative ? '^' : ''}${node.characters}]`
    case 'rule':
      return node.name
    case 'sequence':
      return `(${node.parts.map(printed).join(' ')})`
    case 'choice':
      return `(${node.parts.map(printed).join(' | ')})`
    case 'repeat':
      return `(${printed(node.part)}){${node.min},${node.max === Infinity ? '' : node.max}}`
  }
}

/** Where a text that begins at `at` can end: by recursion over the tree. */
function ends(rules: ReadonlyMap<string, Node>, text: readonly string[]): (node: Node, at: number) => ReadonlySet<number> {
  const known = new Map<string, ReadonlySet<number>>()
  const after = (from: ReadonlySet<number>, part: Node) => new Set([...from].flatMap((each) => [...visit(part, each)]))
  const visit = (node: Node, at: number): ReadonlySet<number> => {
    switch (node.kind) {
      case 'text': {
        const characters = [...node.text]
        return new Set(characters.every((each, i) => text[at + i] === each) ? [at + characters.length] : [])
      }
      case 'set': {
        const next = text[at]
        return new Set(next !== undefined && [...node.characters].includes(next) !== node.negative ? [at + 1] : [])
      }
      case 'rule': {
        const key = `${node.name} ${at}`
        const found = known.get(key) ?? visit(rules.get(node.name)!, at)
        known.set(key, found)
        return found
      }
      case 'sequence':
        return node.parts.reduce<ReadonlySet<number>>((from, part) => after(from, part), new Set([at]))
      case 'choice':
        return new Set(node.parts.flatMap((part) => [...visit(part, at)]))
      case 'repeat': {
        const found = new Set<number>()
        const most = Math.min(node.max, text.length + 1 + node.min)
        let from: ReadonlySet<number> = new Set([at])
        for (let i = 0; ; i++) {
          if (i >= node.min) for (const each of from) found.add(each)
          if (i >= most) return found
          from = after(from, node.part)
        }
      }
    }
  }
  return visit
}

const texts = fc.array(fc.array(fc.constantFrom(...letters), { maxLength: 6 }), { minLength: 25, maxLength: 25 })

describe('a grammar', () => {
  it('fits what a recursion over its tree fits, and goes on exactly where it can be completed', () => {
    let built = 0
    fc.assert(
      fc.property(fc.tuple(node, node, node), texts, (bodies, texts) => {
        const rules = new Map(ruleNames.map((name, i) => [name, bodies[i]!]))
        const ebnf = [...rules].map(([name, body]) => `${name} ::= ${printed(body)}\n`).join('')
        let automaton: ReturnType<typeof ebnfAutomaton>
        try {
          automaton = ebnfAutomaton(ebnf)
        } catch (error) {
          expect(String(error)).toMatch(/P001|P006/)
          return
        }
        built++
        const fits = (text: string) => {
          const characters = [...text]
          return ends(rules, characters)(rules.get('root')!, 0).has(characters.length)
        }
        const encoder = new TextEncoder()
        for (const characters of texts) {
          const text = characters.join('')
          expect([ebnf, text, accepts(automaton, text)]).toEqual([ebnf, text, fits(text)])
          // The first byte of the last character alone: half of a character goes on only where a whole one does.
          const bytes = encoder.encode(text)
          const beginning = bytes.subarray(0, bytes.length - (characters.length % 2))
          const state = stateAfter(automaton, beginning)
          if (state >= 0) {
            const rest = completion(automaton, state)
            const whole = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat([beginning, rest!]))
            expect([ebnf, whole, fits(whole)]).toEqual([ebnf, whole, true])
          } else {
            for (const end of texts) {
              const other = `${text}${end.join('')}`
              if (beginning.length === bytes.length) expect([ebnf, other, fits(other)]).toEqual([ebnf, other, false])
            }
          }
        }
      }),
      { numRuns: 600, seed: 5 },
    )
    expect(built).toBeGreaterThan(150)
  })
})

import { createRequire } from 'node:module'
import type * as Refa from 'refa'
import { type CodePoints, codePointLimit, type Partition, partition } from './code-points.js'
import { withoutProperties } from './regex-properties.js'

/*
 * A regular expression as an automaton over classes of code points (Thompson 1968). Assertions (^ $ \b \B) look at one character to the
 * left or right. Which of their sets the character before a position belongs to is its *context*, a bit; the edge of the text is one too.
 * An arrow of an assertion carries the contexts that it allows on its side.
 */

export interface Nfa {
  readonly alphabet: Partition
  /** The context, as one bit, that each class makes for the position behind it. (classes) */
  readonly contexts: readonly number[]
  /** The context of the start and of the end of the text, as one bit. */
  readonly edge: number
  readonly start: number
  readonly final: number
  readonly nodes: readonly NfaNode[]
}

export interface NfaNode {
  /** The arrow that reads a character of these classes; a node has one at most. */
  reads: { readonly classes: readonly number[]; readonly to: number } | undefined
  readonly empty: Empty[]
}

/** An arrow that reads nothing. */
export interface Empty {
  readonly to: number
  /** Contexts that may stand before the position. */
  readonly behind: number
  /** Contexts that the next character may make. */
  readonly ahead: number
}

/** More nodes than a pattern may have: `(x{0,500}){0,500}` is written quickly. */
export const nodeLimit = 50_000

/** Thrown by the builders when a pattern grows over a limit. */
export class TooLarge extends Error {}

const all = -1

export function regexNfa(source: string, flags: string): Nfa {
  const { JS } = createRequire(import.meta.url)('refa') as typeof Refa
  const { expression } = JS.Parser.fromLiteral({
    source: withoutProperties(source),
    flags: flags.includes('u') ? flags : `${flags}u`,
  }).parse({
    maxNodes: nodeLimit,
  })
  const sets = new Map<string, { readonly set: CodePoints; readonly index: number }>()
  const asserted: number[] = []
  const indexOf = (set: Refa.CharSet): number => {
    const key = set.ranges.map(({ min, max }) => `${min}-${max}`).join()
    let known = sets.get(key)
    if (!known) sets.set(key, (known = { set: set.ranges, index: sets.size }))
    return known.index
  }
  collect(expression.alternatives, (set, inAssertion) => {
    const index = indexOf(set)
    if (inAssertion && !asserted.includes(index)) asserted.push(index)
  })
  // Every character has a context when there are assertions, also one that stands in no set of the pattern.
  const everything = { min: 0, max: codePointLimit - 1 }
  const alphabet = partition([...[...sets.values()].map(({ set }) => set), ...(asserted.length > 0 ? [[everything]] : [])])
  const { contexts, edge } = contextsOf(alphabet, asserted)

  const nodes: NfaNode[] = []
  const node = (): number => {
    if (nodes.length >= nodeLimit) throw new TooLarge()
    return nodes.push({ reads: undefined, empty: [] }) - 1
  }
  const join = (from: number, to: number, behind = all, ahead = all) => nodes[from]!.empty.push({ to, behind, ahead })

  /** Contexts of the characters that an assertion asks for. */
  const asks = ({ alternatives, negate }: Refa.NoParent<Refa.Assertion>): number => {
    let mask = 0
    for (const { elements } of alternatives) {
      const [element] = elements
      if (elements.length !== 1 || element?.type !== 'CharacterClass')
        throw new Error('an assertion about more than one character')
      for (const member of alphabet.members[indexOf(element.characters)]!) mask |= contexts[member]!
    }
    return negate ? ~mask : mask
  }
  const alternation = (alternatives: readonly Refa.NoParent<Refa.Concatenation>[], from: number): number => {
    const to = node()
    for (const { elements } of alternatives) {
      let at = node()
      join(from, at)
      for (const element of elements) at = read(element, at)
      join(at, to)
    }
    return to
  }
  const read = (element: Refa.NoParent<Refa.Element>, from: number): number => {
    switch (element.type) {
      case 'CharacterClass': {
        const at = node()
        join(from, at)
        const to = node()
        nodes[at]!.reads = { classes: alphabet.members[indexOf(element.characters)]!, to }
        return to
      }
      case 'Alternation':
        return alternation(element.alternatives, from)
      case 'Assertion': {
        const to = node()
        if (element.kind === 'behind') join(from, to, asks(element))
        else join(from, to, all, asks(element))
        return to
      }
      case 'Quantifier': {
        let at = from
        for (let i = 0; i < element.min; i++) at = alternation(element.alternatives, at)
        if (element.max === Number.POSITIVE_INFINITY) {
          const loop = node()
          join(at, loop)
          join(alternation(element.alternatives, loop), loop)
          return loop
        }
        const to = node()
        for (let i = element.min; i < element.max; i++) {
          join(at, to)
          at = alternation(element.alternatives, at)
        }
        join(at, to)
        return to
      }
      case 'Unknown':
        throw new Error(`refa does not know ${element.id}`)
      default:
        return element satisfies never
    }
  }
  const start = node()
  const final = alternation(expression.alternatives, start)
  return { alphabet, contexts, edge, start, final, nodes }
}

function collect(
  alternatives: readonly Refa.NoParent<Refa.Concatenation>[],
  found: (set: Refa.CharSet, inAssertion: boolean) => void,
  inAssertion = false,
): void {
  for (const { elements } of alternatives) {
    for (const element of elements) {
      if (element.type === 'CharacterClass') found(element.characters, inAssertion)
      else if (element.type !== 'Unknown') collect(element.alternatives, found, inAssertion || element.type === 'Assertion')
    }
  }
}

/** One bit for each way in which the sets of the assertions can hold a character, and one for the edge of the text. */
function contextsOf(alphabet: Partition, asserted: readonly number[]): { contexts: number[]; edge: number } {
  const bits = new Map<string, number>()
  const inside = asserted.map((set) => new Set(alphabet.members[set]))
  const contexts = Array.from({ length: alphabet.count }, (_, member) => {
    const key = inside.map((set) => (set.has(member) ? '1' : '0')).join('')
    let bit = bits.get(key)
    if (bit === undefined) bits.set(key, (bit = 1 << bits.size))
    return bit
  })
  return { contexts, edge: 1 << bits.size }
}

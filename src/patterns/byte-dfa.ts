import type { CharacterDfa } from './character-dfa.js'
import type { ByteAutomaton } from './pattern.js'
import type { Dfa } from './regex-dfa.js'
import { TooLarge } from './regex-nfa.js'
import { type Utf8Node, utf8Columns, utf8Tree } from './utf8.js'

const stateLimit = 100_000

interface Edge {
  readonly min: number
  readonly max: number
  readonly target: number
}

/**
 * An automaton over characters as one over the bytes of UTF-8: each of its states becomes a copy of the tree that reads one character,
 * with equal parts shared by all copies. If `dfa` is the smallest of its language the result is, too: within a character a text stands
 * at a place of the tree, and places are one when all that follows is.
 */
export function byteDfa({ dfa, alphabet }: CharacterDfa): ByteAutomaton {
  const root = utf8Tree(alphabet)
  /** The arrows of each state; the first `dfa.size` are the states of `dfa`. */
  const rows: Edge[][] = Array.from({ length: dfa.size }, () => [])
  const known = new Map<string, number>()
  const edgesOf = (state: number, { edges }: Utf8Node, seen: Map<Utf8Node, number>): Edge[] =>
    edges.flatMap(({ min, max, to }) => {
      const target = typeof to === 'number' ? dfa.table[state * dfa.classes + to]! : inside(state, to, seen)
      return target < 0 ? [] : [{ min, max, target }]
    })
  /** The state at a place within a character; -1 when no match goes on from there. */
  const inside = (state: number, node: Utf8Node, seen: Map<Utf8Node, number>): number => {
    const before = seen.get(node)
    if (before !== undefined) return before
    const edges = edgesOf(state, node, seen)
    let number = -1
    if (edges.length > 0) {
      const key = edges.map(({ min, max, target }) => `${min}-${max}:${target}`).join()
      number = known.get(key) ?? -1
      if (number < 0) {
        if (rows.length >= stateLimit) throw new TooLarge()
        number = rows.push(edges) - 1
        known.set(key, number)
      }
    }
    seen.set(node, number)
    return number
  }
  for (let state = 0; state < dfa.size; state++) rows[state] = edgesOf(state, root, new Map())
  return table(rows, dfa, root)
}

/** The arrows as one table with a column for all bytes that the tree does not tell apart. */
function table(rows: readonly (readonly Edge[])[], dfa: Dfa, root: Utf8Node): ByteAutomaton {
  const { columns, width } = utf8Columns(root)
  const cells = new Int32Array(rows.length * width).fill(-1)
  for (const [state, edges] of rows.entries()) {
    for (const { min, max, target } of edges) {
      for (let byte = min; byte <= max; byte++) cells[state * width + columns[byte]!] = target
    }
  }
  return {
    start: 0,
    accepting: (state) => state < dfa.size && dfa.accepting[state] === 1,
    step: (state, byte) => cells[state * width + columns[byte]!]!,
  }
}

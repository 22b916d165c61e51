import type { Vocabulary } from '../models/model.js'
import { ByteTrie } from './byte-trie.js'
import type { ByteAutomaton } from './pattern.js'

/** States that the search may look behind: few of those that a grammar may have. */
const patience = 256
/** Nodes of the tree of tokens that it may look at: some hundredths of a second. */
const nodes = 2_000_000
/** States whose bytes it follows where it looks no further behind tokens. */
const byteStates = 5_000

/** How many tokens a full match takes at least: Infinity where the vocabulary spells none. */
export interface Fewest {
  readonly tokens: number
  /** Whether so many are enough; not known where the search grew too large. */
  readonly exact: boolean
}

/** The smallest number of tokens that spell a full match, by breadth first search over the states of the automaton. */
export function fewestTokens(automaton: ByteAutomaton, vocabulary: Vocabulary): Fewest {
  const trie = ByteTrie.of(vocabulary)
  const seen = new Set([automaton.start])
  let looked = 0
  let walked = 0
  let reached = [automaton.start]
  for (let tokens = 0; reached.length > 0; tokens++) {
    if (reached.some((state) => automaton.accepting(state))) return { tokens, exact: true }
    const next: number[] = []
    for (const state of reached) {
      if (looked === patience || walked > nodes) {
        // Every text that fits has one of these states behind as many tokens, and none of its tokens is longer than the longest.
        const more = Math.max(1, Math.ceil(bytesLeft(automaton, reached) / trie.longest))
        const inAll = Math.ceil((automaton.fewestBytes ?? 0) / trie.longest)
        return { tokens: Math.max(tokens + more, inAll), exact: false }
      }
      const successors = trie.successors(automaton, state)
      looked++
      walked += successors.nodes
      for (const other of successors.states) {
        if (seen.has(other)) continue
        seen.add(other)
        next.push(other)
      }
    }
    reached = next
  }
  return { tokens: Number.POSITIVE_INFINITY, exact: true }
}

/** No full match is fewer bytes away from one of these states; by breadth first search, too. */
function bytesLeft(automaton: ByteAutomaton, from: readonly number[]): number {
  const seen = new Set(from)
  let reached = from
  for (let bytes = 0; ; bytes++) {
    if (seen.size > byteStates || reached.length === 0 || reached.some((state) => automaton.accepting(state))) return bytes
    const next: number[] = []
    for (const state of reached) {
      for (let byte = 0; byte < 256; byte++) {
        const other = automaton.step(state, byte)
        if (other < 0 || seen.has(other)) continue
        seen.add(other)
        next.push(other)
      }
    }
    reached = next
  }
}

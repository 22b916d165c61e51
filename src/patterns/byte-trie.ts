import type { Vocabulary } from '../models/model.js'
import type { ByteAutomaton } from './pattern.js'

/**
 * The tokens of a vocabulary as one tree of bytes, laid out in preorder: the children of a node follow it, and `after[n]` is the first
 * node that is not below n. A walk that meets a dead state goes on at `after`, so that a mask costs the live part of the tree only.
 * Tokens without bytes are not in the tree.
 */
export class ByteTrie {
  /** The last byte of the way to each node. (nodes) */
  readonly #bytes: Uint8Array
  /** Length of the way to each node, from 1. (nodes) */
  readonly #depths: Int32Array
  /** (nodes) */
  readonly #after: Int32Array
  /** The tokens that end at node n stand at firsts[n] .. firsts[n + 1] of `tokens`. (nodes + 1) */
  readonly #firsts: Int32Array
  readonly #tokens: Int32Array
  /** The states on the way to the current node of a walk. (longest token + 1) */
  readonly #way: Int32Array

  private constructor(
    readonly size: number,
    bytesOf: (token: number) => Uint8Array,
  ) {
    const spelt: { readonly token: number; readonly bytes: Uint8Array; readonly key: string }[] = []
    for (let token = 0; token < size; token++) {
      const bytes = bytesOf(token)
      // One UTF-16 unit a byte: texts are compared faster than bytes.
      if (bytes.length > 0) spelt.push({ token, bytes, key: Buffer.from(bytes).toString('latin1') })
    }
    spelt.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    const nodes: number[] = []
    const depths: number[] = []
    const after: number[] = []
    const firsts: number[] = []
    /** The nodes on the way to the last token. */
    const open: number[] = []
    let previous = new Uint8Array(0)
    for (const [i, { bytes }] of spelt.entries()) {
      let shared = 0
      while (shared < previous.length && shared < bytes.length && previous[shared] === bytes[shared]) shared++
      while (open.length > shared) after[open.pop()!] = nodes.length
      for (let at = shared; at < bytes.length; at++) {
        open.push(nodes.length)
        nodes.push(bytes[at]!)
        depths.push(at + 1)
        after.push(0)
        firsts.push(i)
      }
      previous = bytes as Uint8Array<ArrayBuffer>
    }
    for (const node of open) after[node] = nodes.length
    this.#bytes = Uint8Array.from(nodes)
    this.#depths = Int32Array.from(depths)
    this.#after = Int32Array.from(after)
    this.#firsts = Int32Array.from([...firsts, spelt.length])
    this.#tokens = Int32Array.from(spelt, ({ token }) => token)
    this.#way = new Int32Array(depths.reduce((longest, depth) => Math.max(longest, depth), 0) + 1)
  }

  /** Bytes of the longest token. */
  get longest(): number {
    return this.#way.length - 1
  }

  /** One tree a vocabulary, built when it is first asked for. */
  static of(vocabulary: Vocabulary): ByteTrie {
    let trie = tries.get(vocabulary)
    if (!trie) tries.set(vocabulary, (trie = new ByteTrie(vocabulary.size, (token) => vocabulary.bytes(token))))
    return trie
  }

  /** The bits of the tokens that lead from `state` to a live state. (ceil(size / 32)) */
  mask(automaton: ByteAutomaton, state: number): Uint32Array {
    const words = new Uint32Array(Math.ceil(this.size / 32))
    const tokens = this.#tokens
    this.#walk(automaton, state, (_, first, end) => {
      for (let i = first; i < end; i++) words[tokens[i]! >>> 5]! |= 1 << (tokens[i]! & 31)
    })
    return words
  }

  /** The live states to which one token leads from `state`, and how many nodes of the tree were looked at. */
  successors(automaton: ByteAutomaton, state: number): { readonly states: ReadonlySet<number>; readonly nodes: number } {
    const states = new Set<number>()
    const nodes = this.#walk(automaton, state, (next, first, end) => {
      if (end > first) states.add(next)
    })
    return { states, nodes }
  }

  /** Calls `reach` for each way of bytes to a live state, with the tokens that end there. Returns how many nodes were looked at. */
  #walk(automaton: ByteAutomaton, state: number, reach: (state: number, first: number, end: number) => void): number {
    const bytes = this.#bytes
    const depths = this.#depths
    const after = this.#after
    const firsts = this.#firsts
    const way = this.#way
    let nodes = 0
    way[0] = state
    for (let node = 0; node < bytes.length; nodes++) {
      const depth = depths[node]!
      const next = automaton.step(way[depth - 1]!, bytes[node]!)
      if (next < 0) {
        node = after[node]!
        continue
      }
      way[depth] = next
      reach(next, firsts[node]!, firsts[node + 1]!)
      node++
    }
    return nodes
  }
}

const tries = new WeakMap<Vocabulary, ByteTrie>()

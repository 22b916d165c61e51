import type { Vocabulary } from './model.js'

/** A set of tokens. Those who make sets hand out one object for equal sets, so that what is derived from a set can be kept with it. */
export interface TokenSet {
  /** Bit `v & 31` of word `v >>> 5` says whether token v belongs to the set. */
  readonly words: Uint32Array
  readonly count: number
}

/** Whether a token belongs to a set. */
export function has(set: TokenSet, token: number): boolean {
  return ((set.words[token >>> 5]! >>> (token & 31)) & 1) === 1
}

/** The tokens of a set, ascending. */
export function* tokensOf({ words }: TokenSet): Generator<number> {
  for (let i = 0; i < words.length; i++) {
    for (let left = words[i]!; left !== 0; left &= left - 1) yield 32 * i + 31 - Math.clz32(left & -left)
  }
}

const lists = new WeakMap<TokenSet, Int32Array>()

/** The tokens of a set, ascending, as an array; the same array for the same set. */
export function listOf(set: TokenSet): Int32Array {
  let list = lists.get(set)
  if (!list) lists.set(set, (list = Int32Array.from(tokensOf(set))))
  return list
}

/** The set of these tokens, of a vocabulary of `size`. */
export function setOf(tokens: Iterable<number>, size: number): TokenSet {
  const words = new Uint32Array(Math.ceil(size / 32))
  for (const token of tokens) words[token >>> 5]! |= 1 << (token & 31)
  return fromWords(words)
}

const complements = new WeakMap<TokenSet, TokenSet>()

/** The tokens of a vocabulary of `size` that a set lacks. The same object for the same set. */
export function complement(set: TokenSet, size: number): TokenSet {
  let other = complements.get(set)
  if (!other) {
    const words = set.words.map((word) => ~word)
    if (size & 31) words[words.length - 1]! &= (1 << (size & 31)) - 1
    complements.set(set, (other = fromWords(words)))
    complements.set(other, set)
  }
  return other
}

const ends = new WeakMap<Vocabulary, TokenSet>()

/** All tokens but those that end a text; null when there are none such. The same object for the same vocabulary. */
export function withoutEnd(vocabulary: Vocabulary): TokenSet | null {
  if (vocabulary.end.length === 0) return null
  let set = ends.get(vocabulary)
  if (!set) ends.set(vocabulary, (set = complement(setOf(vocabulary.end, vocabulary.size), vocabulary.size)))
  return set
}

const intersections = new WeakMap<TokenSet, WeakMap<TokenSet, TokenSet>>()

/** The tokens of both; null stands for all tokens. The same object for the same sets. */
export function intersection(a: TokenSet | null, b: TokenSet | null): TokenSet | null {
  if (!a || !b || a === b) return a ?? b
  let known = intersections.get(a)
  if (!known) intersections.set(a, (known = new WeakMap()))
  let both = known.get(b)
  if (!both) known.set(b, (both = fromWords(a.words.map((word, i) => word & b.words[i]!))))
  return both
}

/** How many bits of 32 are set. */
export function onesOf(word: number): number {
  let count = 0
  for (let left = word; left !== 0; left &= left - 1) count++
  return count
}

function fromWords(words: Uint32Array): TokenSet {
  return { words, count: words.reduce((count, word) => count + onesOf(word), 0) }
}

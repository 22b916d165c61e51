import type { TokenSet } from '../models/token-set.js'

/** The token sets of one pattern: equal sets are one object. */
export class TokenSets {
  readonly #known = new Map<number, TokenSet[]>()

  /** The set with these bits, which must not change afterwards. */
  of(words: Uint32Array): TokenSet {
    // FNV-1a over whole words: only a place to look, equality decides.
    let hash = 0x811c9dc5
    for (const word of words) hash = Math.imul(hash ^ word, 0x01000193)
    const alike = this.#known.get(hash)
    const found = alike?.find((set) => set.words.every((word, i) => word === words[i]))
    if (found) return found
    const set = { words, count: words.reduce((sum, word) => sum + ones(word), 0) }
    if (alike) alike.push(set)
    else this.#known.set(hash, [set])
    return set
  }
}

function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/**
 * Philox4x32-10, a counter-based generator: out = bijection of the counter under the key, ten rounds of two 32 x 32 -> 64 bit
 * products. Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 4.
 *
 * A number is a pure function of its place in the run, so that no state is passed along, forked or lost when particles are copied.
 *
 * | words   | of the key's block             | of a draw's block                 | of a resampling's block |
 * |---------|--------------------------------|-----------------------------------|-------------------------|
 * | key     | seed (2)                       | derived from seed, purpose, repeat | the same, other purpose |
 * | counter | purpose, repeat (2), 0         | slot, generation, draw, attempt   | k, generation, 0, 0     |
 */
import type { DrawKey, Randomness } from '../models/randomness.js'

const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85
const ROUNDS = 10

/** Streams with different purposes share no number: a resampling that reuses a draw's number is biased (inference.md §1). */
const PURPOSE = { draw: 1, resampling: 2 } as const

/**
 * One block: four words of the counter under two words of the key. Words count modulo 2^32.
 * @param out 4 words, overwritten
 */
export function philox4x32(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: Uint32Array): void {
  let a = c0 | 0
  let b = c1 | 0
  let c = c2 | 0
  let d = c3 | 0
  let x = k0 | 0
  let y = k1 | 0
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highProduct(M0, a)
    const high1 = highProduct(M1, c)
    const low0 = Math.imul(M0, a)
    a = high1 ^ b ^ x
    b = Math.imul(M1, c)
    c = high0 ^ d ^ y
    d = low0
    x = (x + W0) | 0
    y = (y + W1) | 0
  }
  out[0] = a
  out[1] = b
  out[2] = c
  out[3] = d
}

/** The upper 32 bits of the product of two unsigned words, from 16-bit halves: no partial sum leaves 32 bits. */
function highProduct(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0
  const carry = (Math.imul(a0, b1) + (middle & 0xffff)) | 0
  return (Math.imul(a1, b1) + (middle >>> 16) + (carry >>> 16)) | 0
}

/**
 * A number of the open interval (0, 1) from two words: (k + 1/2) 2^-52 with k of 52 bits. With 53 bits the largest would round to 1.
 */
export function openUniform(high: number, low: number): number {
  return ((high >>> 0) * 0x100000 + (low >>> 12) + 0.5) * 2 ** -52
}

/**
 * The index i that a uniform u of (0, 1) picks with probability weights[i] / sum: the first whose cumulative sum exceeds u times the sum,
 * and the last one of positive weight should rounding leave none. Never an index of weight 0.
 * @param weights non-negative and finite, not all 0
 * @throws RangeError otherwise: that is the caller's fault, and a NaN must not pick an index
 */
export function inverseIndex(weights: ArrayLike<number>, u: number): number {
  const count = weights.length
  let total = 0
  for (let i = 0; i < count; i++) total += weights[i]!
  if (!(total > 0 && total < Infinity)) throw new RangeError(`an index is drawn from weights with sum ${total}`)
  const bound = u * total
  let sum = 0
  let live = -1
  for (let i = 0; i < count; i++) {
    const weight = weights[i]!
    if (weight > 0) {
      live = i
      sum += weight
      if (sum > bound) return i
    }
  }
  return live
}

/**
 * The sampler's source of chance: equal arguments give equal numbers on every machine.
 * @param seed an integer from 0 to 2^53 - 1
 * @param repeat an integer from 0 to 2^53 - 1: which one of several independent runs with this seed
 * @throws RangeError where one is not
 */
export function philoxRandomness(seed: number, repeat = 0): Randomness {
  return new PhiloxRandomness(seed, repeat)
}

class PhiloxRandomness implements Randomness {
  private readonly out = new Uint32Array(4)
  private readonly draw0: number
  private readonly draw1: number
  private readonly resampling0: number
  private readonly resampling1: number

  constructor(seed: number, repeat: number) {
    for (const value of [seed, repeat]) {
      if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`a seed or repeat is an integer from 0, not ${value}`)
    }
    this.derive(seed, PURPOSE.draw, repeat)
    this.draw0 = this.out[0]!
    this.draw1 = this.out[1]!
    this.derive(seed, PURPOSE.resampling, repeat)
    this.resampling0 = this.out[0]!
    this.resampling1 = this.out[1]!
  }

  private derive(seed: number, purpose: number, repeat: number): void {
    philox4x32(purpose, lowWord(repeat), highWord(repeat), 0, lowWord(seed), highWord(seed), this.out)
  }

  index(weights: ArrayLike<number>, key: DrawKey, attempt = 0): number {
    return inverseIndex(weights, this.uniform(key, attempt))
  }

  uniform(key: DrawKey, attempt: number): number {
    const out = this.out
    philox4x32(key.slot, key.generation, key.draw, attempt, this.draw0, this.draw1, out)
    return openUniform(out[0]!, out[1]!)
  }

  resampling(generation: number, count: number, _breaks: (k: number) => readonly number[]): Float64Array {
    const out = this.out
    const uniforms = new Float64Array(count)
    for (let k = 0; k < count; k++) {
      philox4x32(k, generation, 0, 0, this.resampling0, this.resampling1, out)
      uniforms[k] = openUniform(out[0]!, out[1]!)
    }
    return uniforms
  }
}

function lowWord(integer: number): number {
  return integer % 2 ** 32
}

function highWord(integer: number): number {
  return Math.floor(integer / 2 ** 32)
}

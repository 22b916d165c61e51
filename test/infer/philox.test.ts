import { describe, expect, it } from 'vitest'
import { inverseIndex, openUniform, philox4x32, philoxRandomness } from '../../src/infer/philox.js'

const none = () => []

describe('philox4x32', () => {
  // The vectors "philox4x32 10" of Random123's tests/kat_vectors: counter, key, result.
  const vectors = [
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const

  it.each(vectors)('gives the published answer for the counter %j under the key %j', (counter, key, result) => {
    const out = new Uint32Array(4)
    philox4x32(counter[0], counter[1], counter[2], counter[3], key[0], key[1], out)
    expect(Array.from(out, (word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(result)
  })
})

describe('uniforms', () => {
  it('lie strictly between 0 and 1 at the extremes', () => {
    expect(openUniform(0, 0)).toBe(2 ** -53)
    expect(openUniform(-1, -1)).toBe(1 - 2 ** -53)
  })

  it('differ with each part of the key, the seed and the repeat', () => {
    const parts = [0, 1, 2 ** 31]
    const seen = new Set<number>()
    let count = 0
    for (const seed of [0, 1, 2 ** 32, 2 ** 53 - 1])
      for (const repeat of [0, 1, 2 ** 32]) {
        const random = philoxRandomness(seed, repeat)
        for (const slot of parts)
          for (const generation of parts)
            for (const draw of parts)
              for (const attempt of parts) {
                seen.add(random.uniform({ slot, generation, draw }, attempt))
                count++
              }
        for (const u of random.resampling(1, 5, none)) {
          seen.add(u)
          count++
        }
      }
    expect(seen.size).toBe(count)
  })

  it('are a function of the key alone, in whatever order they are asked for', () => {
    const keys = Array.from({ length: 50 }, (_, slot) => ({ slot, generation: 3, draw: slot % 4 }))
    const forth = philoxRandomness(7)
    const back = philoxRandomness(7)
    const first = keys.map((key) => forth.uniform(key, 2))
    const second = [...keys].reverse().map((key) => back.uniform(key, 2))
    expect(second.reverse()).toEqual(first)
    expect(forth.resampling(4, 8, none)).toEqual(back.resampling(4, 8, none))
    expect(forth.resampling(4, 3, none)).toEqual(back.resampling(4, 8, none).subarray(0, 3))
  })

  it('fill 1,000 equal bins as evenly as chance, over neighbouring slots and draws', () => {
    const random = philoxRandomness(1)
    const bins = new Float64Array(1000)
    const n = 1_000_000
    for (let i = 0; i < n; i++)
      bins[Math.floor(random.uniform({ slot: i % 1000, generation: 0, draw: Math.floor(i / 1000) }, 0) * 1000)]!++
    const expected = n / bins.length
    const square = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    // Chi-square with 999 degrees of freedom: mean 999, standard deviation sqrt(2 x 999); 4.9 of them are a chance of 1e-6.
    expect(Math.abs(square - 999)).toBeLessThan(4.9 * Math.sqrt(2 * 999))
  })

  it('refuse a seed or a repeat that is not an integer from 0', () => {
    for (const bad of [-1, 0.5, 2 ** 53, NaN]) {
      expect(() => philoxRandomness(bad)).toThrow(RangeError)
      expect(() => philoxRandomness(0, bad)).toThrow(RangeError)
    }
  })
})

describe('inverseIndex', () => {
  it('takes the first index whose cumulative weight is strictly above the point', () => {
    const weights = [0, 1, 0, 2, 1, 0]
    expect([0.1, 0.2499, 0.25, 0.7499, 0.75, 0.99].map((u) => inverseIndex(weights, u))).toEqual([1, 1, 3, 3, 4, 4])
  })

  it('never returns an index of weight 0, also where rounding leaves no other', () => {
    expect(inverseIndex([0, 5e-324, 0], 1 - 2 ** -53)).toBe(1)
    expect(inverseIndex([0, 5e-324, 5e-324, 0, 0], 1 - 2 ** -53)).toBe(2)
    expect(inverseIndex(new Float32Array([0, 0, 1]), 2 ** -53)).toBe(2)
  })

  it('refuses weights that are all 0, not numbers or infinite in sum', () => {
    for (const bad of [[], [0, 0], [1, NaN], [Infinity], [1e308, 1e308]]) expect(() => inverseIndex(bad, 0.5)).toThrow(RangeError)
  })

  it('is what `index` does with the first uniform of the key', () => {
    const random = philoxRandomness(11)
    const key = { slot: 3, generation: 2, draw: 1 }
    const weights = Array.from({ length: 100 }, (_, i) => i % 7)
    expect(random.index(weights, key)).toBe(inverseIndex(weights, random.uniform(key, 0)))
  })
})

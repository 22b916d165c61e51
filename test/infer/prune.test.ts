import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import { prune, survival } from '../../src/infer/prune.js'
import type { Randomness } from '../../src/models/randomness.js'

const logs = (masses: readonly number[]) => Float64Array.from(masses, Math.log)
const oracle = [0.4, 0.25, 0.15, 0.1, 0.06, 0.04]

/** E[mass] of each item afterwards, over all uniforms. */
async function meanMass(logw: Float64Array, count: number): Promise<number[]> {
  const mean: number[] = Array.from(logw, () => 0)
  for await (const { probability, result } of enumerate((random) => prune(logw, count, random, 0))) {
    expect(result.survivors).toHaveLength(count)
    expect(new Set(result.survivors).size).toBe(count)
    result.survivors.forEach((i, slot) => {
      mean[i]! += probability * Math.exp(result.logw[slot]!)
    })
  }
  return mean
}

/** Every uniform is u. */
const at = (u: number): Randomness => ({
  index: () => 0,
  uniform: () => u,
  resampling: (_, n) => new Float64Array(n).fill(u),
})

describe('who keeps its mass', () => {
  test('c is 10/3 for the case of the oracle, not N / total = 3', () => {
    const { logC, kept, rest } = survival(logs(oracle), 3)
    expect(Math.exp(logC)).toBeCloseTo(10 / 3, 12)
    expect([kept, rest]).toEqual([[0], [1, 2, 3, 4, 5]])
  })

  test('c solves sum min(c m, 1) = N, in any order and at any scale', () => {
    const masses = fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true }), { minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(masses, fc.nat(10), fc.integer({ min: -800, max: 800 }), (m, k, shift) => {
        const count = 1 + (k % (m.length - 1))
        const { logC, kept, rest } = survival(
          logs(m).map((x) => x + shift),
          count,
        )
        const c = Math.exp(logC + shift)
        expect(m.reduce((sum, x) => sum + Math.min(c * x, 1), 0)).toBeCloseTo(count, 9)
        for (const i of kept) expect(c * m[i]!).toBeGreaterThan(1 - 1e-9)
        for (const i of rest) expect(c * m[i]!).toBeLessThan(1 + 1e-9)
        expect([...kept, ...rest].sort((a, b) => a - b)).toEqual([...m.keys()])
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  test('there must be more live ones than places', () => {
    expect(() => survival(logs([1, 1]), 2)).toThrow(RangeError)
    expect(() => survival(logs([1, 0, 1]), 2)).toThrow(RangeError)
    expect(() => survival(logs([1, 1]), 0)).toThrow(RangeError)
  })
})

describe('pruning', () => {
  test.each([
    [oracle, 3],
    [oracle, 1],
    [oracle, 5],
    [[0.5, 0.25, 0.25], 2],
    [[1, 1, 1, 1], 3],
    [[0.2, 0, 0.5, 0, 0.3], 2],
    [[1, 1e-9, 1e-9], 2],
  ])('keeps the mass of each of %j on average, %i of them once', async (masses, count) => {
    const mean = await meanMass(logs(masses), count)
    const total = masses.reduce((a, b) => a + b)
    mean.forEach((mass, i) => {
      expect(Math.abs(mass - masses[i]!) / total).toBeLessThan(1e-10)
    })
  })

  test('those of c m >= 1 keep theirs for certain, the others get 1/c; the sum stays', async () => {
    for await (const { result } of enumerate((random) => prune(logs(oracle), 3, random, 0))) {
      const masses = Array.from(result.logw, Math.exp)
      expect([...result.survivors]).toEqual([...result.survivors].sort((a, b) => a - b))
      expect(result.survivors[0]).toBe(0)
      expect(masses[0]).toBeCloseTo(0.4, 12)
      for (const mass of masses.slice(1)) expect(mass).toBeCloseTo(0.3, 12)
      expect(masses.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
    }
  })

  test('an item beside which doubles underflow can still be drawn, and weighs what it weighed', async () => {
    for (const logw of [Float64Array.of(0, -1000, -1001), Float64Array.of(-1000, 0, 0), Float64Array.of(0, 0, -2000, -1000)]) {
      const count = 2
      const seen = Array.from(logw, () => 0)
      for await (const { probability, result } of enumerate((random) => prune(logw, count, random, 0)))
        result.survivors.forEach((i, slot) => {
          // exp(log mass - its own) summed: 1 when the mass is kept on average.
          seen[i]! += probability * Math.exp(result.logw[slot]! - logw[i]!)
        })
      for (const share of seen) expect(share).toBeCloseTo(1, 4)
    }
  })

  test('a dead item never returns, at the ends of the uniform', () => {
    const masses = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 3, maxLength: 20 })
    fc.assert(
      fc.property(masses, fc.constantFrom(2 ** -53, 0.5, 1 - 2 ** -53), fc.nat(20), (m, u, k) => {
        const live = m.filter((x) => x > 0).length
        fc.pre(live > 1)
        const { survivors } = prune(logs(m), 1 + (k % (live - 1)), at(u), 0)
        for (const i of survivors) expect(m[i]).toBeGreaterThan(0)
      }),
      { seed: 4, numRuns: 500 },
    )
  })
})

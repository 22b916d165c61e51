import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import { philoxRandomness } from '../../src/infer/philox.js'
import { planOf, resample } from '../../src/infer/resample.js'
import type { Scheme } from '../../src/infer/result.js'
import type { Randomness } from '../../src/models/randomness.js'
import { expectation } from '../exact/expectation.js'

const schemes: Scheme[] = ['systematic', 'stratified', 'residual', 'multinomial']
const populations = [
  [0.5, 0.5],
  [0.1, 0.2, 0.7],
  [1 / 3, 1 / 3, 1 / 3],
  [0, 0.6, 0, 0.4],
  [0.05, 0.05, 0.55, 0.35],
  [1e-8, 1 - 1e-8, 0],
]

describe.each(schemes)('%s', (scheme) => {
  it.each(populations.map((weights) => [weights]))('makes N w copies of each of %j on average, exactly', async (weights) => {
    const mean = weights.map(() => 0)
    let total = 0
    for await (const path of enumerate((random) => resample(scheme, Float64Array.from(weights), random, 0))) {
      expect(path.result).toHaveLength(weights.length)
      for (const ancestor of path.result) mean[ancestor]! += path.probability
      total += path.probability
    }
    expect(total).toBeCloseTo(1, 12)
    weights.forEach((weight, i) => {
      expect(mean[i]).toBeCloseTo(weights.length * weight, 11)
    })
  })

  it('never brings back a particle of weight 0', () => {
    const weights = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 20,
    })
    const extreme = fc.constantFrom(2 ** -53, 1 - 2 ** -53)
    fc.assert(
      fc.property(weights, fc.array(extreme, { minLength: 20, maxLength: 20 }), (w, u) => {
        fc.pre(w.some((x) => x > 0))
        const plan = planOf(scheme, Float64Array.from(w))
        for (const ancestor of plan.ancestors(Float64Array.from(u.slice(0, plan.uniforms))))
          expect(w[ancestor]).toBeGreaterThan(0)
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  it('refuses weights that are all 0 or not numbers', () => {
    for (const bad of [
      [0, 0],
      [NaN, 1],
      [Infinity, 1],
    ])
      expect(() => resample(scheme, Float64Array.from(bad), philoxRandomness(0), 0)).toThrow(RangeError)
  })

  it('names every point where its result changes', () => {
    const weights = Float64Array.of(0.3, 0, 0.25, 0.45)
    const plan = planOf(scheme, weights)
    const base = new Float64Array(plan.uniforms).fill(0.4321)
    for (let k = 0; k < plan.uniforms; k++) {
      const at = (u: number) => [...plan.ancestors(base.map((x, j) => (j === k ? u : x)))].join()
      const breaks = plan.breaks(k)
      for (let i = 0; i < 1000; i++) {
        const [low, high] = [(i + 0.5) / 1000, (i + 1.5) / 1000]
        if (i < 999 && at(low) !== at(high)) expect(breaks.some((b) => b >= low - 1e-9 && b <= high + 1e-9)).toBe(true)
      }
    }
  })
})

describe('the schemes with little variance', () => {
  it.each(['systematic', 'stratified', 'residual'] as const)('%s keeps each of 49 equal particles once', (scheme) => {
    const plan = planOf(scheme, new Float64Array(49).fill(1 / 49))
    const ancestors = plan.ancestors(new Float64Array(plan.uniforms).fill(0.5))
    expect([...ancestors]).toEqual(Array.from({ length: 49 }, (_, i) => i))
  })

  it.each(['systematic', 'residual'] as const)('%s gives every particle the integer part of N w at least', (scheme) => {
    for (let generation = 0; generation < 50; generation++) {
      const random = philoxRandomness(3)
      const weights = random.resampling(generation, 40, () => [])
      const sum = weights.reduce((a, b) => a + b, 0)
      const copies = new Float64Array(40)
      for (const ancestor of resample(scheme, weights, random, generation)) copies[ancestor]!++
      copies.forEach((count, i) => {
        expect(count).toBeGreaterThanOrEqual(Math.floor((40 * weights[i]!) / sum))
      })
    }
  })
})

// A chain of three binary states, drawn from one table and weighed by another.
const START = [0.7, 0.3]
const NEXT = [
  [0.8, 0.2],
  [0.4, 0.6],
]
const FACTOR = [
  [0.3, 1.7],
  [1.2, 0.1],
  [0.2, 2.5],
]

function normaliser(): number {
  let sum = 0
  for (const a of [0, 1])
    for (const b of [0, 1])
      for (const c of [0, 1]) sum += START[a]! * NEXT[a]![b]! * NEXT[b]![c]! * FACTOR[0]![a]! * FACTOR[1]![b]! * FACTOR[2]![c]!
  return sum
}

/** SMC on the chain with absolute weights: survivors get the mean; E[result] is the normaliser. */
function estimate(random: Randomness, count: number, scheme: Scheme, order: (ancestors: Int32Array) => Int32Array): number {
  let states = new Array<number>(count).fill(-1)
  const weights = new Float64Array(count).fill(1)
  for (let step = 0; step < 3; step++) {
    states = states.map((state, slot) => random.index(state < 0 ? START : NEXT[state]!, { slot, generation: step, draw: 0 }))
    for (let i = 0; i < count; i++) weights[i]! *= FACTOR[step]![states[i]!]!
    if (step === 2) break
    const mean = weights.reduce((a, b) => a + b, 0) / count
    const ancestors = order(resample(scheme, weights, random, step))
    states = Array.from(ancestors, (ancestor) => states[ancestor]!)
    weights.fill(mean)
  }
  return weights.reduce((a, b) => a + b, 0) / count
}

describe('the estimate of a normaliser', () => {
  const orders = [
    ['as drawn', (ancestors: Int32Array) => ancestors],
    ['turned round', (ancestors: Int32Array) => ancestors.toReversed()],
  ] as const

  for (const scheme of schemes)
    for (const [name, order] of orders)
      it(`is unbiased with ${scheme} resampling, ancestors ${name}`, async () => {
        for (const count of scheme === 'multinomial' || scheme === 'stratified' ? [2] : [2, 3])
          expect(await expectation((random) => estimate(random, count, scheme, order))).toBeCloseTo(normaliser(), 11)
      })

  it('is biased when the new occupant of a slot is given the numbers of the old one', async () => {
    const stale = (random: Randomness): Randomness => ({
      index: (weights, key) => random.index(weights, { ...key, generation: 0 }),
      uniform: (key, attempt) => random.uniform(key, attempt),
      resampling: (generation, count, breaks) => random.resampling(generation, count, breaks),
    })
    const biased = await expectation((random) => estimate(stale(random), 2, 'multinomial', (ancestors) => ancestors))
    expect(Math.abs(biased / normaliser() - 1)).toBeGreaterThan(0.01)
  })
})

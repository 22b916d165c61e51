import { describe, expect, it } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import { philoxRandomness } from '../../src/infer/philox.js'
import type { Randomness } from '../../src/models/randomness.js'
import { expectation } from './expectation.js'

const key = (slot: number, draw = 0) => ({ slot, generation: 0, draw })

async function paths<T>(run: (random: Randomness) => T) {
  const found: { probability: number; result: T }[] = []
  for await (const path of enumerate(run)) found.push(path)
  return found
}

describe('enumerate', () => {
  it('lists every outcome of positive weight with its probability', async () => {
    const found = await paths((random) => random.index([1, 0, 3], key(0)))
    expect(found).toEqual([
      { probability: 0.25, result: 0 },
      { probability: 0.75, result: 2 },
    ])
  })

  it('lists one path of probability 1 where nothing is drawn', async () => {
    expect(await paths(() => 'x')).toEqual([{ probability: 1, result: 'x' }])
  })

  it('follows branches of different depth', async () => {
    const found = await paths((random) => {
      const first = random.index([0.4, 0.6], key(0))
      return first === 0 ? 'a' : `b${random.index([0.5, 0.25, 0.25], key(0, 1))}`
    })
    expect(found.map(({ result }) => result)).toEqual(['a', 'b0', 'b1', 'b2'])
    expect(found.map(({ probability }) => probability.toFixed(12))).toEqual(
      ['0.4', '0.3', '0.15', '0.15'].map((p) => Number(p).toFixed(12)),
    )
  })

  it('answers a key that is asked again as one uniform number would', async () => {
    // One number below .4, from .4 to .7, or above: P(first = 0, second = 0) is .4 and not .4 x .7.
    const found = await paths((random) => [random.index([0.4, 0.6], key(0)), random.index([0.7, 0.3], key(0))].join(''))
    expect(found.map(({ result }) => result)).toEqual(['00', '10', '11'])
    ;[0.4, 0.3, 0.3].forEach((probability, i) => {
      expect(found[i]!.probability).toBeCloseTo(probability, 12)
    })
    // The real generator has only these pairs too.
    const random = philoxRandomness(5)
    for (let slot = 0; slot < 100; slot++)
      expect(['00', '10', '11']).toContain([random.index([0.4, 0.6], key(slot)), random.index([0.7, 0.3], key(slot))].join(''))
  })

  it('splits a resampling uniform at its breaks and returns a point between', async () => {
    const found = await paths((random) => random.resampling(3, 2, (k) => (k === 0 ? [0.75, 0.25] : [])))
    expect(found.map(({ probability, result }) => [probability, ...result])).toEqual([
      [0.25, 0.125, 0.5],
      [0.5, 0.5, 0.5],
      [0.25, 0.875, 0.5],
    ])
  })

  it('splits a plain uniform only where it is told how', async () => {
    const run = (random: Randomness) => (random.uniform(key(0), 0) < 0.3 ? 1 : 0)
    await expect(expectation(run)).rejects.toThrow('too many outcomes')
    expect(await expectation(run, { breaks: () => [0.3] })).toBeCloseTo(0.3, 12)
  })

  it('gives up at its limit, and on a run that takes chance from elsewhere', async () => {
    const bits = (random: Randomness) => random.index([1, 1], key(0)) + random.index([1, 1], key(1))
    expect(await expectation(bits, { limit: 4 })).toBeCloseTo(1, 12)
    await expect(expectation(bits, { limit: 3 })).rejects.toThrow('more than 3 paths')
    let calls = 0
    const fickle = (random: Randomness) => random.index([1, 1], key(calls++))
    await expect(expectation(fickle)).rejects.toThrow('does not repeat')
  })
})

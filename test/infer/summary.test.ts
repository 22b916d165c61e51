import { describe, expect, test } from 'vitest'
import { compile, type RunOptions, type RunResult } from '../../src/index.js'
import type { Randomness } from '../../src/models/randomness.js'

/** Chance that a test chooses: particle `slot` gets the index `slot` of a list, and the uniform (slot + 1/2) / N. */
const inOrder = (particles: number): Randomness => ({
  index: (weights, { slot }) => slot % weights.length,
  uniform: ({ slot }) => (slot + 0.5) / particles,
  resampling: (_, count) => new Float64Array(count).fill(0.5),
})

async function run(source: string, particles: number, options: RunOptions = {}): Promise<RunResult> {
  return (await compile(source)).run({}, { particles, random: inOrder(particles), seed: 0, threshold: 0, ...options })
}

describe('the posterior', () => {
  test('adds up equal values, most probable first; equal ones in the order of their counts', async () => {
    const { posterior, logZ, ess } = await run(
      'sample x ~ uniform(["a", "b", "a", "c", "d"])\nfactor if x == "a" { 1 } else if x == "b" { 4 } else { 2 }\nreturn x',
      5,
    )
    expect(posterior.map((p) => [p.value, Number(p.probability.toFixed(12)), p.count])).toEqual([
      ['b', 0.4, 1],
      ['a', 0.2, 2],
      ['c', 0.2, 1],
      ['d', 0.2, 1],
    ])
    expect(logZ).toBeCloseTo(Math.log(10 / 5), 12)
    expect(ess).toBeCloseTo(100 / (1 + 16 + 1 + 4 + 4), 12)
  })

  test('knows lists, records and Bools by their structure', async () => {
    const { posterior } = await run('sample i ~ uniform(0..1)\nreturn {pair: [i, 1 - i], yes: i == 1}', 4)
    expect(posterior).toEqual([
      { value: { pair: [0, 1], yes: false }, probability: 0.5, count: 2 },
      { value: { pair: [1, 0], yes: true }, probability: 0.5, count: 2 },
    ])
  })

  test('dead particles have no part in it', async () => {
    const { posterior, samples, alive, logZ } = await run('sample i ~ uniform(0..3)\nrequire i > 1\nreturn i', 4)
    expect(posterior.map((p) => p.value)).toEqual([2, 3])
    expect(samples.map((s) => [s.value, s.weight, s.logWeight])).toEqual([
      [null, 0, null],
      [null, 0, null],
      [2, 0.5, 0],
      [3, 0.5, 0],
    ])
    expect(alive).toBe(2)
    expect(logZ).toBeCloseTo(Math.log(0.5), 12)
  })
})

describe('moments', () => {
  test('of a real answer: mean, sd and quantiles under the weights', async () => {
    const { moments } = await run('sample x ~ uniform(0.0, 10.0)\nfactor if x > 5 { 3 } else { 1 }\nreturn x', 10)
    // 0.5 .. 4.5 with weight 1 of 20, 5.5 .. 9.5 with weight 3 of 20
    expect(moments).toHaveLength(1)
    const [m] = moments
    expect(m!.path).toBe('')
    expect(m!.mean).toBeCloseTo(0.25 * 2.5 + 0.75 * 7.5, 12)
    expect(m!.sd ** 2).toBeCloseTo(0.25 * (2.5 ** 2 + 2) + 0.75 * (7.5 ** 2 + 2) - m!.mean ** 2, 9)
    expect(m!.quantiles['5%']).toBeCloseTo(0.5, 12)
    expect(m!.quantiles['25%']).toBeCloseTo(4.5, 12)
    expect(m!.quantiles['50%']).toBeCloseTo(6.5, 12)
    expect(m!.quantiles['75%']).toBeCloseTo(8.5, 12)
    expect(m!.quantiles['95%']).toBeCloseTo(9.5, 12)
  })

  test('of every field, by its path', async () => {
    const { moments } = await run('sample x ~ uniform(0.0, 1.0)\nreturn {mu: x, parts: [{a: 2 * x, k: 3}]}', 4)
    expect(moments.map((m) => [m.path, Number(m.mean.toFixed(9))])).toEqual([
      ['mu', 0.5],
      ['parts[0].a', 1],
      ['parts[0].k', 3],
    ])
    expect(moments.at(-1)).toMatchObject({ mean: 3, sd: 0 })
  })

  test('there are none of whole numbers and texts', async () => {
    expect((await run('sample x ~ uniform(1..3)\nreturn [x]', 3)).moments).toEqual([])
    expect((await run('sample x ~ uniform(1..3)\nreturn "{x}"', 3)).moments).toEqual([])
  })

  test('a Weight is a real number', async () => {
    const { moments } = await run('sample x ~ uniform(1..2)\nreturn exp(x - x)', 2)
    expect(moments).toMatchObject([{ path: '', mean: 1, sd: 0 }])
  })
})

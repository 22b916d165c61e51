import { describe, expect, it } from 'vitest'
import {
  bernoulli,
  beta,
  binomial,
  categorical,
  type Distribution,
  dirichlet,
  exponential,
  gamma,
  geometric,
  isDistribution,
  normal,
  ParameterError,
  poisson,
  uniform,
} from '../../src/infer/distributions/index.js'
import { enumerate } from '../../src/infer/enumerate.js'
import { philoxRandomness } from '../../src/infer/philox.js'

const SAMPLES = 20_000
const random = philoxRandomness(2024)

function draws<T>(distribution: Distribution<T>): T[] {
  return Array.from({ length: SAMPLES }, (_, slot) => distribution.sample(random, { slot, generation: 0, draw: 0 }))
}

/**
 * Compares counts with probabilities, bins of few expected draws joined to their neighbours. The statistic is about chi-square with k
 * degrees of freedom, and P(chi-square > k + 2 sqrt(k t) + 2 t) <= exp(-t) (Laurent & Massart 2000); here exp(-t) = 1e-6.
 */
function expectCounts(counts: readonly number[], probabilities: readonly number[]): void {
  const bins: { count: number; expected: number }[] = []
  let open = { count: 0, expected: 0 }
  counts.forEach((count, i) => {
    open = { count: open.count + count, expected: open.expected + probabilities[i]! * SAMPLES }
    if (open.expected >= 50) {
      bins.push(open)
      open = { count: 0, expected: 0 }
    }
  })
  bins.at(-1)!.count += open.count
  bins.at(-1)!.expected += open.expected
  const k = bins.length - 1
  const t = Math.log(1e6)
  const square = bins.reduce((sum, { count, expected }) => sum + (count - expected) ** 2 / expected, 0)
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(SAMPLES)
  expect(square).toBeLessThan(k + 2 * Math.sqrt(k * t) + 2 * t)
}

describe('finite distributions', () => {
  const cases: [string, Distribution, unknown[], number[]][] = [
    ['bernoulli(0.3)', bernoulli(0.3), [false, true], [0.7, 0.3]],
    ['bernoulli(0)', bernoulli(0), [false], [1]],
    ['bernoulli(1)', bernoulli(1), [true], [1]],
    ['categorical of a list', categorical([2, 0, 6]), [0, 2], [0.25, 0.75]],
    ['categorical of a record', categorical({ b: 1, a: 3, toString: 0 }), ['b', 'a'], [0.25, 0.75]],
    ['uniform of a list', uniform([1, 2, 3, 4]), [1, 2, 3, 4], [0.25, 0.25, 0.25, 0.25]],
    ['uniform with equal elements', uniform([{ a: [1] }, 'x', { a: [1] }, 'y']), [{ a: [1] }, 'x', 'y'], [0.5, 0.25, 0.25]],
    ['binomial(2, 0.25)', binomial(2, 0.25), [0, 1, 2], [0.5625, 0.375, 0.0625]],
    ['binomial(0, 0.25)', binomial(0, 0.25), [0], [1]],
    ['binomial(3, 1)', binomial(3, 1), [3], [1]],
  ]

  it.each(cases)('%s has its values, each with its probability', async (_, distribution, values, probabilities) => {
    const support = distribution.support!(20)!
    expect(support.map(({ value }) => value)).toEqual(values)
    expect(distribution.discrete).toBe(true)
    for (const [i, { value, probability }] of support.entries()) {
      expect(probability).toBeCloseTo(probabilities[i]!, 14)
      expect(distribution.logProb(value)).toBeCloseTo(Math.log(probabilities[i]!), 13)
    }
    const enumerated = values.map(() => 0)
    const texts = values.map((value) => JSON.stringify(value))
    for await (const { probability, result } of enumerate((r) => distribution.sample(r, { slot: 0, generation: 0, draw: 0 })))
      enumerated[texts.indexOf(JSON.stringify(result))]! += probability
    enumerated.forEach((probability, i) => {
      expect(probability).toBeCloseTo(probabilities[i]!, 12)
    })
  })
})

describe('discrete distributions', () => {
  const cases: [string, Distribution<number>, number, number][] = [
    ['geometric(0.3)', geometric(0.3), 0, 150],
    ['geometric(1)', geometric(1), 0, 3],
    ['geometric(0.001)', geometric(0.001), 0, 50_000],
    ['poisson(0)', poisson(0), 0, 3],
    ['poisson(0.5)', poisson(0.5), 0, 30],
    ['poisson(9.9)', poisson(9.9), 0, 80],
    ['poisson(10)', poisson(10), 0, 80],
    ['poisson(47.3)', poisson(47.3), 0, 200],
    ['poisson(1e6)', poisson(1e6), 988_000, 1_012_000],
    ['binomial(64, 0.5)', binomial(64, 0.5), 0, 64],
    ['binomial(65, 0.1)', binomial(65, 0.1), 0, 65],
    ['binomial(65, 0.97)', binomial(65, 0.97), 0, 65],
    ['binomial(100, 0.3)', binomial(100, 0.3), 0, 100],
    ['binomial(100, 0.85)', binomial(100, 0.85), 0, 100],
    ['binomial(1e6, 0.25)', binomial(1e6, 0.25), 244_000, 256_000],
    ['binomial(1e12, 1e-9)', binomial(1e12, 1e-9), 600, 1500],
    ['binomial(1e9, 1e-9)', binomial(1e9, 1e-9), 0, 40],
    ['binomial(100, 0)', binomial(100, 0), 0, 1],
    ['binomial(100, 1)', binomial(100, 1), 99, 100],
  ]

  it.each(cases)('%s has probabilities that sum to 1 and draws that follow them', (_, distribution, low, high) => {
    const probabilities = Array.from({ length: high - low + 1 }, (_, i) => Math.exp(distribution.logProb(low + i)))
    expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 11)
    const counts = probabilities.map(() => 0)
    for (const value of draws(distribution)) counts[value - low]!++
    expectCounts(counts, probabilities)
  })

  it.each([
    ['geometric(0.3)', geometric(0.3), 7, -3.7006974118970626],
    ['geometric(1e-12)', geometric(1e-12), 1e12, -28.631021115929048],
    ['poisson(1e6)', poisson(1e6), 1002345, -10.57523083684317],
    ['binomial(1e12, 1e-9)', binomial(1e12, 1e-9), 1010, -4.427708007615218],
  ] as const)('%s at %d agrees with mpmath', (_, distribution, value, expected) => {
    expect(Math.abs(distribution.logProb(value) / expected - 1)).toBeLessThan(3e-14)
  })

  it('draw finite whole numbers at extreme parameters', () => {
    for (const distribution of [
      geometric(1e-300),
      poisson(1e18),
      poisson(1e-300),
      binomial(2 ** 53 - 1, 0.5),
      binomial(2 ** 53 - 1, 1e-15),
    ])
      for (const value of draws(distribution).slice(0, 200)) {
        expect(Number.isInteger(value) && value >= 0).toBe(true)
        expect(distribution.logProb(value)).toBeGreaterThan(-1000)
      }
  })
})

describe('continuous distributions', () => {
  // Coordinates y in which the density has no poles, with x(y) and dx / dy.
  type Axis = Record<'from' | 'x' | 'slope', (value: number) => number>
  const plain: Axis = { from: (x: number) => x, x: (y: number) => y, slope: () => 1 }
  const log: Axis = { from: Math.log, x: Math.exp, slope: Math.exp }
  const sigmoid = (y: number) => 1 / (1 + Math.exp(-y))
  const logit: Axis = {
    from: (x: number) => Math.log(x) - Math.log1p(-x),
    x: sigmoid,
    slope: (y: number) => sigmoid(y) * sigmoid(-y),
  }

  const cases: [string, Distribution<number>, Axis, number, number][] = [
    ['normal(1, 2.5)', normal(1, 2.5), plain, -24, 26],
    ['uniform(-2, 3)', uniform(-2, 3), plain, -2, 3],
    ['exponential(0.5)', exponential(0.5), log, -30, 5],
    ['gamma(1, 3)', gamma(1, 3), log, -32, 4],
    ['gamma(2.5, 0.5)', gamma(2.5, 0.5), log, -14, 6],
    ['gamma(0.5, 2)', gamma(0.5, 2), log, -60, 4],
    ['gamma(0.02, 1)', gamma(0.02, 1), log, -700, 5],
    ['gamma(1e6, 1)', gamma(1e6, 1), plain, 990_000, 1_010_000],
    ['beta(0.5, 0.5)', beta(0.5, 0.5), logit, -30, 30],
    ['beta(2, 3)', beta(2, 3), logit, -16, 12],
    ['beta(15, 12)', beta(15, 12), logit, -6, 6],
    ['beta(0.1, 20)', beta(0.1, 20), logit, -300, 4],
  ]

  it.each(cases)('%s has a density that integrates to 1 and draws that follow it', (_, distribution, axis, low, high) => {
    const bins = 1000
    const parts = 8 // of Simpson's rule in each bin
    const width = (high - low) / bins
    const f = (y: number) => Math.exp(distribution.logProb(axis.x(y))) * axis.slope(y)
    const probabilities = Array.from({ length: bins }, (_, i) => {
      let sum = 0
      for (let j = 0; j <= parts; j++) {
        const share = j === 0 || j === parts ? 1 : j % 2 === 1 ? 4 : 2
        sum += share * f(low + ((high - low) * (i * parts + j)) / (bins * parts))
      }
      return (sum * width) / parts / 3
    })
    expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    const counts = probabilities.map(() => 0)
    for (const value of draws(distribution))
      counts[Math.min(bins - 1, Math.max(0, Math.floor((axis.from(value) - low) / width)))]!++
    expectCounts(counts, probabilities)
    expect(distribution.discrete).toBe(false)
  })

  // mpmath 1.3, 50 digits.
  it.each([
    ['normal(0, 1)', normal(0, 1), 0, -0.9189385332046728],
    ['normal(1, 2.5)', normal(1, 2.5), -3, -3.115229265078828],
    ['gamma(0.5, 2)', gamma(0.5, 2), 0.1, 0.7255011938522954],
    ['gamma(1, 3)', gamma(1, 3), 0.7, -1.00138771133189],
    ['gamma(9.9, 1)', gamma(9.9, 1), 9, -2.0218811659275264],
    ['gamma(10, 2)', gamma(10, 2), 4, -1.3937064244030009],
    ['gamma(1e6, 1)', gamma(1e6, 1), 1000500, -7.9521521195138805],
    ['gamma(1e-5, 1)', gamma(1e-5, 1), 1e-200, 448.9994937357273],
    ['gamma(12, 1e-3)', gamma(12, 1e-3), 1e-290, -7445.641817844666],
    ['beta(0.5, 0.5)', beta(0.5, 0.5), 0.3, -0.364406011717066],
    ['beta(2, 3)', beta(2, 3), 0.25, 0.5232481437645479],
    ['beta(1, 4)', beta(1, 4), 0.9, -5.521460917862247],
    ['beta(0.001, 1000)', beta(0.001, 1000), 1e-250, 568.170355345575],
    ['beta(15, 12)', beta(15, 12), 0.6, 1.3374159490498594],
    ['beta(1e8, 2e8)', beta(1e8, 2e8), 0.33334, 9.562736880766751],
    ['dirichlet([1, 1, 1])', dirichlet([1, 1, 1]), [0.2, 0.3, 0.5], Math.LN2],
    ['dirichlet([.5, 2, 3.5])', dirichlet([0.5, 2, 3.5]), [0.125, 0.25, 0.625], 1.49257053411596],
    ['dirichlet([20, 30])', dirichlet([20, 30]), [0.4, 0.6], 1.7453537971547068],
  ] as [string, Distribution, unknown, number][])('%s at %j agrees with mpmath', (_, distribution, value, expected) => {
    expect(Math.abs(distribution.logProb(value) - expected)).toBeLessThan(1e-12 * Math.max(10, Math.abs(expected)))
  })

  it('dirichlet has beta margins, and lists that sum to 1', () => {
    const lists = draws(dirichlet([0.5, 2, 3.5]))
    for (const list of lists) expect(list.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
    for (const [i, [a, b]] of [[0.5, 5.5] as const, [2, 4] as const, [3.5, 2.5] as const].entries()) {
      const below = lists.filter((list) => list[i]! < a / (a + b)).length / SAMPLES
      const margin = draws(beta(a, b)).filter((x) => x < a / (a + b)).length / SAMPLES
      // Hoeffding: each share is within sqrt(log(2e6) / 2n) of its probability but for a chance of 1e-6.
      expect(Math.abs(below - margin)).toBeLessThan(2 * Math.sqrt(Math.log(2e6) / (2 * SAMPLES)))
      const mean = lists.reduce((sum, list) => sum + list[i]!, 0) / SAMPLES
      expect(Math.abs(mean - a / (a + b))).toBeLessThan(Math.sqrt(Math.log(2e6) / (2 * SAMPLES)))
    }
  })

  it('draws stay off the poles at extreme shapes', () => {
    for (const distribution of [
      gamma(1e-300, 1),
      gamma(1e-5, 1e300),
      gamma(1e300, 1e-300),
      beta(1e-300, 1e-300),
      beta(1e-4, 1e4),
      beta(1e300, 1),
    ])
      for (const value of draws(distribution).slice(0, 200)) {
        expect(value).toBeGreaterThan(0)
        expect(distribution.logProb(value)).toBeLessThan(Infinity)
      }
    const halves = draws(beta(1e-300, 1e-300)).filter((x) => x > 0.5).length / SAMPLES
    expect(Math.abs(halves - 0.5)).toBeLessThan(Math.sqrt(Math.log(2e6) / (2 * SAMPLES)))
    for (const list of draws(dirichlet([1e-300, 1e-300, 1])).slice(0, 200)) for (const x of list) expect(x).toBeGreaterThan(0)
  })

  it('takes the limits of a density at the ends of its support', () => {
    expect([gamma(0.5, 1), gamma(1, 3), gamma(2, 1)].map((d) => d.logProb(0))).toEqual([Infinity, Math.log(3), -Infinity])
    expect([beta(0.5, 2), beta(1, 4), beta(2, 1)].map((d) => d.logProb(0))).toEqual([Infinity, Math.log(4), -Infinity])
    expect([beta(2, 0.5), beta(4, 1), beta(1, 2)].map((d) => d.logProb(1))).toEqual([Infinity, Math.log(4), -Infinity])
    expect(dirichlet([0.5, 0.5, 2]).logProb([0, 1, 0])).toBe(-Infinity)
    expect(dirichlet([0.5, 0.5]).logProb([0, 1])).toBe(Infinity)
    expect([uniform(0, 2).logProb(0), uniform(0, 2).logProb(2)]).toEqual([-Math.LN2, -Math.LN2])
  })
})

const all: Distribution[] = [
  bernoulli(0.5),
  categorical([1, 1]),
  categorical({ a: 1 }),
  uniform([1, 2]),
  uniform(0, 1),
  geometric(0.5),
  poisson(2),
  binomial(3, 0.5),
  binomial(300, 0.5),
  normal(0, 1),
  beta(2, 2),
  gamma(2, 1),
  exponential(1),
  dirichlet([1, 1]),
]

describe('every distribution', () => {
  it.each(all.map((d) => [d.name, d] as const))(
    '%s gives values outside its support and of other types no probability',
    (_, d) => {
      for (const value of ['z', '', null, undefined, [], {}, [0.5], [1, 1], -1, NaN, Infinity, -Infinity, () => 1])
        if (!(d.name === 'normal' && value === -1)) expect(d.logProb(value)).toBe(-Infinity)
      expect(isDistribution(d)).toBe(true)
      expect([isDistribution({ logProb: 1, sample: 2 }), isDistribution(null), isDistribution('normal')]).toEqual([
        false,
        false,
        false,
      ])
    },
  )

  it('knows a fraction from a count, and an own key from an inherited one', () => {
    for (const d of [geometric(0.5), poisson(2), binomial(3, 0.5), categorical([1, 1])]) expect(d.logProb(0.5)).toBe(-Infinity)
    expect(categorical({ a: 1 }).logProb('toString')).toBe(-Infinity)
    expect(categorical([1, 1]).logProb('0')).toBe(-Infinity)
    expect(bernoulli(0.5).logProb(1)).toBe(-Infinity)
  })
})

describe('parameters', () => {
  it.each<[string, () => Distribution, string, string]>([
    ['bernoulli', () => bernoulli(1.5), 'p', '1.5'],
    ['bernoulli', () => bernoulli(NaN), 'p', 'NaN'],
    ['categorical', () => categorical([]), 'weights', 'none'],
    ['categorical', () => categorical({ a: 0 }), 'weights', 'only 0'],
    ['categorical', () => categorical([1, -1]), 'weights', '-1'],
    ['categorical', () => categorical([1, NaN]), 'weights', 'NaN'],
    ['categorical', () => categorical([1e308, 1e308]), 'weights', 'an infinite sum'],
    ['uniform', () => uniform([]), 'values', 'an empty list'],
    ['uniform', () => uniform(1, 1), 'b', '1'],
    ['uniform', () => uniform(NaN, 1), 'a', 'NaN'],
    ['uniform', () => uniform(-1e308, 1e308), 'b - a', 'Infinity'],
    ['geometric', () => geometric(0), 'p', '0'],
    ['poisson', () => poisson(-1), 'rate', '-1'],
    ['poisson', () => poisson(Infinity), 'rate', 'Infinity'],
    ['binomial', () => binomial(2.5, 0.5), 'n', '2.5'],
    ['binomial', () => binomial(NaN, 0.5), 'n', 'NaN'],
    ['binomial', () => binomial(-1, 0.5), 'n', '-1'],
    ['binomial', () => binomial(100, -0.1), 'p', '-0.1'],
    ['normal', () => normal(0, 0), 'sd', '0'],
    ['normal', () => normal(Infinity, 1), 'mean', 'Infinity'],
    ['beta', () => beta(0, 1), 'a', '0'],
    ['beta', () => beta(1, NaN), 'b', 'NaN'],
    ['gamma', () => gamma(1e-301, 1), 'shape', '1e-301'],
    ['gamma', () => gamma(1, 0), 'rate', '0'],
    ['exponential', () => exponential(-2), 'rate', '-2'],
    ['dirichlet', () => dirichlet([]), 'concentrations', 'an empty list'],
    ['dirichlet', () => dirichlet([1, 0]), 'concentrations', '0'],
  ])('%s refuses %s', (name, make, parameter, found) => {
    let caught: unknown
    try {
      make()
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(ParameterError)
    expect(caught).toMatchObject({ distribution: name, parameter, found })
  })
})

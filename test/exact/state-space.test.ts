import { describe, expect, test } from 'vitest'
import { compile } from '../../src/index.js'
import { philox4x32 } from '../../src/infer/philox.js'
import { distance, expected, measureOf, sampler } from './measure.js'

/*
 * General programs against the algorithms that know their answers: forward, Kalman, conjugacy. Where a run cannot be enumerated, the
 * tolerance is 4.5 standard deviations of log Z-hat from the exact asymptotic variance under multinomial resampling at every step,
 *
 *     N Var(log Z-hat) = sum_t ( E_predictive[ p(y_t:T | x_t)^2 ] / p(y_t:T | y_1:t-1)^2 - 1 )
 *
 * (Del Moral 2004, chapter 9; Chopin & Papaspiliopoulos 2020, chapter 11).
 */

/** Numbers of (0, 1) for made-up data. */
function uniformAt(i: number): number {
  const out = new Uint32Array(4)
  philox4x32(i, 0, 0, 0, 2024, 11, out)
  return (out[0]! + 0.5) / 2 ** 32
}

function normalAt(i: number): number {
  return Math.sqrt(-2 * Math.log(uniformAt(2 * i))) * Math.cos(2 * Math.PI * uniformAt(2 * i + 1))
}

const everyStep = { threshold: 1, resample: 'multinomial' } as const

async function logZ(
  source: string,
  params: Record<string, unknown>,
  particles: number,
  seed: number,
  settings = {},
): Promise<number> {
  const program = await compile(source)
  const result = await program.run(params, { particles, seed, ...everyStep, ...settings })
  return result.logZ!
}

describe('a hidden Markov model', () => {
  const initial = [0.5, 0.3, 0.2]
  const moves = [
    [0.8, 0.15, 0.05],
    [0.2, 0.7, 0.1],
    [0.1, 0.3, 0.6],
  ]
  const seen = [
    [0.7, 0.2, 0.1],
    [0.2, 0.5, 0.3],
    [0.05, 0.15, 0.8],
  ]
  const source = `
param ys: [Int]
let moves = [[0.8, 0.15, 0.05], [0.2, 0.7, 0.1], [0.1, 0.3, 0.6]]
let seen = [[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.05, 0.15, 0.8]]
sample x ~ categorical([0.5, 0.3, 0.2])
observe ys[0] ~ categorical(seen[x])
for t in 1..ys.length - 1 {
  sample x ~ categorical(moves[x])
  observe ys[t] ~ categorical(seen[x])
}
return x
`

  /** Predictive p(x_t | y_1:t-1), and log p(y_1:T). */
  function forward(ys: readonly number[]) {
    const predictive: number[][] = []
    let alpha = initial
    let log = 0
    for (const y of ys) {
      predictive.push(alpha)
      const joint = alpha.map((p, x) => p * seen[x]![y]!)
      const total = joint.reduce((a, b) => a + b, 0)
      log += Math.log(total)
      alpha = [0, 1, 2].map((to) => joint.reduce((sum, p, from) => sum + (p / total) * moves[from]![to]!, 0))
      if (predictive.length === ys.length) return { predictive, log, last: joint.map((p) => p / total) }
    }
    throw new Error('no data')
  }

  /** N Var(log Z-hat) of the bootstrap filter. */
  function variance(ys: readonly number[]): number {
    const { predictive } = forward(ys)
    // p(y_t:T | x_t), scaled: only ratios matter.
    let beta = [1, 1, 1]
    let sum = 0
    for (let t = ys.length - 1; t >= 0; t--) {
      const likelihood = beta.map((b, x) => b * seen[x]![ys[t]!]!)
      const mean = predictive[t]!.reduce((m, p, x) => m + p * likelihood[x]!, 0)
      sum += predictive[t]!.reduce((m, p, x) => m + p * likelihood[x]! ** 2, 0) / mean ** 2 - 1
      beta = moves.map((row) => row.reduce((m, p, x) => m + p * likelihood[x]!, 0) / mean)
    }
    return sum
  }

  test('three steps, exactly, twisted or not', async () => {
    const ys = [0, 2, 1]
    const { log, last } = forward(ys)
    const target = measureOf(last.map((p, x) => [x, p * Math.exp(log)]))
    for (const twist of ['', '  twist [1, 0.4, 2][x]\n']) {
      const program = await sampler(source.replace('[Int]\n', '[Int] = [0, 2, 1]\n').replace('  observe', `${twist}  observe`))
      for (const settings of [
        { particles: 1 },
        { particles: 2, threshold: 1 },
        { particles: 2, threshold: 0.7, resample: 'residual' },
      ] as const) {
        const found = await expected(program, settings)
        expect(Math.log(found.estimate)).toBeCloseTo(log, 9)
        expect(distance(target, found.measure)).toBeLessThan(1e-9)
      }
    }
  })

  test('a hundred steps, by a run', async () => {
    const ys = Array.from({ length: 100 }, (_, i) => Math.floor(3 * uniformAt(i) ** 1.3))
    const particles = 2000
    const tolerance = 4.5 * Math.sqrt(variance(ys) / particles)
    expect(tolerance).toBeLessThan(1)
    expect(Math.abs((await logZ(source, { ys }, particles, 7)) - forward(ys).log)).toBeLessThan(tolerance)
  })
})

const normal = (x: number, mean: number, v: number) => Math.exp(-((x - mean) ** 2) / (2 * v)) / Math.sqrt(2 * Math.PI * v)

describe('a linear Gaussian state-space model', () => {
  const [q, r] = [0.5, 0.8]
  const source = `
param ys: [Float]
let x = 0.0
for t in 0..ys.length - 1 {
  sample x ~ normal(x, sqrt(0.5))
  observe ys[t] ~ normal(x, sqrt(0.8))
}
return x
`
  /** Predictive mean and variance of each state, log p(y), and the last state given all data. */
  function kalman(ys: readonly number[]) {
    const predictive: { mean: number; variance: number }[] = []
    let [mean, variance, log] = [0, 0, 0]
    for (const y of ys) {
      variance += q
      predictive.push({ mean, variance })
      log += Math.log(normal(y, mean, variance + r))
      const gain = variance / (variance + r)
      mean += gain * (y - mean)
      variance *= 1 - gain
    }
    return { predictive, log, mean, sd: Math.sqrt(variance) }
  }

  function asymptoticVariance(ys: readonly number[]): number {
    const { predictive } = kalman(ys)
    let sum = 0
    // p(y_t:T | x_t) is proportional to a Gaussian in x_t of this centre and width.
    let [centre, width] = [0, Number.POSITIVE_INFINITY]
    for (let t = ys.length - 1; t >= 0; t--) {
      const before = width + q
      width = 1 / (1 / r + 1 / before)
      centre = width * (ys[t]! / r + (Number.isFinite(before) ? centre / before : 0))
      const { mean, variance } = predictive[t]!
      const square = normal(mean, centre, variance + width / 2) / (2 * Math.sqrt(Math.PI * width))
      sum += square / normal(mean, centre, variance + width) ** 2 - 1
    }
    return sum
  }

  test('thirty steps, by a run', async () => {
    let x = 0
    const ys = Array.from({ length: 30 }, (_, i) => {
      x += Math.sqrt(q) * normalAt(2 * i)
      return x + Math.sqrt(r) * normalAt(2 * i + 1)
    })
    const particles = 2000
    const tolerance = 4.5 * Math.sqrt(asymptoticVariance(ys) / particles)
    expect(tolerance).toBeLessThan(0.6)
    const exact = kalman(ys)
    const program = await compile(source)
    const result = await program.run({ ys }, { particles, seed: 3, ...everyStep })
    expect(Math.abs(result.logZ! - exact.log)).toBeLessThan(tolerance)
    const [moments] = result.moments
    // The last state after a resampling of N: a few effective samples fewer than N, and no finer than that.
    expect(Math.abs(moments!.mean - exact.mean)).toBeLessThan((6 * exact.sd) / Math.sqrt(result.ess))
    expect(moments!.sd / exact.sd).toBeGreaterThan(0.85)
    expect(moments!.sd / exact.sd).toBeLessThan(1.15)
  })
})

describe('Gaussian drift with the optimal twist', () => {
  const source = `
param T = 10
param a = 1.0
param y = 11.0
let x = 0.0
for t in 1..T {
  sample x ~ normal(x + a, 1)
  let left = T - t + 1
  twist normal(x + left * a, sqrt(left)).prob(y)
}
observe y ~ normal(x + a, 1)
return x
`
  const T = 10
  const exact = -2.117886

  /** N Var(log Z-hat) with psi* and draws from the prior; 0 is the mean of all that is left to go, as y = (T + 1) a. */
  function variance(): number {
    let sum = 0
    for (let t = 1; t <= T; t++) {
      const v = T - t + 1
      const spread = ((t - 1) * (v + 1)) / (t + v)
      const c = 1 / ((v + 1) * (v + 2))
      sum += (v + 1) / Math.sqrt(v * (v + 2)) / Math.sqrt(1 - 2 * c * spread) - 1
    }
    return sum
  }

  test('log Z is that of the oracle, with the twist and without', async () => {
    expect(Math.log(normal(11, 11, 11))).toBeCloseTo(exact, 6)
    const particles = 2000
    const sd = Math.sqrt(variance() / particles)
    for (const seed of [1, 2, 3]) expect(Math.abs((await logZ(source, {}, particles, seed)) - exact)).toBeLessThan(4.5 * sd)
    // Importance sampling from the prior: relative variance of N(d; 0, 1) with d from N(0, T).
    const plain = Math.sqrt((normal(0, 0, T + 0.5) / (2 * Math.sqrt(Math.PI)) / normal(0, 0, T + 1) ** 2 - 1) / particles)
    for (const seed of [1, 2, 3])
      expect(Math.abs((await logZ(source, {}, particles, seed, { method: 'importance' })) - exact)).toBeLessThan(4.5 * plain)
  })
})

describe('a conjugate coin', () => {
  const source = `
param heads = 7
param tails = 3
sample p ~ beta(2, 2)
repeat heads { observe true ~ bernoulli(p) }
repeat tails { observe false ~ bernoulli(p) }
return p
`
  const logFactorial = (n: number): number => (n <= 1 ? 0 : Math.log(n) + logFactorial(n - 1))
  const logBeta = (a: number, b: number) => logFactorial(a - 1) + logFactorial(b - 1) - logFactorial(a + b - 1)

  test('log Z and the posterior mean of a beta-bernoulli', async () => {
    const program = await compile(source)
    const particles = 5000
    const { logZ, moments } = await program.run({}, { particles, seed: 5 })
    const exact = logBeta(9, 5) - logBeta(2, 2)
    const secondMoment = logBeta(16, 8) - logBeta(2, 2)
    const relative = Math.exp(secondMoment - 2 * exact) - 1
    expect(Math.abs(logZ! - exact)).toBeLessThan(4.5 * Math.sqrt(relative / particles))
    // E[w^2 (p - m)^2] / Z^2: p under the squared weights is Beta(16, 8).
    const [mean, squares] = [16 / 24, (16 * 17) / (24 * 25)]
    const m = 9 / 14
    const spread = Math.exp(secondMoment - 2 * exact) * (squares - 2 * m * mean + m * m)
    expect(Math.abs(moments[0]!.mean - m)).toBeLessThan(4.5 * Math.sqrt(spread / particles))
    expect(moments[0]!.path).toBe('')
  })
})

import { describe, expect, test } from 'vitest'
import { type LossName, losses, type Sequence, sampledPcl } from '../../src/infer/learned/losses.js'
import { tempered } from '../../src/infer/learned/temper.js'

/*
 * Oracle A of the design: two tokens, three steps, phi by the number of ones, and the poor twist log psi_t = 0.4 ones - 0.1 t. All eight texts
 * stand for the samples, each with its probability, so that every loss is an exact expectation.
 */

type Text = readonly number[]
const phi = [0.1, 0.2, 0.5, 0.9]
const ones = (text: Text) => text.reduce((a, b) => a + b, 0)
const p1 = (prefix: Text) => (prefix.length === 0 ? 0.3 : prefix.at(-1) === 0 ? 0.2 : 0.6)
const p0 = (text: Text) =>
  text.reduce((mass, token, t) => mass * (token === 1 ? p1(text.slice(0, t)) : 1 - p1(text.slice(0, t))), 1)
const texts: Text[] = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [4, 2, 1].map((bit) => (bits & bit ? 1 : 0)))
const Z = texts.reduce((sum, x) => sum + p0(x) * phi[ones(x)]!, 0)
const poor = (text: Text) => 0.4 * ones(text) - 0.1 * text.length

/** One row for each text and step. */
const row = (x: number, t: number) => 3 * x + t
const sequences = (weight: (x: Text) => number): Sequence[] =>
  texts.map((text, x) => ({
    weight: weight(text),
    final: Math.log(phi[ones(text)]!),
    draws: [0, 1, 2].map((t) => ({ row: row(x, t), before: 0, after: 0 })),
  }))
const sigma = (x: Text) => (p0(x) * phi[ones(x)]!) / Z
const samples = { positives: sequences(sigma), rollouts: sequences(p0) }

/** log psi and L of every row, for any twist. */
function numbers(logPsi: (text: Text) => number) {
  const [psi, total] = [new Float64Array(24), new Float64Array(24)]
  texts.forEach((text, x) => {
    for (const t of [0, 1, 2]) {
      const prefix = text.slice(0, t)
      psi[row(x, t)] = logPsi(text.slice(0, t + 1))
      const masses = [0, 1].map((v) => (v === 1 ? p1(prefix) : 1 - p1(prefix)) * Math.exp(logPsi([...prefix, v])))
      total[row(x, t)] = Math.log(masses[0]! + masses[1]!)
    }
  })
  return [psi, total] as const
}
const value = (name: LossName, logPsi = poor) => losses[name](samples, ...numbers(logPsi)).value

const prefixes = (t: number) => [...new Set(texts.map((x) => x.slice(0, t).join('')))].map((s) => [...s].map(Number))
const marginal = (prefix: Text, mass: (x: Text) => number) =>
  texts.filter((x) => prefix.every((v, i) => x[i] === v)).reduce((sum, x) => sum + mass(x), 0)

test('the losses have the values of the oracle', () => {
  // The contrastive losses lack the entropies that no network changes: sum_t E_sigma log (sigma_t / p0_t).
  const entropies = [1, 2, 3].map((t) =>
    prefixes(t).reduce((sum, s) => sum + marginal(s, sigma) * Math.log(marginal(s, sigma) / p0(s)), 0),
  )
  expect(value('ctl') + entropies[0]! + entropies[1]! + entropies[2]!).toBeCloseTo(0.238656, 5)
  expect(value('dpg') + entropies[2]!).toBeCloseTo(0.132082, 5)
  expect(-value('sixo')).toBeCloseTo(-3.915853, 5)
  expect(value('rl')).toBeCloseTo(2.949144, 5)
  expect(value('fudge')).toBeCloseTo(1.945896, 5)
  const last = (text: Text) => (text.length === 3 ? Math.log(phi[ones(text)]!) : poor(text))
  expect(sampledPcl(0)(samples, ...numbers(last)).value).toBeCloseTo(3.030582, 5)
})

describe('gradients', () => {
  /** d loss / d log psi(s) of one prefix, through x and L. */
  const slope = (name: LossName, prefix: Text) => {
    const [psi, total] = numbers(poor)
    const { onPsi, onTotal } = losses[name](samples, psi, total)
    const t = prefix.length - 1
    let sum = 0
    texts.forEach((text, x) => {
      const r = row(x, t)
      if (prefix.every((v, i) => text[i] === v)) sum += onPsi[r]!
      if (!prefix.slice(0, t).every((v, i) => text[i] === v)) return
      const p = prefix[t] === 1 ? p1(prefix.slice(0, t)) : 1 - p1(prefix.slice(0, t))
      sum += onTotal[r]! * p * Math.exp(poor(prefix) - total[r]!)
    })
    return sum
  }

  test('ctl ascends as the oracle says', () => {
    expect(-slope('ctl', [0])).toBeCloseTo(-0.187244, 5)
    expect(-slope('ctl', [1])).toBeCloseTo(0.187244, 5)
  })

  test.each(['ctl', 'dpg', 'sixo', 'fudge', 'pcl'] as const)('%s: as differences say', (name) => {
    for (const prefix of [[0], [1], [0, 1], [1, 1], [1, 0, 1]]) {
      const moved = (by: number) => (text: Text) => poor(text) + (text.join() === prefix.join() ? by : 0)
      const difference = (value(name, moved(1e-5)) - value(name, moved(-1e-5))) / 2e-5
      expect(slope(name, prefix)).toBeCloseTo(difference, 5)
    }
  })

  test('rl: as differences say, the target held fixed', () => {
    const [psi, total] = numbers(poor)
    const { onPsi } = losses.rl(samples, psi, total)
    for (let i = 0; i < 24; i++) {
      const at = (by: number) =>
        losses.rl(
          samples,
          psi.map((log, r) => log + (r === i ? by : 0)),
          total,
        ).value
      expect(onPsi[i]!).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 5)
    }
  })
})

test.each(['ctl', 'rl', 'pcl', 'sixo'] as const)('%s is stationary at psi*', (name) => {
  const star = (prefix: Text) => Math.log(marginal(prefix, (x) => p0(x) * phi[ones(x)]!) / p0(prefix))
  // sixo knows psi* up to a constant, and its optimum is sigma / p0.
  const at = (text: Text) => star(text) - (name === 'sixo' ? Math.log(Z) : 0)
  const least = value(name, at)
  for (const prefix of [[0], [1], [0, 1], [1, 1], [1, 0, 1]]) {
    for (const by of [-0.1, 0.1]) {
      expect(value(name, (text) => at(text) + (text.join() === prefix.join() ? by : 0))).toBeGreaterThan(least)
    }
  }
})

test('fudge wants probabilities', () => {
  const wrong = { positives: [], rollouts: [{ weight: 1, final: 1, draws: [{ row: 0, before: 0, after: 0 }] }] }
  expect(() => losses.fudge(wrong, new Float64Array(1), new Float64Array(1))).toThrow(RangeError)
})

test('a dead particle has a smaller log than any other, and no infinite loss', () => {
  const dead = samples.rollouts.map((each, i) => (i === 3 ? { ...each, final: Number.NEGATIVE_INFINITY } : each))
  for (const name of ['ctl', 'rl', 'pcl', 'fudge', 'sixo'] as const) {
    const { value, onPsi } = losses[name]({ ...samples, rollouts: dead }, ...numbers(poor))
    expect(Number.isFinite(value)).toBe(true)
    expect(onPsi.every(Number.isFinite)).toBe(true)
  }
})

describe('the trust region', () => {
  const logw = Float64Array.from([0, -1, -3, -10, Number.NEGATIVE_INFINITY])
  const distance = (weights: Float64Array) => weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(4 * w) : 0), 0)

  test('keeps weights that lie inside', () => {
    const { weights, tau } = tempered(logw, 1.3)
    expect(tau).toBe(1)
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
  })

  test('tempers others until they just do', () => {
    const { weights, tau } = tempered(logw, 0.3)
    expect(tau).toBeGreaterThan(0)
    expect(tau).toBeLessThan(1)
    expect(distance(weights)).toBeCloseTo(0.3, 9)
    expect(weights[4]).toBe(0)
    expect(Math.log(weights[0]! / weights[2]!)).toBeCloseTo(3 * tau, 9)
  })
})

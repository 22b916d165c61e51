import { describe, expect, test } from 'vitest'
import { load } from '../../src/index.js'
import { expectedOf, pathOf, readmeOf } from './expected.js'

/*
 * The exact answers of three examples by the textbook algorithms, written here independently of smcc: conjugacy, the forward algorithm,
 * the Kalman filter. They are what expected.json and the READMEs claim, and E[Z-hat] = Z is checked over seeds.
 */

function logFactorial(n: number): number {
  let sum = 0
  for (let i = 2; i <= n; i++) sum += Math.log(i)
  return sum
}

/** log B(a, b) for whole a and b. */
function logBeta(a: number, b: number): number {
  return logFactorial(a - 1) + logFactorial(b - 1) - logFactorial(a + b - 1)
}

/** A Beta(2, 2) prior and `heads` of `throws`; also the relative variance of one weight drawn from the prior. */
function coin(heads: number, throws: number) {
  const tails = throws - heads
  const choices = logFactorial(throws) - logFactorial(heads) - logFactorial(tails)
  const [a, b] = [2 + heads, 2 + tails]
  const logZ = choices + logBeta(a, b) - logBeta(2, 2)
  const secondMoment = 2 * choices + logBeta(2 + 2 * heads, 2 + 2 * tails) - logBeta(2, 2)
  return {
    logZ,
    relativeVariance: Math.exp(secondMoment - 2 * logZ) - 1,
    mean: a / (a + b),
    sd: Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1))),
  }
}

/** The forward algorithm over two states, dry and rain. */
function forward(umbrellas: readonly boolean[]) {
  let alpha = [0.5, 0.5]
  for (const seen of umbrellas) {
    const [dry, rain] = alpha as [number, number]
    const moved = [0.7 * dry + 0.3 * rain, 0.3 * dry + 0.7 * rain]
    alpha = [moved[0]! * (seen ? 0.2 : 0.8), moved[1]! * (seen ? 0.9 : 0.1)]
  }
  const z = alpha[0]! + alpha[1]!
  return { logZ: Math.log(z), rain: alpha[1]! / z }
}

/** A local level with steps of sd 40, measured with sd 120, from N(1000, 200). */
function kalman(flows: readonly number[]) {
  let mean = 1000
  let variance = 200 ** 2
  let logZ = 0
  for (const flow of flows) {
    variance += 40 ** 2
    const predicted = variance + 120 ** 2
    const surprise = flow - mean
    logZ -= (Math.log(2 * Math.PI * predicted) + surprise ** 2 / predicted) / 2
    const gain = variance / predicted
    mean += gain * surprise
    variance *= 1 - gain
  }
  return { logZ, mean, sd: Math.sqrt(variance) }
}

const umbrellas = [true, true, false, true, true, true, false, false, true, true]
const flows = [1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140]

describe('expected.json holds the exact answers', () => {
  test('coin: conjugacy', () => {
    const exact = coin(9, 12)
    const { logZ, moments } = expectedOf('coin')
    expect(logZ.value).toBeCloseTo(exact.logZ, 5)
    expect(moments?.[0]?.mean.value).toBeCloseTo(exact.mean, 5)
    expect(moments?.[0]?.sd.value).toBeCloseTo(exact.sd, 5)
    expect(logZ.tolerance).toBeCloseTo(4.5 * Math.sqrt(exact.relativeVariance / 1000), 2)
    for (const figure of [exact.logZ, exact.mean, exact.sd]) expect(readmeOf('coin')).toContain(figure.toFixed(4))
  })

  test('hmm: the forward algorithm', () => {
    const exact = forward(umbrellas)
    const { logZ, posterior } = expectedOf('hmm')
    expect(logZ.value).toBeCloseTo(exact.logZ, 5)
    expect(posterior?.[0]?.probability).toBeCloseTo(exact.rain, 5)
    for (const figure of [exact.logZ, exact.rain]) expect(readmeOf('hmm')).toContain(figure.toFixed(4))
  })

  test('kalman: the Kalman filter', () => {
    const exact = kalman(flows)
    const { logZ, moments } = expectedOf('kalman')
    expect(logZ.value).toBeCloseTo(exact.logZ, 5)
    expect(moments?.[0]?.mean.value).toBeCloseTo(exact.mean, 3)
    expect(moments?.[0]?.sd.value).toBeCloseTo(exact.sd, 3)
    expect(readmeOf('kalman')).toContain(exact.logZ.toFixed(4))
    for (const figure of [exact.mean, exact.sd]) expect(readmeOf('kalman')).toContain(figure.toFixed(2))
  })
})

test.each([
  ['coin', { heads: 2, throws: 5 }, coin(2, 5).logZ],
  ['hmm', { umbrellas: [false, true, true] }, forward([false, true, true]).logZ],
  ['kalman', { flows: [900, 1200, 1000] }, kalman([900, 1200, 1000]).logZ],
])('E[Z-hat] = Z: %s on other data, over 40 seeds', async (name, params, exact) => {
  const program = await load(pathOf(name))
  const ratios: number[] = []
  for (let seed = 1; seed <= 40; seed++) {
    const { logZ } = await program.run(params, { particles: 500, seed })
    ratios.push(Math.exp(logZ! - exact))
  }
  const mean = ratios.reduce((sum, x) => sum + x, 0) / ratios.length
  const variance = ratios.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (ratios.length - 1)
  const error = Math.sqrt(variance / ratios.length)
  expect(error).toBeLessThan(0.02)
  expect(Math.abs(mean - 1)).toBeLessThan(4.5 * error)
})

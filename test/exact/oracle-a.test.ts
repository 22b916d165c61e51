import { describe, expect, test } from 'vitest'
import { compile, type Settings } from '../../src/index.js'
import { enumerate } from '../../src/infer/enumerate.js'
import { distance, expected, measureOf, sampler, schemes, totalOf } from './measure.js'
import { zeroOne as lm, oracleA } from './programs.js'

/*
 * Oracle A of the design: two tokens, three steps, a poor twist. Every figure is the exact expectation over the sampler's own random
 * choices; the constants come from an independent enumeration in another language.
 */

const looped = oracleA()

const span = `
model lm = "table"
let s = lm("")
sample x ~ s for 3 tokens twisted by exp(0.4 * x.count("1") - 0.1 * x.length)
factor [0.1, 0.2, 0.5, 0.9][x.count("1")]
return x
`

/** p0(x) phi(x), by walking the table. */
const target = measureOf(
  [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
    const x = [4, 2, 1].map((bit) => (bits & bit ? 1 : 0))
    let mass = [0.1, 0.2, 0.5, 0.9][x.reduce<number>((a, b) => a + b, 0)]!
    x.forEach((token, t) => {
      const one = t === 0 ? 0.3 : x[t - 1] === 1 ? 0.6 : 0.2
      mass *= token === 1 ? one : 1 - one
    })
    return [x.join(''), mass]
  }),
)
const Z = 0.2848

const always = { threshold: 1, resample: 'multinomial' } as const

test('the target that the tests walk has the Z of the oracle', () => {
  expect(totalOf(target)).toBeCloseTo(Z, 12)
})

describe.each([
  ['a twist in a loop', looped],
  ['a twisted span', span],
])('%s', (_, source) => {
  test.each([
    ['no resampling', 1, { threshold: 0 }, -1.592595],
    ['no resampling', 2, { threshold: 0 }, -1.455734],
    ['no resampling', 3, { threshold: 0 }, -1.395321],
    ['importance sampling', 2, { method: 'importance', threshold: 1 }, -1.455734],
    ['multinomial, always', 1, always, -1.592595],
    ['multinomial, always', 2, always, -1.473878],
    ['systematic, always', 2, { threshold: 1 }, -1.455512],
    ['systematic, always', 3, { threshold: 1 }, -1.394827],
    ['systematic at .9', 2, { threshold: 0.9 }, -1.457857],
  ] as const)('E[log Z-hat] of %s, N = %i', async (_name, particles, settings, log) => {
    const found = await expected(await sampler(source, { lm }, { fuse: false }), { particles, ...settings })
    expect(found.log).toBeCloseTo(log, 6)
    expect(found.estimate).toBeCloseTo(Z, 9)
    expect(distance(target, found.measure)).toBeLessThan(1e-9)
  })

  // The twist and the factor are looked at before a token is drawn; at the last token the factor stands instead of the twist.
  test.each([
    ['multinomial, always', 1, always, -1.380171],
    ['multinomial, always', 2, always, -1.355416],
  ] as const)('E[log Z-hat] of fused draws, %s, N = %i', async (_name, particles, settings, log) => {
    const found = await expected(await sampler(source, { lm }), { particles, ...settings })
    expect(found.log).toBeCloseTo(log, 6)
    expect(found.estimate).toBeCloseTo(Z, 9)
    expect(distance(target, found.measure)).toBeLessThan(1e-9)
  })

  test('without the twist nothing tells texts apart before the factor: importance sampling', async () => {
    const found = await expected(await sampler(source, { lm }, { fuse: false }), { particles: 2, twist: false, threshold: 0.9 })
    expect(found.log).toBeCloseTo(-1.455734, 6)
    expect(distance(target, found.measure)).toBeLessThan(1e-9)
  })
})

test('threshold 1 resamples always, also at equal weights', async () => {
  // Skipping a point where the ESS is N would give -1.473304.
  const program = await sampler(looped, { lm }, { fuse: false })
  for await (const { result } of enumerate((random) => program.run(random, { particles: 2, ...always }))) {
    // Before every draw of the loop, the first one included: points depend on the place and not on the turn.
    expect(result.steps).toHaveLength(3)
    expect(result.steps.every((step) => step.resampled)).toBe(true)
  }
})

describe.each(schemes)('E[Z-hat] = Z and E[Z-hat posterior] = Z sigma under %s', (resample) => {
  test.each([0, 0.5, 0.9, 1])('threshold %d', async (threshold) => {
    const program = await sampler(looped, { lm }, { fuse: false })
    for (const twist of [true, false]) {
      const found = await expected(program, { particles: 2, threshold, resample, twist })
      expect(found.estimate).toBeCloseTo(Z, 9)
      expect(distance(target, found.measure)).toBeLessThan(1e-9)
    }
  })
})

test('three particles under the schemes that draw more than one uniform, T = 2', async () => {
  const source = looped.replace('1..3', '1..2').replace('[0.1, 0.2, 0.5, 0.9]', '[0.1, 0.4, 0.9]')
  const program = await sampler(source, { lm }, { fuse: false })
  const exact = measureOf([
    ['00', 0.7 * 0.8 * 0.1],
    ['01', 0.7 * 0.2 * 0.4],
    ['10', 0.3 * 0.4 * 0.4],
    ['11', 0.3 * 0.6 * 0.9],
  ])
  for (const resample of schemes) {
    const found = await expected(program, { particles: 3, threshold: 1, resample })
    expect(distance(exact, found.measure)).toBeLessThan(1e-9)
  }
})

test('the self-normalised posterior is biased by as much as the oracle says, the product with Z-hat is not', async () => {
  const program = await sampler(looped, { lm }, { fuse: false })
  const sigma = 0.341292
  expect(target.get('"111"')! / Z).toBeCloseTo(sigma, 6)
  const multinomial = await expected(program, { particles: 2, ...always })
  expect(multinomial.selfNormalised.get('"111"')).toBeCloseTo(0.162683, 6)
  expect(multinomial.measure.get('"111"')! / Z).toBeCloseTo(sigma, 6)
  const systematic = await expected(program, { particles: 2, threshold: 1 })
  expect(systematic.selfNormalised.get('"111"')).toBeCloseTo(0.177962, 6)
})

test('twists scaled by c_t change nothing pathwise in an aligned program', async () => {
  const program = await sampler(looped, { lm }, { fuse: false })
  const scaled = await sampler(looped.replace('twist exp', 'twist [7, 0.2, 3][t - 1] * exp'), { lm }, { fuse: false })
  for (const settings of [
    { threshold: 1 },
    { threshold: 0.9 },
    { threshold: 1, resample: 'residual' },
    { threshold: 1, resample: 'multinomial' },
  ] as const) {
    const other = enumerate((random) => scaled.run(random, { particles: 2, ...settings }))
    for await (const { probability, result } of enumerate((random) => program.run(random, { particles: 2, ...settings }))) {
      const { value } = (await other.next()) as { value: { probability: number; result: typeof result } }
      expect(value.probability).toBeCloseTo(probability, 9)
      expect(value.result.answers.map((a) => a.value)).toEqual(result.answers.map((a) => a.value))
      value.result.answers.forEach((a, i) => {
        expect(a.weight).toBeCloseTo(result.answers[i]!.weight, 12)
      })
    }
    expect((await other.next()).done).toBe(true)
  }
})

test('SMC that never resamples is importance sampling, path by path; and so is SMC with one particle', async () => {
  const program = await sampler(looped, { lm }, { fuse: false })
  const paths = async (settings: Partial<Settings>) => {
    const found: string[] = []
    for await (const { probability, result } of enumerate((random) => program.run(random, settings))) {
      const answers = result.answers.map((a) => `${a.value} ${a.weight.toFixed(12)}`)
      found.push(`${answers.join(', ')}: ${probability.toFixed(12)}`)
    }
    return found.sort()
  }
  for (const particles of [1, 2]) {
    const importance = await paths({ particles, method: 'importance' })
    expect(importance).toHaveLength(8 ** particles)
    expect(await paths({ particles, threshold: 0 })).toEqual(importance)
    if (particles === 1) expect(await paths({ particles, threshold: 1, resample: 'systematic' })).toEqual(importance)
  }
})

test('a program that is run through the API gives the same numbers', async () => {
  const program = await compile(looped, { path: 'a.smc' })
  let [estimate, log] = [0, 0]
  const measure = new Map<string, number>()
  const run = enumerate((random) => program.run({}, { random, models: { lm }, particles: 2, ...always }))
  for await (const { probability, result } of run) {
    estimate += probability * Math.exp(result.logZ!)
    log += probability * result.logZ!
    for (const { value, probability: share } of result.posterior) {
      const key = JSON.stringify(value)
      measure.set(key, (measure.get(key) ?? 0) + probability * Math.exp(result.logZ!) * share)
    }
  }
  expect(estimate).toBeCloseTo(Z, 9)
  // Fused, as users get it: the last token is drawn under the factor instead of the twist.
  expect(log).toBeCloseTo(-1.355416, 6)
  expect(distance(target, measure)).toBeLessThan(1e-9)
})

import { describe, expect, test } from 'vitest'
import { compile, type RunOptions, type RunResult, SmcError } from '../../src/index.js'
import { philoxRandomness } from '../../src/infer/philox.js'
import type { DrawKey, Randomness } from '../../src/models/randomness.js'
import { table } from '../exact/measure.js'

const lm = table({
  tokens: ['a', 'b', '.'],
  end: '.',
  next: { '': [0.5, 0.4, 0.1], a: [0.3, 0.5, 0.2], b: [0.6, 0.2, 0.2], '.': [0, 0, 1] },
})

const twisted = `
model lm = "table"
let s = lm("")
sample x ~ s for up to 6 tokens twisted by 0.1 + s.prob("ab")
factor 0.2 + x.count("ab")
sample y ~ bernoulli(0.5)
factor if y and s.ended { 0.3 } else { 1 }
return [x, "{y}"]
`

async function run(source: string, options: RunOptions = {}): Promise<RunResult> {
  const program = await compile(source, { path: 'test.smc' })
  const models = source.includes('model lm = "table"') ? { lm } : {}
  return program.run({}, { models, seed: 1, method: 'steer', ...options })
}

/** Philox, which also notes the keys that it was asked for. */
function listening(): { random: Randomness; draws: DrawKey[]; points: number[] } {
  const philox = philoxRandomness(1)
  const draws: DrawKey[] = []
  const points: number[] = []
  const random: Randomness = {
    index: (weights, key) => {
      draws.push(key)
      return philox.index(weights, key)
    },
    uniform: (key, attempt) => {
      draws.push(key)
      return philox.uniform(key, attempt)
    },
    resampling: (generation, count, breaks) => {
      points.push(generation)
      return philox.resampling(generation, count, breaks)
    },
  }
  return { random, draws, points }
}

describe('one seed fixes everything', () => {
  test('whatever the batch', async () => {
    const told = ({ timing, settings, ...rest }: RunResult) => JSON.stringify({ ...rest, tokens: timing.tokens })
    const [one, three, many] = await Promise.all([1, 3, 64].map((batch) => run(twisted, { batch, particles: 20 })))
    expect(one!.resamples).toBeGreaterThan(3)
    expect(told(three!)).toBe(told(one!))
    expect(told(many!)).toBe(told(one!))
    expect(told(await run(twisted, { particles: 20, seed: 2 }))).not.toBe(told(one!))
  })

  test('copy k of slot i draws as slot i K + k, and no number is used twice', async () => {
    const { random, draws, points } = listening()
    await run(twisted, { particles: 8, expansion: 5, random })
    expect(new Set(draws.map((k) => `${k.slot} ${k.generation} ${k.draw}`)).size).toBe(draws.length)
    expect(new Set(points).size).toBe(points.length)
    const slots = draws.filter(({ generation }) => generation === 1).map(({ slot }) => slot)
    expect([...new Set(slots)].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })

  test('Philox tells slots apart beyond N', () => {
    const random = philoxRandomness(1)
    const slots = [0, 63, 64, 191, 1_000_000_000, 2 ** 32 - 1]
    expect(new Set(slots.map((slot) => random.uniform({ slot, generation: 0, draw: 0 }, 0))).size).toBe(slots.length)
  })
})

describe('the result', () => {
  test('says who descends from whom, in slots of the population before', async () => {
    const result = await run(twisted, { particles: 12, expansion: 2 })
    let size = 12
    let roots = Array.from({ length: 12 }, (_, i) => i)
    for (const step of result.steps) {
      const { ancestors } = step
      expect(ancestors!.length).toBeLessThanOrEqual(12)
      expect(step.alive).toBe(ancestors!.length)
      expect(step.ess).toBeLessThanOrEqual(step.alive)
      for (const slot of ancestors!) expect(slot).toBeLessThan(size)
      // Two copies of each at most, in the order of their parents.
      for (let slot = 0; slot < size; slot++) expect(ancestors!.filter((a) => a === slot).length).toBeLessThanOrEqual(2)
      expect(ancestors).toEqual([...ancestors!].sort((a, b) => a - b))
      roots = ancestors!.map((a) => roots[a]!)
      expect(step.distinctAncestors).toBe(new Set(roots).size)
      size = ancestors!.length
    }
    expect(result.samples).toHaveLength(size)
    expect(result.settings).toMatchObject({ particles: 12, method: 'steer', expansion: 2 })
    expect(result.logZ).toBeCloseTo(result.steps.at(-1)!.logZ!, 12)
  })

  test('divides by N, not by the number that live', async () => {
    // Two of six values pass, each at most once a candidate: log Z = log(1/3) whatever the number that live.
    const source = 'sample x ~ uniform(1..6)\nrequire x > 4\nreturn x'
    const result = await run(source, { particles: 200, expansion: 1 })
    expect(result.samples.length).toBe(result.alive)
    expect(result.alive).toBeLessThan(100)
    expect(result.logZ).toBeCloseTo(Math.log(result.alive / 200), 12)
    expect(result.samples.every((s) => s.logWeight === 0)).toBe(true)
  })

  test('a program without a point is N x K draws, of which N are kept', async () => {
    const result = await run('sample x ~ uniform(1..6)\nfactor x\nreturn x', { particles: 400, expansion: 4 })
    expect(result.steps).toHaveLength(1)
    expect(result.samples).toHaveLength(400)
    // 1,600 draws of mean 3.5 and sd 1.71: log Z-hat has the sd 0.0122.
    expect(Math.abs(result.logZ! - Math.log(3.5))).toBeLessThan(5 * 0.0122)
    // P(6) = 6/21, from 1,600 draws and a systematic choice of 400.
    expect(result.posterior.find((p) => p.value === 6)!.probability).toBeCloseTo(6 / 21, 1)
  })

  test('agrees with smc on a text', async () => {
    const [steered, smc] = await Promise.all([
      run(twisted, { particles: 3000, expansion: 2 }),
      run(twisted, { particles: 6000, method: 'smc' }),
    ])
    expect(Math.abs(steered!.logZ! - smc!.logZ!)).toBeLessThan(0.06)
    for (const { value, probability } of smc!.posterior.slice(0, 5)) {
      const other = steered!.posterior.find((p) => JSON.stringify(p.value) === JSON.stringify(value))
      expect(Math.abs(other!.probability - probability)).toBeLessThan(0.02)
    }
  })
})

test('all dead: the statement that killed most is named', async () => {
  const source = 'sample x ~ uniform(1..6)\nfactor x\nsample y ~ uniform(1..6)\nrequire x + y > 12\nreturn x'
  const error: unknown = await run(source, { particles: 5, expansion: 4 }).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(SmcError)
  const { blame, diagnostics } = error as SmcError
  expect(blame).toBe('inference')
  expect(diagnostics[0]!.code).toBe('R003')
  expect(diagnostics[0]!.notes[0]!.message).toBe(
    'this statement killed 20 of the 20 that died; the population had passed 1 resampling point',
  )
})

describe('an interrupted run', () => {
  test('is a valid result of at most N particles', async () => {
    const stop = new AbortController()
    const source = `
sample a ~ uniform(0.0, 1.0)
factor 0.5 + a
if a < 0.3 { return 0.5 }
for t in 1..50 {
  sample b ~ bernoulli(0.5)
  factor if b { 2 } else { 1 }
}
return a
`
    const result = await run(source, {
      particles: 30,
      signal: stop.signal,
      onProgress: ({ step }) => {
        if (step === 5) stop.abort()
      },
    })
    expect(result.partial).toBe(true)
    expect(Number.isFinite(result.logZ)).toBe(true)
    expect(result.samples.length).toBeLessThanOrEqual(30)
    expect(result.samples).toHaveLength(result.steps.at(-1)!.ancestors!.length)
    expect(result.samples.some((s) => s.value === null && s.logWeight !== null)).toBe(true)
    expect(result.posterior.reduce((sum, p) => sum + p.probability, 0)).toBeCloseTo(1, 12)
    expect(JSON.stringify(result)).not.toMatch(/NaN|undefined/)
  })

  test('before its first step, too', async () => {
    const result = await run(twisted, { particles: 3, signal: AbortSignal.abort() })
    expect(result).toMatchObject({ partial: true, posterior: [], moments: [] })
    expect(result.logZ).toBeCloseTo(0, 12)
    expect(result.samples).toHaveLength(3)
  })
})

describe('settings that belong to another method', () => {
  const plain = 'sample x ~ uniform(1..6)\nreturn x'

  test.each([
    [plain, { method: 'smc', expansion: 2 }, 'the method `smc` does not read `expansion`'],
    [plain, { method: 'importance', expansion: 2 }, 'the method `importance` does not read `expansion`'],
    [plain, { method: 'steer', threshold: 0.5 }, 'the method `steer` does not read `threshold`'],
    [
      `infer { method: steer }\n${plain}`,
      { method: undefined, resample: 'residual' },
      'the method `steer` does not read `resample`',
    ],
    [plain, { expansion: 1001 }, 'expected a whole number from 1 to 1000 as `expansion`, found 1001'],
  ] as const)('%j with %j', async (source, options, message) => {
    const { method, ...rest } = { method: 'steer', ...options } as RunOptions
    const error = await run(source, method ? { method, ...rest } : { ...rest, method: undefined as never }).catch(
      (thrown) => thrown,
    )
    expect(error).toBeInstanceOf(SmcError)
    expect(error.diagnostics[0]).toMatchObject({ code: 'R022', message })
  })

  test('what the program sets for its own method is passed over when the caller gives another', async () => {
    const steered = `infer { method: steer, expansion: 2, particles: 4 }\n${plain}`
    expect((await run(steered, { method: 'smc' })).settings.method).toBe('smc')
    const smc = `infer { threshold: 0.7, particles: 4 }\n${plain}`
    expect((await run(smc)).settings).toMatchObject({ method: 'steer', expansion: 3 })
  })
})

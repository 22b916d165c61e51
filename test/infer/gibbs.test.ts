import { describe, expect, test } from 'vitest'
import { compile, type RunOptions, type RunResult } from '../../src/index.js'
import { zeroOne as lm } from '../exact/programs.js'

/* Particle Gibbs as callers see it; `test/exact/gibbs.test.ts` proves the kernel. */

/** Six tokens of which ones are rare and wanted: Z and the law of their number by a sum over all texts. */
const source = `
model lm = "table"
let s = lm("")
let ones = 0
for t in 1..6 {
  sample x ~ s
  ones += x.id
  factor [0.3, 3][x.id]
}
factor [0.001, 0.01, 0.1, 1, 2, 4, 8][ones]
return ones
`
const base = { models: { lm }, method: 'gibbs', particles: 8, sweeps: 20, fuse: false } as const

async function run(options: RunOptions = {}, text = source): Promise<RunResult> {
  const program = await compile(text)
  const models = text.includes('model lm') ? { lm } : {}
  return program.run({}, { ...base, seed: 3, ...options, models })
}

function exact(): { mean: number } {
  const next: Readonly<Record<string, readonly number[]>> = { '': [0.7, 0.3], '0': [0.8, 0.2], '1': [0.4, 0.6] }
  let [Z, sum] = [0, 0]
  for (let bits = 0; bits < 64; bits++) {
    const text = [...Array(6).keys()].map((t) => (bits >> t) & 1)
    const ones = text.reduce((a, b) => a + b, 0)
    let mass = [0.001, 0.01, 0.1, 1, 2, 4, 8][ones]!
    text.forEach((x, t) => {
      mass *= next[t === 0 ? '' : `${text[t - 1]}`]![x]! * [0.3, 3][x]!
    })
    Z += mass
    sum += mass * ones
  }
  return { mean: sum / Z }
}

test('log Z is that of SMC with the same seed, and the samples are those of the sweeps', async () => {
  const [found, smc] = [await run(), await run({ method: 'smc', sweeps: undefined as never })]
  expect(found.logZ).toBeCloseTo(smc.logZ!, 12)
  expect(found.steps).toEqual(smc.steps)
  expect(found.samples).toHaveLength(160)
  expect(found.samples.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
  // The schema of `run` holds: the mean weight is Z-hat, the posterior adds up the weights.
  const mean = found.samples.reduce((sum, { logWeight }) => sum + (logWeight === null ? 0 : Math.exp(logWeight)), 0) / 160
  expect(Math.log(mean)).toBeCloseTo(found.logZ!, 9)
  for (const { value, probability } of found.posterior) {
    const share = found.samples.reduce((sum, each) => sum + (each.value === value ? each.weight : 0), 0)
    expect(probability).toBeCloseTo(share, 12)
  }
  for (let k = 0; k < 20; k++) {
    const share = found.samples.slice(8 * k, 8 * k + 8).reduce((sum, { weight }) => sum + weight, 0)
    expect(share, 'each sweep counts the same').toBeCloseTo(1 / 20, 12)
  }
  expect(found.sweeps!.map(({ sweep }) => sweep)).toEqual(Array.from({ length: 20 }, (_, k) => k + 1))
  expect(found).toMatchObject({ partial: false, settings: { method: 'gibbs', sweeps: 20 } })
})

test('long chains give the mean of the target, which the first population alone misses', async () => {
  const mean = ({ samples }: RunResult) => samples.reduce((sum, { value, weight }) => sum + weight * ((value as number) ?? 0), 0)
  const spread = (values: readonly number[]) => {
    const m = values.reduce((a, b) => a + b) / values.length
    const s = Math.sqrt(values.reduce((sum, x) => sum + (x - m) ** 2, 0) / (values.length - 1) / values.length)
    return { m, s }
  }
  const seeds = Array.from({ length: 40 }, (_, seed) => seed)
  const small = { particles: 3, threshold: 1 } as const
  const chains = spread(await Promise.all(seeds.map(async (seed) => mean(await run({ ...small, seed, sweeps: 100 })))))
  const once = spread(
    await Promise.all(seeds.map(async (seed) => mean(await run({ ...small, seed, method: 'smc', sweeps: undefined as never })))),
  )
  const target = exact().mean
  expect(Math.abs(chains.m - target)).toBeLessThan(4.5 * chains.s)
  expect(Math.abs(once.m - target)).toBeGreaterThan(4.5 * once.s)
  expect(chains.s).toBeLessThan(once.s / 2)
})

test('the same seed gives the same answer, whatever the batch', async () => {
  const told = ({ timing, settings, ...rest }: RunResult) => JSON.stringify({ ...rest, tokens: timing.tokens })
  const one = await run({ batch: 1 })
  expect(told(await run({ batch: 64 }))).toBe(told(one))
  expect(told(await run({ seed: 4 }))).not.toBe(told(one))
})

test('a path that is never renewed is one sample, not as many as there are sweeps', async () => {
  const rare = 'sample x ~ uniform(1..200)\nfactor if x == 7 { 1e9 } else { 1e-9 }\nreturn x'
  let found: RunResult | null = null
  for (let seed = 0; found === null; seed++) {
    const one = await run({ seed, particles: 4, sweeps: 30, threshold: 0 }, rare)
    if (one.posterior[0]!.probability > 0.999) found = one
  }
  expect(found.posterior[0]).toMatchObject({ value: 7 })
  const kept = found.sweeps!.filter(({ renewed }) => renewed === 0).length
  expect(kept).toBeGreaterThan(25)
  expect(found.ess).toBeLessThan(31 - kept)
  expect(found.ess).toBeGreaterThanOrEqual(1)
})

test('steps are told of the first population', async () => {
  const steps: number[] = []
  const found = await run({ sweeps: 3, onStep: ({ step }) => steps.push(step) })
  expect(steps).toEqual(found.steps.map(({ step }) => step))
})

test('progress tells the sweep, and seconds and tokens go on', async () => {
  const seen: [number | undefined, number, number][] = []
  await run({ sweeps: 3, onProgress: ({ sweep, tokens, seconds }) => seen.push([sweep, tokens, seconds]) })
  expect(new Set(seen.map(([sweep]) => sweep))).toEqual(new Set([0, 1, 2, 3]))
  for (const part of [1, 2]) {
    const values = seen.map((each) => each[part as 1])
    expect(values).toEqual([...values].sort((a, b) => a - b))
  }
})

describe('interrupted', () => {
  const stopped = async (wanted: number) => {
    const interruption = new AbortController()
    return run({
      signal: interruption.signal,
      onProgress: ({ sweep, step }) => {
        if (sweep === wanted && step >= 2) interruption.abort()
      },
    })
  }
  test('in the first population, it is what SMC would give', async () => {
    const found = await stopped(0)
    expect(found).toMatchObject({ partial: true, sweeps: [] })
    expect(found.samples).toHaveLength(8)
  })
  test('in a sweep, the sweeps that are done are kept', async () => {
    const found = await stopped(4)
    expect(found.partial).toBe(true)
    expect(found.sweeps).toHaveLength(3)
    expect(found.samples).toHaveLength(24)
    expect(found.samples.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
  })
  test('in the first sweep, the first population is kept', async () => {
    const found = await stopped(1)
    expect(found).toMatchObject({ partial: true, sweeps: [] })
    expect(found.samples.filter(({ value }) => value !== null)).toHaveLength(8)
  })
})

test('what gibbs cannot do is refused', async () => {
  await expect(run({ particles: 1 })).rejects.toThrow(/needs two particles/)
  await expect(run({ method: 'smc' })).rejects.toThrow(/does not read `sweeps`/)
  await expect(run({ sweeps: 0 })).rejects.toThrow(/whole number from 1/)
  await expect(run({ sweeps: undefined as never }, 'sample x ~ bernoulli(0.5)\nrequire false\nreturn x')).rejects.toThrow(
    /all particles are dead/,
  )
  const program = await compile('infer { method: gibbs }\nsample x ~ bernoulli(0.5)\nreturn x')
  await expect(program.bound()).rejects.toThrow(/no bounds for the sweeps/)
})

test('the program sets it too, and is checked', async () => {
  const found = await (
    await compile('infer { method: gibbs, sweeps: 4, particles: 2 }\nsample x ~ bernoulli(0.5)\nreturn x')
  ).run()
  expect(found.sweeps).toHaveLength(4)
  await expect(compile('infer { method: gibbs, particles: 1 }\nreturn 1')).rejects.toThrow(/a whole number from 2/)
  await expect(compile('infer { sweeps: 3 }\nreturn 1')).rejects.toThrow(/does not read `sweeps`/)
})

import { describe, expect, test } from 'vitest'
import { compile, type Program, type RunOptions, type RunResult, SmcError } from '../../src/index.js'
import type { LanguageModel } from '../../src/models/model.js'
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

/** A result without what may differ between two equal runs. */
function told(result: RunResult): object {
  const { timing, settings, ...rest } = result
  return { ...rest, settings: { ...settings, batch: 0, maxMemory: 0 }, tokens: timing.tokens }
}

async function run(source: string | Program, options: RunOptions = {}, params = {}): Promise<RunResult> {
  const program = typeof source === 'string' ? await compile(source, { path: 'test.smc' }) : source
  return program.run(params, { models: { lm }, seed: 1, ...options })
}

describe('one seed fixes everything', () => {
  test.each(['systematic', 'multinomial', 'residual', 'stratified'] as const)(
    'on a table, whatever the batch: %s',
    async (resample) => {
      const results = await Promise.all(
        [1, 3, 64].map((batch) => run(twisted, { batch, resample, particles: 40, threshold: 0.8, seed: 11 })),
      )
      expect(results[0]!.resamples).toBeGreaterThan(0)
      for (const result of results) expect(JSON.stringify(told(result))).toBe(JSON.stringify(told(results[0]!)))
      const other = await run(twisted, { resample, particles: 40, threshold: 0.8, seed: 12 })
      expect(told(other)).not.toEqual(told(results[0]!))
    },
  )

  test('on the built-in transformer, whatever the batch', async () => {
    const program = await compile(`
model lm = "tiny"
let s = lm("Once upon a time")
sample x ~ s for 4 tokens twisted by 0.001 + s.prob(" a")
observe "." ~ s
return x
`)
    const results: object[] = []
    for (const batch of [1, 3, 64]) results.push(told(await program.run({}, { batch, particles: 7, seed: 4, threshold: 1 })))
    expect(JSON.stringify(results[1])).toBe(JSON.stringify(results[0]))
    expect(JSON.stringify(results[2])).toBe(JSON.stringify(results[0]))
  })

  test('a particle draws the same numbers in a larger population until the first resampling', async () => {
    const [few, many] = await Promise.all([5, 50].map((particles) => run(twisted, { particles, threshold: 0 })))
    expect(many!.samples.slice(0, 5).map((s) => s.value)).toEqual(few!.samples.map((s) => s.value))
    few!.samples.forEach((s, i) => {
      expect(many!.samples[i]!.logWeight).toBe(s.logWeight)
    })
  })
})

describe('special cases of SMC', () => {
  const core = ({ logZ, samples, posterior, ess }: RunResult) => ({ logZ, samples, posterior, ess })

  test('one particle is what it is at every threshold', async () => {
    for (const seed of [1, 2, 3]) {
      const smc = await run(twisted, { particles: 1, threshold: 1, seed })
      expect(core(smc)).toEqual(core(await run(twisted, { particles: 1, threshold: 0, seed })))
    }
  })

  test('without draws after a point, a seed gives importance sampling the same particles', async () => {
    const source = 'sample a ~ bernoulli(0.5)\nfactor if a { 2 } else { 1 }\nreturn "{a}"'
    const smc = await run(source, { particles: 50, threshold: 0, models: {} })
    const importance = await run(source, { particles: 50, method: 'importance', models: {} })
    expect(core(smc)).toEqual(core(importance))
  })

  test('without resampling log Z-hat is that of an importance weighted autoencoder, path by path', async () => {
    for (const seed of [1, 2, 3]) {
      const { logZ, samples, resamples } = await run(twisted, { particles: 20, threshold: 0, seed })
      const mean = samples.reduce((sum, { logWeight }) => sum + Math.exp(logWeight!), 0) / 20
      expect(resamples).toBe(0)
      expect(logZ).toBeCloseTo(Math.log(mean), 12)
    }
  })

  test('importance sampling stands at no point', async () => {
    const result = await run(twisted, { method: 'importance', threshold: 1, particles: 20 })
    expect(result.steps).toEqual([])
    expect(result.resamples).toBe(0)
  })
})

describe('steps', () => {
  test('tell the ESS, log Z-hat so far, ancestors and how many of the first slots live on', async () => {
    const result = await run(twisted, { particles: 30, threshold: 0.9, seed: 3 })
    expect(result.steps.length).toBeGreaterThan(3)
    let roots = Array.from({ length: 30 }, (_, i) => i)
    result.steps.forEach((step, i) => {
      expect(step.step).toBe(i + 1)
      expect(step.resampled).toBe(step.ess < 0.9 * 30)
      expect(step.ancestors === null).toBe(!step.resampled)
      if (step.ancestors) roots = step.ancestors.map((a) => roots[a]!)
      expect(step.distinctAncestors).toBe(new Set(roots).size)
      expect(step.alive).toBe(30)
    })
    expect(result.resamples).toBe(result.steps.filter((s) => s.resampled).length)
    const weights = result.samples.map((s) => Math.exp(s.logWeight!))
    expect(result.logZ).toBeCloseTo(Math.log(weights.reduce((a, b) => a + b, 0) / 30), 12)
    expect(result.ess).toBeCloseTo(weights.reduce((a, b) => a + b, 0) ** 2 / weights.reduce((a, b) => a + b * b, 0), 9)
  })

  test('progress is told at every point', async () => {
    const seen: number[] = []
    const result = await run(twisted, {
      particles: 8,
      onProgress: ({ step, ess, alive, tokens, finished }) => {
        seen.push(step)
        expect(ess).toBeLessThanOrEqual(8)
        expect(alive).toBe(8)
        expect(finished).toBeLessThanOrEqual(8)
        expect(tokens).toBeLessThanOrEqual(48)
      },
    })
    expect(new Set(seen)).toEqual(new Set(result.steps.map((s) => s.step)))
  })

  test('dead particles ask no model', async () => {
    let drawn = 0
    const counting: LanguageModel = {
      id: lm.id,
      hash: lm.hash,
      contextLength: lm.contextLength,
      vocabulary: lm.vocabulary,
      start: (prompt) => lm.start(prompt),
      extend: (history, token) => lm.extend(history, token),
      draw: (requests) => {
        drawn += requests.length
        return lm.draw(requests)
      },
      urns: (posteriors) => lm.urns(posteriors),
      measure: (posteriors) => lm.measure(posteriors),
      logProbs: (experts) => {
        drawn += experts.length
        return lm.logProbs(experts)
      },
      score: (requests) => lm.score(requests),
      dispose: () => lm.dispose(),
    }
    const source = `
model lm = "table"
let s = lm("")
sample a ~ bernoulli(0.5)
require a
sample x ~ s for 5 tokens
return x
`
    const result = await run(source, { particles: 40, threshold: 0, models: { lm: counting } })
    expect(result.alive).toBeGreaterThan(5)
    expect(result.alive).toBeLessThan(35)
    expect(drawn).toBe(5 * result.alive)
    expect(result.timing.tokens).toBe(drawn)
    expect(result.samples.filter((s) => s.logWeight === null).every((s) => s.weight === 0 && s.value === null)).toBe(true)
  })
})

describe('an interrupted run', () => {
  test('gives what it has', async () => {
    const stop = new AbortController()
    const source = `
model lm = "table"
let s = lm("")
sample early ~ bernoulli(0.2)
if early { return 0.5 }
let n = 0
for i in 1..1000 {
  sample t ~ lm("a")
  factor if t == "a" { 0.7 } else { 1 }
  n += 1
}
return n + 0.0
`
    const result = await run(source, {
      particles: 30,
      signal: stop.signal,
      onProgress: ({ step }) => {
        if (step === 5) stop.abort()
      },
    })
    expect(result.partial).toBe(true)
    expect(result.steps).toHaveLength(5)
    expect(Number.isFinite(result.logZ)).toBe(true)
    expect(result.samples).toHaveLength(30)
    expect(result.samples.some((s) => s.value === null && s.logWeight !== null)).toBe(true)
    expect(result.posterior.reduce((sum, p) => sum + p.probability, 0)).toBeCloseTo(1, 12)
    expect(result.moments.map((m) => m.mean)).toEqual([0.5])
    expect(JSON.stringify(result)).not.toMatch(/NaN|undefined/)
  })

  test('before its first step, too', async () => {
    const result = await run(twisted, { particles: 3, signal: AbortSignal.abort() })
    expect(result).toMatchObject({ partial: true, logZ: 0, posterior: [], moments: [], steps: [] })
  })

  test('whose only answers are too light to count has no moments instead of NaN', async () => {
    const stop = new AbortController()
    const source = `
sample a ~ uniform(0.0, 1.0)
if a < 0.5 { factor exp(-2000)
  return a }
factor 2
sample b ~ bernoulli(0.5)
return a
`
    const result = await run(source, {
      particles: 20,
      models: {},
      threshold: 0,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    expect(result.partial).toBe(true)
    expect(result.moments.every((m) => Number.isFinite(m.mean) && Number.isFinite(m.sd))).toBe(true)
    expect(result.posterior.every((p) => Number.isFinite(p.probability))).toBe(true)
  })
})

describe('all particles dead', () => {
  async function death(source: string, options: RunOptions = {}): Promise<SmcError> {
    const error = await run(source, options).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(SmcError)
    return error as SmcError
  }

  test('names the statement that killed most and the text that died last', async () => {
    const source = `
model lm = "table"
let s = lm("")
sample x ~ s for 3 tokens
require x.startsWith("ab") or x == "bbb"
require x == "zzz"
return x
`
    const error = await death(source, { particles: 200, threshold: 0 })
    expect(error.blame).toBe('inference')
    const [d] = error.diagnostics
    expect(d!.code).toBe('R003')
    expect(source.slice(d!.span!.start, d!.span!.end)).toBe('require x.startsWith("ab") or x == "bbb"')
    expect(d!.notes[0]!.message).toMatch(/killed 1\d\d of the 200 that died/)
    expect(d!.notes.some((n) => /"[ab]{3}"/.test(n.message))).toBe(true)
  })

  test('by an ended stream', async () => {
    const error = await death('model lm = "table"\nlet s = lm("")\nforce lm.end ~ s\nsample t ~ s\nreturn t')
    expect(error.diagnostics[0]!.code).toBe('R003')
  })

  test('by a span that no text fits: the hint says what to change', async () => {
    const never = table({ tokens: ['a', 'b'], end: null, next: { '': [1, 0], a: [1, 0], b: [0, 1] } })
    const hint = async (clauses: string) =>
      (await death(`model lm = "table"\nlet s = lm("")\nsample x ~ s ${clauses}\nreturn x`, { models: { lm: never } }))
        .diagnostics[0]!.hint
    expect(await hint('for 3 tokens where false')).toContain('no token met the `where`')
    expect(await hint('matching /ab/ for up to 3 tokens')).toContain('no token that the pattern allows')
    expect(await hint('within 3 tokens until "b"')).toContain('within the limit of this span')
  })
})

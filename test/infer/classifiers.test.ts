import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compileSource } from '../../src/compile.js'
import { SmcError } from '../../src/diagnostics/diagnostic.js'
import { compile } from '../../src/index.js'
import { Recent } from '../../src/infer/recent.js'
import type { RunOptions } from '../../src/infer/run.js'
import { run as runGraph } from '../../src/infer/run.js'
import { settle } from '../../src/infer/settings.js'
import type { Classifier } from '../../src/models/classifiers/classifier.js'
import { table } from '../exact/measure.js'

const lm = table({ tokens: ['a', 'b'], next: { '': [0.5, 0.5], a: [0.5, 0.5], b: [0.5, 0.5] } })

/** Says that a text is long with a probability that grows with its length, and notes what it is asked. */
function stub(
  calls: string[][] = [],
  change: Partial<Classifier> & { readonly probability?: (text: string) => number } = {},
): Classifier {
  const probability = change.probability ?? ((text) => text.length / (text.length + 2))
  return {
    id: 'stub',
    hash: 'stub',
    labels: ['short', 'long'],
    exclusive: true,
    window: Number.POSITIVE_INFINITY,
    classify: async (texts) => {
      calls.push([...texts])
      return texts.map((text) => {
        const p = probability(text)
        return { logProbs: Float64Array.of(Math.log(1 - p), Math.log(p)), cut: text.length > (change.window ?? 1000) }
      })
    },
    dispose: async () => {},
    ...change,
  }
}

async function run(source: string, classifier: Classifier, options: RunOptions = {}) {
  const text = `classifier size = "stub"\nmodel lm = "table"\n${source}`
  const compiled = compileSource({ path: 'test.smc', text })
  const stages = compiled.stages({ fuse: true })
  const settings = settle({}, { seed: 1, particles: 16, ...options })
  return runGraph(
    stages.at(-1)!.graph,
    stages[0]!.graph,
    {},
    settings,
    { models: { lm }, ...options },
    { model: () => Promise.reject(new Error('no model')), classifier: async () => classifier },
  )
}

async function failure(source: string, classifier: Classifier = stub()) {
  const error = await run(source, classifier).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(SmcError)
  const [{ code, message, hint, span }] = (error as SmcError).diagnostics as [SmcError['diagnostics'][number]]
  return { code, message, hint, at: span?.source.text.slice(span.start, span.end), blame: (error as SmcError).blame }
}

describe('a classifier', () => {
  test('gets all particles that wait for it in one batch, and equal texts once', async () => {
    const calls: string[][] = []
    await run('sample t ~ lm("")\nobserve "long" ~ size(t)\nreturn t', stub(calls))
    expect(calls.map((texts) => [...texts].sort())).toEqual([['a', 'b']])
  })

  test('is not asked again for what it has said in this run', async () => {
    const calls: string[][] = []
    await run('sample t ~ lm("")\nfactor size(t).prob("long")\nresample\nfactor size(t).prob("short") ^ 2\nreturn t', stub(calls))
    expect(calls).toHaveLength(1)
  })

  test('is asked for all elements of a list together', async () => {
    const calls: string[][] = []
    const result = await run('return ["", "aa", "aaaaaa"].map(s => size(s).prob("long")).sum()', stub(calls))
    expect(calls).toEqual([['', 'aa', 'aaaaaa']])
    expect(result.samples[0]!.value).toBeCloseTo(0 + 0.5 + 0.75, 12)
  })

  test('gives its distribution to factor, observe, functions with and without effects, and as a value', async () => {
    const result = await run(
      `fn score(s: String) -> Weight { return size(s).prob("long") ^ 2 }
fn judge(s: String) { observe "long" ~ size(text: s) }
factor score("aa")
judge("aa")
let d = size("aaaaaa")
let again = size
observe "short" ~ again("aaaaaa")
return d.prob("short")`,
      stub(),
    )
    expect(result.logZ).toBeCloseTo(Math.log(0.5 ** 3 * 0.25), 12)
    expect(result.samples[0]!.value).toBeCloseTo(0.25, 12)
  })

  test('can be drawn from', async () => {
    const result = await run('sample x ~ size("aaaaaa")\nreturn x', stub(), { particles: 4000 })
    const long = result.posterior.find(({ value }) => value === 'long')!
    // Five standard errors of a share of 3/4 among 4,000.
    expect(Math.abs(long.probability - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / 4000))
  })

  test('is asked token by token in a twist, which leaves Z as it is', async () => {
    const source = (twist: string) => `sample s ~ lm("") for 2 tokens ${twist}\nobserve "long" ~ size(s)\nreturn s`
    const calls: string[][] = []
    const result = await run(source('twisted by size(s).prob("long")'), stub(calls))
    expect(result.logZ).toBeCloseTo(Math.log(0.5), 12)
    expect(calls.flat().sort()).toEqual(['a', 'aa', 'ab', 'b', 'ba', 'bb'])
  })

  test('takes a token for its text', async () => {
    const result = await run('sample t ~ lm("")\nlet heard = size(t).prob("long")\nreturn heard', stub())
    expect(result.samples[0]!.value).toBeCloseTo(1 / 3, 12)
  })

  test('is one of the models that the result names', async () => {
    expect((await run('return size("a").prob("long")', stub())).models.size).toEqual({ id: 'stub', hash: 'stub' })
  })

  test('kills by probability 0', async () => {
    const source = 'sample t ~ lm("")\nobserve "long" ~ size(t)\nreturn t'
    const result = await run(source, stub([], { probability: (text) => (text === 'a' ? 0 : 1) }))
    expect(result.posterior.map(({ value }) => value)).toEqual(['b'])
  })
})

describe('a label that the classifier does not have stops the run', () => {
  test.each([
    ['factor size("a").prob("lnog")\nreturn 1', 'size("a").prob("lnog")'],
    ['observe "lnog" ~ size("a")\nreturn 1', 'observe "lnog" ~ size("a")'],
  ])('%s', async (source, at) => {
    expect(await failure(source)).toMatchObject({
      code: 'R024',
      message: '`size` has no label "lnog"',
      hint: 'its labels are "short", "long"',
      at,
      blame: 'program',
    })
  })
})

describe('labels that do not exclude one another', () => {
  const toxic = () => stub([], { exclusive: false })
  test('each have a probability', async () => {
    const result = await run('observe "long" ~ size("aa")\nreturn size("aa").prob("long")', toxic())
    expect(result.samples[0]!.value).toBeCloseTo(0.5, 12)
  })
  test('are nothing to draw from', async () => {
    expect(await failure('sample x ~ size("aa")\nreturn x', toxic())).toMatchObject({ code: 'R024', at: 'sample x ~ size("aa")' })
  })
})

test('NaN stops the run with its place', async () => {
  const broken = stub([], { probability: (text) => (text === 'b' ? Number.NaN : 0.5) })
  expect(await failure('sample t ~ lm("")\nfactor 1 + size(t).prob("long")\nreturn t', broken)).toMatchObject({
    code: 'R001',
    at: 'size(t)',
    blame: 'inference',
  })
})

test('a text that is longer than the window is warned of, once a place', async () => {
  const source = 'sample s ~ lm("") for 4 tokens\nfactor size(s).prob("long")\nreturn s'
  const { warnings } = await run(source, stub([], { window: 3 }))
  expect(warnings.map(({ code, severity, message }) => [code, severity, message])).toEqual([
    ['R013', 'warning', '`size` reads 3 tokens: it judges longer texts by their beginning'],
  ])
})

test('errors of opening it stand at its declaration', async () => {
  const path = fileURLToPath(new URL('program.smc', import.meta.url))
  const program = await compile('classifier tone = "nothing-like-it"\nreturn tone("a").prob("b")', { path })
  await expect(program.run()).rejects.toMatchObject({ diagnostics: [{ code: 'M020', span: { start: 18, end: 35 } }] })
})

describe('what is remembered', () => {
  test('is bounded in texts', () => {
    const recent = new Recent<number>(10, 1000)
    for (let i = 0; i < 100; i++) recent.set(`${i}`, i)
    const kept = Array.from({ length: 100 }, (_, i) => `${i}`).filter((text) => recent.get(text) !== undefined)
    expect(kept.length).toBeLessThanOrEqual(10)
    expect(kept).toContain('99')
  })

  test('is bounded in characters', () => {
    const recent = new Recent<number>(1000, 100)
    for (let i = 0; i < 50; i++) recent.set(`${i}`.padStart(20), i)
    expect(
      Array.from({ length: 50 }, (_, i) => recent.get(`${i}`.padStart(20))).filter((x) => x !== undefined).length,
    ).toBeLessThan(7)
  })

  test('keeps what is asked for', () => {
    const recent = new Recent<number>(10, 1000)
    recent.set('kept', 1)
    for (let i = 0; i < 100; i++) {
      recent.set(`${i}`, i)
      expect(recent.get('kept')).toBe(1)
    }
  })
})

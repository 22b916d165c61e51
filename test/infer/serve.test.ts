import { expect, test } from 'vitest'
import { compile } from '../../src/index.js'
import type { DrawRequest, LanguageModel, ScoreRequest } from '../../src/models/model.js'
import { table } from '../exact/measure.js'

interface Call {
  readonly kind: 'draw' | 'score'
  readonly model: string
  readonly rows: number
}

const description = {
  tokens: ['a', 'b', 'E'],
  end: 'E',
  next: { '': [0.5, 0.3, 0.2], a: [0.2, 0.6, 0.2], b: [0.7, 0.1, 0.2], E: [0, 0, 1] },
}

/** A table that notes what it is asked. */
function noting(name: string, calls: Call[], requests: (DrawRequest | ScoreRequest)[] = []): LanguageModel {
  const model = table(description)
  return {
    id: name,
    hash: name,
    contextLength: model.contextLength,
    vocabulary: model.vocabulary,
    start: (prompt) => model.start(prompt),
    extend: (history, token) => model.extend(history, token),
    draw: (asked) => {
      calls.push({ kind: 'draw', model: name, rows: asked.length })
      requests.push(...asked)
      return model.draw(asked)
    },
    score: (asked) => {
      calls.push({ kind: 'score', model: name, rows: asked.length })
      requests.push(...asked)
      return model.score(asked)
    },
    urns: (asked) => model.urns(asked),
    measure: (asked) => model.measure(asked),
    // What draws from small vocabularies look at.
    logProbs: (asked) => {
      calls.push({ kind: 'draw', model: name, rows: asked.length })
      return model.logProbs(asked)
    },
    dispose: () => model.dispose(),
  }
}

async function run(source: string, models: Record<string, LanguageModel>, settings = {}) {
  return (await compile(source, { path: 'test.smc' })).run({}, { models, seed: 1, particles: 16, threshold: 0, ...settings })
}

test('all particles are served in one call, whatever line they stand on', async () => {
  const calls: Call[] = []
  await run(
    `model lm = "table"
let s = lm("")
sample c ~ bernoulli(0.5)
let text = ""
if c {
  sample t ~ s
  text = t
} else {
  sample u ~ lm("b")
  text = u
}
return text`,
    { lm: noting('lm', calls) },
  )
  expect(calls).toEqual([{ kind: 'draw', model: 'lm', rows: 16 }])
})

test('draws and scores are calls of their own, and so are models', async () => {
  const calls: Call[] = []
  await run(
    `model one = "table"
model two = "table"
let s = one("")
let t = two("")
sample x ~ one("")
observe "a" ~ s
observe "ab" ~ t
return x`,
    { one: noting('one', calls), two: noting('two', calls) },
  )
  expect(calls).toEqual([
    { kind: 'draw', model: 'one', rows: 16 },
    { kind: 'score', model: 'one', rows: 16 },
    { kind: 'score', model: 'two', rows: 16 },
  ])
})

test('every `prob` of an expression is asked at once, equal ones once a particle', async () => {
  const calls: Call[] = []
  const result = await run(
    `model lm = "table"
let s = lm("")
factor ["a", "b", "ab", "a"].map(x => s.prob(x)).sum()
return "x"`,
    { lm: noting('lm', calls) },
    { particles: 5 },
  )
  expect(calls).toEqual([{ kind: 'score', model: 'lm', rows: 15 }])
  expect(result.logZ).toBeCloseTo(Math.log(0.5 + 0.3 + 0.5 * 0.6 + 0.5), 12)
})

test('a `prob` that depends on another waits twice; effects between are not done twice', async () => {
  const calls: Call[] = []
  const result = await run(
    `model lm = "table"
fn deeper(p: Float) -> Float { return if p > 0.4 { lm("a").prob("b") } else { lm("b").prob("b") } }
let s = lm("")
factor deeper(s.prob("a")) + lm("").prob("b")
return lm("").text + s.text`,
    { lm: noting('lm', calls) },
    { particles: 3 },
  )
  expect(result.logZ).toBeCloseTo(Math.log(0.6 + 0.3), 12)
  expect(result.posterior).toEqual([{ value: '', probability: 1, count: 3 }])
  expect(calls.every((c) => c.rows <= 6)).toBe(true)
})

test('what is observed is kept, what is only asked is not', async () => {
  const requests: (DrawRequest | ScoreRequest)[] = []
  await run(
    'model lm = "table"\nlet s = lm("")\nfactor s.prob("a")\nobserve "b" ~ s\nreturn 1',
    { lm: noting('lm', [], requests) },
    { particles: 1 },
  )
  expect(requests.map((r) => 'keep' in r && r.keep)).toEqual([false, true])
})

test('each draw has a key of its own: slot, generation of the population, draw since the last point', async () => {
  const requests: (DrawRequest | ScoreRequest)[] = []
  await run(
    'model lm = "table"\nlet s = lm("")\nsample a ~ s\nsample b ~ lm("")\nfactor 0.5\nsample c ~ lm("")\nreturn "{a}{b}{c}"',
    { lm: noting('lm', [], requests) },
    { particles: 2, threshold: 1, fuse: false },
  )
  expect(requests.map((r) => ('key' in r ? r.key : null))).toEqual([
    { slot: 0, generation: 0, draw: 0 },
    { slot: 1, generation: 0, draw: 0 },
    { slot: 0, generation: 0, draw: 1 },
    { slot: 1, generation: 0, draw: 1 },
    { slot: 0, generation: 1, draw: 0 },
    { slot: 1, generation: 1, draw: 0 },
  ])
})

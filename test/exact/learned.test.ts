import { describe, expect, test } from 'vitest'
import { compile, type TrainingOptions } from '../../src/index.js'
import { readTwists } from '../../src/infer/learned/file.js'
import { type HeadShape, type Layer, untrainedLayers } from '../../src/infer/learned/head.js'
import type { TrainedHead } from '../../src/infer/learned/twist.js'
import { philoxRandomness } from '../../src/infer/philox.js'
import { distance, expected, expectedUpper, measureOf, sampler, table } from './measure.js'

/*
 * Learned twists are twists: whatever their network says, E[Z-hat] = Z and E[Z-hat x posterior] is the target, by enumeration of all that the
 * sampler may draw. The networks are made up (nothing, noise, and absurdly large noise), or come from trainings that were ended early or not.
 */

const lm = table({ tokens: ['a', 'b', 'E'], end: 'E', next: { '': [0.5, 0.4, 0.1], a: [0.6, 0.3, 0.1], b: [0.2, 0.5, 0.3] } })
const other = table({ tokens: ['a', 'b', 'E'], end: 'E', next: { '': [0.3, 0.4, 0.3], a: [0.2, 0.5, 0.3], b: [0.3, 0.5, 0.2] } })

/** A network whose last layer is noise of this size. */
function head(
  model: typeof lm,
  size: number,
  conditions: HeadShape['conditions'] = [],
  how: Partial<TrainedHead> = {},
): TrainedHead {
  const shape = { hidden: 3, shift: 3, scale: 1, conditions, width: 4, depth: 1 }
  const layers = untrainedLayers(shape, philoxRandomness(5))
  const noise = philoxRandomness(6)
  const last = layers.at(-1)!
  const weight = last.weight.map((_, draw) => size * (2 * noise.uniform({ slot: 0, generation: 0, draw }, 0) - 1))
  return {
    shape,
    layers: [...layers.slice(0, -1), { ...last, weight } satisfies Layer],
    model: model.hash,
    link: 'exp',
    role: 'twist',
    ...how,
  }
}

const proposal = { role: 'proposal' } as const
const sigmoid = { link: 'sigmoid' } as const

const start = `model lm = "table"
model other = "table"
learn twist psi(story: Context)
learn twist told(story: Context, hint: String, n: Int, yes: Bool)
let s = lm("")
`

const programs: Readonly<Record<string, string>> = {
  'a span, and a factor that is out of sight': 'sample x ~ s for 2 tokens twisted by psi\nobserve "ab" ~ s\nreturn x',
  'a span that may end': 'sample x ~ s for up to 3 tokens twisted by psi(s)\nfactor 0.2 + x.count("b")\nreturn x',
  conditions: 'sample x ~ s for 2 tokens twisted by told(s, "ab", 7, true)\nobserve "b" ~ s\nreturn x',
  'arguments that change': 'sample x ~ s for 2 tokens twisted by told(s, x, x.length, x == "a")\nobserve "b" ~ s\nreturn x',
  'single tokens': 'sample x ~ s\ntwist psi(s)\nsample y ~ s\ntwist psi(s)\nobserve "b" ~ s\nreturn s.text',
  'single tokens that must meet something':
    'sample x ~ s where not x.end\ntwist psi(s)\nsample y ~ s where not y.end\ntwist psi(s)\nobserve "b" ~ s\nreturn s.text',
  'a token and two twists':
    'sample x ~ s\ntwist psi(s)\ntwist told(s, "b", 1, false)\nfactor if s.text == "b" { 1 } else { 0.3 }\nreturn s.text',
  'after an observed text': 'observe "ab" ~ s\ntwist psi(s)\nsample y ~ s\ntwist psi(s)\nobserve "b" ~ s\nreturn s.text',
  where: 'sample x ~ s for 2 tokens where x.count("b") < 2 twisted by psi\nobserve "b" ~ s\nreturn x',
  matching: 'sample x ~ s matching /a*b?/ for up to 2 tokens twisted by psi\nobserve "b" ~ s\nreturn x',
  'a product': 'let o = other("")\nsample x ~ s * o ^ 0.5 for 2 tokens twisted by psi(s)\nobserve "b" ~ s\nreturn x',
  'a proposal': 'sample x ~ s for 2 tokens via other twisted by psi\nobserve "b" ~ s\nreturn x',
  'blocks of proposals': 'sample x ~ s for 3 tokens via other in blocks of 1 twisted by psi\nobserve "b" ~ s\nreturn x',
  'a part of a weight': 'sample x ~ s for 2 tokens twisted by psi(s) ^ 0.5 * 2\nobserve "b" ~ s\nreturn x',
}

describe.each(Object.entries(programs))('%s', (_name, body) => {
  const source = start + body
  const plain = async () => expected(await sampler(source, { lm, other }), { particles: 1, twist: false, method: 'importance' })

  test.each([
    ['untrained', {}],
    ['half trained', { psi: head(lm, 0.5), told: head(lm, 0.5, ['text', 'number', 'number']) }],
    ['absurd', { psi: head(lm, 30), told: head(lm, 30, ['text', 'number', 'number']) }],
    ['a proposal', { psi: head(lm, 1, [], proposal), told: head(lm, 1, ['text', 'number', 'number'], proposal) }],
    ['a sigmoid', { psi: head(lm, 3, [], sigmoid), told: head(lm, 3, ['text', 'number', 'number'], sigmoid) }],
  ] as const)('%s', async (_, learned) => {
    const { measure: target } = await plain()
    for (const fuse of [true, false]) {
      const found = await expected(await sampler(source, { lm, other }, { fuse, learned }), { particles: 1, threshold: 1 })
      expect(distance(target, found.measure)).toBeLessThan(1e-9)
    }
    const two = await expected(await sampler(source, { lm, other }, { learned }), { particles: 2, threshold: 1 }, {
      most: 200_000,
    } as never)
    expect(distance(target, two.measure)).toBeLessThan(1e-9)
  })
})

test.each(['a span, and a factor that is out of sight', 'single tokens', 'a span that may end'])(
  'an exact sample forced through: %s',
  async (name) => {
    const program = await sampler(start + programs[name], { lm, other }, { learned: { psi: head(lm, 0.5) } })
    const settings = { particles: 2, threshold: 1 }
    const found = await expectedUpper(program, settings)
    const { dead } = await expected(program, settings)
    // E[1 / Z-hat] = P(not all dead) / Z
    expect(found.inverse * found.Z).toBeCloseTo(1 - dead, 9)
  },
)

describe('a network from a training', () => {
  const source = `model lm = "table"
learn twist psi(story: Context) { width: 24 }
let s = lm("")
sample x ~ s for 3 tokens twisted by psi
observe "bb" ~ s
return x`
  const trained = async (options: TrainingOptions) => {
    const { file } = await (await compile(source)).train({}, { models: { lm }, seed: 2, batch: 64, ...options })
    return { psi: readTwists({ name: 'it', bytes: file }).twists.get('psi')!.head }
  }
  const one = { particles: 1, method: 'importance' } as const

  test.each([
    ['ctl', {}],
    ['sixo', { batch: 256 }],
    ['rl', { rate: 0.01 }],
    ['dpg', { valueHead: true }],
  ] as const)('%s %o', { timeout: 120_000 }, async (loss, options) => {
    const untrained = await sampler(source, { lm })
    const { measure: target, estimate: Z } = await expected(untrained, { ...one, twist: false })
    const half = await sampler(source, { lm }, { learned: await trained({ loss, ...options, steps: 12, iterate: 1 }) })
    const learned = await trained({ loss, ...options, steps: 360, iterate: 6 })
    const whole = await sampler(source, { lm }, { learned })
    for (const program of [half, whole]) {
      for (const settings of [
        one,
        { particles: 2, threshold: 1 },
        { particles: 2, threshold: 0.7, resample: 'residual' as const },
      ]) {
        const found = await expected(program, settings)
        expect(found.estimate / Z).toBeCloseTo(1, 9)
        expect(distance(target, found.measure)).toBeLessThan(1e-9)
      }
      const forced = await expectedUpper(program, { particles: 2, threshold: 1 })
      expect(forced.inverse * forced.Z).toBeCloseTo(1, 9)
    }
    const unfused = await expected(await sampler(source, { lm }, { fuse: false, learned }), one)
    expect(distance(target, unfused.measure)).toBeLessThan(1e-9)
    // KL(q || sigma) = log Z - E[log Z-hat] of one particle: they are what they are said to be, half and wholly trained.
    const [far, nearer, near] = await Promise.all(
      [untrained, half, whole].map(async (program) => Math.log(Z) - (await expected(program, one)).log),
    )
    // Of samples that are told apart (`sixo`) that takes more.
    expect(near).toBeLessThan(loss === 'sixo' ? 0.03 : 0.01)
    expect(nearer).toBeGreaterThan(near! + 0.01)
    expect(nearer).toBeLessThan(far!)
  })
})

test('an untrained twist changes no draw', async () => {
  const source = `${start}sample x ~ s for 3 tokens twisted by psi\nreturn x`
  const random = () => philoxRandomness(3)
  const without = await (await sampler(source, { lm, other })).run(random(), { particles: 20 })
  const zero = await (await sampler(source, { lm, other }, { learned: { psi: head(lm, 0) } })).run(random(), { particles: 20 })
  expect(zero.answers).toEqual(without.answers)
})

test('with psi* every run is exact', async () => {
  // psi*(v | s) with two tokens, the second observed as "b" after it: known by hand for the last row of the table.
  const source = `model lm = "table"\nlearn twist psi(story: Context)\nlet s = lm("")\nsample x ~ s for 1 tokens twisted by psi\nobserve "b" ~ s\nreturn x`
  const shape = { hidden: 3, shift: 3, scale: 1, conditions: [], width: 1, depth: 0 } as const
  const layers = untrainedLayers(shape, philoxRandomness(1))
  layers[0]!.bias.set([Math.log(0.3), Math.log(0.5), -50])
  const learned = { psi: { shape, layers, model: lm.hash, link: 'exp', role: 'twist' } as const }
  const run = await (await sampler(source, { lm }, { learned })).run(philoxRandomness(2), { particles: 50 })
  expect(new Set(run.answers.map(({ weight }) => weight.toFixed(6))).size).toBe(1)
  const z = await expected(await sampler(source, { lm }, { learned }), { particles: 1 })
  expect(run.estimate).toBeCloseTo(z.estimate, 6)
  expect(measureOf([...z.measure]).size).toBe(2)
})

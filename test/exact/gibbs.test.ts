import { describe, expect, test } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import { untrainedLayers } from '../../src/infer/learned/head.js'
import type { TrainedHead } from '../../src/infer/learned/twist.js'
import { philoxRandomness } from '../../src/infer/philox.js'
import type { Settings } from '../../src/infer/result.js'
import { add, type Sampler, sampler, schemes, type Traced, table, traces } from './measure.js'
import { handover, zeroOne as lm, oracleA, steep } from './programs.js'

/*
 * The kernel of particle Gibbs, x -> x', by enumerating everything that conditional SMC draws beside the retained path, and the draw of the next
 * one: it leaves the target invariant, sum_x sigma(x) K(x, x') = sigma(x'), and the mean of a sweep's weighted population is sigma too.
 * `mutants.test.ts` has the broken kernels that these sums tell from it.
 */

const three = table({
  tokens: ['a', 'b', 'E'],
  end: 'E',
  next: { '': [0.5, 0.3, 0.2], a: [0.2, 0.5, 0.3], b: [0.6, 0.1, 0.3], E: [1, 0, 0] },
})
const small = table({
  tokens: ['a', 'b', 'E'],
  end: 'E',
  next: { '': [0.3, 0.3, 0.4], a: [0.1, 0.4, 0.5], b: [0.4, 0.4, 0.2], E: [1, 0, 0] },
})

/** The largest distance of sum_x sigma(x) K(x, x') from sigma(x'), and of the mean population from the target's answers. */
async function distances(program: Sampler, samples: readonly Traced[], settings: Partial<Settings>) {
  const Z = samples.reduce((sum, { mass }) => sum + mass, 0)
  const before = new Map<string, number>()
  const after = new Map<string, number>()
  const answers = new Map<string, number>()
  let moved = 0
  for (const { choices, mass } of samples) {
    const name = JSON.stringify(choices)
    add(before, name, mass / Z)
    for await (const { probability, result } of enumerate((random) => program.sweep(choices, random, settings))) {
      const share = (mass / Z) * probability
      const next = JSON.stringify(result.path)
      add(after, next, share)
      if (next !== name) moved += share
      expect(next === name || result.renewed > 0).toBe(true)
      for (const { value, weight } of result.answers) add(answers, value, share * weight)
    }
  }
  const apart = (one: ReadonlyMap<string, number>, two: ReadonlyMap<string, number>) =>
    Math.max(...[...new Set([...one.keys(), ...two.keys()])].map((key) => Math.abs((one.get(key) ?? 0) - (two.get(key) ?? 0))))
  return { paths: apart(before, after), answers, apart, moved }
}

async function invariant(program: Sampler, direct: Sampler, settings: Partial<Settings>): Promise<void> {
  const samples = await traces(direct)
  const { paths, answers, apart, moved } = await distances(program, samples, settings)
  expect(paths).toBeLessThan(1e-9)
  // The kernel moves: the identity would be invariant too.
  expect(moved).toBeGreaterThan(0.02)
  const Z = samples.reduce((sum, { mass }) => sum + mass, 0)
  const target = new Map<string, number>()
  for await (const { probability, result } of enumerate((random) => direct.run(random, { particles: 1, twist: false })))
    for (const { value, weight } of result.answers) add(target, value, (probability * weight) / Z)
  expect(apart(answers, target)).toBeLessThan(1e-9)
}

const loop = oracleA()

/** A proposal, a twist, an early end and deaths, with few paths. */
const branch = `
sample a ~ categorical([0.6, 0.4]) via categorical([0.5, 0.5])
twist [0.5, 2][a]
factor [0.2, 1.5][a]
if a == 0 { return [a] }
sample b ~ categorical([0.8, 0.2])
require a == 1 or b == 1
factor [0.3, 1.4][b]
return [a, b]
`

describe.each(schemes)('the target is invariant under %s', (resample) => {
  test.each([
    ['steep', 2, 1, steep],
    ['steep', 2, 0.8, steep],
    ['steep', 3, 1, steep],
    ['steep', 3, 0.6, steep],
    ['handover', 2, 1, handover],
    ['handover', 2, 0.6, handover],
    ['branch', 3, 1, branch],
    ['branch', 3, 0.7, branch],
    ['loop', 2, 1, loop],
    ['loop', 2, 0.7, loop],
  ] as const)('%s, N = %i, threshold %d', async (_name, particles, threshold, source) => {
    const program = await sampler(source, { lm })
    await invariant(program, await sampler(source, { lm }, { fuse: false }), { particles, threshold, resample })
  })
})

describe('with every kind of draw', () => {
  const head = 'model lm = "three"\nmodel small = "small"\n'
  const sources = {
    'a requirement of each token':
      'sample x ~ lm("") for 2 tokens where not x.contains("bb")\nfactor 0.3 + x.count("a")\nreturn x',
    'a requirement that asks a model':
      'let o = lm("a")\nsample x ~ lm("") for 2 tokens where o.prob("a") > 0.5 or x.count("b") < 2 and not x.contains("E")\nfactor 0.3 + x.count("a")\nreturn x',
    'a pattern with stops':
      'let s = lm("")\nsample x ~ s for up to 3 tokens matching /a{1,2}b?/\nfactor 0.3 + x.count("b")\nobserve "a" ~ s\nreturn x',
    'a product': 'sample x ~ lm("") * lm("b") for 2 tokens\nfactor 0.2 + x.count("b")\nreturn x',
    'drafts in blocks': 'sample x ~ lm("") for 2 tokens via small("") in blocks of 2\nfactor 0.2 + x.count("b")\nreturn x',
    'a proposal': 'sample x ~ lm("") for 2 tokens via small("")\nfactor 0.2 + x.count("b")\nreturn x',
    'a twisted span until':
      'sample x ~ lm("") for up to 2 tokens until "b" twisted by 0.3 + x.count("a")\nfactor 0.2 + x.count("a")\nreturn x',
  }
  test.each(Object.entries(sources))('%s', async (_name, source) => {
    const models = { lm: three, small }
    const direct = await sampler(head + source, models, { fuse: false })
    for (const fuse of [true, false])
      await invariant(await sampler(head + source, models, { fuse }), direct, { particles: 2, threshold: 1 })
  })
})

test('with a learned twist', async () => {
  const source = `
model lm = "table"
learn twist psi(s: Context)
let s = lm("")
sample x ~ s for 2 tokens twisted by psi(s)
factor [0.1, 0.5, 2][x.count("1")]
return x
`
  const shape = { hidden: 3, shift: 2, scale: 1, conditions: [], width: 4, depth: 1 }
  const layers = untrainedLayers(shape, philoxRandomness(5))
  const noise = philoxRandomness(6)
  const last = layers.at(-1)!
  const weight = last.weight.map((_, draw) => 3 * (2 * noise.uniform({ slot: 0, generation: 0, draw }, 0) - 1))
  const psi: TrainedHead = {
    shape,
    layers: [...layers.slice(0, -1), { ...last, weight }],
    model: lm.hash,
    link: 'exp',
    role: 'twist',
  }
  const program = await sampler(source, { lm }, { learned: { psi } })
  await invariant(program, await sampler(source, { lm }, { fuse: false }), { particles: 2, threshold: 1 })
})

test('the bias of a small population falls from sweep to sweep', async () => {
  const program = await sampler(steep)
  const samples = await traces(program)
  const settings = { particles: 2, threshold: 1 } as const
  const Z = samples.reduce((sum, { mass }) => sum + mass, 0)
  // The law of the path that the first population gives: its self-normalised weights, which are biased.
  let law = new Map<string, number>()
  const names = new Map<string, Traced>(samples.map((each) => [nameOf(each), each]))
  for await (const { probability, result } of enumerate((random) => program.run(random, settings)))
    for (const { value, weight } of result.answers) add(law, value, (probability * weight) / result.estimate)
  const bias = () => [...names].reduce((sum, [name, { mass }]) => sum + Math.abs((law.get(name) ?? 0) - mass / Z), 0) / 2
  const found = [bias()]
  for (let k = 0; k < 3; k++) {
    const next = new Map<string, number>()
    for (const [name, share] of law) {
      for await (const { probability, result } of enumerate((random) =>
        program.sweep(names.get(name)!.choices, random, settings),
      ))
        add(next, nameOf({ choices: result.path }), share * probability)
    }
    law = next
    found.push(bias())
  }
  expect(found[0]).toBeGreaterThan(0.05)
  for (const k of [1, 2, 3]) expect(found[k]!).toBeLessThan(0.9 * found[k - 1]!)
})

/** The answer of `steep` that belongs to a path. */
function nameOf({ choices }: Pick<Traced, 'choices'>): string {
  return JSON.stringify(choices.map((choice) => ('value' in choice ? choice.value : choice.token)))
}

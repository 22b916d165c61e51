import { describe, expect, test } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import type { Settings } from '../../src/infer/result.js'
import type { Randomness } from '../../src/models/randomness.js'
import { expected, expectedUpper, sampler, schemes, table, traces } from './measure.js'
import { handover, zeroOne as lm, oracleA, steep } from './programs.js'

/*
 * Conditional SMC (inference.md §2): E[1 / Z-hat] = P(not all dead) / Z, and oracle A's upper bounds, by enumerating all that the sampler may
 * draw beside each exact sample. In brackets: Z E[1 / Z-hat] when the rule is broken.
 */

const always = { threshold: 1, resample: 'multinomial' } as const

/** Looking ahead ends at a question to a model: the last token is drawn under the twist, and the factor is weighed afterwards. */
const question = 'if t == 3 { require s.prob("0") > 0 }'

describe.each([
  ['q = p0', oracleA(), false],
  ['q = q^pi', oracleA(question), true],
  ['the factor fused instead of the last twist', oracleA(), true],
] as const)('oracle A, %s', (name, source, fuse) => {
  const figures: readonly (readonly [string, number, Partial<Settings>, number, number])[] = {
    'q = p0': [
      ['no resampling', 1, { threshold: 0 }, -1.592595, -0.915584],
      ['no resampling', 2, { threshold: 0 }, -1.455734, -1.065537],
      ['no resampling', 3, { threshold: 0 }, -1.395321, -1.124536],
      ['importance sampling', 2, { method: 'importance' }, -1.455734, -1.065537],
      ['importance sampling', 3, { method: 'importance' }, -1.395321, -1.124536],
      ['multinomial, always', 1, always, -1.592595, -0.915584],
      ['multinomial, always', 2, always, -1.473878, -1.044282],
      // Three particles under multinomial resampling: oracle-a-three.test.ts.
      ['systematic, always', 2, { threshold: 1 }, -1.455512, -1.064069],
      ['systematic, always', 3, { threshold: 1 }, -1.394827, -1.123615],
    ] as const,
    'q = q^pi': [
      ['no resampling', 1, { threshold: 0 }, -1.392889, -1.123886],
      ['no resampling', 2, { threshold: 0 }, -1.327638, -1.187943],
      ['no resampling', 3, { threshold: 0 }, -1.303578, -1.210462],
      ['multinomial, always', 1, always, -1.392889, -1.123886],
      ['multinomial, always', 2, always, -1.362028, -1.153789],
      ['systematic, always', 2, { threshold: 1 }, -1.329298, -1.185894],
      ['systematic, always', 3, { threshold: 1 }, -1.305314, -1.208523],
    ] as const,
    'the factor fused instead of the last twist': [
      ['multinomial, always', 1, always, -1.380171, -1.135567],
      ['multinomial, always', 2, always, -1.355416, -1.159745],
    ] as const,
  }[name]

  test.each(figures)('%s, N = %i', async (_name, particles, settings, lower, upper) => {
    const program = await sampler(source, { lm }, { fuse })
    const found = await expectedUpper(program, { particles, ...settings })
    expect(found.Z).toBeCloseTo(0.2848, 12)
    expect(found.log).toBeCloseTo(upper, 6)
    expect(found.inverse * found.Z).toBeCloseTo(1, 9)
    expect((await expected(program, { particles, ...settings })).log).toBeCloseTo(lower, 6)
  })
})

const lethal = `
sample a ~ categorical([0.6, 0.4])
factor [0.3, 1.4][a]
sample b ~ categorical([0.5, 0.5])
require a == 1 or b == 1
return [a, b]
`

async function exact(source: string, settings: Partial<Settings>, fuse = false): Promise<void> {
  const program = await sampler(source, { lm }, { fuse })
  const { Z, inverse } = await expectedUpper(program, settings)
  const { dead, estimate } = await expected(program, settings)
  expect(estimate / Z).toBeCloseTo(1, 9)
  expect(inverse * Z).toBeCloseTo(1 - dead, 9)
}

describe.each(schemes)('E[1 / Z-hat] = P(not all dead) / Z under %s', (resample) => {
  test.each([
    ['steep', 2, 0.8, steep],
    ['steep', 2, 1, steep],
    ['handover', 2, 0.6, handover],
    ['handover', 2, 1, handover],
    ['lethal', 2, 0.9, lethal],
    ['lethal', 3, 0.5, lethal],
    ['lethal', 3, 0.9, lethal],
    // The exact sample starts in any slot (slot 0: 1.001 under stratified), and counts in the ESS (without it: .973).
    ['steep', 3, 0.6, steep],
    ['steep', 3, 1, steep],
  ] as const)('%s, N = %i, threshold %d', (_name, particles, threshold, source) =>
    exact(source, { particles, threshold, resample }),
  )
})

test('an exact sample that always starts in slot 0 gives the bias that the oracle says', async () => {
  const program = await sampler(steep)
  const samples = await traces(program)
  const Z = samples.reduce((sum, { mass }) => sum + mass, 0)
  const atZero = (random: Randomness): Randomness => ({
    index: (weights, key, attempt) => (key.slot < 0 ? 0 : random.index(weights, key, attempt)),
    uniform: (key, attempt) => random.uniform(key, attempt),
    resampling: (generation, count, breaks) => random.resampling(generation, count, breaks),
  })
  const inverse = async (change: (random: Randomness) => Randomness) => {
    let sum = 0
    for (const { choices, mass } of samples) {
      const settings = { particles: 3, threshold: 1, resample: 'stratified' } as const
      for await (const { probability, result } of enumerate((random) => program.runForced(choices, change(random), settings)))
        sum += ((mass / Z) * probability) / result.estimate
    }
    return sum * Z
  }
  expect(await inverse(atZero)).toBeCloseTo(1.00103947, 8)
  expect(await inverse((random) => random)).toBeCloseTo(1, 9)
})

/** Requirements that ask a model are met by rejection; an ordinary weight for the forced token gives 1.369. */
describe('rejection that must end in a given token', () => {
  const three = table({
    tokens: ['x', 'y', 'z'],
    next: { '': [0.5, 0.3, 0.2], x: [0.2, 0.5, 0.3], y: [0.6, 0.1, 0.3], z: [0.3, 0.3, 0.4] },
  })
  const source = `
model lm = "three"
let o = lm("")
let s = lm("")
sample a ~ s for 1 token where o.prob("x") > 0 and a != "z"
sample b ~ s for 1 token where o.prob("x") > 0 and b != (if a == "x" { "x" } else { "z" })
factor [[0.3, 1.2, 0.7], [0.9, 0.4, 0.1]][if a == "x" { 0 } else { 1 }][if b == "x" { 0 } else if b == "y" { 1 } else { 2 }]
return [a, b]
`
  test('has the bounds of the oracle', async () => {
    const program = await sampler(source, { lm: three })
    const samples = [
      ['xy', 0.3],
      ['xz', 0.105],
      ['yx', 0.162],
      ['yy', 0.012],
    ] as const
    const exact = samples.map(([text, mass]) => ({ choices: [...text].map((name) => ({ token: 'xyz'.indexOf(name) })), mass }))
    const found = await expectedUpper(program, { particles: 1 }, exact)
    expect(found.Z).toBeCloseTo(0.579, 12)
    expect(found.inverse * found.Z).toBeCloseTo(1, 9)
    expect(found.log).toBeCloseTo(-0.411118, 6)
    expect((await expected(program, { particles: 1 })).log).toBeCloseTo(-0.71593, 6)
  })
})

describe('every kind of draw can be forced', () => {
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
  const head = 'model lm = "three"\nmodel small = "small"\n'
  const sources = {
    'a requirement of each token':
      'sample x ~ lm("") for 2 tokens where not x.contains("bb")\nfactor 0.3 + x.count("a")\nreturn x',
    'a requirement that asks a model':
      'let o = lm("a")\nsample x ~ lm("") for 2 tokens where o.prob("a") > 0.5 or x.count("b") < 2 and not x.contains("E")\nfactor 0.3 + x.count("a")\nreturn x',
    'a requirement that asks, and rejects most':
      'let o = lm("a")\nsample x ~ lm("") for 1 token where o.prob("a") < 0.5 and not x.contains("a")\nfactor 0.3 + x.count("b")\nsample y ~ lm("a") for 1 token where o.prob("a") < 0.5 and x != y\nreturn [x, y]',
    'a pattern with stops':
      'let s = lm("")\nsample x ~ s for up to 3 tokens matching /a{1,2}b?/\nfactor 0.3 + x.count("b")\nobserve "a" ~ s\nreturn x',
    'a product': 'sample x ~ lm("") * lm("b") for 2 tokens\nfactor 0.2 + x.count("b")\nreturn x',
    'a power and a pattern':
      'let s = lm("")\nsample x ~ s^0.5 for up to 2 tokens matching /a?b?/\nfactor 0.2 + x.count("b")\nreturn x',
    'drafts in blocks': 'sample x ~ lm("") for 2 tokens via small("") in blocks of 2\nfactor 0.2 + x.count("b")\nreturn x',
    'a proposal': 'sample x ~ lm("") for 2 tokens via small("")\nfactor 0.2 + x.count("b")\nreturn x',
    'a token observed elsewhere': 'let o = lm("b")\nsample x ~ lm("")\nobserve x ~ o\nfactor [0.3, 1.2, 0.6][x.id]\nreturn x',
    'a twisted span until':
      'sample x ~ lm("") for up to 2 tokens until "b" twisted by 0.3 + x.count("a")\nfactor 0.2 + x.count("a")\nreturn x',
  }
  test.each(Object.entries(sources))('%s', async (_name, source) => {
    const samples = await traces(await sampler(head + source, { lm: three, small }, { fuse: false }))
    for (const fuse of [true, false]) {
      const program = await sampler(head + source, { lm: three, small }, { fuse })
      for (const settings of [{ particles: 1 }, { particles: 2, threshold: 1 }] as const) {
        const { Z, inverse } = await expectedUpper(program, settings, samples)
        const { dead, estimate } = await expected(program, settings)
        expect(estimate / Z, `fuse ${fuse}`).toBeCloseTo(1, 9)
        expect(inverse * Z, `fuse ${fuse}, N = ${settings.particles}`).toBeCloseTo(1 - dead, 9)
      }
    }
  })
})

import { describe, expect, test } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import { hashed } from '../models/fixed-randomness.js'
import { agrees, few, ways } from './agree.js'
import { meaning, type World } from './interpreter.js'
import { distance, expected, expectedUpper, measureOf, sampler, table, totalOf } from './measure.js'
import type { Markov } from './reference-streams.js'

/*
 * `where` (language.md §6): every non-empty prefix must satisfy it. Predicates that can be told at once are looked at for every token of
 * a small vocabulary; those that have to wait for a model or an extern function are met by weighted rejection (inference.md §1 "AWRS"), as
 * are all over a large vocabulary. Every way must give E[w 1(x = v)] = g(v).
 */

const lm: Markov = {
  tokens: ['a', 'b', 'c', 'E'],
  end: 'E',
  next: {
    '': [0.4, 0.3, 0.2, 0.1],
    a: [0.2, 0.5, 0.1, 0.2],
    b: [0.3, 0.3, 0.3, 0.1],
    c: [0.6, 0.1, 0.1, 0.2],
    E: [0, 0, 0, 1],
  },
}
const fine = (text: unknown) => !/ba|cc$/.test(`${text}`)
const grade = (text: unknown) => 0.3 + `${text}`.length
const world: World = { models: { lm }, externs: { fine, grade } }
const open = `model lm = "table"
extern fn fine(text: String) -> Bool from "./test/exact/externs.mjs"
extern fn grade(text: String) -> Float from "./test/exact/externs.mjs"
let s = lm("")
let other = lm("b")
`
/** Told at once, by an extern function, by a model, and by both. */
const predicates = [
  'not x.contains("b")',
  'fine(x)',
  's.prob("a") > 0.25',
  'fine(x) and s.prob("b") < 0.4',
  'other.prob(x) > 0.05',
]

describe.each(predicates)('where %s', (predicate) => {
  test('a span', () => agrees(`${open}sample x ~ s for 2 tokens where ${predicate}\nreturn x`, world, few, [{ particles: 1 }]))

  test('one token', () => agrees(`${open}sample x ~ s where ${predicate}\nreturn [x, "{x.end}"]`, world, ways))

  test.each([
    ['for up to 2 tokens', ''],
    ['for up to 2 tokens twisted by 0.2 + grade(x)', 'factor 0.5 + x.count("a")'],
    ['until "c" for up to 2 tokens', ''],
    ['within 2 tokens until "a"', ''],
    ['matching /[abc]{1,2}/', 'sample t ~ s'],
    ['matching /a*b?/ for up to 2 tokens twisted by 0.2 + x.length', 'observe "c" ~ s'],
  ])('%s', (clauses, then) =>
    agrees(`${open}sample x ~ s where ${predicate} ${clauses}\n${then}\nreturn [x, s.text, "{s.ended}"]`, world, [
      { particles: 1 },
    ]),
  )
})

describe('prefixes', () => {
  test.each(['for up to 2 tokens', 'until "a" for up to 2 tokens', 'matching /a*/ for up to 2 tokens'])(
    'the empty one need not satisfy it: a text may end, or come to its stop, with its first token (%s)',
    async (clauses) => {
      const source = `${open}sample x ~ s ${clauses} where x.length > 0 and not x.contains("cc")\nreturn x`
      await agrees(source, world, few, [{ particles: 1 }])
      expect(meaning(source, world).get('""')).toBeGreaterThan(0.09)
    },
  )

  test('what can never be met kills every particle', async () => {
    for (const predicate of ['x.contains("d")', 'fine(x) and not fine(x)', 's.prob("a") > 2'])
      await agrees(`${open}sample x ~ s for 1 tokens where ${predicate}\nreturn x`, world, few, few)
  })
})

describe('from a distribution', () => {
  test.each(['u > 0', 'u != 1 and grade("{u}") > 0', 'other.prob("a") * u > 0.2'])('where %s', (predicate) =>
    agrees(`${open}sample u ~ categorical([0.5, 0.2, 0.3]) where ${predicate}\nfactor 0.5 + u\nreturn u`, world, few, [
      { particles: 1 },
    ]),
  )

  test.each(['bernoulli(0.3) where u', 'uniform(1..4) where u > 1 and u != 3', 'categorical([1, 2, 3]) where u != 1'])(
    'the values that meet it are drawn, and their mass is the weight: %s',
    async (draw) => {
      const source = `sample u ~ ${draw}\nreturn u`
      const target = meaning(source, world)
      const found = await expected(await sampler(source), { particles: 1 })
      expect(distance(target, found.measure)).toBeLessThan(1e-12)
      // Every run says the same.
      expect(found.log).toBeCloseTo(Math.log(totalOf(target)), 12)
      const unfused = await expected(await sampler(source, {}, { fuse: false }), { particles: 1 })
      expect(distance(target, unfused.measure)).toBeLessThan(1e-12)
      expect(unfused.dead).toBeCloseTo(1 - totalOf(target), 12)
    },
  )

  test('a proposal is cut to the values that meet it, too', () =>
    agrees(
      `${open}sample u ~ categorical([0.2, 0.5, 0.3]) via uniform(0..3) where u != 1
sample v ~ categorical([0.2, 0.8]) via uniform(0..1) where u + v > 0
return [u, v]`,
      world,
      ways,
    ))

  test('more values than are looked through are weighed when they are drawn', async () => {
    const large = `sample u ~ uniform(1..600) where u == 7\nreturn u`
    const found = await expected(await sampler(large), { particles: 1 })
    expect(found.estimate).toBeCloseTo(1 / 600, 12)
    expect(found.dead).toBeCloseTo(599 / 600, 12)
  })

  test('none of which meets it: all die, at the requirement', async () => {
    const program = await sampler('sample u ~ bernoulli(0.5)\nsample v ~ bernoulli(0.5) where u and not u\nreturn v')
    expect(await expected(program, { particles: 2 })).toMatchObject({ estimate: 0, dead: 1 })
  })

  test('an exact sample is forced through: E[1 / Z-hat] = 1 / Z', async () => {
    const source = `sample u ~ uniform(1..3) where u != 2
sample v ~ categorical([0.2, 0.5, 0.3]) where v < u
factor u + v
return [u, v]`
    const found = await expectedUpper(await sampler(source), { particles: 2, threshold: 1, resample: 'systematic' })
    expect(found.Z).toBeCloseTo(totalOf(meaning(source, world)), 12)
    expect(found.inverse * found.Z).toBeCloseTo(1, 9)
  })
})

test('p = [.4, .3, .1, .1, .1], the first two allowed: E[w 1(x = v)] = p(v), E[w] = .7, and w = 1 with probability .371429', async () => {
  const five = table({ tokens: ['a', 'b', 'c', 'd', 'e'], next: { '': [0.4, 0.3, 0.1, 0.1, 0.1] }, order: 0 })
  const source = 'model lm = "table"\nlet s = lm("")\nlet o = lm("")\nsample x ~ s where o.prob(x) > 0.2\nreturn x'
  const program = await sampler(source, { lm: five })
  const found = await expected(program, { particles: 1 })
  expect(found.estimate).toBeCloseTo(0.7, 12)
  expect(
    distance(
      measureOf([
        ['a', 0.4],
        ['b', 0.3],
      ]),
      found.measure,
    ),
  ).toBeLessThan(1e-12)
  const laws = new Map<number, number>()
  let square = 0
  for await (const { probability, result } of enumerate((random) => program.run(random, { particles: 1 }))) {
    const weight = Number(result.estimate.toFixed(9))
    laws.set(weight, (laws.get(weight) ?? 0) + probability)
    square += probability * result.estimate ** 2
  }
  expect(laws.get(1)).toBeCloseTo(0.371429, 6)
  expect(Math.sqrt(square - 0.49)).toBeCloseTo(0.3, 9)
})

describe('two draws by rejection, a weight behind them', () => {
  const two: World = {
    models: {
      lm: {
        tokens: ['0', '1', '2'],
        end: null,
        next: { '': [0.5, 0.3, 0.2], '0': [0.2, 0.5, 0.3], '1': [0.6, 0.1, 0.3], '2': [0.3, 0.3, 0.4] },
      },
    },
    externs: {},
  }
  const source = `model lm = "table"
let s = lm("")
sample x ~ s for 2 tokens where s.prob("0") >= 0 and (x == "0" or x == "1" or x == "01" or x == "02" or x == "10" or x == "11")
factor if x == "01" { 1.2 } else { if x == "02" { 0.7 } else { if x == "10" { 0.9 } else { 0.4 } } }
return x`

  test('Z = .579 and E[log Z-hat] = -.715930 for one particle', async () => {
    expect(totalOf(meaning(source, two))).toBeCloseTo(0.579, 12)
    const program = await sampler(source, { lm: table(two.models.lm!) })
    const found = await expected(program, { particles: 1 })
    expect(found.estimate).toBeCloseTo(0.579, 12)
    expect(found.log).toBeCloseTo(-0.71593, 6)
  })

  test('in every way', () =>
    agrees(
      source,
      two,
      ways.filter(({ resample, particles }) => particles === 1 || resample !== 'multinomial'),
      few,
    ))
})

describe('a large vocabulary', () => {
  const size = 600
  const tokens = Array.from({ length: size }, (_, i) => (i === size - 1 ? 'E' : `<${i}>`))
  /** Three tokens and the end have nearly all of the mass, two rare ones a little, the rest nothing. */
  const row = (weights: Readonly<Record<number, number>>) => {
    const total = Object.values(weights).reduce((a, b) => a + b, 0)
    return tokens.map((_, i) => (weights[i] ?? 0) / total)
  }
  const first = row({ 0: 4, 70: 3, 130: 1, 599: 2, 300: 1e-3 })
  const second = row({ 0: 1, 70: 5, 130: 3, 599: 1 })
  const large: World = {
    models: {
      lm: { tokens, end: 'E', next: Object.fromEntries(['', ...tokens].map((t) => [t, t === '<0>' ? second : first])) },
    },
  }
  const source = (clauses: string, then = '') =>
    `model lm = "table"\nlet s = lm("")\nsample x ~ s ${clauses}\n${then}\nreturn [x, s.text]`

  test.each([
    ['where x != "<0>"', ''],
    ['where x == "<300>"', ''],
    ['for up to 2 tokens where not x.contains("130")', 'factor 0.5 + x.length'],
    ['for 2 tokens where x.length < 8', ''],
    ['until "7" for up to 2 tokens where x != "<0><"', ''],
    ['matching /(<0>|<70>){1,2}/ where x != "<70>"', 'sample t ~ s'],
    ['where x == "<1>"', ''],
  ])('%s', (clauses, then) => agrees(source(clauses, then), large, [{ particles: 1 }], [{ particles: 1 }]))

  test('two particles', () =>
    agrees(
      source('where x != "<0>"', 'factor 0.2 + x.length\nsample u ~ bernoulli(0.5)\nfactor if u { 0.3 } else { 1 }'),
      large,
      few,
    ))

  test.each([
    'sample t ~ s * q',
    'sample t ~ s\nobserve t ~ q',
    'sample t ~ q ^ 2 / s',
    'sample t ~ s matching /<70>*(<0>)?/ for up to 1 tokens',
  ])('without a requirement: %s', (draw) =>
    agrees(`model lm = "table"\nlet s = lm("")\nlet q = lm("<0>")\n${draw}\nreturn [t, s.text]`, large, [{ particles: 1 }]),
  )

  test('two models, some of whose factors are 0 or divide by 0 where another is 0', () => {
    const models = {
      lm: large.models.lm!,
      other: { ...large.models.lm!, next: Object.fromEntries(['', ...tokens].map((t) => [t, second])) },
    }
    const start = 'model lm = "table"\nmodel other = "table"\nlet s = lm("")\nlet q = other("")\nlet r = other("<0>")\n'
    return Promise.all(
      ['s * q', 'q / s', 'q ^ 2 / r', 'r / s * q', 's * q / r ^ 2'].map((product) =>
        agrees(`${start}sample t ~ ${product}\nobserve "<70>" ~ ${product}\nreturn t`, { models }, [{ particles: 1 }]),
      ),
    )
  })

  test('a product under a requirement', () =>
    agrees(
      'model lm = "table"\nlet s = lm("")\nlet q = lm("<0>")\nsample x ~ s * q for 2 tokens where x != "<0>"\nreturn x',
      large,
      [{ particles: 1 }],
    ))
})

test('of 182 tokens one rare one is allowed: it is found, whatever its probability', async () => {
  const size = 182
  const tokens = Array.from({ length: size }, (_, i) => `<${i}>`)
  for (const rare of [1e-3, 1e-30, 1e-300]) {
    const next = { '': tokens.map((_, i) => (i === 77 ? rare : (1 - rare) / (size - 1))) }
    const lm = table({ tokens, next, order: 0 })
    for (const predicate of ['x == "<77>"', 'o.prob("<0>") > 0 and x == "<77>"']) {
      const program = await sampler(
        `model lm = "table"\nlet s = lm("")\nlet o = lm("")\nsample x ~ s where ${predicate}\nreturn x`,
        { lm },
      )
      const { estimate } = await program.run(hashed, { particles: 1 })
      expect(estimate / rare).toBeCloseTo(1, 6)
    }
  }
})

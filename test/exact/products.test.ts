import { describe, expect, test } from 'vitest'
import { compileSource } from '../../src/compile.js'
import { agrees, few, ways } from './agree.js'
import { meaning, type World } from './interpreter.js'
import { expected, sampler, table, totalOf } from './measure.js'
import { markov } from './reference-streams.js'

/*
 * Products, quotients and powers of contexts (language.md §4), and draws observed under another context (§6 "Fusion"), against the
 * reference interpreter: the unnormalised product of next-token probabilities, and all streams move.
 */

/** Three tokens and an end; every row gives a chance to all but where it says so. */
const tokens = ['a', 'b', 'c', 'E']
const last = [0, 0, 0, 1]
const world: World = {
  models: {
    lm: markov(tokens, [[0.4, 0.3, 0.2, 0.1], [0.2, 0.5, 0.1, 0.2], [0.3, 0.3, 0.3, 0.1], [0.6, 0.1, 0.1, 0.2], last]),
    other: markov(tokens, [[0.1, 0.2, 0.4, 0.3], [0.5, 0.1, 0.2, 0.2], [0.25, 0.25, 0.25, 0.25], [0.1, 0.3, 0.3, 0.3], last]),
  },
}
const open = `model lm = "table"
model other = "table"
let a = lm("")
let b = other("a")
let c = lm("b", temperature: 0.7)
`
const contexts = [
  'a * b',
  'a / b',
  'a ^ 0.5',
  'a * b * c',
  'b * (b / a) ^ 0.5',
  'a * c',
  'c ^ 2 / b',
  '(a * b) ^ 0.5',
  'a * a',
  'a ^ 0 * b',
]

describe('of contexts', () => {
  test.each(contexts)('a token of %s', (product) =>
    agrees(`${open}sample t ~ ${product}\nreturn [t, "{t.end}", a.text, b.text, c.text]`, world, ways),
  )

  test.each(contexts)('a text of %s', (product) =>
    agrees(`${open}sample x ~ ${product} for 2 tokens\nreturn [x, a.text, b.text, c.text]`, world, [{ particles: 1 }]),
  )

  test.each(contexts)('observe and prob on %s', (product) =>
    agrees(
      `${open}sample t ~ c
let p = ${product}
factor 0.1 + p.prob("ab") + p.prob(t) + p.prob("") + p.prob(lm.end)
observe "ca" ~ p
return [t, a.text, b.text, c.text, p.text]`,
      world,
    ),
  )

  test.each([
    ['a limit and a twist', 'for up to 2 tokens twisted by exp(x.count("a"))'],
    ['until', 'until "b" for up to 2 tokens'],
    ['until, within', 'until "b" within 2 tokens'],
    ['a pattern', 'matching /[ab]{1,2}/'],
    ['a pattern and a limit', 'matching /a*/ for up to 2 tokens'],
    ['`where`', 'for up to 2 tokens where not x.contains("ab")'],
    ['`where`, a pattern and a twist', 'matching /[ab]{1,2}/ where x != "b" twisted by 0.3 + x.length'],
    ['a proposal', 'for up to 2 tokens via other'],
    ['a proposal in blocks', 'for up to 2 tokens via other in blocks of 2'],
  ])('a span of a * b with %s', (_what, clauses) =>
    agrees(`${open}sample x ~ a * b ${clauses}\nreturn [x, a.text, b.text, "{a.ended}"]`, world, few, [{ particles: 1 }]),
  )

  test.each(['a * b', 'a ^ 0.5', 'a ^ 0.5 * b ^ 2', 'a * b / c', '(a / b) ^ -1'])('what comes after a stop of %s', (product) =>
    agrees(
      `${open}let p = ${product}
sample x ~ p matching /[ab]{1,2}/ for up to 2 tokens
factor 0.2 + p.prob("c")
sample t ~ p
return [x, t, a.text]`,
      world,
      few,
      [{ particles: 1 }],
    ),
  )

  test('a stop of a product, then one of its factors alone', () =>
    agrees(`${open}sample x ~ a * b matching /a{1,2}/\nsample t ~ b\nsample u ~ a\nreturn [x, t, u]`, world, [{ particles: 1 }]))

  test('forks', () =>
    agrees(`${open}let p = a * b\nlet f = p.fork()\nsample t ~ f\nsample u ~ p\nreturn [t, u, f.text, a.text]`, world, [
      { particles: 1 },
    ]))

  test('one that has ended ends the product', () =>
    agrees(
      `${open}sample t ~ a\nsample x ~ a * b for up to 1 tokens\nsample y ~ b for up to 1 tokens\nreturn [t, x, y, "{(a * b).ended}"]`,
      world,
      [{ particles: 1 }],
    ))
})

describe('a draw observed under other contexts', () => {
  test.each([
    ['one', 'observe t ~ b'],
    ['two', 'observe t ~ b\nobserve t ~ c'],
    ['a product', 'observe t ~ b * c'],
    ['a power', 'observe t ~ c ^ 0.5'],
    ['the same stream: t, then t again', 'observe t ~ a'],
    ['the same stream three times', 'observe t ~ a\nobserve t ~ a'],
    ['the same stream, and another', 'observe t ~ a\nobserve t ~ b'],
    ['another, and the same stream', 'observe t ~ b\nobserve t ~ a\nobserve t ~ c'],
    ['another twice', 'observe t ~ b\nobserve t ~ b'],
    ['a product with the same stream in it', 'observe t ~ a * b'],
    ['a new one', 'observe t ~ lm("c")'],
    ['another, and a factor', 'observe t ~ b\nfactor if t == "a" { 0.1 } else { 2 }'],
    ['a fork', 'observe t ~ a.fork()'],
    ['its text', 'observe "{t}" ~ b'],
  ])('%s', (_what, observes) =>
    agrees(`${open}sample t ~ a\n${observes}\nsample u ~ a\nreturn [t, u, a.text, b.text, c.text]`, world, few, [
      { particles: 1 },
    ]),
  )

  test.each([
    ['t != "a"', 'observe t ~ b', 1],
    ['t != "a"', 'observe t ~ b\nobserve t ~ a', 2],
    ['lm("").prob("{t}") > 0.25', 'observe t ~ b', 0],
    ['b.text == "" and t != "c"', 'observe t ~ b', 0],
    ['b.prob("a") > 0.3', 'observe t ~ b', 0],
    ['t != "a"', 'observe t ~ a.fork()', 0],
  ])('behind a requirement, unless that looks at another stream: where %s, %s', async (where, observes, fused) => {
    const source = `${open}sample t ~ a where ${where}\n${observes}\nsample u ~ a\nreturn [t, u, a.text, b.text, c.text]`
    const { graph } = compileSource({ path: 'program.smc', text: source }).stages({ fuse: true }).at(-1)!
    const draw = graph.functions[0]!.nodes.find((node) => node.op === 'Draw')!
    expect(draw.fused?.observed.length ?? 0).toBe(fused)
    await agrees(source, world, few, [{ particles: 1 }])
  })

  test('token after token', () => agrees(`${open}for i in 1..2 {\nsample t ~ a\nobserve t ~ b\n}\nreturn a.text`, world, ways))

  test('is the product of the two, fused: one particle then has no variance', async () => {
    const models = { lm: table(world.models.lm!), other: table(world.models.other!) }
    const source = `${open}sample t ~ a\nobserve t ~ b\nreturn t`
    expect(totalOf(meaning(source, world))).toBeCloseTo(0.4 * 0.5 + 0.3 * 0.1 + 0.2 * 0.2 + 0.1 * 0.2, 12)
    const spread = async (fuse: boolean) => {
      const found = await expected(await sampler(source, models, { fuse }), { particles: 1 })
      return Math.log(found.estimate) - found.log
    }
    expect(await spread(true)).toBeCloseTo(0, 12)
    expect(await spread(false)).toBeGreaterThan(0.05)
  })
})

describe('what is observed on a distribution is no factor of the draw, whatever its name', () => {
  test.each([
    'let d = categorical([0.2, 0.8])\nlet e = categorical([0.5, 0.1])\nsample u ~ d\nobserve u ~ e\nobserve u ~ d\nreturn u',
    'let d = bernoulli(0.2)\nsample u ~ d where u\nobserve u ~ d\nreturn u',
    'let d = uniform(["a", "b", "b", ""])\nsample t ~ a\nobserve t ~ d\nobserve t ~ b\nreturn [t, a.text]',
    'let d = uniform(["a", "b", "b"])\nsample t ~ a where t != "c"\nobserve t ~ d\nobserve t ~ b\nreturn [t, a.text]',
  ])('%s', (program) => agrees(`${open}${program}`, world, ways))
})

test('a division by a probability of 0 is an error with its place, unless another factor is 0', async () => {
  const zero = markov(tokens, [[1, 0, 0, 0], last, last, last, last])
  const models = { lm: table(world.models.lm!), other: table(zero) }
  const start = 'model lm = "table"\nmodel other = "table"\nlet a = lm("")\nlet b = other("")\n'
  for (const fuse of [true, false]) {
    const divided = await sampler(`${start}sample t ~ a / b\nreturn t`, models, { fuse })
    await expect(expected(divided, { particles: 1 })).rejects.toThrow(/R025/)
    const fine = await sampler(`${start}sample t ~ b / a ^ 2\nreturn t`, models, { fuse })
    expect((await expected(fine, { particles: 1 })).estimate).toBeCloseTo(1 / 0.4 ** 2, 9)
  }
})

/** A local posterior of a product with mask, temperature and a twist: the numbers of an independent enumeration. */
describe('temperature, a mask, an observe and a twist in one draw', () => {
  const tokens = ['0', '1', '2']
  const rows = (first: readonly number[], ...others: readonly (readonly number[])[]) => ({
    tokens,
    end: null,
    next: { '': first, '0': others[0]!, '1': others[1]!, '2': others[2]! },
  })
  const nine: World = {
    models: {
      lm: rows([0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6], [0.4, 0.4, 0.2]),
      other: rows([0.3, 0.3, 0.4], [0.6, 0.2, 0.2], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6]),
    },
  }
  const source = `model lm = "table"
model other = "table"
let a = lm("", temperature: 0.7)
let b = other("")
let x = 0
let y = 0
sample t ~ a
observe t ~ b
x = if t == "0" { 0 } else { if t == "1" { 1 } else { 2 } }
twist exp(0.3 * x)
sample u ~ a
observe u ~ b
y = if u == "0" { 0 } else { if u == "1" { 1 } else { 2 } }
require x != y or y == 1
twist exp(0.3 * y - 0.2)
factor 0.4 + 0.3 * ((x + 2 * y) % 3)
return [t, u]`

  test('Z, and the measure in every way', async () => {
    expect(totalOf(meaning(source, nine))).toBeCloseTo(0.056380142, 8)
    await agrees(source, nine, ways)
  })
})

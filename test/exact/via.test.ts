import { describe, expect, test } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import { hashed } from '../models/fixed-randomness.js'
import { agrees, few, ways } from './agree.js'
import { meaning, type World } from './interpreter.js'
import { expected, sampler, table, totalOf } from './measure.js'
import type { Markov } from './reference-streams.js'

/*
 * `via q` (language.md §6, inference.md §4): q proposes and is divided out, alone or in blocks with one token of the big model behind each.
 * The tables, Z and the weights of a block are those of an independent enumeration in another language. That each rule matters was tried by
 * breaking it: drafts weighed by the unmasked q, a bonus token of weight 1, a stop without its ratio.
 */

const tokens = ['a', 'b', 'E']
const big: Markov = { tokens, end: 'E', next: { '': [0.5, 0.4, 0.1], a: [0.3, 0.5, 0.2], b: [0.2, 0.6, 0.2], E: [0, 0, 1] } }
const small: Markov = { tokens, end: 'E', next: { '': [0.3, 0.3, 0.4], a: [0.6, 0.2, 0.2], b: [0.4, 0.4, 0.2], E: [0, 0, 1] } }
const world: World = { models: { lm: big, small } }
const open = 'model lm = "table"\nmodel small = "table"\nlet s = lm("")\n'

describe('blocks', () => {
  const psi = 'twisted by exp(0.5 * x.count("a") - 0.2 * x.length)'
  const phi = 'factor [0.2, 0.9, 0.5, 1.4, 0.3][x.count("a")]'
  const program = (via: string, twist: string) =>
    `${open}sample x ~ s for up to 4 tokens where not x.contains("bb") ${twist} ${via}\n${phi}\nreturn x`

  test('Z of the program', () => expect(totalOf(meaning(program('', ''), world))).toBeCloseTo(0.34523, 9))

  test.each([1, 2, 3, 5].flatMap((k) => [psi, ''].map((twist) => [`via small in blocks of ${k}`, twist] as const)))(
    '%s %s',
    (via, twist) => agrees(program(via, twist), world, [{ particles: 1 }]),
  )

  test('two particles', () =>
    agrees(
      program('via small in blocks of 1', psi).replace('up to 4', 'up to 3'),
      world,
      [
        { particles: 2, threshold: 1 },
        { particles: 2, threshold: 0.5, resample: 'multinomial' },
      ],
      [],
    ))

  test.each([
    'for 3 tokens via small in blocks of 2',
    'for 2 tokens via small in blocks of 2',
    'for 3 tokens where not x.contains("ba") via small in blocks of 1',
    'until "ab" for up to 3 tokens via small in blocks of 2',
    'within 3 tokens until "b" via small in blocks of 2',
    'for up to 3 tokens via small("b") in blocks of 2',
    'for up to 3 tokens via s in blocks of 2',
    'for up to 3 tokens via s.fork() in blocks of 1',
    'for up to 3 tokens via small("") ^ 0.5 in blocks of 1',
    'for up to 4 tokens via small in blocks of 2 resampling every 2 tokens',
    'for up to 3 tokens via small in blocks of 1 resampling every 3 tokens twisted by 0.5 + x.length',
    'for up to 1 tokens via small in blocks of 3',
    'for 0 tokens via small in blocks of 3',
    'matching /a?b{1,2}/ via small in blocks of 2',
    'matching /[ab]*/ for up to 3 tokens via small in blocks of 2',
    'matching /(ab)*/ for up to 3 tokens via small in blocks of 1 where x.length != 3',
    'matching /a{2,3}b?/ within 4 tokens via small in blocks of 3 twisted by 1 + x.length',
  ])('%s', (clauses) =>
    agrees(`${open}sample x ~ s ${clauses}\nfactor 0.2 + x.count("a")\nreturn [x, s.text, "{s.ended}"]`, world, [
      { particles: 1 },
      { particles: 1, twist: false },
    ]),
  )

  test.each([
    'for up to 2 tokens via small in blocks of 1',
    'matching /a?b{1,2}/ via small in blocks of 1',
    'for 3 tokens via small in blocks of 1 resampling every 2 tokens',
  ])('two particles: %s', (clauses) =>
    agrees(
      `${open}sample x ~ s ${clauses}\nfactor 0.2 + x.count("a")\nreturn x`,
      world,
      [
        { particles: 2, threshold: 1 },
        { particles: 2, threshold: 0.5, resample: 'residual' },
      ],
      [],
    ),
  )

  test('one point a block, and none inside', async () => {
    const source = (clauses: string) => `${open}sample x ~ s for 6 tokens via small ${clauses}\nreturn x`
    const points = async (clauses: string) => {
      const { steps } = await (await sampler(source(clauses), { lm: table(big), small: table(small) })).run(hashed, {
        particles: 2,
      })
      return steps.length
    }
    expect(await points('in blocks of 1')).toBe(3)
    expect(await points('in blocks of 2')).toBe(2)
    expect(await points('in blocks of 5')).toBe(1)
    expect(await points('in blocks of 1 resampling every 4 tokens')).toBe(2)
    expect(await points('')).toBe(6)
  })
})

describe('the weight of one block of three, log increments 1, 2, 4, and a bonus of mass exp(10)', () => {
  // p = q / d: whatever comes, p/q is 1/d, which the table d gives by the number of tokens so far.
  const half = { tokens: ['a', 'E', 'z'], end: 'E' }
  const d = [1, 2, 4, 10].map((log) => [Math.exp(-log), Math.exp(-log), 1 - 2 * Math.exp(-log)])
  const states = ['', 'a', 'aa', 'aaa']
  const q = table({ ...half, order: 0, next: { '': [0.6, 0.4, 0] } })
  const divisor = table({ ...half, order: 3, next: Object.fromEntries(states.map((state, i) => [state, d[i]!])) })
  const source = (before: string) => `model small = "table"
model divisor = "table"
let p = small("") / divisor("")
${before}
sample x ~ p for up to 4 tokens via small in blocks of 3
return [x, "{p.ended}"]`

  test.each([
    ['no end token', '["aaaa","false"]', 17],
    ['an end at the second token', '["a","true"]', 3],
    ['an end at the third', '["aa","true"]', 7],
    ['an end in the bonus token', '["aaa","true"]', 17],
    ['an end at the first', '["","true"]', 1],
  ])('%s: %s has %d', async (_what, answer, log) => {
    for (const fuse of [true, false]) {
      const program = await sampler(source(''), { small: q, divisor }, { fuse })
      const found: number[] = []
      for await (const { result } of enumerate((random) => program.run(random, { particles: 1 })))
        if (result.answers[0]!.value === answer) found.push(Math.log(result.estimate))
      expect(found).toEqual([expect.closeTo(log, 9)])
    }
  })

  test('already ended: 0', async () => {
    const program = await sampler(source('force small.end ~ p'), { small: q, divisor })
    expect(Math.log((await expected(program, { particles: 1 })).estimate)).toBeCloseTo(0, 12)
  })
})

describe('proposals for one draw', () => {
  test.each([
    ['a model', 'sample t ~ s via small'],
    ['a model with its own prompt', 'sample t ~ s via small("b")'],
    ['a context', 'let d = small("a")\nsample t ~ s via d'],
    ['a context that does not move', 'let d = small("a")\nsample t ~ s via d\nsample v ~ d\nfactor 0.5 + v.length'],
    ['itself', 'sample t ~ s via s'],
    ['a product', 'sample t ~ s via small("") * s'],
    ['a power', 'sample t ~ s via small("") ^ 0.3'],
    ['under a requirement', 'sample t ~ s via small where t != "a"'],
    ['under a requirement that waits', 'sample t ~ s via small where s.fork().prob("a") > 0.25'],
    ['for a product', 'let d = lm("b")\nsample t ~ s * d via small'],
    ['before an observe', 'sample t ~ s via small\nobserve t ~ lm("b")'],
    ['before an observe on itself', 'sample t ~ s via small\nobserve t ~ s'],
    [
      'before a factor and a twist',
      'sample t ~ s via small\ntwist if t == "a" { 3 } else { 0.2 }\nsample v ~ s\nfactor if t == v { 2 } else { 0.3 }',
    ],
    ['in a loop', 'for i in 1..2 { sample t ~ s via small\nfactor if t == "a" { 0.2 } else { 0.9 } }\nlet t = 0'],
    ['after a stop', 'sample x ~ s matching /a?b?/ for up to 2 tokens\nsample t ~ s via small'],
    ['after a stop of its own', 'sample x ~ s matching /a?b?/ for up to 2 tokens via small\nsample t ~ s'],
    ['after a stop of its own, by itself', 'sample x ~ s matching /a?b?/ for up to 2 tokens via small\nsample t ~ s via s'],
    [
      'stop after stop',
      'sample x ~ s matching /a?/ via small\nsample y ~ s matching /b?a?/ for up to 2 tokens via small\nsample t ~ s',
    ],
    ['of an ended stream', 'sample v ~ s\nsample t ~ s via small'],
  ])('%s', (_what, draw) => agrees(`${open}${draw}\nreturn ["{t}", s.text, "{s.ended}"]`, world, few, [{ particles: 1 }]))

  test.each([
    ['a distribution', 'sample u ~ categorical([0.5, 0.2, 0.3]) via categorical([0.1, 0.8, 0.1])'],
    ['a distribution, in every scheme', 'sample u ~ bernoulli(0.3) via bernoulli(0.6)\nfactor if u { 2 } else { 0.4 }'],
    ['a distribution under a requirement', 'sample u ~ categorical([0.5, 0.2, 0.3]) via categorical([1, 1, 2]) where u != 1'],
  ])('%s', (_what, draw) =>
    agrees(`${open}${draw}\nsample v ~ bernoulli(0.5)\nfactor if v { 0.4 } else { 1 }\nreturn ["{u}", "{v}"]`, world, ways),
  )
})

describe('spans', () => {
  test.each([
    'for 2 tokens via small',
    'for up to 2 tokens via small',
    'for up to 2 tokens via small twisted by 0.3 + x.count("a")',
    'until "b" for up to 2 tokens via small',
    'within 2 tokens until "b" via small',
    'matching /a{1,2}/ via small',
    'matching /[ab]{1,2}/ via small where x != "b"',
    'for 2 tokens via small where not x.contains("ab")',
    'for up to 2 tokens via small where s.prob("a") > 0.25',
    'for up to 2 tokens via small("b")',
    'for up to 2 tokens via small resampling every 2 tokens',
  ])('%s', (clauses) =>
    agrees(`${open}sample x ~ s ${clauses}\nfactor 0.2 + x.count("a")\nreturn [x, s.text, "{s.ended}"]`, world, few, [
      { particles: 1 },
    ]),
  )

  test('in every way', () =>
    agrees(`${open}sample x ~ s for up to 2 tokens via small\nfactor 0.2 + x.count("a")\nreturn x`, world, ways, few))

  test('a stop that q has drafted weighs S_p / q(stop)', async () => {
    const abc = ['a', 'b', '.', 'E']
    const four = (rows: readonly (readonly number[])[]): Markov => ({
      tokens: abc,
      end: 'E',
      next: Object.fromEntries(['', 'a', 'b', '.', 'E'].map((t, i) => [t, rows[i] ?? [0, 0, 0, 1]])),
    })
    const rows: World = {
      models: {
        lm: four([
          [0.5, 0.2, 0.2, 0.1],
          [0.3, 0.4, 0.2, 0.1],
          [0.6, 0.1, 0.1, 0.2],
          [0.25, 0.25, 0.25, 0.25],
        ]),
        small: four([
          [0.2, 0.3, 0.4, 0.1],
          [0.7, 0.1, 0.1, 0.1],
          [0.25, 0.25, 0.25, 0.25],
          [0.25, 0.25, 0.25, 0.25],
        ]),
      },
    }
    for (const via of ['via small', 'via small in blocks of 1', 'via small in blocks of 2']) {
      const source = `${open}sample x ~ s matching /a{1,2}/ ${via}\nreturn x`
      expect(totalOf(meaning(source, rows))).toBeCloseTo(0.5, 12)
      await agrees(source, rows, ways)
      await agrees(source.replace('return', 'observe "." ~ s\nreturn'), rows)
    }
  })
})

test('a context that has stopped may propose more than it could say itself', () =>
  agrees(
    `${open}let t = small("")\nsample x ~ s matching /a?/\nsample y ~ t via s\nsample z ~ s via s\nreturn [x, "{y}", "{z}"]`,
    world,
  ))

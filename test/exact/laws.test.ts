import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Settings } from '../../src/infer/result.js'
import { meaning } from './interpreter.js'
import { distance, expected, expectedUpper, type Sampler, sampler, schemes, table, totalOf, traces } from './measure.js'
import { type Kind, randomProgram } from './random-programs.js'

/*
 * The laws of language.md §12 over random programs: E[Z-hat posterior], summed over all that the sampler may draw, is the measure that
 * the reference interpreter gives to the program, for any twist, scheme, threshold, number of particles, fusion or none.
 */

/** Paths that one enumeration may take; a program with more is skipped. */
const PATHS = 3000
const tape = fc.array(fc.noBias(fc.nat(5039)), { minLength: 100, maxLength: 160 })

/** Whether the sampler could be enumerated; throws where it does not agree with the meaning of its program. */
async function agree(exact: ReadonlyMap<string, number>, program: Sampler, settings: Partial<Settings>): Promise<boolean> {
  try {
    const found = await expected(program, settings, { limit: PATHS })
    const scale = totalOf(exact) || 1
    expect(Math.abs(found.estimate - totalOf(exact)) / scale).toBeLessThan(1e-7)
    expect(distance(exact, found.measure)).toBeLessThan(1e-7)
    return true
  } catch (error) {
    if (error instanceof Error && error.message.includes('the enumeration has more than')) return false
    throw error
  }
}

/** Holds for the programs of a property; fails when too many of them had too many paths to say so. */
async function property(
  seed: number,
  numRuns: number,
  settings: readonly (Partial<Settings> & { readonly fuse?: boolean })[],
  kind: Kind = 'control',
): Promise<void> {
  let [tried, settled] = [0, 0]
  await fc.assert(
    fc.asyncProperty(tape, async (numbers) => {
      const { source, models } = randomProgram(numbers, kind)
      const exact = meaning(source, { models })
      const tables = Object.fromEntries(Object.entries(models).map(([name, markov]) => [name, table(markov)]))
      const samplers = new Map<boolean, Sampler>()
      for (const fuse of new Set(settings.map((each) => each.fuse ?? true)))
        samplers.set(fuse, await sampler(source, tables, { fuse }))
      for (const { fuse = true, ...each } of settings) {
        tried++
        try {
          if (await agree(exact, samplers.get(fuse)!, each)) settled++
        } catch (error) {
          throw new Error(`${JSON.stringify(each)}\n${source}\n${JSON.stringify(models)}\n${error}`, { cause: error })
        }
      }
    }),
    { seed, numRuns, endOnFailure: true },
  )
  expect(settled).toBeGreaterThan(0.7 * tried)
}

describe('E[Z-hat posterior] is the target of the program', () => {
  test('for one particle, fused or not', () =>
    property(1, 100, [
      { particles: 1, threshold: 1 },
      { particles: 1, fuse: false },
    ]))

  test('for two particles that never resample', () =>
    property(2, 30, [
      { particles: 2, threshold: 0 },
      { particles: 2, method: 'importance' },
    ]))

  test.each(schemes.map((resample, i) => [resample, i] as const))('for two particles under %s', (resample, i) =>
    property(10 + i, resample === 'multinomial' || resample === 'stratified' ? 15 : 50, [
      { particles: 2, resample, threshold: 1 },
      { particles: 2, resample, threshold: 0.5 },
      { particles: 2, resample, threshold: 0.9, fuse: false },
    ]),
  )

  test('for one particle, over patterns, requirements, proposals and products, fused or not', () =>
    property(
      30,
      150,
      [
        { particles: 1, threshold: 1 },
        { particles: 1, fuse: false },
      ],
      'streams',
    ))

  test('for two particles, over the same', () =>
    property(
      31,
      25,
      [
        { particles: 2, threshold: 1 },
        { particles: 2, threshold: 0.5, resample: 'residual' },
        { particles: 2, threshold: 0.9, twist: false, resample: 'stratified' },
      ],
      'streams',
    ))

  test('steered, over the same', () =>
    property(
      32,
      15,
      [
        { particles: 1, method: 'steer', expansion: 2 },
        { particles: 2, method: 'steer', expansion: 1, fuse: false },
      ],
      'streams',
    ))

  test('for one particle steered as two, and two as one each', () =>
    property(30, 20, [
      { particles: 1, method: 'steer', expansion: 2 },
      { particles: 2, method: 'steer', expansion: 1, fuse: false },
      { particles: 1, method: 'steer', expansion: 2, twist: false },
    ]))

  test('without its twists', () => property(20, 25, [{ particles: 2, threshold: 1, twist: false }]))
})

/** Conditional SMC of a random program; `runForced` fails where the exact sample is lost. */
test.each([
  ['one particle', 'control', { particles: 1, threshold: 1 }],
  ['two particles', 'control', { particles: 2, threshold: 1 }],
  ['two particles, adaptively', 'control', { particles: 2, threshold: 0.9, resample: 'residual' }],
  ['one particle over streams', 'streams', { particles: 1, threshold: 1 }],
  ['two particles over streams', 'streams', { particles: 2, threshold: 1 }],
] as const)(
  'E[1 / Z-hat] = P(not all dead) / Z under conditional SMC, which never loses its exact sample: %s',
  async (_name, kind, settings) => {
    let settled = 0
    const numRuns = settings.particles === 1 ? 60 : 25
    await fc.assert(
      fc.asyncProperty(tape, async (numbers) => {
        const { source, models } = randomProgram(numbers, kind)
        const fuse = numbers[0]! % 2 === 0
        const tables = Object.fromEntries(Object.entries(models).map(([name, markov]) => [name, table(markov)]))
        const program = await sampler(source, tables, { fuse })
        try {
          // As `bound` draws them: of the program that is not fused.
          const samples = await traces(await sampler(source, tables, { fuse: false }), { limit: PATHS })
          if (samples.length === 0 || samples.length > 40) return
          const { Z, inverse } = await expectedUpper(program, settings, samples)
          const { dead } = await expected(program, settings, { limit: PATHS })
          expect(Math.abs(inverse * Z - (1 - dead))).toBeLessThan(1e-7)
          settled++
        } catch (error) {
          if (error instanceof Error && error.message.includes('the enumeration has more than')) return
          throw new Error(`fuse ${fuse}\n${source}\n${JSON.stringify(models)}\n${error}`, { cause: error })
        }
      }),
      { seed: 40 + settings.particles, numRuns, endOnFailure: true },
    )
    expect(settled).toBeGreaterThan(0.3 * numRuns)
  },
)

test('the random programs use what they are meant to use, and mean something', () => {
  const programs = fc.sample(tape, { seed: 1, numRuns: 150 }).map((numbers) => randomProgram(numbers, 'control'))
  const scripts = programs.map(({ source }) => source.slice(source.indexOf('let s')))
  const parts = [
    'down(2',
    'leaf(u % 2) +',
    'and yes(',
    'twisted by',
    'resampling every',
    'until',
    'within',
    'break',
    'continue',
    'while',
    'return "early',
    'untwist',
    'resample\n',
    'likes(s',
    'for up to',
    'for 2 tokens',
    '[0, 1][',
  ]
  for (const part of parts) expect(scripts.filter((s) => s.includes(part)).length, part).toBeGreaterThan(1)
  const meanings = programs.map(({ source, models }) => meaning(source, { models }))
  expect(meanings.filter((m) => m.size >= 3).length).toBeGreaterThan(75)
  expect(meanings.filter((m) => m.size === 0).length).toBeLessThan(30)
})

test('the random programs over streams use what they are meant to use, and mean something', () => {
  const programs = fc.sample(tape, { seed: 2, numRuns: 150 }).map((numbers) => randomProgram(numbers, 'streams'))
  for (const part of [
    'matching',
    'where',
    'via small in blocks',
    'via s',
    'until',
    '~ p',
    's ^ 0.5',
    'observe t',
    'twisted by',
    'temperature',
  ])
    expect(programs.filter(({ source }) => source.includes(part)).length, part).toBeGreaterThan(9)
  const meanings = programs.map(({ source, models }) => meaning(source, { models }))
  expect(meanings.filter((m) => m.size >= 3).length).toBeGreaterThan(75)
  expect(meanings.filter((m) => m.size === 0).length).toBeLessThan(30)
})

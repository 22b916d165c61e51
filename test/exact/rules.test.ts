import { describe, expect, test } from 'vitest'
import { distance, expected, measureOf, sampler, schemes, totalOf } from './measure.js'

/*
 * Each rule of the sampler that is easy to get wrong, on the smallest program that shows it. In brackets: E[Z-hat] / Z when the rule is
 * broken. The targets are written out by hand; constants of E[log Z-hat] come from an independent enumeration in another language.
 */

/** The next value after `previous`, where 0 follows 0 with .8 and 1 follows 1 with .6. */
const after = [
  [0.8, 0.2],
  [0.4, 0.6],
]
const tables = 'let after = [[0.8, 0.2], [0.4, 0.6]]\n'

const settings = schemes.flatMap((resample) => [0, 0.5, 0.7, 1].map((threshold) => ({ resample, threshold })))

/** E[Z-hat posterior] = target under every scheme and threshold. */
async function unbiased(source: string, target: ReadonlyMap<string, number>, particles = [1, 2]): Promise<void> {
  const program = await sampler(source)
  for (const n of particles)
    for (const each of settings) {
      const found = await expected(program, { particles: n, ...each })
      expect(distance(target, found.measure), `N = ${n}, ${each.resample} at ${each.threshold}`).toBeLessThan(1e-9)
      expect(found.estimate / totalOf(target)).toBeCloseTo(1, 9)
    }
}

describe('particles that finish at different times', () => {
  /** a = 0 is finished after one factor, with a twist pending; a = 1 goes on for two more draws. */
  const branchy = `${tables}
sample a ~ categorical([0.6, 0.4])
factor [0.2, 1.5][a]
twist [0.3, 2][a]
if a == 0 { return [a] }
sample b ~ categorical(after[1])
factor [0.5, 1.2][b]
untwist
twist [1, 0.4][b]
sample c ~ categorical(after[b])
factor [0.3, 2][c]
return [a, b, c]
`
  const target = measureOf([
    [[0], 0.6 * 0.2],
    ...[0, 1].flatMap((b) =>
      [0, 1].map((c): [number[], number] => [
        [1, b, c],
        0.4 * 1.5 * after[1]![b]! * [0.5, 1.2][b]! * after[b]![c]! * [0.3, 2][c]!,
      ]),
    ),
  ])

  test('Z is as the oracle has it', () => expect(totalOf(target)).toBeCloseTo(0.76704, 9))

  test('compete with the others, untwisted at their own end, and pending twists go along with a copy (.699, .444, .951)', () =>
    unbiased(branchy, target))

  test('E[log Z-hat] for two particles, always', async () => {
    const program = await sampler(branchy)
    // Frozen apart with a mean of their own, finished ones would give -0.813046.
    expect((await expected(program, { particles: 2, threshold: 1, resample: 'multinomial' })).log).toBeCloseTo(-0.787474, 6)
    expect((await expected(program, { particles: 2, threshold: 1 })).log).toBeCloseTo(-0.751047, 6)
  })

  test('three of them', async () => {
    const found = await expected(await sampler(branchy), { particles: 3, threshold: 1 })
    expect(distance(target, found.measure)).toBeLessThan(1e-9)
  })

  test('at an early return out of a function and a loop the twists of that call alone are divided out', () =>
    unbiased(
      `${tables}
fn walk(from: Int) -> Int {
  let last = from
  for t in 1..2 {
    twist [0.3, 2][last] * t
    sample x ~ categorical([0.5, 0.5])
    if x == 1 { return 5 + t }
    last = x
    factor 0.6
  }
  return last
}
sample a ~ categorical([0.6, 0.4])
twist [0.2, 1.7][a]
let b = walk(a)
factor if b > 5 { 0.8 } else { 1.1 }
sample c ~ categorical(after[a])
factor [0.4, 1][c]
return [a, b, c]
`,
      measureOf(
        [0, 1].flatMap((a) =>
          [0, 1].flatMap((c): [number[], number][] => {
            const ends = [0.6, 0.4][a]! * after[a]![c]! * [0.4, 1][c]!
            return [
              [[a, 6, c], ends * 0.5 * 0.8],
              [[a, 7, c], ends * 0.5 * 0.6 * 0.5 * 0.8],
              [[a, 0, c], ends * 0.5 * 0.6 * 0.5 * 0.6 * 1.1],
            ]
          }),
        ),
      ),
    ))
})

describe('branches with different numbers of points', () => {
  const uneven = (scale: number) => `${tables}
sample a ~ categorical([0.6, 0.4])
factor [0.2, 1.5][a]
twist ${scale} * [0.3, 2][a]
let b = 0
let c = 0
if a == 1 {
  sample b ~ categorical(after[1])
  factor [0.5, 1.2][b]
  sample c ~ categorical(after[b])
  factor [0.3, 2][c]
}
sample d ~ categorical(after[a])
factor [0.7, 0.4][d] * (1 + c)
return [a, b, c, d]
`
  const target = measureOf(
    [0, 1].flatMap((d): [number[], number][] => [
      [[0, 0, 0, d], 0.6 * 0.2 * after[0]![d]! * [0.7, 0.4][d]!],
      ...[0, 1].flatMap((b) =>
        [0, 1].map((c): [number[], number] => [
          [1, b, c, d],
          0.4 * 1.5 * after[1]![b]! * [0.5, 1.2][b]! * after[b]![c]! * [0.3, 2][c]! * after[1]![d]! * [0.7, 0.4][d]! * (1 + c),
        ]),
      ),
    ]),
  )

  test('particles meet by the number of points passed', async () => {
    expect(totalOf(target)).toBeCloseTo(0.7077888, 9)
    await unbiased(uneven(1), target)
  })

  test('a rescaled twist changes the variance there, and nothing else', async () => {
    const [one, ten] = [await sampler(uneven(1)), await sampler(uneven(10))]
    expect((await expected(one, { particles: 2, threshold: 1 })).log).toBeCloseTo(-1.064451, 6)
    const found = await expected(ten, { particles: 2, threshold: 1 })
    expect(found.log).toBeCloseTo(-1.07977, 6)
    expect(distance(target, found.measure)).toBeLessThan(1e-9)
  })
})

test('a twist hands over to the factor that it anticipated with no point between', async () => {
  const source = `${tables}
sample a ~ categorical([0.6, 0.4])
twist [0.5, 3][a]
sample b ~ categorical(after[a])
untwist
twist [0.2, 0.9, 1.5][a + b]
factor [0.3, 0.8, 1.2][a + b]
untwist
sample c ~ categorical(after[b])
factor if a == 1 { [0.9, 0.2][c] } else { [0.1, 1.4][c] }
return [a, b, c]
`
  const target = measureOf(
    [0, 1].flatMap((a) =>
      [0, 1].flatMap((b) =>
        [0, 1].map((c): [number[], number] => {
          const last = a === 1 ? [0.9, 0.2] : [0.1, 1.4]
          return [[a, b, c], [0.6, 0.4][a]! * after[a]![b]! * [0.3, 0.8, 1.2][a + b]! * after[b]![c]! * last[c]!]
        }),
      ),
    ),
  )
  await unbiased(source, target)
  const program = await sampler(source)
  // Points before b and before c; the twist, the factor and the untwist between them make one change of weight.
  const { steps } = await program.run({ index: () => 0, uniform: () => 0.5, resampling: (_, n) => new Float64Array(n).fill(0.5) })
  expect(steps).toHaveLength(2)
})

describe('a twist of zero', () => {
  const source = (twist: string) => `
sample a ~ categorical([0.5, 0.5])
twist ${twist}
sample b ~ categorical([0.5, 0.5])
factor [[0.9, 0.3], [0.2, 0.7]][a][b]
return [a, b]
`
  const target = measureOf([
    [[0, 0], 0.25 * 0.9],
    [[0, 1], 0.25 * 0.3],
    [[1, 0], 0.25 * 0.2],
    [[1, 1], 0.25 * 0.7],
  ])

  test('does not kill (.429)', async () => {
    const program = await sampler(source('[0, 1][a]'))
    for (const settings of [
      { particles: 1, threshold: 1 },
      { particles: 2, threshold: 0 },
      { particles: 2, method: 'importance' },
    ] as const) {
      const found = await expected(program, settings)
      expect(found.dead).toBe(0)
      expect(distance(target, found.measure)).toBeLessThan(1e-9)
    }
  })

  test('nor does the resampling of doubles, which would never pick it', () => unbiased(source('[0, 1][a]'), target))

  test('is a very small number to all alike: where every particle has it, nothing changes', async () => {
    for (const zero of ['0', 'exp(-1 / 0)', 'exp(-800) * 0']) await unbiased(source(zero), target)
  })

  test.each(['[0.000001, 1][a]', 'exp([-12, 1][a])', 'exp([9, -3][a])'])('an absurd one leaves the target alone: %s', (twist) =>
    unbiased(source(twist), target),
  )
})

describe('dead particles', () => {
  const source = `${tables}
sample a ~ categorical([0.7, 0.3])
require a == 1
sample b ~ categorical(after[1])
factor [0, 0.8][b]
sample c ~ categorical(after[1])
factor [0.5, 1][c]
return [a, b, c]
`
  const target = measureOf([
    [[1, 1, 0], 0.3 * 0.6 * 0.8 * 0.4 * 0.5],
    [[1, 1, 1], 0.3 * 0.6 * 0.8 * 0.6 * 1],
  ])

  test('count in the mean: divided by N and not by the number alive (2.38); a run of dead ones counts as 0', () =>
    unbiased(source, target, [1, 2]))

  test('three of them', async () => {
    const program = await sampler(source)
    for (const resample of schemes) {
      const found = await expected(program, { particles: 3, threshold: 1, resample })
      expect(distance(target, found.measure)).toBeLessThan(1e-9)
      expect(found.dead).toBeCloseTo(0.385048, 9)
    }
  })

  test('all are dead as often as the oracle says', async () => {
    const found = await expected(await sampler(source), { particles: 2, threshold: 1 })
    expect(found.dead).toBeCloseTo(0.5716, 9)
    expect(totalOf(target)).toBeCloseTo(0.1152, 9)
  })

  test('count in the ESS, which is over all N', async () => {
    // One of two alive: ESS 1 of 2, resampled at every threshold above a half. Of the living alone it would be 1 of 1.
    const program = await sampler(source)
    const first = (threshold: number) =>
      program.run(
        {
          index: (_, { slot, generation }) => (generation === 0 ? slot : 1),
          uniform: () => 0.5,
          resampling: (_, n) => new Float64Array(n).fill(0.4),
        },
        { particles: 2, threshold },
      )
    expect((await first(0.6)).steps[0]).toMatchObject({ ess: 1, alive: 1, resampled: true, ancestors: [1, 1] })
    expect((await first(0.5)).steps[0]).toMatchObject({ ess: 1, alive: 1, resampled: false })
  })

  test('never return, and draw nothing', async () => {
    const program = await sampler(source)
    const asked = new Set<number>()
    const { answers, steps } = await program.run(
      {
        index: (_, { slot, generation }) => {
          if (generation > 0) asked.add(slot)
          return generation === 0 ? slot % 2 : 1
        },
        uniform: () => 0.5,
        resampling: (_, n) => new Float64Array(n).fill(0.5),
      },
      { particles: 4, threshold: 0 },
    )
    expect([...asked]).toEqual([1, 3])
    expect(answers).toHaveLength(2)
    expect(steps.map((s) => s.alive)).toEqual([2, 2])
    // A resampling uniform of 0 lands on the first index, which is dead; `cum > u` passes over it.
    for (const u of [0, 1 - 2 ** -53])
      for (const resample of schemes) {
        const found = await program.run(
          {
            index: (_, { slot, generation }) => (generation === 0 ? [0, 1, 0][slot]! : 1),
            uniform: () => 0.5,
            resampling: (_, n) => new Float64Array(n).fill(u),
          },
          { particles: 3, threshold: 1, resample },
        )
        expect(found.steps[0]!.ancestors).toEqual([1, 1, 1])
      }
  })
})

describe('random numbers', () => {
  /** A particle with a = 1 has drawn once more than one with a = 0 when both meet. */
  const source = `
sample a ~ categorical([0.5, 0.5])
let b = 0
if a == 1 { sample b ~ categorical([0.5, 0.5]) }
factor if a == 0 { 0.6 } else { [0.1, 1.9][b] }
sample c ~ categorical([[0.7, 0.3], [0.4, 0.6]][a])
factor [[0.2, 1.6], [0.9, 0.5]][a][c]
return [a, b, c]
`
  const target = measureOf(
    [0, 1].flatMap((c): [number[], number][] => [
      [[0, 0, c], 0.5 * 0.6 * [0.7, 0.3][c]! * [0.2, 1.6][c]!],
      ...[0, 1].map((b): [number[], number] => [[1, b, c], 0.25 * [0.1, 1.9][b]! * [0.4, 0.6][c]! * [0.9, 0.5][c]!]),
    ]),
  )

  test('are keyed by the generation of the population, not by a particle’s own draws (.975)', async () => {
    expect(totalOf(target)).toBeCloseTo(0.516, 9)
    await unbiased(source, target)
    const program = await sampler(source)
    expect((await expected(program, { particles: 2, threshold: 1 })).log).toBeCloseTo(-1.052919, 6)
    expect((await expected(program, { particles: 2, threshold: 1, resample: 'multinomial' })).log).toBeCloseTo(-1.05453, 6)
  })

  test('no key is used twice in a run, and no resampling twice', async () => {
    const program = await sampler(source)
    for (const threshold of [0, 0.5, 1]) {
      const keys: string[] = []
      let turn = 0
      await program.run(
        {
          index: (_, k) => {
            keys.push(`${k.slot} ${k.generation} ${k.draw}`)
            return turn++ % 2
          },
          uniform: () => 0.5,
          resampling: (generation, n) => {
            keys.push(`r${generation}`)
            return new Float64Array(n).fill(0.3)
          },
        },
        { particles: 5, threshold },
      )
      expect(new Set(keys).size).toBe(keys.length)
    }
  })
})

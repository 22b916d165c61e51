import { describe, expect, test } from 'vitest'
import { enumerate } from '../../src/infer/enumerate.js'
import type { Settings } from '../../src/infer/result.js'
import { distance, expected, measureOf, sampler, totalOf } from './measure.js'

/*
 * Oracle C (inference.md §5): steering keeps E[Z-hat posterior], by enumerating all that it may draw. The targets are written out by
 * hand; constants of E[log Z-hat] and of P(all dead) come from an independent enumeration in another language. In brackets: E[Z-hat] / Z
 * when the rule is broken.
 */

const steer = (particles: number, expansion: number): Partial<Settings> => ({ method: 'steer', particles, expansion })
const sizes = [
  [1, 1],
  [1, 2],
  [2, 1],
  [1, 3],
] as const

async function unbiased(
  source: string,
  target: ReadonlyMap<string, number>,
  populations: readonly (readonly [number, number])[] = sizes,
): Promise<void> {
  const program = await sampler(source)
  for (const [n, k] of populations) {
    const found = await expected(program, steer(n, k))
    expect(distance(target, found.measure), `N = ${n}, K = ${k}`).toBeLessThan(1e-9)
    expect(found.estimate / totalOf(target)).toBeCloseTo(1, 9)
  }
}

/** E[log Z-hat] over the runs that do not die, summed and not divided by their probability. */
const logAlive = async (source: string, n: number, k: number): Promise<{ log: number; dead: number }> => {
  const program = await sampler(source)
  let [log, dead] = [0, 0]
  for await (const { probability, result } of enumerate((random) => program.run(random, steer(n, k)))) {
    if (result.estimate > 0) log += probability * Math.log(result.estimate)
    else dead += probability
  }
  return { log, dead }
}

/** The next value after `previous`, where 0 follows 0 with .8 and 1 follows 1 with .6. */
const after = [
  [0.8, 0.2],
  [0.4, 0.6],
]

describe('a binary chain of three steps', () => {
  const factors = [
    [0.3, 1.7],
    [1.2, 0.1],
    [0.2, 2.5],
  ]
  const chain = (next: readonly (readonly number[])[]) => `
let after = ${JSON.stringify(next)}
sample a ~ categorical([0.7, 0.3])
factor ${JSON.stringify(factors[0])}[a]
sample b ~ categorical(after[a])
factor ${JSON.stringify(factors[1])}[b]
sample c ~ categorical(after[b])
factor ${JSON.stringify(factors[2])}[c]
return [a, b, c]
`
  const target = (next: readonly (readonly number[])[]) =>
    measureOf(
      [0, 1].flatMap((a) =>
        [0, 1].flatMap((b) =>
          [0, 1].map((c): [number[], number] => [
            [a, b, c],
            [0.7, 0.3][a]! * next[a]![b]! * next[b]![c]! * factors[0]![a]! * factors[1]![b]! * factors[2]![c]!,
          ]),
        ),
      ),
    )
  /** 0 stays 0, so that two particles of two copies have few enough paths. */
  const absorbing = [[1, 0], after[1]!]

  test('one particle or one copy', () => unbiased(chain(after), target(after)))

  test('two particles of two copies', () => unbiased(chain(absorbing), target(absorbing), [[2, 2]]))

  test.each([
    [after, 1, 1, -2.077439976],
    [after, 1, 2, -1.714698069],
    [after, 2, 1, -1.728534038],
    [after, 1, 3, -1.555415848],
    [absorbing, 2, 2, -2.113216347],
  ] as const)('E[log Z-hat] of %j for N = %i, K = %i', async (next, n, k, log) => {
    expect((await expected(await sampler(chain(next)), steer(n, k))).log).toBeCloseTo(log, 8)
  })

  test('one copy is importance sampling: nothing is ever resampled', async () => {
    const program = await sampler(chain(after))
    const [one, importance] = [
      await expected(program, steer(2, 1)),
      await expected(program, { method: 'importance', particles: 2 }),
    ]
    expect(one.log).toBeCloseTo(importance.log, 12)
    expect(one.paths).toBe(importance.paths)
  })
})

describe('particles that finish at different times', () => {
  /** a = 0 is finished after one factor, with a twist pending; a = 1 goes on for two more draws. */
  const branchy = `
let after = [[0.8, 0.2], [0.4, 0.6]]
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

  test('go on as one copy of their whole mass (copied K times: 1.200), c counts only those that are below it (N / total: 1.386)', async () => {
    await unbiased(branchy, target)
    const found = await expected(await sampler(branchy), steer(2, 2))
    expect(distance(target, found.measure)).toBeLessThan(1e-9)
    expect(found.log).toBeCloseTo(-0.566490688, 8)
  })

  test.each([
    [1, 2, -0.83332563],
    [2, 1, -0.802365962],
    [1, 3, -0.747158567],
  ])('E[log Z-hat] for N = %i, K = %i', async (n, k, log) => {
    expect((await expected(await sampler(branchy), steer(n, k))).log).toBeCloseTo(log, 8)
  })
})

describe('dead candidates', () => {
  const source = `
sample a ~ categorical([0.85, 0.15])
require a == 1
sample b ~ categorical([0.4, 0.6])
factor [0, 0.8][b]
return [a, b]
`
  const target = measureOf([[[1, 1], 0.15 * 0.6 * 0.8]])

  test('are dropped; Z-hat is divided by N however few live', () => unbiased(source, target, [...sizes, [2, 2]]))

  test.each([
    [1, 2, 0.7669, -0.292814092],
    [2, 1, 0.8281, -0.151895885],
    [1, 3, 0.638821, -0.626377057],
    [2, 2, 0.58376593, -0.774098101],
  ])('all are dead as often as the oracle says: N = %i, K = %i', async (n, k, dead, log) => {
    const found = await logAlive(source, n, k)
    expect(found.dead).toBeCloseTo(dead, 8)
    expect(found.log).toBeCloseTo(log, 8)
  })

  test('never return, whatever the uniform; fewer than N go on, each as K', async () => {
    const program = await sampler(source)
    for (const u of [1e-300, 1 - 2 ** -53]) {
      const drawn: string[] = []
      const { steps, answers, estimate } = await program.run(
        {
          index: (_, { slot, generation }) => {
            drawn.push(`${generation}.${slot}`)
            // Of 4 x 2 candidates the first two and the last live; then all but one.
            return generation === 0 ? [1, 1, 0, 0, 0, 0, 0, 1][slot]! : slot === 2 ? 0 : 1
          },
          uniform: () => 0.5,
          resampling: (_, n) => new Float64Array(n).fill(u),
        },
        steer(4, 2),
      )
      expect(steps.map(({ alive, resampled }) => [alive, resampled])).toEqual([
        [3, false],
        [4, true],
      ])
      expect(steps[0]!.ancestors).toEqual([0, 0, 3])
      expect(drawn.slice(8)).toEqual(['1.0', '1.1', '1.2', '1.3', '1.4', '1.5'])
      expect(answers).toHaveLength(4)
      expect(estimate).toBeCloseTo(5 * 0.8 * (1 / 16), 12)
    }
  })
})

describe('a twist of zero', () => {
  const source = `
sample a ~ categorical([0.5, 0.5])
twist [0, 1][a]
sample b ~ categorical([0.5, 0.5])
factor [[0.9, 0.3], [0.2, 0.7]][a][b]
return [a, b]
`
  const target = measureOf(
    [0, 1].flatMap((a) => [0, 1].map((b): [number[], number] => [[a, b], 0.25 * [0.9, 0.3, 0.2, 0.7][2 * a + b]!])),
  )

  test('does not kill, nor is it lost among particles that doubles would always prefer', () => unbiased(source, target))

  test('two particles of two copies', () => unbiased(source, target, [[2, 2]]))
})

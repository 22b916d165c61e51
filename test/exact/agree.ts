import { expect } from 'vitest'
import type { Settings } from '../../src/infer/result.js'
import { meaning, type World } from './interpreter.js'
import { distance, expected, sampler, schemes, table, totalOf } from './measure.js'

/** Ways to run a program that must not change its target. */
export const few: readonly Partial<Settings>[] = [{ particles: 1 }, { particles: 2, threshold: 1 }]

/** All ways: schemes, thresholds, twists or none. */
export const ways: readonly Partial<Settings>[] = [
  { particles: 1 },
  { particles: 2, threshold: 0 },
  { particles: 2, threshold: 1, twist: false },
  ...schemes.flatMap((resample) => [0.5, 1].map((threshold) => ({ particles: 2, resample, threshold }))),
]

/** Paths that one enumeration may take. */
const most = 20_000

/**
 * E[Z-hat posterior], by enumeration of all that the sampler may draw, is the measure that the reference interpreter gives to the
 * program, fused in all of `settings`, and not fused in all of `unfused`.
 */
export async function agrees(
  source: string,
  world: World,
  settings: readonly Partial<Settings>[] = few,
  unfused: readonly Partial<Settings>[] = settings,
): Promise<void> {
  const target = meaning(source, world)
  const scale = totalOf(target) || 1
  const models = Object.fromEntries(Object.entries(world.models).map(([name, lm]) => [name, table(lm)]))
  for (const fuse of [true, false]) {
    const program = await sampler(source, models, { fuse, allowExtern: world.externs !== undefined })
    for (const each of fuse ? settings : unfused) {
      const label = `fuse ${fuse}, ${JSON.stringify(each)}\n${source}`
      try {
        const found = await expected(program, each, { limit: most })
        expect(found.estimate / scale, label).toBeCloseTo(totalOf(target) / scale, 8)
        expect(distance(target, found.measure), label).toBeLessThan(1e-8)
      } catch (error) {
        throw new Error(`${label}\n${error}`, { cause: error })
      }
    }
  }
}

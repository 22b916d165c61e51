import { beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../src/index.js'
import { openModel } from '../../src/models/registry.js'
import { type Enclosure, gapProgram, gapSums } from './gap-sums.js'

/*
 * Infilling on the built-in model against sums over its vocabulary: a gap of one or two tokens, and one token observed behind it.
 * `npm run bench:coverage` has the same over 100 seeds, with a finer sum.
 */

let exact: Readonly<Record<1 | 2, Enclosure>>
beforeAll(async () => {
  const model = await openModel('tiny', { base: '.' })
  try {
    // The pairs that are left out have a probability of 0.6 % together.
    exact = await gapSums(model, 1e-5)
  } finally {
    await model.dispose()
  }
}, 120_000)

describe.each([1, 2] as const)('a gap of %i', (gap) => {
  test('the interval at 128 particles is under half a nat wide, and holds log Z', async () => {
    const { low, high } = exact[gap]
    expect(high - low).toBeLessThan(0.1)
    const program = await compile(gapProgram(gap))
    const found = await program.bound({}, { seed: 1, particles: [128], repeats: 20, method: 'importance' })
    expect(found).toMatchObject({ exact: 'reject', refused: [{ way: 'enumerate' }] })
    expect(found.logZ.high! - found.logZ.low!).toBeLessThan(0.5)
    expect(found.logZ.low!).toBeLessThan(high)
    expect(found.logZ.high!).toBeGreaterThan(low)
    // Runs are accepted with the probability Z.
    expect(Math.abs(Math.log(found.acceptance!) - low)).toBeLessThan(1)
  }, 60_000)
})

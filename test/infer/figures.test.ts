import { expect, test } from 'vitest'
import { type Quality, succeeded } from '../../src/infer/learned/figures.js'

/** The rounds that are taken, of these means. */
function taken(means: readonly number[], error: number): number[] {
  let highest: Quality = { mean: Number.NEGATIVE_INFINITY, error: 0 }
  return means.flatMap((mean, round) => {
    const next = succeeded(highest, { mean, error })
    if (next) highest = next
    return next ? [round] : []
  })
}

test('a later round is taken where it is not clearly worse, and one that is better always', () => {
  expect(taken([-2, -1, -1.1, -3, -0.5], 0.05)).toEqual([0, 1, 2, 4])
})

test('rounds that get a little worse each are not taken one after another', () => {
  expect(taken([0, -0.15, -0.3, -0.45, -0.6, -0.1], 0.05)).toEqual([0, 1, 5])
})

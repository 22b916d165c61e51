import { expect, test } from 'vitest'
import { chosen, Odds } from '../../src/infer/learned/picks.js'
import { philoxRandomness } from '../../src/infer/philox.js'

const random = philoxRandomness(1)
const uniform = (batch: number) => (index: number) => random.uniform({ slot: batch, generation: 0, draw: index }, 0)
const batches = 4000
const lengths = [1, 1, 2, 3, 8, 20]
const own = (each: number) => each

/** How often each is picked, as a share of all picks, and 4.5 standard errors of a share. */
function shares(pick: (batch: number) => readonly number[]): { found: readonly number[]; error: (share: number) => number } {
  const counts = lengths.map(() => 0)
  let all = 0
  for (let batch = 0; batch < batches; batch++) {
    for (const each of pick(batch)) {
      counts[each]!++
      all++
    }
  }
  return { found: counts.map((count) => count / all), error: (share) => 4.5 * Math.sqrt((share * (1 - share)) / all) }
}

test('every one is as likely to be in a batch, however long it is', () => {
  const indices = lengths.map((_, i) => i)
  const { found, error } = shares((batch) => chosen(indices, (i) => lengths[i]!, 12, uniform(batch)))
  for (const share of found) expect(Math.abs(share - 1 / 6)).toBeLessThan(error(1 / 6))
  expect(chosen(indices, (i) => lengths[i]!, 35, uniform(0))).toEqual(indices)
  expect(chosen([30, 40], own, 5, uniform(0)).length).toBe(1)
})

test('by weights each is picked as often as its weight says, in the smallest batches too', () => {
  const indices = lengths.map((_, i) => i)
  const weights = Float64Array.of(0.02, 0.5, 0.08, 0.1, 0.2, 0.1)
  for (const most of [1, 5, 40]) {
    const odds = new Odds(indices, weights, (i) => lengths[i]!)
    const { found, error } = shares((batch) => odds.pick(most, uniform(batch)))
    found.forEach((share, i) => {
      expect(Math.abs(share - weights[i]!)).toBeLessThan(error(weights[i]!))
    })
  }
})

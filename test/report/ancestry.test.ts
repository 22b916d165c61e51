import { expect, test } from 'vitest'
import type { Step } from '../../src/infer/result.js'
import { ancestry } from '../../src/report/ancestry.js'
import { example } from './example.js'

const step = (number: number, ancestors: readonly number[] | null): Step => ({
  ...example.steps[0]!,
  step: number,
  resampled: ancestors !== null,
  ancestors,
})
const alive = (weights: readonly number[]) => weights.map((weight) => ({ value: 1, weight, logWeight: weight > 0 ? 0 : null }))

test('counts at every step those who have descendants', () => {
  expect(ancestry(example)).toEqual({ particles: 4, roots: 2, survivors: [2, 2, 4], shared: null })
})

test('names the last step at which one particle is the ancestor of all', () => {
  const steps = [step(1, [0, 0, 1]), step(2, [2, 2, 2]), step(3, null), step(4, [0, 1, 1])]
  expect(ancestry({ steps, samples: alive([1, 1, 1]) })).toEqual({ particles: 3, roots: 1, survivors: [1, 1, 2, 2], shared: 2 })
})

test('dead particles do not count', () => {
  const steps = [step(1, [0, 1, 2])]
  expect(ancestry({ steps, samples: alive([0, 1, 0]) })).toEqual({ particles: 1, roots: 1, survivors: [1], shared: null })
  expect(ancestry({ steps: [step(1, [2, 2, 0])], samples: alive([1, 1, 0]) }).shared).toBe(1)
})

test('without steps every particle is its own ancestor', () => {
  expect(ancestry({ steps: [], samples: alive([1, 1]) })).toEqual({ particles: 2, roots: 2, survivors: [], shared: null })
})

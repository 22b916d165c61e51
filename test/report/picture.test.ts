import { expect, test } from 'vitest'
import type { RunResult, Step } from '../../src/infer/result.js'
import { ancestryPicture, essPicture } from '../../src/report/picture.js'
import { example } from './example.js'

const paths = (picture: string, name: string) => new RegExp(`class="${name}" d="([^"]*)"`).exec(picture)![1]!.split('M').slice(1)

test('the ESS has a point a step and a dot where it resampled', () => {
  const picture = essPicture(example)
  expect(/points="([^"]*)"/.exec(picture)![1]!.split(' ')).toHaveLength(3)
  expect(picture.match(/<circle/g)).toHaveLength(1)
})

test('strong lines are those that lead to the final particles', () => {
  const picture = ancestryPicture(example)
  // Columns 3 and 2: all four slots, then the four children of 0 and 1; column 1: slots 0 and 1 live, 2 and 3 die out.
  expect(paths(picture, 'line')).toHaveLength(4 + 4 + 2)
  expect(paths(picture, 'faint')).toHaveLength(2)
})

test('many steps and particles are thinned without losing the way back', () => {
  const count = 200
  const shift = Array.from({ length: count }, (_, slot) => Math.floor(slot / 2))
  const steps: Step[] = Array.from({ length: 500 }, (_, index) => ({
    ...example.steps[0]!,
    step: index + 1,
    resampled: true,
    ancestors: shift,
  }))
  const samples = shift.map(() => ({ value: 1, weight: 1 / count, logWeight: 0 }))
  const big: RunResult = { ...example, steps, samples, settings: { ...example.settings, particles: count } }
  const picture = ancestryPicture(big)
  expect(picture.length).toBeLessThan(200_000)
  expect(picture).toContain('>at the start: 1<')
  expect(picture).not.toMatch(/NaN|undefined/)
})

test('steer has no threshold, and its population may shrink', () => {
  const steered: RunResult = {
    ...example,
    settings: { ...example.settings, method: 'steer' },
    steps: [
      { ...example.steps[0]!, ancestors: [0, 0, 3, 3] },
      { ...example.steps[1]!, ancestors: [0, 1] },
    ],
    samples: example.samples.slice(0, 2),
  }
  expect(essPicture(steered)).not.toContain('class="limit"')
  expect(essPicture(example)).toContain('class="limit"')
  const picture = ancestryPicture(steered)
  // Two slots of the end come from 0 and 1, and those from slot 0; slots 2 and 3 of the middle die out.
  expect(paths(picture, 'line')).toHaveLength(2 + 2)
  expect(paths(picture, 'faint')).toHaveLength(2)
  const rows = [...picture.matchAll(/L[\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y))
  expect(Math.max(...rows)).toBeLessThanOrEqual(160)
})

test('nothing is drawn where nothing happened', () => {
  expect(essPicture({ ...example, steps: [] })).toBe('')
  expect(ancestryPicture({ ...example, steps: [example.steps[0]!] })).toBe('')
})

import { expect, test } from 'vitest'
import { ExactSource } from '../../src/infer/exact-source.js'
import type { Choice } from '../../src/infer/trace.js'

test('portions of given samples go round: each begins behind the one before', async () => {
  const given: Choice[][] = [0, 1, 2].map((token) => [{ token }])
  const source = new ExactSource(given, {} as never, {} as never)
  const tokens = async (count: number, portion: number) =>
    (await source.draw(count, portion)).exact!.traces.map(([choice]) => (choice as { token: number }).token)
  expect([await tokens(2, 0), await tokens(2, 1), await tokens(2, 2)]).toEqual([
    [0, 1],
    [2, 0],
    [1, 2],
  ])
  expect(await tokens(5, 1)).toEqual([0, 1, 2])
})

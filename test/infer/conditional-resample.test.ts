import { describe, expect, test } from 'vitest'
import { resampleConditionally } from '../../src/infer/conditional-resample.js'
import { enumerate } from '../../src/infer/enumerate.js'
import { resample } from '../../src/infer/resample.js'
import { schemes } from '../exact/measure.js'

/*
 * P(ancestors, b stands in slot k | b is kept) = P(ancestors) 1[a_k = b] / (N W_b): the definition. Under multinomial and residual resampling
 * slots of one kind are alike, so only how often each particle is chosen counts there.
 */

const weights = [
  [0.5, 0.3, 0.2],
  [0.1, 0.7, 0.2],
  [0.25, 0, 0.75],
  [1, 1, 1],
  [0.4, 0.25, 0.15, 0.2],
  [0.05, 0.05, 0.1, 0.8],
]

const slotsMatter = (scheme: string) => scheme === 'systematic' || scheme === 'stratified'
const counted = (ancestors: Int32Array) => [...ancestors].sort().join(' ')

async function law(run: Parameters<typeof enumerate<string>>[0]): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for await (const { probability, result } of enumerate(run)) found.set(result, (found.get(result) ?? 0) + probability)
  return found
}

describe.each(schemes)('%s', (scheme) => {
  test.each(weights.map((w) => [[...w]] as const))(
    'keeps each particle with the law of the ordinary resampling: %j',
    async (given) => {
      const w = Float64Array.from(given)
      const total = w.reduce((a, b) => a + b, 0)
      for (let b = 0; b < w.length; b++) {
        if (w[b] === 0) continue
        const expected = new Map<string, number>()
        for await (const { probability, result } of enumerate((random) => resample(scheme, w, random, 0))) {
          const share = probability / ((w.length * w[b]!) / total)
          result.forEach((ancestor, slot) => {
            if (ancestor !== b) return
            const key = slotsMatter(scheme) ? `${[...result].join(' ')} at ${slot}` : counted(result)
            expected.set(key, (expected.get(key) ?? 0) + share)
          })
        }
        const found = await law((random) => {
          const { ancestors, retained } = resampleConditionally(scheme, w, b, random, 0)
          expect(ancestors[retained]).toBe(b)
          return slotsMatter(scheme) ? `${[...ancestors].join(' ')} at ${retained}` : counted(ancestors)
        })
        for (const key of new Set([...expected.keys(), ...found.keys()]))
          expect(found.get(key) ?? 0, `${key}, kept ${b}`).toBeCloseTo(expected.get(key) ?? 0, 9)
      }
    },
  )
})

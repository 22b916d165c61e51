import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FitRows, HeadFit, impossible } from '../../src/infer/learned/fit.js'
import {
  featureCount,
  featuresOf,
  type HeadShape,
  headOf,
  type Layer,
  scaleOf,
  startOf,
  untrainedLayers,
} from '../../src/infer/learned/head.js'
import { philoxRandomness } from '../../src/infer/philox.js'

/* The network has two forms: plain JavaScript for runs, and a tensor graph for fitting. They must say the same. */

const shape: HeadShape = { hidden: 4, shift: 3, scale: 0.5, conditions: ['text', 'number'], width: 5, depth: 2 }
const vocabulary = 6
const random = philoxRandomness(4)
const uniform = (slot: number, draw: number) => 2 * random.uniform({ slot, generation: 0, draw }, 0) - 1
const numbers = (slot: number, count: number) => Float32Array.from({ length: count }, (_, draw) => uniform(slot, draw))
const matrix = numbers(1, vocabulary * shape.shift)
const layers = untrainedLayers(shape, philoxRandomness(2)).map(({ weight, bias }, i) => ({
  weight: i === 2 ? numbers(3, weight.length) : weight,
  bias: numbers(4 + i, bias.length),
}))
const masks = [0, 1].map((i) => numbers(30 + i, vocabulary).map((log, v) => (v === 2 ? impossible : log)))
const rows: FitRows = {
  features: [0, 1, 2].map((i) => featuresOf(numbers(10 + i, 4), numbers(40 + i, 4), 20 * i, numbers(20 + i, 5))),
  vectors: [0, 1, 2].map((i) => numbers(50 + i, shape.shift + 1)),
  masks: [0, 1, 0].map((i) => masks[i]!),
  tokens: [1, 5, 0],
}

/** log psi of every token, and L, in doubles. */
function told(i: number, network = layers) {
  const { shift, level } = headOf(shape, network, rows.features[i]!)
  const psi = Array.from({ length: vocabulary }, (_, v) => shift.reduce((sum, x, k) => sum + x * matrix[v * 3 + k]!, level))
  const vector = rows.vectors[i]!
  const base = Array.from(psi, (_, v) =>
    vector.reduce((sum, x, k) => sum + x * (k === 3 ? 1 : shape.scale * matrix[v * 3 + k]!), rows.masks[i]![v]!),
  )
  const total = Math.log(psi.reduce((sum, log, v) => sum + (v === 2 ? 0 : Math.exp(log + base[v]!)), 0))
  return { logPsi: psi[rows.tokens[i]!]!, logTotal: total }
}

let fit: HeadFit
beforeAll(async () => {
  fit = await HeadFit.open(shape, layers, matrix, vocabulary, { learningRate: 0.01, weightDecay: 0 })
})
afterAll(() => fit.release())

test('an untrained network says 0', () => {
  const untrained = untrainedLayers(shape, philoxRandomness(2))
  expect(headOf(shape, untrained, rows.features[0]!)).toEqual({ shift: new Float32Array(3), level: 0 })
})

test('features: the hidden state in one scale, the mean, the position, the conditions', () => {
  const x = featuresOf(Float32Array.of(3, 0, 0, 4), Float32Array.of(1, 2, 3, 4), 2, Float32Array.of(7))
  expect(x.length).toBe(featureCount({ ...shape, conditions: ['number'] }))
  expect([...x.slice(0, 4)].map((value) => value.toFixed(3))).toEqual(['1.200', '0.000', '0.000', '1.600'])
  expect([...x.slice(4, 8)]).toEqual([1, 2, 3, 4])
  expect([...x.slice(8, 12)]).toEqual([0, 0, 1, 0]) // half the norm of the state, which is 2
  expect(x.at(-1)).toBe(7)
  expect(featuresOf(Float32Array.of(1), Float32Array.of(1), 500, new Float32Array(0))[33]).toBe(1)
})

test('the scale of an embedding', () => {
  expect(scaleOf(null, 6)).toBe(1)
  expect(scaleOf(Float32Array.of(1, -1, 2, 0), 2)).toBe(0.5)
})

test('the graph says what JavaScript says', async () => {
  const { logPsi, logTotal } = await fit.numbers(rows)
  for (const i of [0, 1, 2]) {
    expect(logPsi[i]!).toBeCloseTo(told(i).logPsi, 5)
    expect(logTotal[i]!).toBeCloseTo(told(i).logTotal, 5)
  }
})

test('what conditions make of the first layer can be computed beforehand', () => {
  const x = rows.features[1]!
  const start = startOf(shape, layers as [Layer, ...Layer[]], x.slice(-5))
  expect(headOf(shape, layers, x.slice(0, -5), start).level).toBeCloseTo(headOf(shape, layers, x).level, 5)
})

describe('a step', () => {
  test('goes down the loss whose slopes it is given, and changes only copies', async () => {
    const before = layers[0]!.weight.slice()
    const loss = async () => {
      const { logPsi, logTotal } = await fit.numbers(rows)
      return logPsi.reduce((sum, log, i) => sum - log + 2 * logTotal[i]!, 0)
    }
    const start = await loss()
    for (let k = 0; k < 20; k++)
      await fit.step(rows, { onPsi: Float64Array.of(-1, -1, -1), onTotal: Float64Array.of(2, 2, 2) }, 0.01)
    expect(await loss()).toBeLessThan(start - 0.1)
    expect([...layers[0]!.weight]).toEqual([...before])
    expect([...fit.layers[0]!.weight]).not.toEqual([...before])
  })
})

test('a loss that holds the totals fixed takes the same step without them', async () => {
  const settings = { learningRate: 0.01, weightDecay: 0 }
  const whole = await HeadFit.open(shape, layers, matrix, vocabulary, settings)
  const part = await HeadFit.open(shape, layers, matrix, vocabulary, settings, 'tokens')
  for (const each of [whole, part])
    await each.step(rows, { onPsi: Float64Array.of(-1, 2, 0.5), onTotal: new Float64Array(3) }, 0.01)
  part.layers.forEach(({ weight }, i) => {
    weight.forEach((x, k) => {
      expect(x).toBeCloseTo(whole.layers[i]!.weight[k]!, 5)
    })
  })
  await whole.release()
  await part.release()
})

test('the level goes down slopes of its own, and the vectors stay', async () => {
  const each = await HeadFit.open(shape, layers, matrix, vocabulary, { learningRate: 0.01, weightDecay: 0 }, 'level')
  const level = (network: readonly Layer[]) => headOf(shape, network, rows.features[0]!).level
  const none = new Float64Array(3)
  const before = each.layers
  for (let k = 0; k < 10; k++) {
    await each.step(rows, { onPsi: none, onTotal: none, onLevel: Float64Array.of(1, 0, 0) }, 0.01)
  }
  const after = each.layers
  await each.release()
  expect(level(after)).toBeLessThan(level(before) - 0.05)
  const { weight } = after.at(-1)!
  const outputs = shape.shift + 1
  expect(weight.filter((_, i) => i % outputs < shape.shift)).toEqual(
    before.at(-1)!.weight.filter((_, i) => i % outputs < shape.shift),
  )
})

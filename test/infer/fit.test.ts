import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FitRows, HeadFit, impossible } from '../../src/infer/learned/fit.js'
import {
  FirstLayer,
  featureCount,
  featuresOf,
  type HeadShape,
  headOf,
  type Layer,
  scaled,
  scaleOf,
  type TextFeatures,
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
/** A text of so many tokens, each of which has one of six embeddings. */
const text = (i: number): TextFeatures => ({
  hidden: numbers(10 + i, 4),
  tokens: Array.from({ length: 20 * i }, (_, t) => matrix.subarray(3 * (t % 5), 3 * (t % 5) + 3)),
  conditions: numbers(20 + i, 5),
})
const rows: FitRows = {
  features: [0, 1, 2].map((i) => featuresOf(text(i), shape.shift)),
  vectors: [0, 1, 2].map((i) => numbers(50 + i, shape.shift + 1)),
  masks: [0, 1, 0].map((i) => masks[i]!),
  tokens: [1, 5, 0],
}

/** What the first layer makes of a text, from its parts. */
function sumsOf(i: number, network: readonly Layer[]): Float64Array {
  const layer = new FirstLayer(shape, network[0]!)
  const { hidden, tokens, conditions } = text(i)
  const each = tokens.map((embedding) => layer.token(embedding))
  const among = each.reduce((sums, token) => sums.map((sum, o) => sum + token.among[o]!), layer.nothing())
  return layer.sums(hidden, tokens.length, layer.start(conditions), among, each.at(-1) ?? null)
}

/** log psi of every token, and L, in doubles. */
function told(i: number, network = layers) {
  const { shift, level } = headOf(shape, network, sumsOf(i, network))
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
  expect(headOf(shape, untrained, sumsOf(0, untrained))).toEqual({ shift: new Float32Array(3), level: 0 })
})

test('features: the hidden state in one scale, the tokens, the last one, the position, the conditions', () => {
  const tokens = [Float32Array.of(1, 1, 1), Float32Array.of(0, 3, 4)]
  const x = featuresOf({ hidden: Float32Array.of(3, 0, 0, 4), tokens: tokens.map(scaled), conditions: Float32Array.of(7) }, 3)
  const text = (from: number, to: number) => [...x.slice(from, to)].map((value) => value.toFixed(3))
  const last = Math.sqrt(3) / 5
  expect(x.length).toBe(featureCount({ ...shape, conditions: ['number'] }))
  expect(text(0, 4)).toEqual(['1.200', '0.000', '0.000', '1.600'])
  expect(text(4, 7)).toEqual([0.5, (1 + 3 * last) / 2, (1 + 4 * last) / 2].map((value) => value.toFixed(3)))
  expect(text(7, 10)).toEqual([0, 3 * last, 4 * last].map((value) => value.toFixed(3)))
  expect([...x.slice(10, 14)]).toEqual([0, 0, 1, 0]) // half the norm of the state, which is 2
  expect(x.at(-1)).toBe(7)
  const long = { hidden: Float32Array.of(1), tokens: new Array(500).fill(Float32Array.of(1)), conditions: new Float32Array(0) }
  expect(featuresOf(long, 1)[34]).toBe(1)
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
  const level = (network: readonly Layer[]) => headOf(shape, network, sumsOf(0, network)).level
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

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AdamW, type AdamWSettings, type AdamWState } from '../../src/tensor/adamw.js'
import { onnxRuntime } from '../../src/tensor/backend.js'
import { GraphBuilder } from '../../src/tensor/graph.js'
import { tfjs } from '../../src/tensor/tfjs.js'
import { Training } from '../../src/tensor/training.js'

interface Step {
  readonly loss: number
  readonly norm: number
  readonly weight: number[]
  readonly bias: number[]
}

/** Written by make_adamw_reference.py. */
const reference = JSON.parse(readFileSync(new URL('./adamw-reference.json', import.meta.url), 'utf8')) as {
  x: number[]
  target: number[]
  weight: number[]
  bias: number[]
  plain: Step[]
  clipped: Step[]
}

const floats = (...values: readonly number[]) => Float32Array.from(values)

describe('AdamW', () => {
  it('makes the steps that the paper writes', () => {
    const p = floats(1, -2)
    const adam = new AdamW({ p }, { learningRate: 0.1, beta1: 0.5, beta2: 0.75, epsilon: 0.001, weightDecay: 0.2 })
    // t = 1: m / (1 - β₁) = g, v / (1 - β₂) = g². So the change is g / (|g| + ε).
    expect(adam.step({ p: floats(3, -4) })).toBe(5)
    expect(p[0]).toBeCloseTo(1 - 0.1 * 0.2 * 1 - (0.1 * 3) / 3.001, 6)
    expect(p[1]).toBeCloseTo(-2 + 0.1 * 0.2 * 2 + (0.1 * 4) / 4.001, 6)
    // t = 2 with g = 1, -4: m = 0.75 + 0.5 = 1.25 over 0.75; v = 9/4 · 3/4 + 1/4 = 1.9375 over 0.4375.
    const [before] = p
    adam.step({ p: floats(1, -4) })
    const change = 1.25 / 0.75 / (Math.sqrt(1.9375 / 0.4375) + 0.001)
    expect(p[0]).toBeCloseTo(before! - 0.1 * (0.2 * before! + change), 6)
  })

  it('clips by the norm of all gradients together', () => {
    const [a, b] = [floats(0), floats(0)]
    const adam = new AdamW({ a, b }, { learningRate: 1, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0, clip: 1 })
    expect(adam.step({ a: floats(3), b: floats(4) })).toBe(5)
    // g is (0.6, 0.8) afterwards, and the change g / (|g| + 1).
    expect(a[0]).toBeCloseTo(-0.6 / 1.6, 6)
    expect(b[0]).toBeCloseTo(-0.8 / 1.8, 6)
  })

  it('decays weights that have no gradient, and only by the rate', () => {
    const p = floats(2)
    const adam = new AdamW({ p }, { learningRate: 0.5, weightDecay: 0.1 })
    adam.step({ p: floats(0) })
    expect(p[0]).toBeCloseTo(2 * 0.95, 6)
    adam.step({ p: floats(0) }, 0)
    expect(p[0]).toBeCloseTo(2 * 0.95, 6)
  })

  it('refuses what is not finite or missing, and changes nothing', () => {
    const p = floats(1, 2)
    const adam = new AdamW({ p }, { learningRate: 0.1 })
    expect(() => adam.step({ p: floats(1, Number.NaN) })).toThrow(/gradient of p holds numbers that are not finite/)
    expect(() => adam.step({ p: floats(Infinity, 1) })).toThrow(/not finite/)
    expect(() => adam.step({ p: floats(1) })).toThrow(/no gradient of 2 numbers for p/)
    expect([...p]).toEqual([1, 2])
    expect(adam.state.steps).toBe(0)
    expect(() => new AdamW({ p }, { learningRate: Number.NaN })).toThrow(/AdamW wants/)
    expect(() => new AdamW({ p }, { learningRate: 0.1, beta2: 1 })).toThrow(/AdamW wants/)
    const other: AdamWState = { steps: 1, first: { q: floats(1) }, second: { q: floats(1) } }
    expect(() => new AdamW({ p }, { learningRate: 0.1 }, other)).toThrow(/saved state has no 2 numbers for p/)
  })
})

/** Softmax regression as PyTorch ran it: x [n, 3] -> 4 classes, the mean of -log p(target). */
async function regression(backend: typeof onnxRuntime, settings: AdamWSettings, from?: Training) {
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', ['n', 3])
  const target = graph.input('target', 'int64', ['n', 1])
  const weight = graph.input('weight', 'float32', [4, 3])
  const bias = graph.input('bias', 'float32', [4])
  const logs = graph.gatherElements(graph.logSoftmax(graph.affineWithTransposed(x, weight, bias)), target)
  const loss = graph.negate(graph.mean(graph.reshape(logs, [-1]), 0))
  const start = from
    ? { weight: from.parameters.weight!.data.slice(), bias: from.parameters.bias!.data.slice() }
    : { weight: floats(...reference.weight), bias: floats(...reference.bias) }
  const parameters = { weight: { data: start.weight, shape: [4, 3] }, bias: { data: start.bias, shape: [4] } }
  return Training.open(backend, graph, loss, parameters, settings, from?.state)
}

const batch = {
  x: { data: floats(...reference.x), shape: [6, 3] },
  target: { data: BigInt64Array.from(reference.target, BigInt), shape: [6, 1] },
}
const settings: AdamWSettings = { learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1 }

function close(actual: ArrayLike<number>, expected: readonly number[]) {
  expect(actual).toHaveLength(expected.length)
  // Both round to 32 bits in every one of 12 steps; numbers are below 4.
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value)).toBeLessThan(12 * 4 * 2 ** -22)
  })
}

describe.each([onnxRuntime, tfjs])('training on $name', (backend) => {
  it.each(['plain', 'clipped'] as const)('goes the way of torch.optim.AdamW (%s)', async (kind) => {
    const training = await regression(backend, kind === 'plain' ? settings : { ...settings, clip: 0.3 })
    for (const step of reference[kind]) {
      const { loss, norm } = await training.step(batch)
      close([loss, norm], [step.loss, step.norm])
      close(training.parameters.weight!.data, step.weight)
      close(training.parameters.bias!.data, step.bias)
    }
    await training.release()
  })

  it('goes on from a saved state as if it had not stopped', async () => {
    const whole = await regression(backend, settings)
    for (let i = 0; i < 8; i++) await whole.step(batch)
    const first = await regression(backend, settings)
    for (let i = 0; i < 5; i++) await first.step(batch)
    const second = await regression(backend, settings, first)
    for (let i = 0; i < 3; i++) await second.step(batch)
    expect(second.parameters.weight!.data).toEqual(whole.parameters.weight!.data)
    expect(second.state).toEqual(whole.state)
    for (const each of [whole, first, second]) await each.release()
  })

  it('stops at a loss that is not a number, and leaves the parameters', async () => {
    const training = await regression(backend, settings)
    const broken = { ...batch, x: { data: new Float32Array(18).fill(Number.NaN), shape: [6, 3] } }
    await expect(training.step(broken)).rejects.toThrow('the loss is NaN')
    close(training.parameters.weight!.data, reference.weight)
    await training.release()
  })
})

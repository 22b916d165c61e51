import { describe, expect, it } from 'vitest'
import { onnxRuntime } from '../../src/tensor/backend.js'
import { gradients } from '../../src/tensor/gradient.js'
import { GraphBuilder } from '../../src/tensor/graph.js'
import type { DenseTensor } from '../../src/tensor/session.js'
import { feedOf, interpret, loadTfjs, tfjs } from '../../src/tensor/tfjs.js'
import { type Case, differentiable, feedsOf, inputsOf, Numbers, randomFrom, sizeOf } from './cases.js'

const runs = 4

/** The case as a graph: y, the loss Σ c y with an input c, and the gradient of every float32 input. */
function graphOf(example: Case) {
  const graph = new GraphBuilder()
  const inputs = inputsOf(graph, example)
  const c = graph.input('c', 'float32', example.shape.map((_, axis) => `c${axis}`)) // biome-ignore format: one line
  const y = example.build(graph, inputs)
  const loss = graph.sum(graph.reshape(graph.multiply(y, c), [-1]), 0)
  const wanted = Object.keys(example.inputs).filter((name) => (example.inputs[name]!.type ?? 'float32') === 'float32')
  // What a condition alone reads has no gradient, and asking for it is an error.
  const reached = wanted.filter((name) => !(name === 'x' && example.inputs.a && example.inputs.b))
  const found = gradients(
    graph,
    loss,
    reached.map((name) => inputs[name]!),
  )
  graph.output('y', y, 'float32', example.shape)
  graph.output('loss', loss, 'float32', [])
  found.forEach((gradient, i) => {
    graph.output(`gradient.${reached[i]}`, gradient, 'float32', example.inputs[reached[i]!]!.shape)
  })
  return { graph, names: reached }
}

describe.each(Object.entries(differentiable))('the gradient of %s', (name, make) => {
  const seeds = Array.from({ length: runs }, (_, i) => 100 * Object.keys(differentiable).indexOf(name) + i)
  // Doubles leave tfjs for JavaScript, so it cannot record what happens to them.
  const recorded = name !== 'cast'

  it.each(seeds)('is that of differences, of tfjs on our graph, and of tf.grads (seed %i)', async (seed) => {
    const numbers = new Numbers(randomFrom(seed))
    const example = make(numbers)
    const { graph, names } = graphOf(example)
    const c = numbers.floats(example.shape)
    const feeds: Record<string, DenseTensor> = { ...feedsOf(example), c: { shape: c.shape, data: Float32Array.from(c.data) } }
    const [session, second] = [await onnxRuntime.open(graph), await tfjs.open(graph)]
    const first = await session.run(feeds)
    const other = await second.run(feeds)
    expect(first.y!.shape).toEqual(example.shape)
    expect(first.y!.data).toHaveLength(sizeOf(example.shape))

    // Both backends, and tfjs's own differentiation of the same forward pass: 32-bit floats in other orders.
    const tf = await loadTfjs()
    const tensors = names.map((input) => tf.tensor(feeds[input]!.data as Float32Array, [...feeds[input]!.shape]))
    const record = tf.grads((...parameters) => {
      const values = new Map(Object.entries(feeds).map(([input, feed]) => [input, feedOf(tf, feed)] as const))
      names.forEach((input, i) => {
        values.set(input, parameters[i]!)
      })
      interpret(tf, graph, values)
      return values.get('loss') as ReturnType<typeof tf.scalar>
    })
    const own = recorded ? record(tensors).map((tensor) => ({ shape: tensor.shape, data: tensor.dataSync() })) : undefined
    names.forEach((input, i) => {
      const gradient = first[`gradient.${input}`]!
      expect(gradient.shape).toEqual(example.inputs[input]!.shape)
      if (own) expect(own[i]!.shape).toEqual(gradient.shape)
      gradient.data.forEach((value, k) => {
        const scale = 1e-5 * (1 + Math.abs(Number(value)))
        expect(Math.abs(Number(other[`gradient.${input}`]!.data[k]) - Number(value))).toBeLessThan(scale)
        if (own) expect(Math.abs(own[i]!.data[k]! - Number(value))).toBeLessThan(scale)
      })
    })

    // f(h) = Σ c y(x + h v) along random signs v. The sum is taken in doubles, so what is rounded is y, each element by at most a few
    // units ε = 2^-24 of a size that the inputs bound. Richardson's (4 D(h/2) - D(h)) / 3 leaves an error of order h⁴.
    const along = async (h: number, direction: Readonly<Record<string, readonly number[]>>) => {
      const moved = { ...feeds }
      for (const input of names) {
        const { shape, data } = example.inputs[input]!
        moved[input] = { shape, data: Float32Array.from(data, (value, k) => value + h * direction[input]![k]!) }
      }
      const { y } = await session.run(moved)
      return (y!.data as Float32Array).reduce((sum, value, k) => sum + value * c.data[k]!, 0)
    }
    const sizes = (first.y!.data as Float32Array).reduce((sum, value, k) => sum + (Math.abs(value) + 1) * Math.abs(c.data[k]!), 0)
    for (let trial = 0; trial < 3; trial++) {
      const direction = Object.fromEntries(
        names.map((input) => [input, example.inputs[input]!.data.map(() => (numbers.next() < 0.5 ? 1 : -1))]),
      )
      const h = 2 ** -5
      const difference = async (step: number) => ((await along(step, direction)) - (await along(-step, direction))) / (2 * step)
      const [wide, narrow] = [await difference(h), await difference(h / 2)]
      let slope = 0
      for (const input of names) {
        ;(first[`gradient.${input}`]!.data as Float32Array).forEach((value, k) => {
          slope += value * direction[input]![k]!
        })
      }
      // Of the error h² that both differences show, Richardson's leaves a part of order h²; a tenth is generous.
      const tolerance = (3 * 8 * 2 ** -24 * sizes) / h + Math.abs(wide - narrow) / 10 + 1e-5
      expect(Math.abs((4 * narrow - wide) / 3 - slope)).toBeLessThan(tolerance)
    }
    await Promise.all([session.release(), second.release()])
  })
})

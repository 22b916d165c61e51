import { expect } from 'vitest'
import { onnxRuntime } from '../../src/tensor/backend.js'
import { gradients } from '../../src/tensor/gradient.js'
import { GraphBuilder } from '../../src/tensor/graph.js'
import type { DenseTensor } from '../../src/tensor/session.js'
import { feedOf, interpret, loadTfjs, tfjs } from '../../src/tensor/tfjs.js'
import { type Case, feedsOf, inputsOf, type Numbers, sizeOf } from './cases.js'

/** The case as a graph: y, the loss Σ c y with an input c, and the gradient of every input that has one. */
function graphOf(example: Case) {
  const graph = new GraphBuilder()
  const inputs = inputsOf(graph, example)
  const free = example.shape.map((_, axis) => `c${axis}`)
  const y = example.build(graph, inputs)
  const loss = graph.sum(graph.reshape(graph.multiply(y, graph.input('c', 'float32', free)), [-1]), 0)
  const names = Object.keys(example.inputs).filter((name) => {
    const { type = 'float32', constant = false } = example.inputs[name]!
    return type === 'float32' && !constant
  })
  const values = names.map((name) => inputs[name]!)
  const found = gradients(graph, loss, values)
  graph.output('y', y, 'float32', example.shape)
  graph.output('loss', loss, 'float32', [])
  found.forEach((gradient, i) => {
    graph.output(`gradient.${names[i]}`, gradient, 'float32', example.inputs[names[i]!]!.shape)
  })
  return { graph, names }
}

/**
 * Our gradients on both backends against each other, against tf.grads of the same forward pass, and against differences.
 * `recorded`: whether tfjs can differentiate it; doubles leave it for JavaScript.
 */
export async function checkGradient(example: Case, numbers: Numbers, recorded = true): Promise<void> {
  const { graph, names } = graphOf(example)
  const c = numbers.floats(example.shape)
  const feeds: Record<string, DenseTensor> = {
    ...feedsOf(example),
    c: { shape: c.shape, data: Float32Array.from(c.data) },
  }
  const [session, second] = [await onnxRuntime.open(graph), await tfjs.open(graph)]
  const first = await session.run(feeds)
  const other = await second.run(feeds)
  expect(first.y!.shape).toEqual(example.shape)
  expect(first.y!.data).toHaveLength(sizeOf(example.shape))
  const own = recorded ? await tfjsGradients(graph, names, feeds) : undefined
  names.forEach((name, i) => {
    const gradient = first[`gradient.${name}`]!
    expect(gradient.shape).toEqual(example.inputs[name]!.shape)
    close(other[`gradient.${name}`]!, gradient)
    if (own) close(own[i]!, gradient)
  })

  // f(h) = Σ c y(x + h v) along random signs v. The sum is taken in doubles, so what is rounded is y, each element by at most a few
  // units ε = 2^-24 of a size that the inputs bound; a difference divides that by h.
  const along = async (h: number, direction: Readonly<Record<string, readonly number[]>>) => {
    const moved = { ...feeds }
    for (const name of names) {
      const { shape, data } = example.inputs[name]!
      moved[name] = { shape, data: Float32Array.from(data, (value, k) => value + h * direction[name]![k]!) }
    }
    const { y } = await session.run(moved)
    return (y!.data as Float32Array).reduce((sum, value, k) => sum + value * c.data[k]!, 0)
  }
  const sizes = (first.y!.data as Float32Array).reduce((sum, value, k) => sum + (Math.abs(value) + 1) * Math.abs(c.data[k]!), 0)
  for (let trial = 0; trial < 3; trial++) {
    const direction = Object.fromEntries(
      names.map((name) => [name, example.inputs[name]!.data.map(() => (numbers.next() < 0.5 ? 1 : -1))]),
    )
    const h = 2 ** -5
    const difference = async (step: number) => ((await along(step, direction)) - (await along(-step, direction))) / (2 * step)
    const [wide, narrow] = [await difference(h), await difference(h / 2)]
    let slope = 0
    for (const name of names) {
      ;(first[`gradient.${name}`]!.data as Float32Array).forEach((value, k) => {
        slope += value * direction[name]![k]!
      })
    }
    // Richardson's (4 D(h/2) - D(h)) / 3 takes the error of order h² away, which |D(h) - D(h/2)| measures; what is left is of order h⁴.
    const tolerance = (3 * 8 * 2 ** -24 * sizes) / h + Math.abs(wide - narrow) / 10 + 1e-5
    expect(Math.abs((4 * narrow - wide) / 3 - slope)).toBeLessThan(tolerance)
  }
  await Promise.all([session.release(), second.release()])
}

/** What tfjs itself finds for the output `loss` of a graph that holds inputs or weights of these names. */
export async function tfjsGradients(
  graph: GraphBuilder,
  names: readonly string[],
  feeds: Readonly<Record<string, DenseTensor>>,
): Promise<DenseTensor[]> {
  const tf = await loadTfjs()
  const start = (name: string) => feeds[name] ?? graph.weights.find((weight) => weight.name === name)!
  const found = tf.grads((...parameters) => {
    const values = new Map(Object.entries(feeds).map(([name, feed]) => [name, feedOf(tf, feed)] as const))
    names.forEach((name, i) => {
      values.set(name, parameters[i]!)
    })
    interpret(tf, graph, values)
    return values.get('loss') as ReturnType<typeof tf.scalar>
  })(names.map((name) => tf.tensor(start(name).data as Float32Array, [...start(name).shape])))
  return found.map((tensor) => ({ data: tensor.dataSync() as Float32Array, shape: tensor.shape }))
}

/** Equal but for the rounding of 32-bit floats that are added up in another order. */
export function close(actual: DenseTensor, expected: DenseTensor): void {
  expect(actual.shape).toEqual(expected.shape)
  const numbers = expected.data as Float32Array
  const largest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let worst = 0
  for (let i = 0; i < numbers.length; i++) {
    const difference = Math.abs(Number(actual.data[i]) - numbers[i]!)
    // Also when it is not a number.
    if (!(difference <= worst)) worst = difference
  }
  expect(worst).toBeLessThan(1e-5 * (1 + largest))
}

import { expect, it } from 'vitest'
import { GraphBuilder } from '../../src/tensor/graph.js'
import { portable } from '../../src/tensor/portable.js'
import { Session } from '../../src/tensor/session.js'

const numbers = (count: number, seed: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i))

it('computes the same products without FusedMatMul', async () => {
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', [3, 2, 70])
  const y = graph.input('y', 'float32', [3, 5, 70])
  const far = graph.input('far', 'float32', [3, 4, 70])
  const weight = graph.weight('weight', 'float32', [130, 70], numbers(130 * 70, 1))
  graph.output('byWeight', graph.productWithTransposed(x, weight), 'float32', [3, 2, 130])
  graph.output('again', graph.productWithTransposed(y, weight, 0.5), 'float32', [3, 5, 130])
  graph.output(
    'byValue',
    graph.productWithTransposed(x, graph.transpose(graph.transpose(y, [0, 2, 1]), [0, 2, 1]), 0.25),
    'float32',
    [3, 2, 5],
  )
  graph.output('byLeft', graph.productWithTransposed(x, far, 2), 'float32', [3, 2, 4])
  const other = portable(graph, (name) => name === 'far')
  expect(other.operations.map(({ operator }) => operator)).not.toContain('FusedMatMul')
  expect(other.weights.map(({ name }) => name)).not.toContain('weight')
  const feeds = {
    x: { data: numbers(3 * 2 * 70, 2), shape: [3, 2, 70] },
    y: { data: numbers(3 * 5 * 70, 3), shape: [3, 5, 70] },
    far: { data: numbers(3 * 4 * 70, 4), shape: [3, 4, 70] },
  }
  const [a, b] = await Promise.all([graph, other].map(async (each) => (await Session.open(each)).run(feeds)))
  for (const { name } of graph.outputs) {
    expect(b![name]!.shape).toEqual(a![name]!.shape)
    const [one, two] = [a![name]!.data as Float32Array, b![name]!.data as Float32Array]
    for (const [i, value] of one.entries()) expect(two[i]).toBeCloseTo(value, 4)
  }
})

it('keeps a weight that something else reads too', () => {
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', [2, 3])
  const weight = graph.weight('weight', 'float32', [4, 3], numbers(12, 1))
  graph.output('y', graph.productWithTransposed(x, weight), 'float32', [2, 4])
  graph.output('z', graph.absolute(weight), 'float32', [4, 3])
  expect(portable(graph).weights.map(({ name }) => name)).toContain('weight')
})

it('refuses a product whose axes are not known', () => {
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', [2, 3])
  graph.output('y', graph.productWithTransposed(x, graph.absolute(x)), 'float32', [2, 2])
  expect(() => portable(graph)).toThrow(/number of axes/)
})

import { describe, expect, it } from 'vitest'
import { onnxRuntime } from '../../src/tensor/backend.js'
import { gradients } from '../../src/tensor/gradient.js'
import { GraphBuilder } from '../../src/tensor/graph.js'
import { type Case, differentiable, Numbers, randomFrom } from './cases.js'
import { checkGradient } from './check-gradient.js'

describe('the gradient agrees with differences, with tfjs on our graph and with tf.grads', () => {
  it.each(Object.entries(differentiable))('of %s', async (name, make) => {
    for (let run = 0; run < 3; run++) {
      const numbers = new Numbers(randomFrom(100 * Object.keys(differentiable).indexOf(name) + run))
      await checkGradient(make(numbers), numbers, name !== 'cast')
    }
  })

  it.each(Array.from({ length: 20 }, (_, seed) => seed))('of random composition %i', async (seed) => {
    const numbers = new Numbers(randomFrom(31 * seed))
    await checkGradient(composition(numbers), numbers)
  })
})

/** A small graph over x [m, 3] and w [3, 3]: some operations, each of values made before. */
function composition(numbers: Numbers): Case {
  const [m, count] = [numbers.size(), 2 + numbers.index(6)]
  const choices = Array.from({ length: count }, () => [numbers.index(12), numbers.next(), numbers.next()] as const)
  const build: Case['build'] = (graph, { x, w, indices }) => {
    const square = [w!]
    const rows = [x!]
    for (const [choice, u, v] of choices) {
      const a = rows[Math.floor(u * rows.length)]!
      const b = rows[Math.floor(v * rows.length)]!
      const matrix = square[Math.floor(v * square.length)]!
      const makers = [
        () => graph.multiply(a, graph.sigmoid(b)),
        () => graph.add(a, graph.softmax(b)),
        () => graph.subtract(graph.tanh(a), b),
        () => graph.divide(a, graph.add(graph.exponential(graph.tanh(b)), graph.scalar(1))),
        () => graph.tanh(graph.matrixProduct(a, matrix)),
        () => graph.add(a, graph.logSumExp(b, -1, true)),
        () => graph.multiply(graph.mean(a, 0, true), graph.softplus(b)),
        () => graph.rootMeanSquareNorm(a, graph.reshape(graph.gather(matrix, graph.integer(1)), [3]), 0.1),
        () => graph.silu(graph.gather(matrix, indices!)),
        () => graph.logSigmoid(graph.productWithTransposed(a, matrix, 0.5)),
        () => graph.where(graph.lessOrEqual(graph.scalar(0), graph.scalar(u - 0.5)), a, graph.gelu(b, 'none')),
        () => graph.sum(graph.reshape(graph.concatenate([a, b], 1), [0, 2, 3]), 1),
      ]
      rows.push(makers[choice]!())
      if (choice % 3 === 0) square.push(graph.softmax(graph.productWithTransposed(matrix, w!)))
    }
    // Everything is read, so that the loss depends on all inputs.
    const total = rows.reduce((sum, row) => graph.add(sum, row))
    return graph.matrixProduct(total, square.reduce((sum, matrix) => graph.add(sum, matrix))) // biome-ignore format: one line
  }
  const inputs = { x: numbers.floats([m, 3]), w: numbers.floats([3, 3]), indices: numbers.indices([m], 3) }
  return { inputs, shape: [m, 3], build }
}

describe('gradients', () => {
  const run = async (graph: GraphBuilder, feeds: Record<string, readonly number[]>) => {
    const session = await onnxRuntime.open(graph)
    const tensors = Object.entries(feeds).map(([name, data]) => [name, { data: Float32Array.from(data), shape: [data.length] }])
    const outputs = await session.run(Object.fromEntries(tensors))
    await session.release()
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data].map(Number)]))
  }

  it('of equal maxima share, and a kink has 0', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n'])
    const loss = graph.sum(graph.maximum(x, 0), 0)
    const kinks = graph.sum(graph.add(graph.relu(x), graph.absolute(x)), 0)
    graph.output('most', gradients(graph, loss, [x])[0]!, 'float32', ['n'])
    graph.output('kinks', gradients(graph, kinks, [x])[0]!, 'float32', ['n'])
    const { most, kinks: slopes } = await run(graph, { x: [0, 3, -1, 3] })
    expect(most).toEqual([0, 0.5, 0, 0.5])
    expect(slopes).toEqual([0, 2, -1, 2])
  })

  it('do not take NaN from a branch that is not taken', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n'])
    const loss = graph.sum(graph.where(graph.lessOrEqual(x, graph.scalar(0)), x, graph.logarithm(x)), 0)
    graph.output('loss', loss, 'float32', [])
    graph.output('dx', gradients(graph, loss, [x])[0]!, 'float32', ['n'])
    const { loss: value, dx } = await run(graph, { x: [-1, 2] })
    expect(value![0]).toBeCloseTo(Math.log(2) - 1, 6)
    expect(dx).toEqual([1, 0.5])
  })

  it('are the same large and small: log-sums and log-sigmoids do not overflow', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n'])
    const both = [graph.logSumExp(x, 0), graph.sum(graph.logSigmoid(x), 0), graph.sum(graph.softplus(x), 0)] as const
    both.forEach((loss, i) => {
      graph.output(`${i}`, gradients(graph, loss, [x])[0]!, 'float32', ['n'])
    })
    const found = await run(graph, { x: [300, -300, 299] })
    const [shares, logs, softs] = [found['0']!, found['1']!, found['2']!]
    // A sum near 300 is rounded to 2^-15.
    expect(shares[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 4)
    expect(shares[1]).toBe(0)
    expect(logs).toEqual([0, 1, 0])
    expect(softs).toEqual([1, 0, 1])
  })

  it('flow to weights, to computed values, and through values that became outputs', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n'])
    const w = graph.weight('w', 'float32', [2], Float32Array.of(3, 5))
    const product = graph.multiply(x, w)
    graph.output('product', product, 'float32', ['n'])
    const loss = graph.sum(graph.multiply(product, product), 0)
    const [dw, dproduct] = gradients(graph, loss, [w, product])
    graph.output('loss', loss, 'float32', [])
    graph.output('dw', dw!, 'float32', [2])
    graph.output('dproduct', dproduct!, 'float32', ['n'])
    const found = await run(graph, { x: [1, 2] })
    expect(found.dproduct).toEqual([6, 20])
    expect(found.dw).toEqual([6, 40])
  })

  it('of a batch that is empty are zeros', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n'])
    const w = graph.weight('w', 'float32', [1, 2], Float32Array.of(3, 5))
    const rows = graph.matrixProduct(graph.reshape(x, [-1, 1]), w)
    const [dw] = gradients(graph, graph.sum(graph.reshape(rows, [-1]), 0), [w])
    graph.output('dw', dw!, 'float32', [1, 2])
    expect((await run(graph, { x: [] })).dw).toEqual([0, 0])
  })

  it('are refused where none flows', () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n'])
    const other = graph.input('other', 'float32', ['n'])
    const of =
      (loss: typeof x, value = x) =>
      () =>
        gradients(graph, graph.sum(loss, 0), [value])
    expect(of(x, other)).toThrow('the loss does not depend on other')
    const half = graph.weight('half', 'float16', [1], Uint16Array.of(1))
    expect(of(graph.cast(half, 'float32'), half)).toThrow('no gradient for half: it holds float16')
    expect(of(graph.cast(graph.cast(x, 'int64'), 'float32'))).toThrow('does not flow through a cast to integers')
    expect(of(graph.cast(graph.lessOrEqual(x, other), 'float32'))).toThrow('does not flow through LessOrEqual')
    const one = graph.scalar(1)
    const blocks = graph.weight('b', 'uint8', [1, 1, 64], new Uint8Array(64).fill(129))
    const product = graph.blockProduct(
      graph.reshape(x, [1, -1]),
      blocks,
      graph.weight('scales', 'float32', [1], Float32Array.of(1)),
      3,
      1,
      64,
    )
    expect(of(graph.reshape(product, [-1]))).toThrow('does not flow through MatMulNBits')
    const list = graph.matrixProduct(graph.input('rows', 'float32', ['m', 'n']), x)
    expect(of(list)).toThrow('reshape x to one')
    // What only chooses has none either.
    expect(of(graph.where(graph.lessOrEqual(x, other), other, one), x)).toThrow('the loss does not depend on x')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/tensor/graph.js'
import { writeOnnx } from '../../src/tensor/onnx.js'
import { Session } from '../../src/tensor/session.js'

/** Numbers between -1 and 1 that differ. */
const numbers = (count: number, seed = 1) => Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i))

describe('products', () => {
  it('give every row the same bits, however many rows there are', async () => {
    // This is what makes a result independent of the batch size.
    for (const [from, to] of [
      [256, 688],
      [20, 12],
      [33, 7],
    ] as const) {
      const graph = new GraphBuilder()
      const x = graph.input('x', 'float32', ['n', 1, from])
      const w = graph.weight('w', 'float32', [to, from], numbers(to * from))
      graph.output('y', graph.productWithTransposed(x, w), 'float32', ['n', 1, to])
      const session = await Session.open(graph)
      const data = numbers(9 * from, 3)
      const run = async (n: number) =>
        (await session.run({ x: { data: data.subarray(0, n * from), shape: [n, 1, from] } })).y!.data as Float32Array
      const all = await run(9)
      for (const n of [1, 2, 3, 5, 8]) expect(await run(n)).toEqual(all.slice(0, n * to))
      for (let row = 0; row < 9; row++) {
        for (let column = 0; column < to; column++) {
          let sum = 0
          for (let i = 0; i < from; i++) sum += data[row * from + i]! * Math.fround(Math.sin(1 + 1.7 * (column * from + i)))
          expect(all[row * to + column]).toBeCloseTo(sum, 3)
        }
      }
      await session.release()
    }
  })

  it('with nothing to add up are zero: a prompt may be empty', async () => {
    const graph = new GraphBuilder()
    const a = graph.input('a', 'float32', [2, 'p'])
    const b = graph.input('b', 'float32', ['p', 3])
    graph.output('y', graph.matrixProduct(a, b), 'float32', [2, 3])
    const session = await Session.open(graph)
    const nothing = new Float32Array(0)
    const { y } = await session.run({ a: { data: nothing, shape: [2, 0] }, b: { data: nothing, shape: [0, 3] } })
    expect([...(y!.data as Float32Array)]).toEqual([0, 0, 0, 0, 0, 0])
    await session.release()
  })
})

describe('operations', () => {
  it('agree with the same sums in JavaScript', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n', 6])
    const scale = graph.weight('scale', 'float32', [6], Float32Array.of(1, 2, 3, 4, 5, 6))
    graph.output('norm', graph.rootMeanSquareNorm(x, scale, 1e-5), 'float32', ['n', 6])
    graph.output('softmax', graph.softmax(x), 'float32', ['n', 6])
    const [first, second] = graph.halves(x)
    graph.output('swapped', graph.concatenate([second, first], -1), 'float32', ['n', 6])
    graph.output('running', graph.cumulativeSum(graph.cast(x, 'float64'), 1), 'float64', ['n', 6])
    graph.output('most', graph.maximum(x, 1), 'float32', ['n', 1])
    const session = await Session.open(graph)
    const row = fc.array(fc.float({ min: -5, max: 5, noNaN: true }), { minLength: 6, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(row, async (values) => {
        const out = await session.run({ x: { data: Float32Array.from(values), shape: [1, 6] } })
        const meanSquare = values.reduce((sum, v) => sum + v * v, 0) / 6
        const total = values.reduce((sum, v) => sum + Math.exp(v), 0)
        let running = 0
        values.forEach((value, i) => {
          running += value
          expect(out.norm!.data[i]).toBeCloseTo((value * (i + 1)) / Math.sqrt(meanSquare + 1e-5), 4)
          expect(out.softmax!.data[i]).toBeCloseTo(Math.exp(value) / total, 5)
          expect(out.swapped!.data[i]).toBe(values[(i + 3) % 6])
          expect(out.running!.data[i]).toBeCloseTo(running, 10)
        })
        expect(out.most!.data[0]).toBe(Math.max(...values))
      }),
      { numRuns: 30 },
    )
    await session.release()
  })
})

describe('a written graph', () => {
  it('keeps large weights outside the protocol buffer, and constants once', () => {
    const graph = new GraphBuilder()
    const large = graph.weight('large', 'float32', [1000], numbers(1000))
    expect(graph.integers([1, 2])).toBe(graph.integers([1, 2]))
    graph.output('y', large, 'float32', [1000])
    const { bytes, external } = writeOnnx(graph)
    expect(external.map(({ path, data }) => [path, data.byteLength])).toEqual([['large', 4000]])
    expect(bytes.byteLength).toBeLessThan(1000)
  })

  it('counts the time spent in the runtime', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['n'])
    graph.output('y', graph.exponential(x), 'float32', ['n'])
    const session = await Session.open(graph)
    const before = Session.milliseconds
    await session.run({ x: { data: numbers(5), shape: [5] } })
    expect(Session.milliseconds).toBeGreaterThan(before)
    await session.release()
  })
})

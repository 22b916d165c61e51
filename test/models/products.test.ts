import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DrawReply, History } from '../../src/models/model.js'
import { blockSizeFor, productsOf, quantised } from '../../src/models/products.js'
import { openModel } from '../../src/models/registry.js'
import type { Transformer } from '../../src/models/transformer.js'
import { GraphBuilder } from '../../src/tensor/graph.js'
import { Session } from '../../src/tensor/session.js'
import { key } from './fixed-randomness.js'
import { drawing } from './requests.js'

/** Numbers between -1 and 1 that differ. */
const numbers = (count: number, seed = 1) => Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i))

async function integerProduct(weight: Float32Array, from: number, x: Float32Array): Promise<Float32Array> {
  const graph = new GraphBuilder()
  const rows = graph.input('x', 'float32', ['n', from])
  const product = productsOf('int8', graph).linear('w', rows, { weight, bias: null }, from)
  graph.output('y', product, 'float32', ['n', weight.length / from])
  const session = await Session.open(graph)
  const { y } = await session.run({ x: { data: x, shape: [x.length / from, from] } })
  await session.release()
  return y!.data as Float32Array
}

describe('integer products', () => {
  it('are the products of the rounded numbers', async () => {
    const [rows, from, to] = [3, 70, 130]
    const blockSize = blockSizeFor(from)
    const weight = numbers(to * from)
    const x = numbers(rows * from, 5).map((value, i) => value * (1 + Math.floor(i / from) * 100))
    const y = await integerProduct(weight, from, x)
    const { blocks, scales } = quantised('w', weight, from)
    const count = Math.ceil(from / blockSize)
    for (let row = 0; row < rows; row++) {
      const own = x.subarray(row * from, (row + 1) * from)
      // Rows are rounded in steps of a 127th of the largest of a block: half a step off at most.
      const step = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
      for (let out = 0; out < to; out++) {
        let sum = 0
        let sizes = 0
        for (let i = 0; i < from; i++) {
          const block = out * count + Math.floor(i / blockSize)
          const rounded = scales[block]! * (blocks[block * blockSize + (i % blockSize)]! - 128)
          expect(Math.abs(rounded - weight[out * from + i]!)).toBeLessThanOrEqual(scales[block]! * 0.5001)
          sum += own[i]! * rounded
          sizes += Math.abs(rounded)
        }
        expect(Math.abs(y[row * to + out]! - sum)).toBeLessThan(0.51 * step * sizes)
      }
    }
  })

  it('share scales among 256, 128 or 64 inputs, as many as fill their blocks', () => {
    expect([1536, 2048, 576, 128, 64, 70].map(blockSizeFor)).toEqual([256, 256, 128, 128, 64, 64])
  })

  it('of the largest numbers do not saturate', async () => {
    const from = 256
    const y = await integerProduct(new Float32Array(2 * from).fill(3), from, new Float32Array(from).fill(-2))
    for (const value of y) expect(value).toBeCloseTo(-6 * from, 2)
  })

  it('of a row or a column of zeros are zero', async () => {
    const y = await integerProduct(Float32Array.of(1, 2, 0, 0), 2, Float32Array.of(0, 0, 1, -1))
    expect([...y].map(Math.abs)).toEqual([0, 0, expect.closeTo(1, 1), 0])
  })

  it('round every weight to the nearest step, upwards in the middle', () => {
    // The last block is not whole, and the last row has steps of one half.
    const [from, to] = [70, 131]
    const blockSize = blockSizeFor(from)
    const weight = numbers(to * from)
    for (let i = 0; i < from; i++) weight[(to - 1) * from + i] = i % blockSize === 0 ? 127 : i / 2 - 20
    const { blocks } = quantised('w', weight, from)
    const count = Math.ceil(from / blockSize)
    for (let out = 0; out < to; out++) {
      for (let block = 0; block < count; block++) {
        const own = weight.subarray(
          out * from + block * blockSize,
          Math.min((out + 1) * from, out * from + (block + 1) * blockSize),
        )
        const inverse = 127 / own.reduce((most, w) => Math.max(most, Math.abs(w)), 0)
        const at = (out * count + block) * blockSize
        const expected = Uint8Array.from({ length: blockSize }, (_, i) => 128 + Math.round((own[i] ?? 0) * inverse))
        expect(blocks.subarray(at, at + blockSize)).toEqual(expected)
      }
    }
  })

  it('refuse weights that are not numbers', () => {
    expect(() => quantised('w', Float32Array.of(1, Number.NaN), 2)).toThrow(/M011/)
    expect(() => quantised('w', Float32Array.of(Number.POSITIVE_INFINITY, 1), 2)).toThrow(/M011/)
  })
})

describe('a model in int8', () => {
  let exact: Transformer
  let rounded: Transformer
  beforeAll(async () => {
    const open = async (dtype: 'fp32' | 'int8') => (await openModel('tiny', { base: '.', dtype })) as Transformer
    ;[exact, rounded] = await Promise.all([open('fp32'), open('int8')])
  })
  afterAll(async () => {
    await exact.dispose()
    await rounded.dispose()
  })

  /** Draws and extends; some histories are resampled. */
  async function population(rows: number): Promise<DrawReply[][]> {
    rounded.forget()
    const start = rounded.start(rounded.vocabulary.encodePrompt('Once upon a time'))
    let particles: History[] = Array.from({ length: 11 }, () => start)
    const replies: DrawReply[][] = []
    for (let step = 0; step < 7; step++) {
      const asked = particles.map((history, slot) =>
        drawing(rounded, history, slot % 2 ? 'all' : 'notEnd', { at: key(slot, step) }),
      )
      const drawn = await rounded.draw(asked, { rows, live: () => particles })
      replies.push(drawn)
      particles = particles.map((_, i) => {
        const from = step % 3 === 2 ? (i * i) % 11 : i
        return rounded.extend(particles[from]!, drawn[from]!.token)
      })
    }
    return replies
  }

  it('does not change a bit with the batch size', async () => {
    const all = await population(64)
    for (const rows of [1, 3]) expect(await population(rows)).toEqual(all)
  })

  it('stays close to fp32 on a text of its own', async () => {
    const text = ' there was a little girl named Lily. She loved to play outside in the park with her friends.'
    const scores = async (model: Transformer) => {
      const history = model.start(model.vocabulary.encodePrompt('Once upon a time'))
      const tokens = model.vocabulary.encodeContinuation(text)
      const [row] = await model.score([{ history, temperature: 1, tokens, keep: false }], { rows: 8, live: () => [] })
      return row!
    }
    const [a, b] = [await scores(exact), await scores(rounded)]
    const apart = a.map((score, i) => Math.abs(score - b[i]!))
    expect(apart.reduce((x, y) => x + y, 0) / apart.length).toBeLessThan(0.05)
    expect(Math.max(...apart)).toBeGreaterThan(0)
  })

  it('has a hash of its own', () => {
    expect(rounded.hash).not.toBe(exact.hash)
  })
})

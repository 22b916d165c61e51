import { GraphBuilder, type Value } from '../tensor/graph.js'
import { portable } from '../tensor/portable.js'
import type { Device, Session } from '../tensor/session.js'
import type { DecoderShape, DecoderTensors } from './architectures/shape.js'
import { type OpenGraph, openUncached } from './graph-cache.js'
import { type ProductType, productsOf } from './products.js'
import { hiddenScore } from './trunk.js'
import type { WeightSource } from './weight-source.js'

/** One question to the head about a hidden state. */
export interface HeadRow {
  /** Last hidden state of a history; `width` numbers. */
  readonly hidden: Float32Array
  readonly temperature: number
}

export interface HeadDraw {
  /** Index of the row to draw from. */
  readonly row: number
  /** Chooses the block, in (0, 1). */
  readonly first: number
  /** Chooses the token inside the block, in (0, 1). */
  readonly second: number
}

export interface DrawnToken {
  /** -1 when the mask leaves nothing. */
  readonly token: number
  readonly logProb: number
  readonly logMass: number
}

/** Tokens in one block of the two-level draw. */
const block = 64
/** Most logits that one call may hold (64 MB of 32-bit floats). */
const mostLogits = 1 << 24
/** The largest number below 1 whose product with any total stays below the total. */
const belowOne = 1 - 2 ** -52

/**
 * The head: hidden states -> logits -> a drawn token for each draw, or the log probability of a given one.
 *
 *     hidden    [d, width]  divided by the temperature, or by the cap where logits are capped: the output product is linear
 *     factor    [d, 1]      cap / temperature, which multiplies tanh of the product; only where logits are capped
 *     potential [1, V]      added to every logit; a mask is a very negative number
 *     row [m], uniform [m]  which hidden state to draw from, and with which number
 *     target    [d]         whose logit to return
 *
 * A draw is the inverse of the cumulative distribution in two levels: the graph sums blocks of 64 tokens, adds the sums up in
 * double precision, finds the first block whose cumulative mass exceeds uniform · total, and returns its 64 values; the token inside is found
 * here with an independent number. No whole row of probabilities leaves the runtime.
 */
export class Head {
  readonly #session: Session
  readonly #shape: DecoderShape
  readonly #end: readonly number[]
  readonly #open: Float32Array
  readonly #notEnd: Float32Array

  private constructor(session: Session, shape: DecoderShape, end: readonly number[], columns: number) {
    this.#session = session
    this.#shape = shape
    this.#end = end
    this.#open = new Float32Array(columns).fill(hiddenScore, shape.vocabulary)
    this.#notEnd = this.#open.slice()
    for (const token of end) this.#notEnd[token] = hiddenScore
  }

  /** `end`: the tokens that the mask 'notEnd' takes away. */
  static async open(
    shape: DecoderShape,
    tensors: DecoderTensors,
    source: WeightSource,
    end: readonly number[],
    type: ProductType,
    open: OpenGraph = openUncached,
    device: Device = 'cpu',
  ): Promise<Head> {
    const columns = Math.ceil(shape.vocabulary / block) * block
    const build = () => readHeadGraph(shape, tensors, source, end, columns, type)
    // What WebGPU cannot compute, 64-bit floats first of all, the runtime computes on the CPU: the sums of blocks and where a draw falls.
    const session =
      device === 'webgpu'
        ? open('head-device', async () => portable(await build()), { device, kept: [] })
        : open('head', build, { device, kept: [] })
    return new Head(await session, shape, end, columns)
  }

  /** Most rows of one call. */
  get mostRows(): number {
    return Math.max(1, Math.floor(mostLogits / this.#open.length))
  }

  /** Draws under one mask; at most `mostRows` rows. Null when a logit is not a number. */
  async draw(rows: readonly HeadRow[], draws: readonly HeadDraw[], notEnd: boolean): Promise<DrawnToken[] | null> {
    const out = await this.#run(rows, draws, notEnd ? this.#notEnd : this.#open, new BigInt64Array(rows.length))
    const maximum = out.maximum!.data as Float32Array
    const total = out.total!.data as Float64Array
    const endLogits = out.endLogits?.data as Float32Array | undefined
    const blocks = out.block!.data as BigInt64Array
    const values = out.values!.data as Float32Array
    // Per row: the log of all mass, and of what the mask leaves.
    const logFull = new Float64Array(rows.length)
    const logLeft = new Float64Array(rows.length)
    for (let i = 0; i < rows.length; i++) {
      if (!Number.isFinite(maximum[i]!) || !Number.isFinite(total[i]!)) return null
      const left = maximum[i]! <= hiddenScore / 2 ? -Infinity : maximum[i]! + Math.log(total[i]!)
      const ends = this.#end.length
      const removed = notEnd && endLogits ? logSumExp(endLogits.subarray(i * ends, (i + 1) * ends)) : -Infinity
      if (Number.isNaN(removed) || removed === Infinity) return null
      logLeft[i] = left
      logFull[i] = logSumExp([left, removed])
    }
    return draws.map(({ row, second }, k) => {
      if (logLeft[row] === -Infinity) return { token: -1, logProb: -Infinity, logMass: -Infinity }
      const inside = values.subarray(k * block, (k + 1) * block)
      const index = pick(inside, second)
      return {
        token: Number(blocks[k]) * block + index,
        logProb: maximum[row]! + Math.log(inside[index]!) - logFull[row]!,
        logMass: notEnd ? logLeft[row]! - logFull[row]! : 0,
      }
    })
  }

  /** log p(target) for each row; at most `mostRows` rows. Null when a logit is not a number. */
  async score(rows: readonly HeadRow[], targets: readonly number[]): Promise<Float64Array | null> {
    const out = await this.#run(rows, [{ row: 0, first: 0.5, second: 0.5 }], this.#open, BigInt64Array.from(targets, BigInt))
    const maximum = out.maximum!.data as Float32Array
    const total = out.total!.data as Float64Array
    const logits = out.targetLogit!.data as Float32Array
    const scores = new Float64Array(rows.length)
    for (let i = 0; i < rows.length; i++) {
      scores[i] = logits[i]! - maximum[i]! - Math.log(total[i]!)
      if (Number.isNaN(scores[i]) || !Number.isFinite(maximum[i]!)) return null
    }
    return scores
  }

  async release(): Promise<void> {
    await this.#session.release()
  }

  #run(rows: readonly HeadRow[], draws: readonly HeadDraw[], potential: Float32Array, target: BigInt64Array) {
    const { width, logitCap } = this.#shape
    const hidden = new Float32Array(rows.length * width)
    rows.forEach((row, i) => {
      hidden.set(row.hidden, i * width)
      const divisor = logitCap ?? row.temperature
      if (divisor !== 1) for (let j = i * width; j < (i + 1) * width; j++) hidden[j]! /= divisor
    })
    const factor = logitCap && { data: Float32Array.from(rows, (row) => logitCap / row.temperature), shape: [rows.length, 1] }
    return this.#session.run({
      hidden: { data: hidden, shape: [rows.length, width] },
      ...(factor && { factor }),
      potential: { data: potential, shape: [1, potential.length] },
      row: { data: BigInt64Array.from(draws, (draw) => BigInt(draw.row)), shape: [draws.length] },
      uniform: { data: Float64Array.from(draws, (draw) => Math.min(draw.first, belowOne)), shape: [draws.length, 1] },
      target: { data: target, shape: [rows.length, 1] },
    })
  }
}

async function readHeadGraph(
  shape: DecoderShape,
  tensors: DecoderTensors,
  source: WeightSource,
  end: readonly number[],
  columns: number,
  type: ProductType,
): Promise<GraphBuilder> {
  const { vocabulary, width } = shape
  let matrix = await source.read(shape.tied ? tensors.embedding : tensors.output, [vocabulary, width])
  const endMatrix = new Float32Array(end.length * width)
  end.forEach((token, i) => {
    endMatrix.set(matrix.subarray(token * width, (token + 1) * width), i * width)
  })
  if (columns > vocabulary) {
    const padded = new Float32Array(columns * width)
    padded.set(matrix)
    matrix = padded
  }
  return headGraph(shape, matrix, columns, endMatrix, end.length, type)
}

function headGraph(
  shape: DecoderShape,
  matrix: Float32Array,
  columns: number,
  endMatrix: Float32Array,
  ends: number,
  type: ProductType,
): GraphBuilder {
  const { width, logitCap } = shape
  const count = columns / block
  const graph = new GraphBuilder()
  const hidden = graph.input('hidden', 'float32', ['d', width])
  const potential = graph.input('potential', 'float32', [1, columns])
  const row = graph.input('row', 'int64', ['m'])
  const uniform = graph.input('uniform', 'float64', ['m', 1])
  const target = graph.input('target', 'int64', ['d', 1])

  const products = productsOf(type, graph)
  const factor = logitCap === null ? null : graph.input('factor', 'float32', ['d', 1])
  const capped = (x: Value) => graph.multiply(graph.tanh(x), factor!)
  const product = (name: string, weight: Float32Array) => products.linear(name, hidden, { weight, bias: null }, width)
  let logits: Value
  if (factor) logits = graph.add(capped(product('output', matrix)), potential)
  else if (type === 'int8') logits = graph.add(product('output', matrix), potential)
  else logits = graph.affineWithTransposed(hidden, graph.weight('output.weight', 'float32', [columns, width], matrix), potential)
  const maximum = graph.maximum(logits, 1)
  const masses = graph.exponential(graph.subtract(logits, maximum)) // [d, V]
  const sums = graph.cast(graph.sum(graph.reshape(masses, [0, count, block]), 2), 'float64') // [d, V / 64]
  const cumulative = graph.cumulativeSum(sums, 1)
  const total = graph.gather(graph.transpose(cumulative, [1, 0]), graph.integer(count - 1)) // [d]
  const threshold = graph.multiply(uniform, graph.reshape(graph.gather(total, row), [-1, 1]))
  const below = graph.lessOrEqual(graph.gather(cumulative, row), threshold) // [m, V / 64]
  const chosen = graph.sum(graph.cast(below, 'int64'), 1) // [m]
  const flat = graph.add(graph.multiply(row, graph.integer(count)), chosen)
  graph.output('block', chosen, 'int64', ['m'])
  graph.output('values', graph.gather(graph.reshape(masses, [-1, block]), flat), 'float32', ['m', block])
  graph.output('maximum', maximum, 'float32', ['d', 1])
  graph.output('total', total, 'float64', ['d'])
  graph.output('targetLogit', graph.gatherElements(logits, target), 'float32', ['d', 1])
  if (ends > 0) {
    const endLogits = product('endOutput', endMatrix)
    graph.output('endLogits', factor ? capped(endLogits) : endLogits, 'float32', ['d', ends])
  }
  return graph
}

/** First index whose cumulative sum exceeds u · total; the last with positive mass if rounding passes it. */
function pick(masses: Float32Array, u: number): number {
  let total = 0
  for (const mass of masses) total += mass
  const threshold = u * total
  let cumulative = 0
  let last = 0
  for (let i = 0; i < masses.length; i++) {
    if (masses[i]! <= 0) continue
    cumulative += masses[i]!
    last = i
    if (cumulative > threshold) return i
  }
  return last
}

function logSumExp(values: ArrayLike<number>): number {
  let maximum = -Infinity
  for (let i = 0; i < values.length; i++) if (!(values[i]! <= maximum)) maximum = values[i]!
  if (maximum === -Infinity || Number.isNaN(maximum)) return maximum
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - maximum)
  return maximum + Math.log(sum)
}

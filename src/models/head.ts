import type { OpenedGraph } from '../tensor/backend.js'
import { portable } from '../tensor/portable.js'
import type { Device } from '../tensor/session.js'
import type { DecoderShape, DecoderTensors } from './architectures/shape.js'
import { type OpenOnBackend, openUncached } from './graph-cache.js'
import { blockSize, headColumns, readHeadGraph } from './head-graph.js'
import { type ProductType, paddedRows } from './products.js'
import { has, type TokenSet } from './token-set.js'
import { hiddenScore } from './trunk.js'
import type { WeightSource } from './weight-source.js'

/** One product with the output matrix: a hidden state, or a weighted sum of some, and the temperature that divides it. */
export interface HeadRow {
  /** `width` numbers. */
  readonly hidden: Float32Array
  readonly temperature: number
  /** A vector of the output space that is no hidden state: its product with the output matrix is not capped. */
  readonly plain?: boolean
}

/** The logits of a row, on some tokens and with something added to each. */
export interface HeadView {
  /** Index of the row. */
  readonly row: number
  /** null: all tokens. */
  readonly set: TokenSet | null
  /** null: nothing is added. -Infinity takes a token away. */
  readonly potential: Float64Array | null
}

export interface HeadDraw {
  /** Index of the view to draw from. */
  readonly view: number
  /** Index of a row whose logit of the drawn token is wanted too. */
  readonly beside: number
  /** Chooses the block, in (0, 1). */
  readonly first: number
  /** Chooses the token inside the block, in (0, 1). */
  readonly second: number
}

/** The logits of some tokens. */
export interface HeadTargets {
  /** Index of the row. */
  readonly row: number
  readonly tokens: ArrayLike<number>
}

export interface HeadAnswers {
  /** log of the sum of exp over each view; -Infinity when nothing is left. */
  readonly logSums: Float64Array
  /** Tokens, in the order of the draws; of no meaning where nothing is left. */
  readonly drawn: Int32Array
  /** The value of each drawn token in its view: its logit with what was added. */
  readonly values: Float64Array
  /** The logit of each drawn token in the row beside. */
  readonly besides: Float64Array
  /** Logits, in the order of the targets and of their tokens. */
  readonly logits: Float64Array
  /** For each view, the logit of every token with what was added, at most `nothingLeft` for those that a mask hides; null unless asked for. */
  readonly lines: readonly Float32Array[] | null
}

/** Most logits that one call may hold, rows and views together (64 MB of 32-bit floats). */
const mostLogits = 1 << 24
/** Values of a view up to here are hidden. */
export const nothingLeft = hiddenScore / 2
/** The largest number below 1 whose product with any total stays below the total. */
const belowOne = 1 - 2 ** -52

/** The head of a model, ready to run: `head-graph.ts` says what it computes. */
export class Head {
  readonly #session: OpenedGraph
  readonly #shape: DecoderShape
  readonly #columns: number
  readonly #type: ProductType
  /** What is added for each set, so that the same few sets are written once. */
  readonly #masks = new WeakMap<TokenSet, Float32Array>()
  readonly #open: Float32Array
  /** Those that no call is using. */
  readonly #sheets: Sheet[] = []

  private constructor(session: OpenedGraph, shape: DecoderShape, columns: number, type: ProductType) {
    this.#type = type
    this.#session = session
    this.#shape = shape
    this.#columns = columns
    this.#open = new Float32Array(columns).fill(hiddenScore, shape.vocabulary)
  }

  static async open(
    shape: DecoderShape,
    tensors: DecoderTensors,
    source: WeightSource,
    type: ProductType,
    open: OpenOnBackend = openUncached,
    device: Device = 'cpu',
  ): Promise<Head> {
    const build = () => readHeadGraph(shape, tensors, source, type)
    // What WebGPU cannot compute, 64-bit floats first of all, the runtime computes on the CPU: the sums of blocks and where a draw falls.
    const session =
      device === 'webgpu'
        ? open('head-device', async () => portable(await build()), { device, kept: [] })
        : open('head', build, { device, kept: [] })
    return new Head(await session, shape, headColumns(shape), type)
  }

  /** Most rows and views of one call. */
  get most(): number {
    return Math.max(2, Math.floor(mostLogits / this.#columns))
  }

  /** Bytes of the buffers that a row takes in a call: logits, those of a view, what exponentials take, and the exponentials. */
  get bytesPerRow(): number {
    return 16 * this.#columns
  }

  /** Whether a weighted sum of hidden states gives the weighted sum of their logits. */
  get isLinear(): boolean {
    return this.#shape.logitCap === null
  }

  /** Rows and views together at most `most`, and at least one view. Null when a logit is not a number. */
  async run(
    rows: readonly HeadRow[],
    views: readonly HeadView[],
    draws: readonly HeadDraw[],
    targets: readonly HeadTargets[],
    wantsLines = false,
  ): Promise<HeadAnswers | null> {
    const sheet = this.#sheets.pop() ?? new Sheet(this.#columns)
    const feeds = this.#feeds(rows, views, draws, targets, sheet)
    const out = await this.#session.run(feeds, wantsLines ? undefined : withoutLines)
    this.#sheets.push(sheet)
    const maximum = out.maximum!.data as Float32Array
    const total = out.total!.data as Float64Array
    const logSums = new Float64Array(views.length)
    for (let i = 0; i < views.length; i++) {
      if (!Number.isFinite(maximum[i]!) || !Number.isFinite(total[i]!)) return null
      logSums[i] = maximum[i]! <= nothingLeft ? -Infinity : maximum[i]! + Math.log(total[i]!)
    }
    const logits = Float64Array.from(out.targetLogit!.data as Float32Array)
    if (logits.some(Number.isNaN)) return null
    const blocks = out.block!.data as BigInt64Array
    const inside = out.values!.data as Float32Array
    const others = out.besides!.data as Float32Array
    const drawn = new Int32Array(draws.length)
    const values = new Float64Array(draws.length)
    const besides = new Float64Array(draws.length)
    draws.forEach(({ view, second }, k) => {
      const part = inside.subarray(k * blockSize, (k + 1) * blockSize)
      const index = pick(part, second)
      drawn[k] = Number(blocks[k]) * blockSize + index
      values[k] = maximum[view]! + Math.log(part[index]!)
      besides[k] = others[k * blockSize + index]!
    })
    return {
      logSums,
      drawn,
      values,
      besides,
      logits,
      lines: wantsLines ? this.#linesOf(out.line!.data as Float32Array, views.length) : null,
    }
  }

  async release(): Promise<void> {
    await this.#session.release()
  }

  #linesOf(all: Float32Array, views: number): Float32Array[] {
    const begins = Array.from({ length: views }, (_, i) => i * this.#columns)
    return begins.map((begin) => all.subarray(begin, begin + this.#shape.vocabulary))
  }

  #feeds(
    rows: readonly HeadRow[],
    views: readonly HeadView[],
    draws: readonly HeadDraw[],
    targets: readonly HeadTargets[],
    sheet: Sheet,
  ) {
    const { width, logitCap } = this.#shape
    const count = paddedRows(rows.length, this.#type)
    const hidden = new Float32Array(count * width)
    rows.forEach((row, i) => {
      hidden.set(row.hidden, i * width)
      const divisor = row.plain ? 1 : (logitCap ?? row.temperature)
      if (divisor !== 1) for (let j = i * width; j < (i + 1) * width; j++) hidden[j]! /= divisor
    })
    const column = (value: (row: HeadRow) => number) => {
      const data = new Float32Array(count)
      rows.forEach((row, i) => {
        data[i] = value(row)
      })
      return { data, shape: [count, 1] }
    }
    const caps = logitCap !== null && {
      factor: column(({ plain, temperature }) => (plain ? 0 : logitCap / temperature)),
      plain: column(({ plain }) => (plain ? 1 : 0)),
    }
    // The graph takes no empty lists: what nobody asked for is asked of the first row.
    const someDraws = draws.length > 0 ? draws : [{ view: 0, beside: 0, first: 0.5, second: 0.5 }]
    const someTargets = targets.length > 0 ? targets : [{ row: 0, tokens: [0] }]
    return {
      hidden: { data: hidden, shape: [count, width] },
      ...caps,
      source: { data: BigInt64Array.from(views, ({ row }) => BigInt(row)), shape: [views.length] },
      potential: this.#potentials(views, sheet),
      view: { data: BigInt64Array.from(someDraws, ({ view }) => BigInt(view)), shape: [someDraws.length] },
      beside: { data: BigInt64Array.from(someDraws, ({ beside }) => BigInt(beside)), shape: [someDraws.length] },
      uniform: {
        data: Float64Array.from(someDraws, ({ first }) => Math.min(first, belowOne)),
        shape: [someDraws.length, 1],
      },
      target: this.#places(someTargets),
    }
  }

  /** Where the logits of the targets stand among those of all rows, which are fewer than 2^31. */
  #places(targets: readonly HeadTargets[]) {
    const count = targets.reduce((sum, { tokens }) => sum + tokens.length, 0)
    const data = new BigInt64Array(count)
    // Half by half: a BigInt for each would cost more than the rest of the call.
    const halves = new Int32Array(data.buffer)
    let at = lowHalf
    for (const { row, tokens } of targets) {
      for (let i = 0; i < tokens.length; i++, at += 2) halves[at] = row * this.#columns + tokens[i]!
    }
    return { data, shape: [count] }
  }

  /** One line for all views where they are alike, else one each. */
  #potentials(views: readonly HeadView[], sheet: Sheet) {
    const first = views[0]!
    const alike = views.every(({ set, potential }) => set === first.set && potential === first.potential)
    if (alike) return { data: this.#line(first), shape: [1, this.#columns] }
    const data = sheet.of(views.length)
    views.forEach((view, i) => {
      sheet.write(i, this.#line(view), view.potential === null)
    })
    return { data, shape: [views.length, this.#columns] }
  }

  #line({ set, potential }: HeadView): Float32Array {
    const mask = set ? this.#mask(set) : this.#open
    if (!potential) return mask
    return mask.map((score, v) => (v < potential.length ? Math.max(score + potential[v]!, hiddenScore) : score))
  }

  #mask(set: TokenSet): Float32Array {
    let mask = this.#masks.get(set)
    if (!mask) {
      mask = this.#open.map((score, v) => (v < this.#shape.vocabulary && has(set, v) ? score : hiddenScore))
      this.#masks.set(set, mask)
    }
    return mask
  }
}

/** What is added to the views of a call. It stays for the next one: most lines are the same then, and a fresh array would be cleared first. */
class Sheet {
  #data = new Float32Array(0)
  #lines: (Float32Array | null)[] = []

  constructor(private readonly columns: number) {}

  /** Room for so many lines, with what they held before. */
  of(count: number): Float32Array {
    if (this.#lines.length < count) {
      this.#lines = new Array(count).fill(null)
      this.#data = new Float32Array(count * this.columns)
    }
    return this.#data.subarray(0, count * this.columns)
  }

  /** `lasts`: whether the array of the line never changes, so that it need not be written twice. */
  write(index: number, line: Float32Array, lasts: boolean): void {
    if (this.#lines[index] === line) return
    this.#data.set(line, index * this.columns)
    this.#lines[index] = lasts ? line : null
  }
}

/** Which of the two halves of a 64-bit integer comes first on this processor. */
const lowHalf = new Int32Array(BigInt64Array.of(1n).buffer)[0] === 1 ? 0 : 1

const withoutLines = ['block', 'values', 'besides', 'maximum', 'total', 'targetLogit'] as const

/** First index with mass whose cumulative sum exceeds u · total; the last with positive mass if rounding passes it. */
export function pick(masses: Float32Array | Float64Array, u: number): number {
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

import type { DenseTensor } from '../tensor/session.js'
import type { DecoderShape } from './architectures/shape.js'
import { modelError } from './errors.js'
import type { Path } from './path.js'

/** The attention state of one path of tokens after the prompt: keys and values for `path`, in slot `index` of the arena. */
export interface Row {
  index: number
  readonly path: Path[]
}

/**
 * Attention state of many rows: per layer one block [rows, H, T, D] for keys and one for values, so that rows next to each other are
 * an input of the trunk without a copy. T is the same for all rows; the caller fixes it from the whole population, so that
 * what a row computes does not depend on the batch it is served in.
 */
export class Arena {
  capacity = 0
  length = 0
  readonly rows: (Row | null)[] = []
  #keys: Float32Array[]
  #values: Float32Array[]
  /** The part that was last handed out; inputs that stay the same objects cost the runtime less. */
  #last: {
    readonly start: number
    readonly count: number
    readonly keys: readonly DenseTensor<Float32Array>[]
    readonly values: readonly DenseTensor<Float32Array>[]
  } | null = null
  readonly #heads: number
  readonly #width: number

  constructor(shape: DecoderShape) {
    this.#heads = shape.keyValueHeads
    this.#width = shape.headWidth
    this.#keys = Array.from({ length: shape.layers }, () => new Float32Array(0))
    this.#values = Array.from({ length: shape.layers }, () => new Float32Array(0))
  }

  /** Keys of layer `layer` for `count` rows from `start`: [count, 1, H, T, D]. The same object as last time if nothing has changed. */
  keys(layer: number, start: number, count: number): DenseTensor<Float32Array> {
    return this.#view(start, count).keys[layer]!
  }

  values(layer: number, start: number, count: number): DenseTensor<Float32Array> {
    return this.#view(start, count).values[layer]!
  }

  /** Bytes held. */
  get bytes(): number {
    return 8 * this.#keys.length * this.capacity * this.#stride
  }

  /** Makes room for at least `capacity` rows of `length` tokens; what is stored stays. Throws M015 when memory is short. */
  grow(capacity: number, length: number): void {
    if (capacity <= this.capacity && length <= this.length) return
    this.#last = null
    const rows = Math.max(capacity, this.capacity)
    const tokens = Math.max(length, this.length)
    try {
      this.#keys = this.#keys.map((block) => this.#relaid(block, rows, tokens))
      this.#values = this.#values.map((block) => this.#relaid(block, rows, tokens))
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown
      const gigabytes = ((8 * this.#keys.length * rows * tokens * this.#heads * this.#width) / 1e9).toFixed(1)
      throw modelError(
        'M015',
        `the attention state of ${rows} texts of ${tokens} tokens needs ${gigabytes} GB, more than there is`,
        'use fewer particles (`--particles`) or shorter texts',
      )
    }
    while (this.rows.length < rows) this.rows.push(null)
    this.capacity = rows
    this.length = tokens
  }

  /** Gives all memory back; no row may be in use. */
  clear(): void {
    this.#last = null
    this.#keys = this.#keys.map(() => new Float32Array(0))
    this.#values = this.#values.map(() => new Float32Array(0))
    this.rows.length = 0
    this.capacity = 0
    this.length = 0
  }

  /** The lowest free slot, or -1. */
  free(): number {
    return this.rows.indexOf(null)
  }

  /** Puts a new row in a free slot, with the first `count` tokens of `from`. */
  place(index: number, from: Row | null, count: number): Row {
    const row: Row = { index, path: from ? from.path.slice(0, count) : [] }
    if (from && count > 0) this.#copy(from.index, index, count)
    this.rows[index] = row
    return row
  }

  /** Exchanges what two slots hold. */
  exchange(a: number, b: number): void {
    const first = this.rows[a] ?? null
    const second = this.rows[b] ?? null
    if (first && second) this.#swap(a, b, Math.max(first.path.length, second.path.length))
    else if (first) this.#copy(a, b, first.path.length)
    else if (second) this.#copy(b, a, second.path.length)
    this.rows[a] = second
    this.rows[b] = first
    if (first) first.index = b
    if (second) second.index = a
  }

  /**
   * Stores `count` new tokens of one row of an output [n, s, H · D] behind its first `at` tokens.
   * `source`: which row of the output; `steps`: s.
   */
  write(
    layer: number,
    row: Row,
    at: number,
    count: number,
    key: Float32Array,
    value: Float32Array,
    source: number,
    steps: number,
  ): void {
    const D = this.#width
    const keys = this.#keys[layer]!
    const values = this.#values[layer]!
    for (let head = 0; head < this.#heads; head++) {
      for (let step = 0; step < count; step++) {
        const from = ((source * steps + step) * this.#heads + head) * D
        const to = row.index * this.#stride + (head * this.length + at + step) * D
        for (let i = 0; i < D; i++) {
          keys[to + i] = key[from + i]!
          values[to + i] = value[from + i]!
        }
      }
    }
  }

  #view(start: number, count: number) {
    if (this.#last?.start === start && this.#last.count === count) return this.#last
    const shape = [count, 1, this.#heads, this.length, this.#width]
    const cut = (block: Float32Array) => ({
      data: block.subarray(start * this.#stride, (start + count) * this.#stride),
      shape,
    })
    this.#last = { start, count, keys: this.#keys.map(cut), values: this.#values.map(cut) }
    return this.#last
  }

  get #stride(): number {
    return this.#heads * this.length * this.#width
  }

  #copy(from: number, to: number, tokens: number): void {
    for (const block of [...this.#keys, ...this.#values]) {
      for (let head = 0; head < this.#heads; head++) {
        const source = from * this.#stride + head * this.length * this.#width
        block.copyWithin(to * this.#stride + head * this.length * this.#width, source, source + tokens * this.#width)
      }
    }
  }

  #swap(a: number, b: number, tokens: number): void {
    for (const block of [...this.#keys, ...this.#values]) {
      for (let head = 0; head < this.#heads; head++) {
        const first = a * this.#stride + head * this.length * this.#width
        const second = b * this.#stride + head * this.length * this.#width
        const held = block.slice(first, first + tokens * this.#width)
        block.copyWithin(first, second, second + tokens * this.#width)
        block.set(held, second)
      }
    }
  }

  #relaid(block: Float32Array, capacity: number, length: number): Float32Array {
    const D = this.#width
    const next = new Float32Array(capacity * this.#heads * length * D)
    for (const row of this.rows) {
      if (!row) continue
      for (let head = 0; head < this.#heads; head++) {
        const from = (row.index * this.#heads + head) * this.length * D
        next.set(block.subarray(from, from + row.path.length * D), (row.index * this.#heads + head) * length * D)
      }
    }
    return next
  }
}

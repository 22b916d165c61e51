import type { DenseTensor } from '../tensor/session.js'
import type { DecoderShape } from './architectures/shape.js'
import { Block } from './block.js'
import { MemoryError } from './budget.js'
import type { Path } from './path.js'

/** The attention state of one path of tokens after the prompt: keys and values for `path`, in slot `index` of the arena. */
export interface Row {
  index: number
  readonly path: Path[]
}

/** New tokens of one row, behind its first `at` tokens. */
export interface Stretch {
  readonly row: Row
  readonly at: number
  readonly tokens: readonly Path[]
}

/**
 * Attention state of many rows: per layer one block [rows, H, T, D] for keys and one for values, so that rows next to each other are
 * an input of the trunk without a copy. T is the same for all rows; the caller fixes it from the whole population, so that
 * what a row computes does not depend on the batch it is served in. More or fewer rows move nothing; another T moves every row once, in place.
 */
export class Arena {
  capacity = 0
  length = 0
  readonly rows: (Row | null)[] = []
  readonly #keys: readonly Block[]
  readonly #values: readonly Block[]
  /** The part that was last handed out; inputs that stay the same objects cost the runtime less. */
  #last: {
    readonly start: number
    readonly count: number
    readonly keys: readonly DenseTensor<Float32Array>[]
    readonly values: readonly DenseTensor<Float32Array>[]
  } | null = null
  readonly #heads: number
  readonly #width: number
  /** Floats that are copied at once. */
  readonly #lanes: 1 | 2

  constructor(shape: DecoderShape) {
    this.#heads = shape.keyValueHeads
    this.#width = shape.headWidth
    this.#lanes = shape.headWidth % 2 === 0 ? 2 : 1
    this.#keys = Array.from({ length: shape.layers }, () => new Block())
    this.#values = Array.from({ length: shape.layers }, () => new Block())
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

  /** Makes room for at least `capacity` rows of `length` tokens; what is stored stays. Throws MemoryError when memory is short. */
  grow(capacity: number, length: number): void {
    if (capacity <= this.capacity && length <= this.length) return
    const rows = Math.max(capacity, this.capacity)
    const tokens = Math.max(length, this.length)
    try {
      this.#relay(rows, tokens)
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown
      const gigabytes = ((8 * this.#keys.length * rows * tokens * this.#heads * this.#width) / 1e9).toFixed(1)
      throw new MemoryError(
        `the attention state of ${rows} texts of ${tokens} tokens needs ${gigabytes} GB, more than there is`,
        'use fewer particles (`--particles`) or shorter texts',
      )
    }
    while (this.rows.length < rows) this.rows.push(null)
    this.capacity = rows
    this.length = tokens
  }

  /** Moves the rows to the lowest slots and gives back what lies behind the first `capacity`, at least as many as rows are in use. */
  shrink(capacity: number): void {
    if (capacity >= this.capacity) return
    for (let index = this.capacity - 1; index >= capacity; index--) if (this.rows[index]) this.exchange(index, this.free())
    this.#last = null
    for (const block of this.#blocks()) block.resize(capacity * this.#stride)
    this.rows.length = capacity
    this.capacity = capacity
  }

  /** Gives all memory back; no row may be in use. */
  clear(): void {
    this.#last = null
    for (const block of this.#blocks()) block.clear()
    this.rows.length = 0
    this.capacity = 0
    this.length = 0
  }

  /** Free slots. */
  get vacant(): number {
    return this.rows.reduce((total, row) => total + (row ? 0 : 1), 0)
  }

  /** The lowest free slot, or -1. */
  free(): number {
    return this.rows.indexOf(null)
  }

  /** Whether other rows lie between these. */
  areApart(rows: ReadonlySet<Row>): boolean {
    if (rows.size === 0) return false
    const isOne = (row: Row | null) => row !== null && rows.has(row)
    const between = this.rows.slice(this.rows.findIndex(isOne) + 1, this.rows.findLastIndex(isOne))
    return between.some((row) => row && !rows.has(row))
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
   * Stores the keys and values of new tokens, outputs [n, s, H · D] of one layer whose row `first + i` belongs to stretch i. `steps`: s.
   */
  write(
    layer: number,
    stretches: readonly Stretch[],
    key: Float32Array,
    value: Float32Array,
    first: number,
    steps: number,
  ): void {
    const heads = this.#heads
    const words = this.#width / this.#lanes
    const [newKeys, newValues] = [this.#wordsOf(key), this.#wordsOf(value)]
    const keys = this.#wordsOf(this.#keys[layer]!.data)
    const values = this.#wordsOf(this.#values[layer]!.data)
    for (let i = 0; i < stretches.length; i++) {
      const { row, at, tokens } = stretches[i]!
      for (let head = 0; head < heads; head++) {
        for (let step = 0; step < tokens.length; step++) {
          const from = (((first + i) * steps + step) * heads + head) * words
          const to = ((row.index * heads + head) * this.length + at + step) * words
          // One by one: a view for each of these short pieces would cost more than its copy.
          for (let k = 0; k < words; k++) keys[to + k] = newKeys[from + k]!
          for (let k = 0; k < words; k++) values[to + k] = newValues[from + k]!
        }
      }
    }
  }

  /** Two floats are copied as one double where that is possible: of two that are not NaN it is not NaN either, and keeps every bit. */
  #wordsOf(data: Float32Array): Float32Array | Float64Array {
    return this.#lanes === 2 ? new Float64Array(data.buffer, data.byteOffset, data.length / 2) : data
  }

  #view(start: number, count: number) {
    if (this.#last?.start === start && this.#last.count === count) return this.#last
    const shape = [count, 1, this.#heads, this.length, this.#width]
    const cut = ({ data }: Block) => ({
      data: data.subarray(start * this.#stride, (start + count) * this.#stride),
      shape,
    })
    this.#last = { start, count, keys: this.#keys.map(cut), values: this.#values.map(cut) }
    return this.#last
  }

  #blocks(): Block[] {
    return [...this.#keys, ...this.#values]
  }

  get #stride(): number {
    return this.#heads * this.length * this.#width
  }

  #copy(from: number, to: number, tokens: number): void {
    for (const { data } of this.#blocks()) {
      for (let head = 0; head < this.#heads; head++) {
        const source = from * this.#stride + head * this.length * this.#width
        data.copyWithin(to * this.#stride + head * this.length * this.#width, source, source + tokens * this.#width)
      }
    }
  }

  #swap(a: number, b: number, tokens: number): void {
    for (const { data } of this.#blocks()) {
      for (let head = 0; head < this.#heads; head++) {
        const first = a * this.#stride + head * this.length * this.#width
        const second = b * this.#stride + head * this.length * this.#width
        const held = data.slice(first, first + tokens * this.#width)
        data.copyWithin(first, second, second + tokens * this.#width)
        data.set(held, second)
      }
    }
  }

  /** Longer rows are moved from the last to the first, so that none is written over before it is read. */
  #relay(capacity: number, length: number): void {
    const D = this.#width
    const before = this.length
    this.#last = null
    // All of it first: where memory is short, nothing has moved.
    for (const block of this.#blocks()) block.resize(capacity * this.#heads * length * D)
    if (length === before) return
    for (const { data } of this.#blocks()) {
      for (let index = this.rows.length - 1; index >= 0; index--) {
        const tokens = this.rows[index]?.path.length ?? 0
        if (tokens === 0) continue
        for (let head = this.#heads - 1; head >= 0; head--) {
          const from = (index * this.#heads + head) * before * D
          data.copyWithin((index * this.#heads + head) * length * D, from, from + tokens * D)
        }
      }
    }
  }
}

import type { GraphBuilder, Value } from '../tensor/graph.js'
import { modelError } from './errors.js'
import type { LinearWeights } from './weight-source.js'

/** The numbers in which products with weights are computed; everything else is fp32. */
export type ProductType = 'fp32' | 'int8'

/** Products of rows with weights, in the numbers that the user chose. */
export interface Products {
  /** x · weightᵀ + bias: x [.., in], weight [out, in] -> [.., out]. Throws M011. */
  linear(name: string, x: Value, weights: LinearWeights, from: number): Value
}

export function productsOf(type: ProductType, graph: GraphBuilder): Products {
  return type === 'int8' ? new IntegerProducts(graph) : new FloatProducts(graph)
}

class FloatProducts implements Products {
  constructor(private readonly graph: GraphBuilder) {}

  linear(name: string, x: Value, { weight, bias }: LinearWeights, from: number): Value {
    const { graph } = this
    const to = weight.length / from
    const product = graph.productWithTransposed(x, graph.weight(`${name}.weight`, 'float32', [to, from], weight))
    return bias ? graph.add(product, graph.weight(`${name}.bias`, 'float32', [to], bias)) : product
  }
}

/**
 * Products of 8-bit integers. Weights are quantised when the graph is built, each output with its own scale: w ≈ s · (q - 128), q in 1 .. 255.
 * Rows are quantised when it runs, each row with its own scale: x ≈ t · (q - 128). Then x · w = s · t · Σ (q - 128) (q - 128), and the sum of
 * integers is exact, so a result depends on its own row alone and not on the order of summation. Both sides are unsigned because the
 * runtime makes signed weights unsigned each time that it opens a graph, which takes as long as all the rest.
 */
class IntegerProducts implements Products {
  readonly #rows = new Map<string, { readonly integers: Value; readonly scale: Value }>()
  readonly #steps: Value
  readonly #centre: Value
  readonly #zero: Value
  readonly #one: Value

  constructor(private readonly graph: GraphBuilder) {
    this.#steps = graph.scalar(127)
    // Casting cuts off, so the half makes it round.
    this.#centre = graph.scalar(128.5)
    this.#zero = graph.weight('zeroPoint', 'uint8', [], Uint8Array.of(128))
    this.#one = graph.scalar(1)
  }

  linear(name: string, x: Value, { weight, bias }: LinearWeights, from: number): Value {
    const { graph } = this
    const to = weight.length / from
    const { integers, scales } = quantised(name, weight, from)
    const row = this.#quantisedRows(x)
    const sums = graph.integerProduct(
      row.integers,
      this.#zero,
      this.#one,
      graph.weight(`${name}.weight`, 'uint8', [from, to], integers),
      graph.weight(`${name}.scales`, 'float32', [to], scales),
    )
    const product = graph.multiply(sums, row.scale)
    return bias ? graph.add(product, graph.weight(`${name}.bias`, 'float32', [to], bias)) : product
  }

  /** A value that several products read is quantised once. A row of zeros gives integers of no meaning times a scale of 0. */
  #quantisedRows(x: Value) {
    let row = this.#rows.get(x.name)
    if (!row) {
      const { graph } = this
      const largest = graph.maximum(graph.absolute(x), -1)
      const steps = graph.divide(this.#steps, largest)
      const integers = graph.cast(graph.add(graph.multiply(x, steps), this.#centre), 'uint8')
      row = { integers, scale: graph.divide(largest, this.#steps) }
      this.#rows.set(x.name, row)
    }
    return row
  }
}

/** [out, in] -> integers [in, out] around 128, as the runtime wants them, and a scale for each output. Throws M011. */
export function quantised(name: string, weight: Float32Array, from: number): { integers: Uint8Array; scales: Float32Array } {
  const to = weight.length / from
  const scales = new Float32Array(to)
  const integers = new Uint8Array(weight.length)
  // Some rows at a time, and of them some columns: neither side is walked with long strides.
  const strip = new Uint8Array(tile * from)
  for (let first = 0; first < to; first += tile) {
    const rows = Math.min(tile, to - first)
    for (let row = 0; row < rows; row++) {
      const begin = (first + row) * from
      scales[first + row] = largestOf(weight, begin, begin + from) / 127
      // As the runtime has it, in 32 bits.
      const scale = scales[first + row]!
      if (!(scale < Infinity)) {
        throw modelError('M011', `${name} holds weights that are not finite numbers`, 'fetch the weights again')
      }
      quantiseRow(weight, begin, from, scale, strip, row * from)
    }
    for (let begin = 0; begin < from; begin += tile) {
      transposeTile(strip, from, rows, begin, Math.min(begin + tile, from), integers, to, first)
    }
  }
  return { integers, scales }
}

const tile = 64

/** Writes round(w / scale) + 128 for `count` weights from `begin` to `out` from `at`. */
function quantiseRow(weight: Float32Array, begin: number, count: number, scale: number, out: Uint8Array, at: number): void {
  const inverse = scale > 0 ? 1 / scale : 0
  // As Math.round, in a third of its time.
  for (let i = 0; i < count; i++) out[at + i] = Math.floor(weight[begin + i]! * inverse + 0.5) + 128
}

/** Columns `begin` .. `end` - 1 of a strip [rows, from] become rows of `out` [from, to], in its columns from `first` on. */
function transposeTile(
  strip: Uint8Array,
  from: number,
  rows: number,
  begin: number,
  end: number,
  out: Uint8Array,
  to: number,
  first: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let i = begin; i < end; i++) out[i * to + first + row] = strip[row * from + i]!
  }
}

/** The largest absolute value; NaN when there is one. */
function largestOf(values: Float32Array, begin: number, end: number): number {
  let largest = 0
  for (let i = begin; i < end; i++) {
    const size = Math.abs(values[i]!)
    if (!(size <= largest)) largest = size
  }
  return largest
}

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
 * How many rows a call runs for so many: the kernel takes rows of integers two by two, and would round the last one of an odd number in another
 * way. With a row more a result does not depend on how many rows there are.
 */
export function paddedRows(rows: number, type: ProductType): number {
  return type === 'int8' ? 2 * Math.ceil(rows / 2) : rows
}

/** The share of a row by which its last block may be filled up. */
const mostPadding = 1 / 8

/**
 * Numbers that share a scale, for rows of `from`: inputs of one output, and of one row. Large blocks are quicker, and no less exact where the runtime
 * rounds rows anyway; but what fills the last one up is multiplied too.
 */
export function blockSizeFor(from: number): number {
  return [256, 128].find((size) => Math.ceil(from / size) * size - from <= mostPadding * from) ?? 64
}

/**
 * Products of 8-bit integers. Weights are rounded when the graph is built, each block of inputs of an output with its own scale; rows when it runs, each
 * block with its own scale too. So a result depends on its own row alone, in calls of `paddedRows`.
 */
class IntegerProducts implements Products {
  constructor(private readonly graph: GraphBuilder) {}

  linear(name: string, x: Value, { weight, bias }: LinearWeights, from: number): Value {
    const { graph } = this
    const to = weight.length / from
    const { blocks, scales } = quantised(name, weight, from)
    const blockSize = blockSizeFor(from)
    const count = Math.ceil(from / blockSize)
    const product = graph.blockProduct(
      x,
      graph.weight(`${name}.weight`, 'uint8', [to, count, blockSize], blocks),
      graph.weight(`${name}.scales`, 'float32', [to * count], scales),
      from,
      to,
      blockSize,
    )
    return bias ? graph.add(product, graph.weight(`${name}.bias`, 'float32', [to], bias)) : product
  }
}

/** [out, in] -> w ≈ scale · (q - 128): blocks [out, in / size, size] of q, the last one filled with zeros, and a scale for each block. Throws M011. */
export function quantised(name: string, weight: Float32Array, from: number): { blocks: Uint8Array; scales: Float32Array } {
  const to = weight.length / from
  const blockSize = blockSizeFor(from)
  const count = Math.ceil(from / blockSize)
  const blocks = new Uint8Array(to * count * blockSize).fill(128)
  const scales = new Float32Array(to * count)
  for (let out = 0, block = 0; out < to; out++) {
    for (let begin = 0; begin < from; begin += blockSize, block++) {
      const end = Math.min(begin + blockSize, from)
      const scale = largestOf(weight, out * from + begin, out * from + end) / 127
      if (!(scale < Infinity)) {
        throw modelError('M011', `${name} holds weights that are not finite numbers`, 'fetch the weights again')
      }
      scales[block] = scale
      const inverse = scale > 0 ? 1 / scale : 0
      const at = block * blockSize - begin
      // As Math.round, in a third of its time.
      for (let i = begin; i < end; i++) blocks[at + i] = 128 + Math.floor(weight[out * from + i]! * inverse + 0.5)
    }
  }
  return { blocks, scales }
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

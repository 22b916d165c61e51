import { GraphBuilder, type Value } from '../tensor/graph.js'
import type { DecoderShape, DecoderTensors } from './architectures/shape.js'
import { type ProductType, productsOf } from './products.js'
import type { WeightSource } from './weight-source.js'

/** Tokens in one block of the two-level draw. */
export const blockSize = 64

/** Tokens of the head: those of the vocabulary, and as many of no meaning as fill the last block. */
export function headColumns({ vocabulary }: DecoderShape): number {
  return Math.ceil(vocabulary / blockSize) * blockSize
}

/**
 * The head: hidden states -> logits -> for each view its total and a drawn token for each draw. V tokens, padded to whole blocks:
 *
 *     hidden    [d, width]   divided by the temperature, or by the cap where logits are capped: the output product is linear
 *     factor    [d, 1]       cap / temperature, which multiplies tanh of the product; 0 for rows that are no hidden states, whose product itself
 *     plain     [d, 1]       counts: it is multiplied by 1, and by 0 for the others; both only where logits are capped
 *     source    [r]          the row that each view looks at
 *     potential [1 | r, V]   added to the logits of a view; a mask is a very negative number
 *     view [m], uniform [m, 1]  which view to draw from, and with which number
 *     beside [m]         a row whose logits are wanted where the draw fell
 *     target    [t]          row · V + token: whose logit to return
 *     maximum [r, 1], total [r]  log of the sum of exp over a view = maximum + log total
 *     block [m], values [m, 64]  where each draw fell, and exp(value - maximum) of the tokens there
 *     besides [m, 64]    the logits of the row beside there
 *     targetLogit [t], line [r, V]  logits with what was added
 *
 * A draw is the inverse of the cumulative distribution in two levels: the graph sums blocks of 64 tokens, adds the sums up in
 * double precision, finds the first block whose cumulative mass exceeds uniform · total, and returns its 64 values; the token inside is found
 * by the caller with an independent number. No whole row of probabilities leaves the runtime unless `line` is asked for.
 * Every view has a maximum of its own, so that tokens that are rare beside those that a mask hides do not underflow.
 */
export async function readHeadGraph(
  shape: DecoderShape,
  tensors: DecoderTensors,
  source: WeightSource,
  type: ProductType,
): Promise<GraphBuilder> {
  const { vocabulary, width } = shape
  const columns = headColumns(shape)
  let matrix = await source.read(tensors.output, [vocabulary, width])
  if (columns > vocabulary) {
    const padded = new Float32Array(columns * width)
    padded.set(matrix)
    matrix = padded
  }
  return headGraph(shape, matrix, columns, type)
}

function headGraph(shape: DecoderShape, matrix: Float32Array, columns: number, type: ProductType): GraphBuilder {
  const { width, logitCap } = shape
  const count = columns / blockSize
  const graph = new GraphBuilder()
  const hidden = graph.input('hidden', 'float32', ['d', width])
  const source = graph.input('source', 'int64', ['r'])
  const potential = graph.input('potential', 'float32', ['p', columns])
  const view = graph.input('view', 'int64', ['m'])
  const uniform = graph.input('uniform', 'float64', ['m', 1])
  const beside = graph.input('beside', 'int64', ['m'])
  const target = graph.input('target', 'int64', ['t'])

  const product = productsOf(type, graph).linear('output', hidden, { weight: matrix, bias: null }, width)
  const logits = logitCap === null ? product : capped(graph, product)
  const values = graph.add(graph.gather(logits, source), potential) // [r, V]
  const maximum = graph.maximum(values, 1)
  const masses = graph.exponential(graph.subtract(values, maximum)) // [r, V]
  const sums = graph.cast(graph.sum(graph.reshape(masses, [0, count, blockSize]), 2), 'float64') // [r, V / 64]
  const cumulative = graph.cumulativeSum(sums, 1)
  const total = graph.gather(graph.transpose(cumulative, [1, 0]), graph.integer(count - 1)) // [r]
  const threshold = graph.multiply(uniform, graph.reshape(graph.gather(total, view), [-1, 1]))
  const below = graph.lessOrEqual(graph.gather(cumulative, view), threshold) // [m, V / 64]
  const chosen = graph.sum(graph.cast(below, 'int64'), 1) // [m]
  const flat = graph.add(graph.multiply(view, graph.integer(count)), chosen)
  const other = graph.add(graph.multiply(beside, graph.integer(count)), chosen)
  graph.output('block', chosen, 'int64', ['m'])
  graph.output('values', graph.gather(graph.reshape(masses, [-1, blockSize]), flat), 'float32', ['m', blockSize])
  graph.output('besides', graph.gather(graph.reshape(logits, [-1, blockSize]), other), 'float32', ['m', blockSize])
  graph.output('maximum', maximum, 'float32', ['r', 1])
  graph.output('total', total, 'float64', ['r'])
  graph.output('targetLogit', graph.gather(graph.reshape(logits, [-1]), target), 'float32', ['t'])
  graph.output('line', values, 'float32', ['r', columns])
  return graph
}

function capped(graph: GraphBuilder, product: Value): Value {
  const states = graph.multiply(graph.tanh(product), graph.input('factor', 'float32', ['d', 1]))
  return graph.add(states, graph.multiply(product, graph.input('plain', 'float32', ['d', 1])))
}

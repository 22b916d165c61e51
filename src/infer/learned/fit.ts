import type { AdamWSettings, AdamWState } from '../../tensor/adamw.js'
import { type Backend, type OpenedGraph, onnxRuntime } from '../../tensor/backend.js'
import { GraphBuilder, type Value } from '../../tensor/graph.js'
import type { DenseTensor } from '../../tensor/session.js'
import { Training } from '../../tensor/training.js'
import { featureCount, type HeadShape, type Layer, layerSizes } from './head.js'

/** Next tokens to learn from: n of them. */
export interface FitRows {
  /** x of each, [features] (head.ts). */
  readonly features: readonly Float32Array[]
  /**
   * log g of every token is E' · vector + mask, E' = [scale · E, 1]: where a model's logits are a product with E, their vector takes the place of a
   * row of the vocabulary's length (pupil.ts). A token that cannot come has `impossible`. Masks that are one object are fed once.
   */
  readonly vectors: readonly Float32Array[]
  readonly masks: readonly Float32Array[]
  readonly tokens: readonly number[]
}

/** Whether the totals move with the network, or only log psi of the tokens that were drawn, or the totals and the level by slopes of its own. */
export type Moves = 'totals' | 'tokens' | 'level'

/** Of a loss, by row (losses.ts). */
export interface Slopes {
  readonly onPsi: Float64Array
  readonly onTotal: Float64Array
  readonly onLevel?: Float64Array | undefined
}

/** log 0, in 32-bit floats that are still added and compared. */
export const impossible = -1e30

/**
 * A twist head that is fitted, beside the frozen output embedding E [V, shift]. For rows of features x, log weights g [n, V] and tokens v,
 *
 *     psi = g(x) Eᵀ + c(x) [n, V]      logPsi = psi[v] [n]      logTotal = log sum exp(g + psi) [n]
 *
 * and a step goes down onPsi · logPsi + onTotal · logTotal, whose gradient is that of the loss (losses.ts). The product with E is most of the work;
 * a loss that holds the totals fixed goes back through the rows of single tokens alone.
 */
export class HeadFit {
  private constructor(
    private readonly shape: HeadShape,
    private readonly vocabulary: number,
    private readonly moves: Moves,
    private readonly training: Training,
    private readonly forward: OpenedGraph,
  ) {}

  /**
   * @param matrix E, null for the identity. The layers are copied.
   * @param moves what the loss goes down
   * @param state of the optimiser, to go on with
   */
  static async open(
    shape: HeadShape,
    layers: readonly Layer[],
    matrix: Float32Array | null,
    vocabulary: number,
    settings: AdamWSettings,
    moves: Moves = 'totals',
    backend: Backend = onnxRuntime,
    state?: AdamWState,
  ): Promise<HeadFit> {
    const parameters: Record<string, DenseTensor<Float32Array>> = {}
    layerSizes(shape).forEach(({ inputs, outputs }, i) => {
      parameters[`weight${i}`] = { data: layers[i]!.weight.slice(), shape: [inputs, outputs] }
      parameters[`bias${i}`] = { data: layers[i]!.bias.slice(), shape: [outputs] }
    })
    const output = outputMatrix(shape, matrix, vocabulary)
    const told = new GraphBuilder()
    const numbers = network(told, shape, output, vocabulary)
    told.output('logPsi', numbers.logPsi, 'float32', ['n'])
    told.output('logTotal', logSumExp(told, numbers.logs()), 'float32', ['n'])
    const taught = new GraphBuilder()
    const { logPsi, logs, level } = network(taught, shape, output, vocabulary)
    let slope = taught.multiply(taught.input('onPsi', 'float32', ['n']), logPsi)
    const add = (name: string, value: Value) => {
      slope = taught.add(slope, taught.multiply(taught.input(name, 'float32', ['n']), value))
    }
    if (moves !== 'tokens') add('onTotal', taught.logSumExp(logs(), 1))
    if (moves === 'level') add('onLevel', level())
    const loss = taught.sum(slope, 0)
    const training = await Training.open(backend, taught, loss, parameters, settings, state)
    return new HeadFit(shape, vocabulary, moves, training, await backend.open(told))
  }

  /** The layers as they are now, copied. */
  get layers(): Layer[] {
    const { parameters } = this.training
    return layerSizes(this.shape).map((_, i) => ({
      weight: parameters[`weight${i}`]!.data.slice(),
      bias: parameters[`bias${i}`]!.data.slice(),
    }))
  }

  /** Goes back to layers that it has had; the optimiser goes on as it is. */
  restore(layers: readonly Layer[]): void {
    layers.forEach(({ weight, bias }, i) => {
      this.training.parameters[`weight${i}`]!.data.set(weight)
      this.training.parameters[`bias${i}`]!.data.set(bias)
    })
  }

  /** Of the optimiser, copied. */
  get state(): AdamWState {
    return this.training.state
  }

  async numbers(rows: FitRows): Promise<{ readonly logPsi: Float64Array; readonly logTotal: Float64Array }> {
    const feeds: Record<string, DenseTensor> = { ...this.feeds(rows), ...this.bases(rows) }
    for (const [name, { data, shape }] of Object.entries(this.training.parameters)) feeds[name] = { data, shape }
    const { logPsi, logTotal } = await this.forward.run(feeds)
    return {
      logPsi: Float64Array.from(logPsi!.data as Float32Array),
      logTotal: Float64Array.from(logTotal!.data as Float32Array),
    }
  }

  /**
   * One step of AdamW; `onTotal` counts where the totals move, `onLevel` where the level does. Throws, and changes nothing, where a gradient is not
   * finite.
   */
  async step(rows: FitRows, { onPsi, onTotal, onLevel }: Slopes, rate: number): Promise<void> {
    const list = (values: Float64Array) => ({ data: Float32Array.from(values), shape: [values.length] })
    const totals = this.moves === 'tokens' ? {} : { ...this.bases(rows), onTotal: list(onTotal) }
    const levels = this.moves === 'level' ? { onLevel: list(onLevel!) } : {}
    await this.training.step({ ...this.feeds(rows), ...totals, ...levels, onPsi: list(onPsi) }, rate)
  }

  async release(): Promise<void> {
    await this.training.release()
    await this.forward.release()
  }

  private feeds({ features, tokens }: FitRows): Record<string, DenseTensor> {
    return {
      features: stacked(features, featureCount(this.shape)),
      token: { data: BigInt64Array.from(tokens, BigInt), shape: [tokens.length] },
    }
  }

  private bases({ vectors, masks }: FitRows): Record<string, DenseTensor> {
    const places = new Map([...new Set(masks)].map((mask, i) => [mask, i]))
    return {
      vector: stacked(vectors, this.shape.shift + 1),
      masks: stacked([...places.keys()], this.vocabulary),
      mask: { data: BigInt64Array.from(masks, (mask) => BigInt(places.get(mask)!)), shape: [masks.length] },
    }
  }
}

function network(
  graph: GraphBuilder,
  shape: HeadShape,
  output: Float32Array,
  vocabulary: number,
): { readonly logPsi: Value; readonly logs: () => Value; readonly level: () => Value } {
  let x = graph.input('features', 'float32', ['n', featureCount(shape)])
  const token = graph.input('token', 'int64', ['n'])
  const sizes = layerSizes(shape)
  sizes.forEach(({ inputs, outputs }, i) => {
    const weight = graph.input(`weight${i}`, 'float32', [inputs, outputs])
    const bias = graph.input(`bias${i}`, 'float32', [outputs])
    const sums = graph.add(graph.matrixProduct(x, weight), bias)
    x = i === sizes.length - 1 ? sums : graph.silu(sums)
  })
  const matrix = graph.weight('E', 'float32', [vocabulary, shape.shift + 1], output)
  return {
    logPsi: graph.sum(graph.multiply(x, graph.gather(matrix, token)), 1),
    logs: () => {
      const vector = graph.input('vector', 'float32', ['n', shape.shift + 1])
      const masks = graph.input('masks', 'float32', ['m', vocabulary])
      const mask = graph.gather(masks, graph.input('mask', 'int64', ['n']))
      return graph.add(mask, graph.productWithTransposed(graph.add(x, vector), matrix))
    },
    level: () => {
      const last = Float32Array.from({ length: shape.shift + 1 }, (_, k) => (k === shape.shift ? 1 : 0))
      return graph.sum(graph.multiply(x, graph.weight('level', 'float32', [1, shape.shift + 1], last)), 1)
    },
  }
}

/** Of each row [n, V] -> [n]. The runtime's own operation takes twice as long; only that one has a gradient. */
function logSumExp(graph: GraphBuilder, x: Value): Value {
  const maximum = graph.maximum(x, 1)
  const sum = graph.sum(graph.exponential(graph.subtract(x, maximum)), 1)
  return graph.add(graph.logarithm(sum), graph.reshape(maximum, [-1]))
}

/** [scale · E, 1], [V, shift + 1]: its product with what the network puts out is log psi. */
function outputMatrix({ shift, scale }: HeadShape, matrix: Float32Array | null, vocabulary: number): Float32Array {
  const output = new Float32Array(vocabulary * (shift + 1))
  for (let v = 0; v < vocabulary; v++) {
    for (let k = 0; k < shift; k++) {
      output[v * (shift + 1) + k] = scale * (matrix ? matrix[v * shift + k]! : v === k ? 1 : 0)
    }
    output[v * (shift + 1) + shift] = 1
  }
  return output
}

function stacked(rows: readonly Float32Array[], width: number): DenseTensor<Float32Array> {
  const data = new Float32Array(rows.length * width)
  rows.forEach((row, i) => {
    data.set(row, i * width)
  })
  return { data, shape: [rows.length, width] }
}

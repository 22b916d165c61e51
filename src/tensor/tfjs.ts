import { createRequire } from 'node:module'
import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Backend, OpenedGraph } from './backend.js'
import { widenBrainFloats, widenHalves } from './floats.js'
import type { Graph, Weight } from './graph.js'
import type { DenseTensor } from './session.js'
import { elementwise } from './tfjs/elementwise.js'
import { host } from './tfjs/host.js'
import { Call, isHost, type Kernel, type Tensor, type Tf, type TfValue, toHost } from './tfjs/kernel.js'
import { movement } from './tfjs/movement.js'
import { products } from './tfjs/products.js'
import { reductions } from './tfjs/reductions.js'

/**
 * Runs graphs with TensorFlow.js, which the user installs: the package with CUDA, the one with the native library, or the one that is all
 * JavaScript, the first that is there. 32-bit floats are its tensors; it has no 64-bit numbers, so shapes, indices and doubles stay in
 * JavaScript arrays (`tfjs/host.ts`), where doubles are exact doubles. 16-bit weights are widened when the graph is opened.
 */
export const tfjs: Backend = {
  name: 'tfjs',
  open: async (graph) => new TfjsGraph(await loadTfjs(), graph),
}

const kernels: ReadonlyMap<string, Kernel> = new Map(Object.entries({ ...elementwise, ...products, ...movement, ...reductions }))

const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs'] as const

let loaded: Promise<Tf> | undefined

/** The library, loaded once. Throws M023 when no package is installed, or when the one that is does not load. */
export function loadTfjs(): Promise<Tf> {
  loaded ??= firstInstalled(createRequire(import.meta.url))
  return loaded
}

/** How Node finds and loads a package. */
interface Packages {
  (name: string): unknown
  /** Throws when the package is not installed. */
  resolve(name: string): string
}

/** A package that is installed and broken is not passed over: another one would be slower by orders of magnitude, and nobody would know why. */
export async function firstInstalled(installed: Packages): Promise<Tf> {
  const name = packages.find((each) => {
    try {
      return installed.resolve(each)
    } catch {
      return false
    }
  })
  if (name === undefined) {
    throw unusable(
      'the tfjs backend needs TensorFlow.js, which is not installed',
      'npm install @tensorflow/tfjs-node-gpu (CUDA), @tensorflow/tfjs-node (native) or @tensorflow/tfjs (JavaScript, slow)',
    )
  }
  try {
    const tf = installed(name) as Tf
    // Its greeting, which tells to install another package, goes to the console otherwise.
    tf.enableProdMode()
    await tf.ready()
    return tf
  } catch (error) {
    throw unusable(
      `${name} is installed and does not load: ${error instanceof Error ? error.message : error}`,
      `mend it, or remove it with \`npm uninstall ${name}\`: the next of the three packages that is there is taken then`,
    )
  }
}

function unusable(message: string, hint: string): SmcError {
  return new SmcError(diagnostic('M023', undefined, message, { hint }), 'command')
}

class TfjsGraph implements OpenedGraph {
  readonly #weights: ReadonlyMap<string, TfValue>
  readonly #lastReaders: ReadonlyMap<string, number>

  constructor(
    private readonly tf: Tf,
    private readonly graph: Graph,
  ) {
    for (const { operator } of graph.operations) {
      if (!kernels.has(operator)) throw new Error(`the tfjs backend does not know the operator ${operator}`)
    }
    this.#weights = new Map(graph.weights.map((weight) => [weight.name, weightOf(tf, weight)]))
    this.#lastReaders = new Map(graph.operations.flatMap(({ inputs }, i) => inputs.map((name) => [name, i] as const)))
  }

  async run(
    feeds: Readonly<Record<string, DenseTensor>>,
    wanted?: readonly string[],
  ): Promise<Readonly<Record<string, DenseTensor>>> {
    const { tf, graph } = this
    const values = new Map(this.#weights)
    for (const { name } of graph.inputs) {
      const feed = feeds[name]
      if (!feed) throw new Error(`the input ${name} is missing`)
      values.set(name, feedOf(tf, feed))
    }
    const computed = graph.operations.flatMap(({ outputs }) => outputs)
    const kept = new Set(graph.outputs.map(({ name }) => name))
    const drop = (name: string) => {
      const value = values.get(name)
      if (value && !isHost(value)) value.dispose()
      values.delete(name)
    }
    try {
      graph.operations.forEach((_, i) => {
        execute(tf, graph, i, values)
        // Numbers are let go after their last reader.
        const { inputs, outputs } = graph.operations[i]!
        for (const name of new Set([...inputs, ...outputs])) {
          if (!kept.has(name) && !this.#weights.has(name) && (this.#lastReaders.get(name) ?? i) === i) drop(name)
        }
      })
      const results: Record<string, DenseTensor> = {}
      for (const { name, type } of graph.outputs) {
        if (!wanted || wanted.includes(name)) results[name] = resultOf(values.get(name)!, type)
      }
      return results
    } finally {
      for (const name of [...computed, ...graph.inputs.map((port) => port.name)]) drop(name)
    }
  }

  async release(): Promise<void> {
    for (const value of this.#weights.values()) if (!isHost(value)) value.dispose()
  }
}

/**
 * Runs all operations of a graph on values that hold its inputs and weights, and adds all others. Inside a function that tfjs differentiates,
 * the tensors are recorded: `tf.grads` is then a second opinion on our gradients.
 */
export function interpret(tf: Tf, graph: Graph, values: Map<string, TfValue>): void {
  for (const weight of graph.weights) if (!values.has(weight.name)) values.set(weight.name, weightOf(tf, weight))
  graph.operations.forEach((_, i) => {
    execute(tf, graph, i, values)
  })
}

/** Operation number `i`. What the kernel needs between is let go. */
function execute(tf: Tf, graph: Graph, i: number, values: Map<string, TfValue>): void {
  const operation = graph.operations[i]!
  const inputs = operation.inputs.map((name) => values.get(name)!)
  let results: readonly TfValue[] = []
  tf.tidy(() => {
    const made = kernels.get(operation.operator)!(new Call(tf, operation, inputs))
    // A kernel that has nothing to do hands on its input: each name has a tensor of its own, so that each can be let go.
    results = made.map((value) => (!isHost(value) && inputs.includes(value) ? value.clone() : value))
    return results.filter((value): value is Tensor => !isHost(value))
  })
  operation.outputs.forEach((name, k) => {
    values.set(name, results[k]!)
  })
}

function weightOf(tf: Tf, { type, shape, data }: Weight): TfValue {
  switch (type) {
    case 'float64':
      return host('float64', data as Float64Array, shape)
    case 'int64':
      return host('int64', Float64Array.from(data as BigInt64Array, Number), shape)
    case 'int32':
      return host('int64', Float64Array.from(data as Int32Array), shape)
    case 'float16':
      return tf.tensor(widenHalves(data as Uint16Array), [...shape])
    case 'bfloat16':
      return tf.tensor(widenBrainFloats(data as Uint16Array), [...shape])
    case 'float32':
      return tf.tensor(data as Float32Array, [...shape])
    case 'int8':
    case 'uint8':
      return tf.tensor(Float32Array.from(data as Int8Array), [...shape])
  }
}

/** An input of a graph as the backend keeps it. */
export function feedOf(tf: Tf, { data, shape }: DenseTensor): TfValue {
  if (data instanceof Float32Array) return tf.tensor(data, [...shape], 'float32')
  if (data instanceof Float64Array) return host('float64', data, shape)
  return host('int64', Float64Array.from(data, Number), shape)
}

function resultOf(value: TfValue, type: string): DenseTensor {
  if (type === 'float32' && !isHost(value)) return { data: Float32Array.from(value.dataSync()), shape: value.shape }
  const { data, shape } = toHost(value)
  if (type === 'float64') return { data, shape }
  if (type === 'int64') return { data: BigInt64Array.from(data, BigInt), shape }
  throw new Error(`the tfjs backend gives no outputs of type ${type}`)
}

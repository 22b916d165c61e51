import { availableParallelism } from 'node:os'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Graph } from './graph.js'

/** A dense tensor, row-major. */
export interface DenseTensor<Data = Float32Array | Float64Array | BigInt64Array> {
  readonly data: Data
  readonly shape: readonly number[]
}

type Runtime = typeof import('onnxruntime-node')

let runtime: Promise<Runtime> | undefined

/** The runtime takes a tenth of a second to load: only programs that call a transformer pay for it. */
async function loadRuntime(): Promise<Runtime> {
  runtime ??= import('onnxruntime-node').then((module) => (module as Runtime & { default?: Runtime }).default ?? module)
  return runtime
}

function sessionOptions(): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: availableParallelism(),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // Processors without the instructions for 8-bit sums would saturate them at 16 bits.
    extra: { session: { x64quantprecision: '1' } },
  }
}

/** A graph made ready to run on the CPU. */
export class Session {
  /** Milliseconds spent inside the runtime so far, over all sessions: what is left of a run is ours. */
  static milliseconds = 0

  readonly #session: InferenceSession
  readonly #tensor: Runtime['Tensor']
  /** Inputs as the runtime sees them. Those that come again as the same object are wrapped once. */
  readonly #wrapped = new WeakMap<DenseTensor, Tensor>()

  private constructor(
    session: InferenceSession,
    tensor: Runtime['Tensor'],
    private readonly released: () => void = () => {},
  ) {
    this.#session = session
    this.#tensor = tensor
  }

  /** Reads the weights of the graph; the caller may drop them afterwards. */
  static async open(graph: Graph): Promise<Session> {
    const [{ InferenceSession, Tensor }, { writeOnnx }] = await Promise.all([loadRuntime(), import('./onnx.js')])
    const { bytes, external } = writeOnnx(graph)
    const options: InferenceSession.SessionOptions & { externalData: typeof external } = {
      ...sessionOptions(),
      externalData: external,
    }
    return new Session(await InferenceSession.create(bytes, options), Tensor)
  }

  /**
   * An ONNX file, such as `saveOnnx` writes: the runtime maps its weights and reads what it needs. `released` is called when nothing reads the
   * file any more. Throws what the runtime throws.
   */
  static async openFile(path: string, released?: () => void): Promise<Session> {
    const { InferenceSession, Tensor } = await loadRuntime()
    return new Session(await InferenceSession.create(path, sessionOptions()), Tensor, released)
  }

  /** Names of the inputs that the graph asks for. */
  get inputs(): readonly string[] {
    return this.#session.inputNames
  }

  get outputs(): readonly string[] {
    return this.#session.outputNames
  }

  /**
   * Outputs by name, all of them or those that are `wanted`. Inputs are read in place, outputs are fresh arrays. The shape of an input object
   * must not change.
   */
  async run(
    feeds: Readonly<Record<string, DenseTensor>>,
    wanted?: readonly string[],
  ): Promise<Readonly<Record<string, DenseTensor>>> {
    const tensors: Record<string, Tensor> = {}
    for (const name in feeds) tensors[name] = this.#wrap(feeds[name]!)
    const begin = performance.now()
    const results = wanted ? await this.#session.run(tensors, [...wanted]) : await this.#session.run(tensors)
    Session.milliseconds += performance.now() - begin
    const outputs: Record<string, DenseTensor> = {}
    for (const name in results) {
      const tensor = results[name]!
      outputs[name] = { data: tensor.data as Float32Array, shape: tensor.dims }
    }
    return outputs
  }

  async release(): Promise<void> {
    await this.#session.release()
    this.released()
  }

  #wrap(input: DenseTensor): Tensor {
    let tensor = this.#wrapped.get(input)
    if (!tensor) {
      const { data, shape } = input
      if (data instanceof Float32Array) tensor = new this.#tensor('float32', data, shape)
      else if (data instanceof Float64Array) tensor = new this.#tensor('float64', data, shape)
      else tensor = new this.#tensor('int64', data, shape)
      this.#wrapped.set(input, tensor)
    }
    return tensor
  }
}

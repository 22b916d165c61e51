import { availableParallelism } from 'node:os'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Graph } from './graph.js'

/** A dense tensor, row-major. */
export interface DenseTensor<Data = Float32Array | Float64Array | BigInt64Array | Int32Array> {
  readonly data: Data
  readonly shape: readonly number[]
}

/** What runs a graph. `cpu` is always there. */
export type Device = 'cpu' | 'webgpu' | 'cuda'

/** A tensor where a session runs, which for the CPU is our own memory: an output that is an input again, and is never read here. */
export class DeviceTensor {
  constructor(readonly tensor: Tensor) {}

  get shape(): readonly number[] {
    return this.tensor.dims
  }

  /** Gives its memory back; calls that were made before still see it. */
  dispose(): void {
    this.tensor.dispose()
  }
}

/** Where a graph runs, and which of its outputs stay in the memory of the device. What a device cannot compute goes to the CPU. */
export interface Placement {
  readonly device: Device
  readonly kept: readonly string[]
}

export const onCpu: Placement = { device: 'cpu', kept: [] }

export interface Results {
  readonly outputs: Readonly<Record<string, DenseTensor>>
  readonly kept: Readonly<Record<string, DeviceTensor>>
}

type Runtime = typeof import('onnxruntime-node')

let runtime: Promise<Runtime> | undefined

/** The runtime takes a tenth of a second to load: only programs that call a transformer pay for it. */
async function loadRuntime(): Promise<Runtime> {
  runtime ??= import('onnxruntime-node').then((module) => {
    const loaded = (module as Runtime & { default?: Runtime }).default ?? module
    // What fails is thrown as well, and told in our words.
    loaded.env.logLevel = 'fatal'
    return loaded
  })
  return runtime
}

/**
 * How long a thread of a session waits for the next operation before it sleeps: long enough for the gap between two operations. By default threads
 * wait much longer, and those of one session keep those of the next, our own thread and other programs from running.
 */
const spinMicroseconds = 100

function sessionOptions({ device, kept }: Placement): InferenceSession.SessionOptions {
  return {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    ...(device === 'webgpu' && {
      preferredOutputLocation: Object.fromEntries(kept.map((name) => [name, 'gpu-buffer' as const])),
    }),
    intraOpNumThreads: availableParallelism(),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: {
      session: {
        // Processors without the instructions for 8-bit sums would saturate them at 16 bits.
        x64quantprecision: '1',
        intra_op: { spin_duration_us: String(spinMicroseconds) },
      },
    },
  }
}

/** A graph made ready to run. */
export class Session {
  /** Milliseconds spent inside the runtime so far, over all sessions: what is left of a run is ours. */
  static milliseconds = 0

  readonly #session: InferenceSession
  readonly #tensor: Runtime['Tensor']
  /** Inputs as the runtime sees them. Those that come again as the same object are wrapped once. */
  readonly #wrapped = new WeakMap<DenseTensor, Tensor>()

  readonly #kept: ReadonlySet<string>

  private constructor(
    session: InferenceSession,
    tensor: Runtime['Tensor'],
    { kept }: Placement,
    private readonly released: () => void = () => {},
  ) {
    this.#session = session
    this.#tensor = tensor
    this.#kept = new Set(kept)
  }

  /** Reads the weights of the graph; the caller may drop them afterwards. */
  static async open(graph: Graph, placement: Placement = onCpu): Promise<Session> {
    const [{ InferenceSession, Tensor }, { writeOnnx }] = await Promise.all([loadRuntime(), import('./onnx.js')])
    const { bytes, external } = writeOnnx(graph)
    const options: InferenceSession.SessionOptions & { externalData: typeof external } = {
      ...sessionOptions(placement),
      externalData: external,
    }
    return new Session(await InferenceSession.create(bytes, options), Tensor, placement)
  }

  /**
   * An ONNX file, such as `saveOnnx` writes: the runtime maps its weights and reads what it needs. `released` is called when nothing reads the
   * file any more. Throws what the runtime throws.
   */
  static async openFile(path: string, placement: Placement = onCpu, released?: () => void): Promise<Session> {
    const { InferenceSession, Tensor } = await loadRuntime()
    return new Session(await InferenceSession.create(path, sessionOptions(placement)), Tensor, placement, released)
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
    return (await this.runKept(feeds, wanted)).outputs
  }

  /** As `run`, for graphs with inputs or outputs in the memory of a device; what is kept is to be disposed of by the caller. */
  async runKept(feeds: Readonly<Record<string, DenseTensor | DeviceTensor>>, wanted?: readonly string[]): Promise<Results> {
    const tensors: Record<string, Tensor> = {}
    for (const name in feeds) {
      const input = feeds[name]!
      tensors[name] = input instanceof DeviceTensor ? input.tensor : this.#wrap(input)
    }
    const begin = performance.now()
    const results = wanted ? await this.#session.run(tensors, [...wanted]) : await this.#session.run(tensors)
    Session.milliseconds += performance.now() - begin
    const outputs: Record<string, DenseTensor> = {}
    const kept: Record<string, DeviceTensor> = {}
    for (const name in results) {
      const tensor = results[name]!
      if (this.#kept.has(name)) kept[name] = new DeviceTensor(tensor)
      else outputs[name] = { data: tensor.data as Float32Array, shape: tensor.dims }
    }
    return { outputs, kept }
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
      else if (data instanceof Int32Array) tensor = new this.#tensor('int32', data, shape)
      else tensor = new this.#tensor('int64', data, shape)
      this.#wrapped.set(input, tensor)
    }
    return tensor
  }
}

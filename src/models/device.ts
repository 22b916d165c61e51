import { type Diagnostic, diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import { GraphBuilder } from '../tensor/graph.js'
import { type DenseTensor, type Device, type DeviceTensor, Session } from '../tensor/session.js'

export type { Device } from '../tensor/session.js'

/** `auto`: CUDA, else WebGPU, else the CPU; a driver that computes in software does not count as a device. */
export type DeviceChoice = Device | 'auto'

export const deviceChoices: readonly DeviceChoice[] = ['cpu', 'webgpu', 'cuda', 'auto']

/** Milliseconds that a device takes for a small piece of work. Throws what the runtime throws where it cannot be used. */
export type Probe = (device: Device) => Promise<number>

/**
 * A device that takes so many times the time of the CPU computes in software. What a card takes is most of all the way there and back; the
 * software drivers that were measured took hundreds of times.
 */
const softwareFrom = 8

const titles: Readonly<Record<Device, string>> = { cpu: 'the CPU', webgpu: 'WebGPU', cuda: 'CUDA' }

const needs: Readonly<Record<Device, string>> = {
  cpu: '',
  webgpu: 'it needs a graphics card and its driver for Vulkan, Metal or Direct3D 12',
  cuda:
    'it needs Linux, an NVIDIA card, CUDA 12, cuDNN 9 and the libraries that ' +
    '`node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12` fetches',
}

/**
 * The device of one run. It is looked for when the first model asks, so that a program without one never wakes it. Where it is missing or cannot hold a
 * model, a warning says so and the CPU goes on.
 */
export class RunDevice {
  /** What models run on so far. */
  used: Device = 'cpu'
  readonly warnings: Diagnostic[] = []
  #found: Promise<Device> | undefined

  constructor(
    readonly choice: DeviceChoice,
    private readonly tell: (warning: Diagnostic) => void = () => {},
    private readonly probe: Probe = probeDevice,
  ) {}

  /**
   * Opens the model `id` on the device, or on the CPU.
   * @param rounded whether its products are those of 8-bit integers, which only the CPU computes
   */
  async open<Model>(id: string, rounded: boolean, openOn: (device: Device) => Promise<Model>): Promise<Model> {
    if (this.choice === 'cpu') return openOn('cpu')
    if (rounded) {
      if (this.choice !== 'auto')
        this.#warn('8-bit products run on the CPU only, and so do the models', 'leave out `--dtype int8` or `--device`')
      return openOn('cpu')
    }
    this.#found ??= this.#find()
    const device = await this.#found
    if (device === 'cpu') return openOn('cpu')
    try {
      const model = await openOn(device)
      this.used = device
      return model
    } catch (thrown) {
      if (thrown instanceof SmcError) throw thrown
      this.#warn(
        `${id} does not open on ${titles[device]} and runs on the CPU`,
        'a model must fit in the memory of the device',
        thrown,
      )
      return openOn('cpu')
    }
  }

  async #find(): Promise<Device> {
    if (this.choice !== 'auto') {
      try {
        await this.probe(this.choice)
        return this.choice
      } catch (thrown) {
        this.#warn(`${titles[this.choice]} cannot be used here, and the models run on the CPU`, needs[this.choice], thrown)
        return 'cpu'
      }
    }
    const least = await this.probe('cpu')
    for (const device of ['cuda', 'webgpu'] as const) {
      const time = await this.probe(device).catch(() => Number.POSITIVE_INFINITY)
      if (time <= softwareFrom * least) return device
    }
    return 'cpu'
  }

  #warn(message: string, hint: string, thrown?: unknown): void {
    if (this.warnings.some((warning) => warning.message === message)) return
    const notes = thrown === undefined ? [] : [{ message: `ONNX Runtime says: ${firstFact(thrown)}` }]
    const warning = diagnostic('M022', undefined, message, { severity: 'warning', hint, notes })
    this.warnings.push(warning)
    this.tell(warning)
  }
}

/** What the runtime says, without the place in its sources. */
function firstFact(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const [line] = text
    .replace(/^.* was false\. /s, '')
    .trim()
    .split('\n') as [string]
  return line
}

/** Opens a small graph on a device, feeds an output that stays there to the next call, and takes the time of one call. */
export async function probeDevice(device: Device): Promise<number> {
  const width = 512
  const rows = 128
  const keeps = device === 'webgpu'
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', [rows, width])
  const weight = graph.weight('weight', 'float32', [width, width], new Float32Array(width * width).fill(1 / width))
  let y = x
  for (let i = 0; i < 4; i++) y = graph.matrixProduct(y, weight)
  graph.output('next', y, 'float32', [rows, width])
  graph.output('sums', graph.sum(y, 1), 'float32', [rows])
  const session = await Session.open(graph, { device, kept: keeps ? ['next'] : [] })
  let input: DenseTensor | DeviceTensor = { data: new Float32Array(rows * width).fill(1), shape: [rows, width] }
  let least = Number.POSITIVE_INFINITY
  const start = performance.now()
  for (let call = 0; call < 2 || (call < 5 && performance.now() - start < 200); call++) {
    const begin = performance.now()
    const { outputs, kept } = await session.runKept({ x: input })
    least = Math.min(least, performance.now() - begin)
    if (Math.abs((outputs.sums!.data as Float32Array)[rows - 1]! - width) > 1) throw new Error('it computes wrong numbers')
    if (keeps) input = kept.next!
  }
  await session.release()
  return least
}

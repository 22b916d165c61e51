import { describe, expect, it } from 'vitest'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.js'
import { renderHuman } from '../../src/diagnostics/render.js'
import { compile, SmcError } from '../../src/index.js'
import { type Device, type DeviceChoice, probeDevice, RunDevice } from '../../src/models/device.js'

/** A machine on which devices take these milliseconds; the others are missing, as the runtime says it. */
function machine(times: Partial<Record<Device, number>>) {
  const asked: Device[] = []
  const probe = async (device: Device) => {
    asked.push(device)
    const time = times[device]
    if (time === undefined)
      throw new Error(`/src/context.cc:136 Initialize() status == Success was false. No adapter for ${device}\n\n`)
    return time
  }
  return { probe, asked }
}

/** Opens models, each a function of the device. Gives what they ran on, and what was told. */
async function opened(
  choice: DeviceChoice,
  times: Partial<Record<Device, number>>,
  rounded = false,
  fails: readonly Device[] = [],
) {
  const told: Diagnostic[] = []
  const { probe, asked } = machine(times)
  const device = new RunDevice(choice, (warning) => told.push(warning), probe)
  const openOn = async (on: Device) => {
    if (fails.includes(on)) throw new Error('out of memory')
    return on
  }
  const models = [await device.open('a', rounded, openOn), await device.open('b', rounded, openOn)]
  expect(device.warnings).toEqual(told)
  return { models, used: device.used, told, asked }
}

const everything = { cpu: 2, webgpu: 1, cuda: 1 }

describe('a device', () => {
  it('is used where it works, and looked for once', async () => {
    for (const choice of ['webgpu', 'cuda'] as const) {
      expect(await opened(choice, everything)).toEqual({ models: [choice, choice], used: choice, told: [], asked: [choice] })
    }
    expect(await opened('cpu', everything)).toEqual({ models: ['cpu', 'cpu'], used: 'cpu', told: [], asked: [] })
  })

  it.each([
    [
      'webgpu',
      `warning M022: WebGPU cannot be used here, and the models run on the CPU
note: ONNX Runtime says: No adapter for webgpu
hint: it needs a graphics card and its driver for Vulkan, Metal or Direct3D 12
`,
    ],
    [
      'cuda',
      `warning M022: CUDA cannot be used here, and the models run on the CPU
note: ONNX Runtime says: No adapter for cuda
hint: it needs Linux, an NVIDIA card, CUDA 12, cuDNN 9 and the libraries that \`node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12\` fetches
`,
    ],
  ] as const)('that is missing is told once, and the CPU goes on: %s', async (choice, text) => {
    const { models, used, told } = await opened(choice, { cpu: 2 })
    expect([models, used]).toEqual([['cpu', 'cpu'], 'cpu'])
    expect(renderHuman(told, { colour: false })).toBe(text)
  })

  it('that cannot hold a model leaves that model to the CPU', async () => {
    const { models, used, told } = await opened('webgpu', everything, false, ['webgpu'])
    expect([models, used]).toEqual([['cpu', 'cpu'], 'cpu'])
    expect(told.map(({ message }) => message)).toEqual([
      'a does not open on WebGPU and runs on the CPU',
      'b does not open on WebGPU and runs on the CPU',
    ])
  })

  it('is not what a fault of the model is blamed on', async () => {
    const device = new RunDevice('webgpu', undefined, machine(everything).probe)
    const fault = new SmcError([], 'program')
    await expect(device.open('a', false, () => Promise.reject(fault))).rejects.toBe(fault)
    expect(device.warnings).toEqual([])
  })

  it('does not compute 8-bit products', async () => {
    const { models, told, asked } = await opened('webgpu', everything, true)
    expect(models).toEqual(['cpu', 'cpu'])
    expect(told.map(({ message }) => message)).toEqual(['8-bit products run on the CPU only, and so do the models'])
    expect(asked).toEqual([])
    expect((await opened('auto', everything, true)).told).toEqual([])
  })
})

describe('auto', () => {
  it.each<[Partial<Record<Device, number>>, Device]>([
    [{ cpu: 2, webgpu: 1, cuda: 1 }, 'cuda'],
    [{ cpu: 2, webgpu: 1 }, 'webgpu'],
    [{ cpu: 2 }, 'cpu'],
    // Drivers that compute in software.
    [{ cpu: 2, webgpu: 400 }, 'cpu'],
    [{ cpu: 2, webgpu: 3, cuda: 400 }, 'webgpu'],
  ])('on %j is %s, without a warning', async (times, device) => {
    expect(await opened('auto', times)).toMatchObject({ models: [device, device], used: device, told: [] })
  })
})

it('the CPU passes the probe', async () => {
  expect(await probeDevice('cpu')).toBeGreaterThan(0)
})

it('a run says in its settings what its models ran on, and warns at once and in its result', async () => {
  const told: Diagnostic[] = []
  const program = await compile('model lm = "tiny"\nlet story = lm("Once")\nsample t ~ story for 2 tokens\nreturn t')
  const plain = await program.run({}, { seed: 3, particles: 4, dtype: 'int8' })
  const result = await program.run({}, { seed: 3, particles: 4, dtype: 'int8', device: 'webgpu', onWarning: (w) => told.push(w) })
  expect([plain.settings.device, result.settings.device]).toEqual(['cpu', 'cpu'])
  expect([plain.settings.dtype, plain.settings.backend]).toEqual(['int8', 'onnx'])
  expect(result.samples).toEqual(plain.samples)
  expect(result.warnings.map(({ code, severity }) => [code, severity])).toEqual([['M022', 'warning']])
  expect(told).toEqual(result.warnings)
})

it('an unknown device is refused', async () => {
  const program = await compile('return 1')
  await expect(program.run({}, { device: 'gpu' as Device })).rejects.toThrow('R022: expected cpu, webgpu, cuda, auto as `device`')
})

import { randomInt } from 'node:crypto'
import { methodNames, mostExpansion, mostSweeps } from '../check/settings.js'
import type { Scheme, Settings } from '../infer/result.js'
import { type DeviceChoice, deviceChoices } from '../models/device.js'
import type { ProductType } from '../models/products.js'
import type { SettingOrigin } from '../report/folder.js'
import { type BackendName, backendNames } from '../tensor/backend.js'
import { choice, numberAbove, numberWithin, wholeNumber } from './flags.js'

/** The flags of `run` that are settings, as commander hands them over; a switch is false only when `--no-...` was given. */
export interface SettingFlags {
  readonly particles?: string
  readonly seed?: string
  readonly method?: string
  readonly resample?: string
  readonly threshold?: string
  readonly expansion?: string
  readonly sweeps?: string
  readonly batch?: string
  readonly fuse: boolean
  readonly twist: boolean
  readonly device?: string
  readonly backend?: string
  readonly dtype?: string
  readonly maxMemory?: string
}

const schemes: readonly Scheme[] = ['systematic', 'stratified', 'residual', 'multinomial']
/** A population beyond this is a slip of the finger: its values alone would fill the memory. */
export const mostParticles = 1_000_000

/** The settings that the flags give, checked; those that were not given are absent. */
export function flagSettings(flags: SettingFlags): Partial<Settings> {
  return {
    ...(flags.particles !== undefined && { particles: wholeNumber('--particles', flags.particles, 1, mostParticles) }),
    ...(flags.seed !== undefined && { seed: wholeNumber('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER) }),
    ...(flags.method !== undefined && { method: choice('--method', flags.method, methodNames) }),
    ...(flags.resample !== undefined && { resample: choice('--resample', flags.resample, schemes) }),
    ...(flags.threshold !== undefined && { threshold: numberWithin('--threshold', flags.threshold, 0, 1) }),
    ...(flags.expansion !== undefined && { expansion: wholeNumber('--expansion', flags.expansion, 1, mostExpansion) }),
    ...(flags.sweeps !== undefined && { sweeps: wholeNumber('--sweeps', flags.sweeps, 1, mostSweeps) }),
    ...(flags.batch !== undefined && { batch: wholeNumber('--batch', flags.batch, 1, mostParticles) }),
    ...(flags.maxMemory !== undefined && { maxMemory: numberAbove('--max-memory', flags.maxMemory, 0) }),
    ...(!flags.fuse && { fuse: false }),
    ...(!flags.twist && { twist: false }),
  }
}

/** The numbers that models compute in. */
export function productType(dtype: string | undefined): ProductType {
  return dtype === undefined ? 'fp32' : choice('--dtype', dtype, ['fp32', 'int8'] as const)
}

/** What models run on. */
export function deviceChoice(device: string | undefined): DeviceChoice {
  return device === undefined ? 'cpu' : choice('--device', device, deviceChoices)
}

/** What computes. */
export function backendChoice(backend: string | undefined): BackendName {
  return backend === undefined ? 'onnx' : choice('--backend', backend, backendNames)
}

/** The settings to run with: flags over `infer { }`; the sampler's own defaults fill the rest. A seed that nobody chose is random. */
export function chosenSettings(
  flags: Partial<Settings>,
  program: Partial<Settings>,
): { readonly settings: Partial<Settings>; readonly origin: (name: keyof Settings) => SettingOrigin } {
  const settings = { ...program, ...flags }
  const seed = settings.seed ?? randomInt(2 ** 32)
  return {
    settings: { ...settings, seed },
    origin: (name) => {
      if (name in flags) return 'flag'
      if (name in program) return 'program'
      if (name === 'maxMemory') return 'machine'
      return name === 'seed' ? 'random' : 'default'
    },
  }
}

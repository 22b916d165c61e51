import { exactWays, methodNames, mostExpansion, mostSweeps, readers } from '../check/settings.js'
import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import { suggest } from '../diagnostics/suggest.js'
import { type DeviceChoice, deviceChoices } from '../models/device.js'
import { freeBytes } from '../models/free-memory.js'
import type { ProductType } from '../models/products.js'
import { type BackendName, backendNames } from '../tensor/backend.js'
import type { Method, Scheme, Settings } from './result.js'

export const schemes: readonly Scheme[] = ['systematic', 'stratified', 'residual', 'multinomial']
export const methods: readonly Method[] = methodNames

/** The part of the free memory that models may take by default: particles and what they hold need some too. */
const defaultShare = 0.9

/** What applies where neither `infer { ... }` nor the caller says otherwise. The seed is drawn anew for every run, and the memory is what is free. */
export const defaultSettings: Omit<Settings, 'seed' | 'maxMemory'> = {
  particles: 64,
  method: 'smc',
  resample: 'systematic',
  threshold: 0.5,
  expansion: 3,
  sweeps: 10,
  fuse: true,
  twist: true,
  batch: 256,
}

const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
const oneOf = (words: readonly string[]) => (value: unknown) => words.includes(value as string)

const rules: Readonly<Record<keyof Settings, { readonly fits: (value: unknown) => boolean; readonly expected: string }>> = {
  particles: { fits: whole(1), expected: 'a whole number from 1' },
  seed: { fits: whole(0), expected: 'a whole number from 0 to 2^53 - 1' },
  method: { fits: oneOf(methods), expected: methods.join(', ') },
  resample: { fits: oneOf(schemes), expected: schemes.join(', ') },
  threshold: { fits: (value) => typeof value === 'number' && value >= 0 && value <= 1, expected: 'a number from 0 to 1' },
  expansion: { fits: whole(1, mostExpansion), expected: `a whole number from 1 to ${mostExpansion}` },
  sweeps: { fits: whole(1, mostSweeps), expected: `a whole number from 1 to ${mostSweeps}` },
  fuse: { fits: (value) => typeof value === 'boolean', expected: 'true or false' },
  twist: { fits: (value) => typeof value === 'boolean', expected: 'true or false' },
  batch: { fits: whole(1), expected: 'a whole number from 1' },
  maxMemory: {
    fits: (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY,
    expected: 'a number of GB above 0',
  },
}

/**
 * The settings of a run: what the caller gives wins over what the program sets, and that over the defaults.
 * @throws SmcError R022 for a value outside its range, or one that the method of this run does not read; the command line and the
 * checker have said so before in their own words. Where the caller gives another method, what the program sets for its own is let be.
 */
export function settle(program: Partial<Settings>, given: Partial<Settings>): Settings {
  const settings: Record<string, unknown> = { seed: Math.floor(Math.random() * 2 ** 32), ...defaultSettings }
  for (const name of Object.keys(rules) as (keyof Settings)[]) {
    const value = given[name] ?? program[name]
    if (value === undefined) continue
    const { fits, expected } = rules[name]
    if (!fits(value))
      throw new SmcError(
        diagnostic('R022', undefined, `expected ${expected} as \`${name}\`, found ${JSON.stringify(value)}`),
        'command',
      )
    settings[name] = value
  }
  for (const [name, methods] of readers) {
    if (given[name as keyof Settings] === undefined || methods.includes(settings.method as Method)) continue
    throw new SmcError(
      diagnostic('R022', undefined, `the method \`${settings.method}\` does not read \`${name}\``, {
        hint: `leave it out, or take the method ${methods.map((each) => `\`${each}\``).join(' or ')}`,
      }),
      'command',
    )
  }
  if (settings.method === 'gibbs' && settings.particles === 1)
    throw new SmcError(
      diagnostic(
        'R022',
        undefined,
        'the method `gibbs` needs two particles: one is the retained path, which alone never changes',
        {
          hint: 'take more particles, or the method `smc`',
        },
      ),
      'command',
    )
  settings.maxMemory ??= Math.round(defaultShare * freeBytes() * 1e-6) / 1e3
  return settings as unknown as Settings
}

const exactChoices = ['auto', ...exactWays]

/** @throws SmcError R022 for what `bound` cannot do */
export function requireBoundable({ method }: Settings, repeats: number, exact: unknown): void {
  const refuse = (message: string, hint: string) => {
    throw new SmcError(diagnostic('R022', undefined, message, { hint }), 'command')
  }
  if (method === 'steer')
    refuse(
      'there is no upper bound for the method `steer`',
      'take the method `smc`: steer keeps its particles without replacement',
    )
  if (method === 'gibbs')
    refuse(
      'there are no bounds for the sweeps of `gibbs`',
      'take the method `smc`: it is what `gibbs` begins with and what its sweeps repeat',
    )
  if (!whole(2, 1_000_000)(repeats))
    refuse(`expected a whole number from 2 as \`repeats\`, found ${JSON.stringify(repeats)}`, 'an interval needs two repeats')
  const traces = typeof exact === 'object' && exact !== null && 'traces' in exact ? exact.traces : exact
  if (Array.isArray(traces) ? traces.length < repeats : exact !== undefined && !exactChoices.includes(exact as string))
    refuse(
      `expected ${exactChoices.join(', ')}, or one trace for each of ${repeats} repeats, as \`exact\``,
      'leave it out: the first way that applies is taken',
    )
}

/** The numbers that models compute in. @throws SmcError R022 */
export function productType(given: unknown): ProductType {
  if (given === undefined) return 'fp32'
  if (given === 'fp32' || given === 'int8') return given
  throw new SmcError(
    diagnostic('R022', undefined, `expected fp32 or int8 as \`dtype\`, found ${JSON.stringify(given)}`),
    'command',
  )
}

/** What models run on. @throws SmcError R022 */
export function deviceChoice(given: unknown): DeviceChoice {
  if (given === undefined) return 'cpu'
  if (deviceChoices.includes(given as DeviceChoice)) return given as DeviceChoice
  throw new SmcError(
    diagnostic('R022', undefined, `expected ${deviceChoices.join(', ')} as \`device\`, found ${JSON.stringify(given)}`),
    'command',
  )
}

/** What computes. @throws SmcError R022; M023 with a device that it does not run on */
export function backendChoice(given: unknown, device: DeviceChoice): BackendName {
  if (given === undefined || given === 'onnx') return 'onnx'
  if (given !== 'tfjs') {
    const expected = backendNames.join(' or ')
    throw new SmcError(
      diagnostic('R022', undefined, `expected ${expected} as \`backend\`, found ${JSON.stringify(given)}`),
      'command',
    )
  }
  if (device === 'cpu') return given
  const hint = 'leave the device out; with @tensorflow/tfjs-node-gpu the backend computes on the graphics card'
  const message = `the tfjs backend computes where its package does, and not on the device \`${device}\``
  throw new SmcError(diagnostic('M023', undefined, message, { hint }), 'command')
}

/** Refuses options that no run has: a slip in a name must not pass in silence. */
export function requireKnown(options: object, others: readonly string[]): void {
  const known = [...Object.keys(rules), ...others]
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const close = suggest(name, known)
    throw new SmcError(
      diagnostic('R022', undefined, `there is no option \`${name}\``, {
        hint: close ? `did you mean \`${close}\`?` : `the options are ${known.join(', ')}`,
      }),
      'command',
    )
  }
}

import { positiveWays } from '../../check/settings.js'
import { diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import { suggest } from '../../diagnostics/suggest.js'
import type { LearnTwistDecl } from '../../syntax/ast.js'
import type { Choice } from '../trace.js'
import type { TraceFile } from '../traces-file.js'
import { type LossName, lossNames } from './losses.js'

/** How learned twists are fitted: what `learn twist ... { }`, the flags of `smcc train` and the API may set. */
export interface TrainSettings {
  readonly loss: LossName
  /** Units of each inner layer of the network, and how many such layers. */
  readonly width: number
  readonly depth: number
  /** Steps of AdamW in all. */
  readonly steps: number
  /** Particles of each population that is learned from. */
  readonly batch: number
  /** Rounds of sample, weigh, fit. */
  readonly iterate: number
  /** Learning rate at the start; it falls to a tenth of it. */
  readonly rate: number
  /** Weight decay (L2, decoupled). */
  readonly l2: number
  /** Rounds whose samples of the target are learned from, the present one included. */
  readonly replay: number
  /** Trust region on the weights of these samples: their KL from uniform is at most this, in nats. */
  readonly trust: number
  /** With `dpg`: a scalar head beside that of the vocabulary, so that what only proposes becomes a twist. */
  readonly valueHead: boolean
  /** Where samples of the target come from: SMC, whichever way to exact samples applies, or exact samples that are given. */
  readonly positives: (typeof positiveWays)[number] | TraceFile | readonly (readonly Choice[])[]
}

export const defaultTraining: TrainSettings = {
  loss: 'ctl',
  width: 128,
  depth: 1,
  steps: 400,
  batch: 64,
  iterate: 8,
  rate: 0.003,
  l2: 0.01,
  replay: 4,
  trust: 2,
  valueHead: false,
  positives: 'smc',
}

const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1
const atLeast = (least: number) => (value: unknown) =>
  typeof value === 'number' && value >= least && value < Number.POSITIVE_INFINITY
const rules: Readonly<Record<keyof TrainSettings, { readonly fits: (value: unknown) => boolean; readonly expected: string }>> = {
  loss: { fits: (value) => lossNames.some((name) => name === value), expected: lossNames.join(', ') },
  width: { fits: whole, expected: 'a whole number from 1' },
  depth: { fits: whole, expected: 'a whole number from 1' },
  steps: { fits: whole, expected: 'a whole number from 1' },
  batch: { fits: whole, expected: 'a whole number from 1' },
  iterate: { fits: whole, expected: 'a whole number from 1' },
  rate: { fits: (value) => atLeast(0)(value) && (value as number) > 0, expected: 'a number above 0' },
  l2: { fits: atLeast(0), expected: 'a number from 0' },
  replay: { fits: whole, expected: 'a whole number from 1' },
  trust: { fits: atLeast(0), expected: 'a number from 0' },
  valueHead: { fits: (value) => typeof value === 'boolean', expected: 'true or false' },
  positives: {
    fits: (value) =>
      positiveWays.some((way) => way === value) ||
      (Array.isArray(value) && value.length > 0) ||
      (typeof value === 'object' && value !== null && 'traces' in value),
    expected: `${positiveWays.join(', ')}, or a list of exact samples`,
  },
}

/**
 * The settings of one twist: those of the caller win over those of its declaration, and these over the defaults.
 * @throws SmcError R022 for a value that is none
 */
export function trainSettings(decl: LearnTwistDecl, given: Partial<TrainSettings>): TrainSettings {
  const declared = Object.fromEntries(
    (decl.settings?.entries ?? []).map(({ name, value }) => [name.text, { value: constant(value), span: value.span }]),
  )
  const settings: Record<string, unknown> = { ...defaultTraining }
  for (const [name, { fits, expected }] of Object.entries(rules)) {
    const own = declared[name]
    const value = given[name as keyof TrainSettings] ?? own?.value
    if (value === undefined) continue
    if (!fits(value)) {
      const span = given[name as keyof TrainSettings] === undefined ? own?.span : undefined
      const d = diagnostic('R022', span, `expected ${expected} as \`${name}\`, found ${JSON.stringify(value)}`)
      throw new SmcError(d, span ? 'program' : 'command')
    }
    settings[name] = value
  }
  if (settings.valueHead && settings.loss !== 'dpg') {
    const message = `\`valueHead\` goes with the loss \`dpg\` alone: what \`${settings.loss}\` learns is a twist by itself`
    throw new SmcError(diagnostic('R022', decl.name.span, message, { hint: 'leave it out' }))
  }
  return settings as unknown as TrainSettings
}

/** Refuses options that no training has. */
export function requireTrainOptions(options: object, others: readonly string[]): void {
  const known = [...Object.keys(rules), ...others]
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const close = suggest(name, known)
    const hint = close ? `did you mean \`${close}\`?` : `the options are ${known.join(', ')}`
    throw new SmcError(diagnostic('R022', undefined, `there is no option \`${name}\``, { hint }), 'command')
  }
}

function constant(e: NonNullable<LearnTwistDecl['settings']>['entries'][number]['value']): unknown {
  if (e.kind === 'Number' || e.kind === 'Bool') return e.value
  if (e.kind === 'Name') return e.text
  return e.kind === 'String' ? e.parts.join('') : undefined
}

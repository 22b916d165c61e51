import type { ConfigReader } from './config.js'
import { type Scaling, scalingOf } from './rotary-scaling.js'
import type { RotaryShape } from './shape.js'

/** Defaults of a family, and which of several settings (gemma 3 has one for local and one for global layers) is meant. */
export interface RotaryOptions {
  readonly theta?: number
  /** Key of the base in config.json. */
  readonly key?: string
  /** Share of a head that is turned. */
  readonly share?: number
  /** Key inside `rope_parameters` where it holds one object for each kind of layer. */
  readonly kind?: string
  /** Whether `rope_scaling` applies to this table. */
  readonly scaled?: boolean
}

/** No head is as wide; a damaged file may tell more than there is room for. */
const mostPairs = 1 << 16

/**
 * Frequencies theta^(-2i / n), i = 0 .. n / 2 - 1, of rotary positions (Su et al. 2021, arXiv 2104.09864), n the part of a head that is turned. Newer files keep all settings in
 * `rope_parameters`, older ones in `rope_theta`, `rope_scaling` and `partial_rotary_factor`. Throws M006.
 */
export function rotaryPositions(config: ConfigReader, headWidth: number, options: RotaryOptions = {}): RotaryShape {
  const { key = 'rope_theta', kind, scaled = true } = options
  const all = config.within('rope_parameters')
  const parameters = (kind ? all?.within(kind) : null) ?? all
  const theta = parameters?.optional('rope_theta') ?? config.positive(key, options.theta ?? 10000)
  const share = parameters?.optional('partial_rotary_factor') ?? config.optional('partial_rotary_factor') ?? options.share ?? 1
  const turned = Math.floor(headWidth * share)
  // Of an odd number PyTorch turns one more, which has to be there.
  const pairs = Math.ceil(turned / 2)
  config.require(
    pairs > 0 && 2 * pairs <= headWidth && pairs <= mostPairs,
    `rotary positions turn ${turned} of the ${headWidth} numbers of a head, expected pairs of them`,
  )
  const settings = parameters ?? (scaled ? config.within('rope_scaling') : null)
  const scaling: Scaling = settings ? scalingOf(config, settings, { theta, turned }) : {}
  // Rounded where PyTorch rounds: at position 1,000 the difference to exact frequencies would be 1e-4 in a log probability.
  const period = (i: number) => Math.fround(theta ** Math.fround((2 * i) / turned))
  const frequencies = Array.from({ length: pairs }, (_, i) => {
    const frequency = Math.fround(1 / period(i))
    return scaling.frequency ? scaling.frequency(frequency, i) : frequency
  })
  return { frequencies, scale: scaling.scale ?? 1, context: scaling.context ?? Infinity }
}

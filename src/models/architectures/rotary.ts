import type { ConfigReader } from './config.js'

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

/**
 * Frequencies theta^(-2i / n), i = 0 .. n / 2 - 1, of rotary positions (Su et al. 2021, arXiv 2104.09864), n the part of a head that is turned. Newer files keep all settings in
 * `rope_parameters`, older ones in `rope_theta`, `rope_scaling` and `partial_rotary_factor`. Scalings that only change the
 * frequencies are applied; those that also change with the length of the text (dynamic, yarn, longrope) are refused with M006.
 */
export function rotaryFrequencies(config: ConfigReader, headWidth: number, options: RotaryOptions = {}): number[] {
  const { key = 'rope_theta', kind, scaled = true } = options
  const all = config.within('rope_parameters')
  const parameters = (kind ? all?.within(kind) : null) ?? all
  const theta = parameters?.optional('rope_theta') ?? config.positive(key, options.theta ?? 10000)
  const share = parameters?.optional('partial_rotary_factor') ?? config.optional('partial_rotary_factor') ?? options.share ?? 1
  const turned = Math.floor(headWidth * share)
  config.require(
    turned > 0 && turned <= headWidth && turned % 2 === 0,
    `rotary positions turn ${turned} of the ${headWidth} numbers of a head, expected an even number of them`,
  )
  // Rounded where PyTorch rounds: at position 1,000 the difference to exact frequencies would be 1e-4 in a log probability.
  const frequency = (i: number) => Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / turned)))
  const frequencies = Array.from({ length: turned / 2 }, (_, i) => frequency(i))
  const scaling = parameters ?? (scaled ? config.within('rope_scaling') : null)
  return scaling ? frequencies.map(scale(config, scaling)) : frequencies
}

function scale(config: ConfigReader, scaling: ConfigReader): (frequency: number) => number {
  const type = scaling.get('rope_type') ?? scaling.get('type') ?? 'default'
  if (type === 'default') return (frequency) => frequency
  config.require(
    type === 'linear' || type === 'llama3',
    `rotary positions scaled by ${JSON.stringify(type)} are not supported, only "linear" and "llama3"`,
  )
  const factor = scaling.positive('factor')
  if (type === 'linear') return (frequency) => frequency / factor
  // Llama 3.1: long wavelengths are stretched, short ones kept, those between blended.
  const low = scaling.positive('low_freq_factor')
  const high = scaling.positive('high_freq_factor')
  const original = scaling.positive('original_max_position_embeddings')
  config.require(high > low, 'rope_scaling: high_freq_factor is not above low_freq_factor')
  return (frequency) => {
    const turns = (original * frequency) / (2 * Math.PI)
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)))
    return kept * frequency + ((1 - kept) * frequency) / factor
  }
}

import type { ConfigReader } from './config.js'

/** What a scaling of rotary positions to longer texts does; what is left out stays as it is. */
export interface Scaling {
  /** The frequency of pair i in the place of the plain one. */
  readonly frequency?: (plain: number, i: number) => number
  /** As in `RotaryShape`. */
  readonly scale?: number
  readonly context?: number
}

interface Plain {
  readonly theta: number
  /** Numbers of a head that are turned. */
  readonly turned: number
}

/**
 * `rope_scaling`, or `rope_parameters`. Those that change with the length of the text (dynamic, longrope) are run as they are for texts no longer than
 * those of the training, and no longer ones. Throws M006.
 */
export function scalingOf(config: ConfigReader, settings: ConfigReader, plain: Plain): Scaling {
  const named = settings.get('rope_type') ?? settings.get('type') ?? 'default'
  // The first files of Phi-3 call longrope "su" or "yarn".
  const type = named === 'su' || settings.get('short_factor') !== null ? 'longrope' : named
  switch (type) {
    case 'default':
      return {}
    case 'dynamic':
      // Up to `max_position_embeddings`, beyond which nothing is run, it scales by 1.
      return {}
    case 'linear': {
      const factor = settings.positive('factor')
      return { frequency: (frequency) => frequency / factor }
    }
    case 'llama3':
      return { frequency: byWavelength(config, settings) }
    case 'yarn':
      return yarn(config, settings, plain)
    case 'longrope':
      return longrope(config, settings, plain)
    default:
      config.require(false, `rotary positions scaled by ${JSON.stringify(type)} are not supported`)
      return {}
  }
}

/** Tokens of the texts of the first training. */
function originalContext(config: ConfigReader, settings: ConfigReader): number {
  const key = 'original_max_position_embeddings'
  return config.optional(key) ?? settings.optional(key) ?? config.count('max_position_embeddings', 2048)
}

/** Llama 3.1: long wavelengths are stretched, short ones kept, those between blended. */
function byWavelength(config: ConfigReader, settings: ConfigReader): (frequency: number) => number {
  const factor = settings.positive('factor')
  const low = settings.positive('low_freq_factor')
  const high = settings.positive('high_freq_factor')
  const original = originalContext(config, settings)
  config.require(high > low, 'rope_scaling: high_freq_factor is not above low_freq_factor')
  return (frequency) => {
    const turns = (original * frequency) / (2 * Math.PI)
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)))
    return kept * frequency + ((1 - kept) * frequency) / factor
  }
}

/** YaRN (Peng et al. 2023, arXiv 2309.00071): blended by the number of the pair, and a sharper attention. */
function yarn(config: ConfigReader, settings: ConfigReader, { theta, turned }: Plain): Scaling {
  const original = originalContext(config, settings)
  const factor = settings.positive('factor', config.count('max_position_embeddings', 2048) / original)
  /** The pair that turns so many times within the original context. */
  const pairOf = (turns: number) => (turned * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const whole = settings.flag('truncate', true)
  const first = pairOf(settings.positive('beta_fast', 32))
  const last = pairOf(settings.positive('beta_slow', 1))
  const from = Math.max(0, whole ? Math.floor(first) : first)
  const end = Math.min(turned - 1, whole ? Math.ceil(last) : last)
  const to = end === from ? end + 0.001 : end
  const sharpened = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1)
  const [above, below] = [settings.optional('mscale'), settings.optional('mscale_all_dim')]
  const scale = above !== null && below !== null ? sharpened(above) / sharpened(below) : sharpened(1)
  return {
    frequency: (frequency, i) => {
      const stretched = Math.min(1, Math.max(0, (i - from) / (to - from)))
      return (stretched * frequency) / factor + (1 - stretched) * frequency
    },
    scale: settings.positive('attention_factor', scale),
  }
}

/** LongRoPE (Ding et al. 2024, arXiv 2402.13753), also of Phi-3 and Phi-3.5: a factor for each pair, others for longer texts than the original ones. */
function longrope(config: ConfigReader, settings: ConfigReader, { turned }: Plain): Scaling {
  const original = originalContext(config, settings)
  const factors = settings.get('short_factor')
  const pairs = Math.ceil(turned / 2)
  config.require(
    Array.isArray(factors) && factors.length === pairs && factors.every((factor) => Number.isFinite(factor) && factor > 0),
    `short_factor is not a list of ${pairs} positive numbers`,
  )
  const factor = settings.positive('factor', config.count('max_position_embeddings', 2048) / original)
  const scale = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))
  return {
    frequency: (frequency, i) => frequency / Math.fround((factors as number[])[i]!),
    scale: settings.positive('attention_factor', scale),
    context: original,
  }
}

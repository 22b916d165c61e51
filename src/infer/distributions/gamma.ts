import type { DrawKey, Randomness } from '../../models/randomness.js'
import { logGamma, logPoisson } from '../special.js'
import type { Distribution } from './distribution.js'
import { requirePositive, requireShape } from './parameters.js'
import { Uniforms } from './uniforms.js'

/** Density rate^shape x^(shape - 1) exp(-rate x) / Gamma(shape) for x >= 0; mean shape / rate. */
export function gamma(shape: number, rate: number): Distribution<number> {
  return new Gamma(shape, rate)
}

class Gamma implements Distribution<number> {
  readonly name = 'gamma'
  readonly discrete = false

  constructor(
    private readonly shape: number,
    private readonly rate: number,
  ) {
    requireShape(this.name, 'shape', shape)
    requirePositive(this.name, 'rate', rate)
  }

  logProb(value: unknown): number {
    if (typeof value !== 'number' || !(value >= 0 && value < Infinity)) return -Infinity
    const { shape, rate } = this
    if (value === 0) return shape === 1 ? Math.log(rate) : shape < 1 ? Infinity : -Infinity
    const scaled = value * rate
    // The density is rate times a Poisson probability of shape - 1, which keeps its digits where shapes are large.
    if (shape >= 10 && scaled > Number.MIN_VALUE && scaled < Infinity) return Math.log(rate) + logPoisson(shape - 1, scaled)
    return shape * Math.log(rate) + (shape - 1) * Math.log(value) - scaled - logGamma(shape)
  }

  /** Kept off 0, where the density may have a pole. */
  sample(random: Randomness, key: DrawKey): number {
    const log = new Uniforms(random, key).logGamma(this.shape) - Math.log(this.rate)
    return Math.min(Math.max(Math.exp(log), Number.MIN_VALUE), Number.MAX_VALUE)
  }
}

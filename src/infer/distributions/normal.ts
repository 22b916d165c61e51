import type { DrawKey, Randomness } from '../../models/randomness.js'
import { HALF_LOG_TWO_PI } from '../special.js'
import type { Distribution } from './distribution.js'
import { requireFinite, requirePositive } from './parameters.js'
import { Uniforms } from './uniforms.js'

/** Mean and standard deviation (not variance). */
export function normal(mean: number, sd: number): Distribution<number> {
  return new Normal(mean, sd)
}

class Normal implements Distribution<number> {
  readonly name = 'normal'
  readonly discrete = false

  constructor(
    private readonly mean: number,
    private readonly sd: number,
  ) {
    requireFinite(this.name, 'mean', mean)
    requirePositive(this.name, 'sd', sd)
  }

  logProb(value: unknown): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) return -Infinity
    const z = (value - this.mean) / this.sd
    return -0.5 * z * z - Math.log(this.sd) - HALF_LOG_TWO_PI
  }

  sample(random: Randomness, key: DrawKey): number {
    return this.mean + this.sd * new Uniforms(random, key).normal()
  }
}

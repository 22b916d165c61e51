import type { DrawKey, Randomness } from '../../models/randomness.js'
import type { Distribution } from './distribution.js'
import { requirePositive } from './parameters.js'

/** Density rate exp(-rate x) for x >= 0. */
export function exponential(rate: number): Distribution<number> {
  return new Exponential(rate)
}

class Exponential implements Distribution<number> {
  readonly name = 'exponential'
  readonly discrete = false

  constructor(private readonly rate: number) {
    requirePositive(this.name, 'rate', rate)
  }

  logProb(value: unknown): number {
    return typeof value === 'number' && value >= 0 ? Math.log(this.rate) - this.rate * value : -Infinity
  }

  sample(random: Randomness, key: DrawKey): number {
    return Math.min(-Math.log(random.uniform(key, 0)) / this.rate, Number.MAX_VALUE)
  }
}

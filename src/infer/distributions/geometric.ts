import type { DrawKey, Randomness } from '../../models/randomness.js'
import { type Distribution, ParameterError } from './distribution.js'

/** Failures before the first success, from 0: p (1 - p)^k. */
export function geometric(p: number): Distribution<number> {
  return new Geometric(p)
}

class Geometric implements Distribution<number> {
  readonly name = 'geometric'
  readonly discrete = true

  constructor(private readonly p: number) {
    if (!(p > 0 && p <= 1)) throw new ParameterError(this.name, 'p', 'a number above 0, at most 1', String(p))
  }

  logProb(value: unknown): number {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return -Infinity
    return value === 0 ? Math.log(this.p) : Math.log(this.p) + value * Math.log1p(-this.p)
  }

  /** By inversion: P(k >= j) = (1 - p)^j. */
  sample(random: Randomness, key: DrawKey): number {
    if (this.p === 1) return 0
    return Math.min(Math.floor(Math.log(random.uniform(key, 0)) / Math.log1p(-this.p)), Number.MAX_VALUE)
  }
}

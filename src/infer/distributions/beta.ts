import type { DrawKey, Randomness } from '../../models/randomness.js'
import { logBeta, logBinomial } from '../special.js'
import type { Distribution } from './distribution.js'
import { requireShape } from './parameters.js'
import { Uniforms } from './uniforms.js'

/** Density x^(a - 1) (1 - x)^(b - 1) / B(a, b) on [0, 1]; mean a / (a + b). */
export function beta(a: number, b: number): Distribution<number> {
  return new Beta(a, b)
}

/** The largest number below 1. */
const BELOW_ONE = 1 - 2 ** -53

class Beta implements Distribution<number> {
  readonly name = 'beta'
  readonly discrete = false

  constructor(
    private readonly a: number,
    private readonly b: number,
  ) {
    requireShape(this.name, 'a', a)
    requireShape(this.name, 'b', b)
  }

  logProb(value: unknown): number {
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) return -Infinity
    const { a, b } = this
    if (value === 0) return a === 1 ? Math.log(b) : a < 1 ? Infinity : -Infinity
    if (value === 1) return b === 1 ? Math.log(a) : b < 1 ? Infinity : -Infinity
    // The density is (a + b - 1) times a binomial probability of a - 1, which keeps its digits where shapes are large.
    if (Math.min(a, b) >= 10 && value > 1e-300) return Math.log(a + b - 1) + logBinomial(a - 1, a + b - 2, value)
    return (a - 1) * Math.log(value) + (b - 1) * Math.log1p(-value) - logBeta(a, b)
  }

  /** X / (X + Y) of two gamma numbers, by their logarithms; kept off 0 and 1, where the density may have poles. */
  sample(random: Randomness, key: DrawKey): number {
    const uniforms = new Uniforms(random, key)
    const x = uniforms.logGamma(this.a)
    const y = uniforms.logGamma(this.b)
    return Math.min(Math.max(1 / (1 + Math.exp(y - x)), Number.MIN_VALUE), BELOW_ONE)
  }
}

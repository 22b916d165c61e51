import type { DrawKey, Randomness } from '../../models/randomness.js'
import { logGamma } from '../special.js'
import { type Distribution, ParameterError } from './distribution.js'
import { requireShape } from './parameters.js'
import { Uniforms } from './uniforms.js'

/** Lists of probabilities; density prod_i x_i^(a_i - 1) Gamma(sum a) / prod_i Gamma(a_i) over all but the last. */
export function dirichlet(concentration: readonly number[]): Distribution<readonly number[]> {
  return new Dirichlet(concentration)
}

/** How far from 1 the sum of a list of probabilities may be. */
const SUM_TOLERANCE = 1e-9

class Dirichlet implements Distribution<readonly number[]> {
  readonly name = 'dirichlet'
  readonly discrete = false

  constructor(private readonly concentration: readonly number[]) {
    if (concentration.length === 0)
      throw new ParameterError(this.name, 'concentrations', 'a list of at least one number', 'an empty list')
    for (const a of concentration) requireShape(this.name, 'concentrations', a)
  }

  /** A list with a 0 whose concentration is above 1 has density 0, whatever poles its other zeros stand at. */
  logProb(value: unknown): number {
    if (!Array.isArray(value) || value.length !== this.concentration.length) return -Infinity
    let sum = 0
    let total = 0
    let log = 0
    let pole = false
    for (let i = 0; i < value.length; i++) {
      const x: unknown = value[i]
      if (typeof x !== 'number' || !(x >= 0 && x <= 1)) return -Infinity
      const a = this.concentration[i]!
      sum += x
      total += a
      log -= logGamma(a)
      if (x > 0) log += (a - 1) * Math.log(x)
      else if (a > 1) return -Infinity
      else if (a < 1) pole = true
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) return -Infinity
    return pole ? Infinity : log + logGamma(total)
  }

  /** Gamma numbers over their sum, by their logarithms; kept off 0, where the density may have poles. */
  sample(random: Randomness, key: DrawKey): readonly number[] {
    const uniforms = new Uniforms(random, key)
    const logs = this.concentration.map((a) => uniforms.logGamma(a))
    const top = logs.reduce((a, b) => Math.max(a, b))
    const shares = logs.map((log) => Math.exp(log - top))
    const total = shares.reduce((sum, share) => sum + share, 0)
    return shares.map((share) => Math.max(share / total, Number.MIN_VALUE))
  }
}

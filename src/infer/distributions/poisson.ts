import type { DrawKey, Randomness } from '../../models/randomness.js'
import { logPoisson } from '../special.js'
import type { Distribution } from './distribution.js'
import { requireNonNegative } from './parameters.js'
import { Uniforms } from './uniforms.js'

/** Counts with the given mean; rate 0 gives 0. */
export function poisson(rate: number): Distribution<number> {
  return new Poisson(rate)
}

/** From here on rejection takes fewer steps than a search. */
const REJECTION_FROM = 10

class Poisson implements Distribution<number> {
  readonly name = 'poisson'
  readonly discrete = true

  constructor(private readonly rate: number) {
    requireNonNegative(this.name, 'rate', rate)
  }

  logProb(value: unknown): number {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return -Infinity
    return logPoisson(value, this.rate)
  }

  sample(random: Randomness, key: DrawKey): number {
    return this.rate < REJECTION_FROM ? this.search(random.uniform(key, 0)) : this.reject(new Uniforms(random, key))
  }

  /** Inversion: the first k whose cumulative probability exceeds u; it ends where a term no longer changes the sum. */
  private search(u: number): number {
    let term = Math.exp(-this.rate)
    let sum = term
    let k = 0
    while (!(sum > u)) {
      term *= this.rate / ++k
      if (sum + term === sum) return k
      sum += term
    }
    return k
  }

  /** Transformed rejection with squeeze, PTRS: Hörmann, "The transformed rejection method for generating Poisson variables" (1993). */
  private reject(uniforms: Uniforms): number {
    const b = 0.931 + 2.53 * Math.sqrt(this.rate)
    const a = -0.059 + 0.02483 * b
    const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
    const squeeze = 0.9277 - 3.6224 / (b - 2)
    for (;;) {
      const u = uniforms.next() - 0.5
      const v = uniforms.next()
      const tail = 0.5 - Math.abs(u)
      const k = Math.floor(((2 * a) / tail + b) * u + this.rate + 0.43)
      if (tail >= 0.07 && v <= squeeze) return k
      if (k < 0 || (tail < 0.013 && v > tail)) continue
      if (Math.log((v * inverseAlpha) / (a / (tail * tail) + b)) <= logPoisson(k, this.rate)) return k
    }
  }
}

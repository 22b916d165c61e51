import type { DrawKey, Randomness } from '../../models/randomness.js'
import { logBinomial } from '../special.js'
import { type Distribution, type Outcome, ParameterError } from './distribution.js'
import { requireProbability } from './parameters.js'
import { Uniforms } from './uniforms.js'

/** Up to this many trials the outcomes are listed, and drawn as one index. */
const LISTED = 64

/** From this expected number of the rarer outcome on, rejection takes fewer steps than a search. */
const REJECTION_FROM = 10

/** Successes among n trials with probability p each. */
export function binomial(n: number, p: number): Distribution<number> {
  return n <= LISTED ? new ListedBinomial(n, p) : new Binomial(n, p)
}

class Binomial implements Distribution<number> {
  readonly name = 'binomial'
  readonly discrete = true

  constructor(
    protected readonly n: number,
    protected readonly p: number,
  ) {
    if (!Number.isSafeInteger(n) || n < 0) throw new ParameterError('binomial', 'n', 'a whole number from 0', String(n))
    requireProbability('binomial', 'p', p)
  }

  logProb(value: unknown): number {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > this.n) return -Infinity
    return logBinomial(value, this.n, this.p)
  }

  /** Counts the rarer of the two outcomes. */
  sample(random: Randomness, key: DrawKey): number {
    const rare = Math.min(this.p, 1 - this.p)
    const count =
      this.n * rare < REJECTION_FROM ? this.search(random.uniform(key, 0), rare) : this.reject(new Uniforms(random, key), rare)
    return this.p <= 0.5 ? count : this.n - count
  }

  /** Inversion: the first k whose cumulative probability exceeds u; it ends where a term no longer changes the sum. */
  private search(u: number, p: number): number {
    const odds = p / (1 - p)
    let term = Math.exp(this.n * Math.log1p(-p))
    let sum = term
    let k = 0
    while (!(sum > u) && k < this.n) {
      term *= (odds * (this.n - k)) / (k + 1)
      k++
      if (sum + term === sum) return k
      sum += term
    }
    return k
  }

  /** Transformed rejection with squeeze, BTRS: Hörmann, "The generation of binomial random variates" (1993). */
  private reject(uniforms: Uniforms, p: number): number {
    const sd = Math.sqrt(this.n * p * (1 - p))
    const b = 1.15 + 2.53 * sd
    const a = -0.0873 + 0.0248 * b + 0.01 * p
    const alpha = (2.83 + 5.1 / b) * sd
    const squeeze = 0.92 - 4.2 / b
    const top = logBinomial(Math.floor((this.n + 1) * p), this.n, p)
    for (;;) {
      const u = uniforms.next() - 0.5
      const v = uniforms.next()
      const tail = 0.5 - Math.abs(u)
      const k = Math.floor(((2 * a) / tail + b) * u + this.n * p + 0.5)
      if (tail >= 0.07 && v <= squeeze) return k
      if (k < 0 || k > this.n) continue
      if (Math.log((v * alpha) / (a / (tail * tail) + b)) <= logBinomial(k, this.n, p) - top) return k
    }
  }
}

class ListedBinomial extends Binomial {
  override sample(random: Randomness, key: DrawKey): number {
    return random.index(this.probabilities(), key)
  }

  support(most: number): Outcome<number>[] | null {
    if (this.n >= most) return null
    const outcomes = this.probabilities().map((probability, value) => ({ value, probability }))
    return outcomes.filter((outcome) => outcome.probability > 0)
  }

  private probabilities(): number[] {
    return Array.from({ length: this.n + 1 }, (_, k) => Math.exp(logBinomial(k, this.n, this.p)))
  }
}

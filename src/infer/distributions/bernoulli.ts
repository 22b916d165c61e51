import type { DrawKey, Randomness } from '../../models/randomness.js'
import type { Distribution, Outcome } from './distribution.js'
import { requireProbability } from './parameters.js'

/** True with probability p. */
export function bernoulli(p: number): Distribution<boolean> {
  return new Bernoulli(p)
}

class Bernoulli implements Distribution<boolean> {
  readonly name = 'bernoulli'
  readonly discrete = true

  constructor(private readonly p: number) {
    requireProbability(this.name, 'p', p)
  }

  logProb(value: unknown): number {
    if (value === true) return Math.log(this.p)
    return value === false ? Math.log1p(-this.p) : -Infinity
  }

  sample(random: Randomness, key: DrawKey): boolean {
    return random.index([1 - this.p, this.p], key) === 1
  }

  support(): Outcome<boolean>[] {
    const outcomes = [
      { value: false, probability: 1 - this.p },
      { value: true, probability: this.p },
    ]
    return outcomes.filter((outcome) => outcome.probability > 0)
  }
}

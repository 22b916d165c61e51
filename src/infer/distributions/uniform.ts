import type { DrawKey, Randomness } from '../../models/randomness.js'
import { equal } from '../equality.js'
import { type Distribution, type Outcome, ParameterError } from './distribution.js'
import { requireFinite } from './parameters.js'

/** An element of a list, whose equal elements' probabilities add up; or a real number of [low, high] with density 1 / (high - low). */
export function uniform<T>(items: readonly T[]): Distribution<T>
export function uniform(low: number, high: number): Distribution<number>
export function uniform<T>(first: readonly T[] | number, high?: number): Distribution<T> | Distribution<number> {
  return typeof first === 'number' ? new UniformReal(first, high ?? NaN) : new UniformList(first)
}

class UniformList<T> implements Distribution<T> {
  readonly name = 'uniform'
  readonly discrete = true

  constructor(private readonly items: readonly T[]) {
    if (items.length === 0) throw new ParameterError(this.name, 'values', 'a list of at least one element', 'an empty list')
  }

  logProb(value: unknown): number {
    let count = 0
    for (let i = 0; i < this.items.length; i++) if (equal(this.items[i], value)) count++
    return Math.log(count / this.items.length)
  }

  sample(random: Randomness, key: DrawKey): T {
    return this.items[random.index(new Uint8Array(this.items.length).fill(1), key)]!
  }

  support(most: number): Outcome<T>[] | null {
    if (this.items.length > most) return null
    const counted: { value: T; count: number }[] = []
    for (const value of this.items) {
      const known = counted.find((entry) => equal(entry.value, value))
      if (known) known.count++
      else counted.push({ value, count: 1 })
    }
    return counted.map(({ value, count }) => ({ value, probability: count / this.items.length }))
  }
}

class UniformReal implements Distribution<number> {
  readonly name = 'uniform'
  readonly discrete = false

  constructor(
    private readonly low: number,
    private readonly high: number,
  ) {
    requireFinite(this.name, 'a', low)
    requireFinite(this.name, 'b', high)
    if (!(low < high)) throw new ParameterError(this.name, 'b', `a number above a, which is ${low}`, String(high))
    requireFinite(this.name, 'b - a', high - low)
  }

  logProb(value: unknown): number {
    return typeof value === 'number' && value >= this.low && value <= this.high ? -Math.log(this.high - this.low) : -Infinity
  }

  sample(random: Randomness, key: DrawKey): number {
    return Math.min(this.low + (this.high - this.low) * random.uniform(key, 0), this.high)
  }
}

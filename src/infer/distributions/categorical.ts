import type { DrawKey, Randomness } from '../../models/randomness.js'
import { equal } from '../equality.js'
import type { Distribution, Outcome } from './distribution.js'
import { requireWeights } from './parameters.js'

/** An index of a list of weights, or a key of a record of weights; the weights need not sum to 1. */
export function categorical(weights: readonly number[]): Distribution<number>
export function categorical(weights: Readonly<Record<string, number>>): Distribution<string>
export function categorical(weights: readonly number[] | Readonly<Record<string, number>>): Distribution<number | string>
export function categorical(weights: readonly number[] | Readonly<Record<string, number>>): Distribution<number | string> {
  return isList(weights) ? new CategoricalIndex(weights) : new CategoricalKey(weights)
}

function isList(weights: readonly number[] | Readonly<Record<string, number>>): weights is readonly number[] {
  return Array.isArray(weights)
}

class CategoricalIndex implements Distribution<number> {
  readonly name = 'categorical'
  readonly discrete = true
  private readonly total: number

  constructor(private readonly weights: readonly number[]) {
    this.total = requireWeights(this.name, 'weights', weights)
  }

  logProb(value: unknown): number {
    const weight = typeof value === 'number' ? this.weights[value] : undefined
    return weight === undefined ? -Infinity : Math.log(weight / this.total)
  }

  sample(random: Randomness, key: DrawKey): number {
    return random.index(this.weights, key)
  }

  support(most: number): Outcome<number>[] | null {
    if (this.weights.length > most) return null
    const outcomes = this.weights.map((weight, value) => ({ value, probability: weight / this.total }))
    return outcomes.filter((outcome) => outcome.probability > 0)
  }
}

class CategoricalKey implements Distribution<string> {
  readonly name = 'categorical'
  readonly discrete = true
  private readonly keys: readonly string[]
  private readonly weights: readonly number[]
  private readonly total: number

  constructor(weights: Readonly<Record<string, number>>) {
    this.keys = Object.keys(weights)
    this.weights = Object.values(weights)
    this.total = requireWeights(this.name, 'weights', this.weights)
  }

  logProb(value: unknown): number {
    const at = typeof value === 'string' ? this.keys.indexOf(value) : this.keys.findIndex((key) => equal(key, value))
    return at < 0 ? -Infinity : Math.log(this.weights[at]! / this.total)
  }

  sample(random: Randomness, key: DrawKey): string {
    return this.keys[random.index(this.weights, key)]!
  }

  support(most: number): Outcome<string>[] | null {
    if (this.keys.length > most) return null
    const outcomes = this.keys.map((value, i) => ({ value, probability: this.weights[i]! / this.total }))
    return outcomes.filter((outcome) => outcome.probability > 0)
  }
}

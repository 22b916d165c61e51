import type { DrawKey, Randomness } from '../../models/randomness.js'

/** A distribution over values of type T, as `sample x ~ D`, `observe v ~ D` and `D.prob(v)` see it. */
export interface Distribution<T = unknown> {
  /** As the language calls it. */
  readonly name: string
  /** Whether `logProb` is a log probability, and not a log density. */
  readonly discrete: boolean
  /** -Infinity outside the support, and for a value of another type (`OutcomeError` for a label that there is not); +Infinity where a density has a pole. Never NaN. */
  logProb(value: unknown): number
  /**
   * One draw. Those over a list of outcomes ask `random.index` once, so that an enumerator can take its place; the others ask
   * `random.uniform` with attempt 0, 1, 2 ...
   */
  sample(random: Randomness, key: DrawKey): T
  /** Every value of positive probability, once, where they can be listed and are no more than `most`; else null. */
  support?(most: number): readonly Outcome<T>[] | null
}

/** Whether a value of a program is a distribution; no other value has methods of these names. */
export function isDistribution(value: unknown): value is Distribution {
  if (typeof value !== 'object' || value === null) return false
  const { logProb, sample } = value as Partial<Distribution>
  return typeof logProb === 'function' && typeof sample === 'function'
}

export interface Outcome<T> {
  readonly value: T
  readonly probability: number
}

/**
 * A question that a distribution has no answer to, where probability 0 would hide a slip. `logProb` and `sample` of a classifier's
 * labels throw it; whoever evaluates them knows the span, and turns this into a diagnostic.
 */
export class OutcomeError extends Error {
  override readonly name = 'OutcomeError'

  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message)
  }
}

/** A parameter outside its domain. Whoever evaluates the call knows its span, and turns this into a diagnostic. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError'

  /**
   * @param parameter as in the language's reference: "sd"
   * @param expected "a number above 0"
   * @param found "-1"
   */
  constructor(
    readonly distribution: string,
    readonly parameter: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`expected ${parameter} of ${distribution} to be ${expected}, found ${found}`)
  }
}

import type { History } from '../../models/model.js'
import type { ClassifierValue, ModelValue, Value } from '../values.js'

/**
 * What a pure expression may have to wait for. The host throws `Waiting`; the executor gathers the asks of all particles, serves
 * them in one batch, remembers the answers with the particle, and evaluates the expression again from the start. Expressions have
 * no effects, so the second evaluation does the same and finds its answers.
 */
export type Ask =
  | {
      readonly kind: 'prob'
      readonly key: string
      readonly model: ModelValue
      readonly history: History
      readonly temperature: number
      readonly tokens: readonly number[]
    }
  | {
      readonly kind: 'classify'
      readonly key: string
      readonly classifier: ClassifierValue
      readonly text: string
      readonly site: number
    }
  | {
      readonly kind: 'extern'
      readonly key: string
      readonly extern: number
      readonly args: readonly Value[]
      readonly site: number
    }

/** Thrown instead of a value that is not there yet; carries nothing, so one object serves all. */
export const waiting = { waiting: true } as const

/** What the host needs of the particle whose expression it evaluates. */
export interface Asking {
  /** Answers that have come, by the key of the ask. */
  answers: Map<string, Value> | null
  asks: Ask[]
  /** Whether it looks ahead: how far must not depend on what happens to be remembered, so every question stops it. */
  looksAhead: boolean
}

export function answer(particle: Asking, ask: Ask): Value {
  const known = particle.answers?.get(ask.key)
  if (known !== undefined) return known
  if (!particle.asks.some((other) => other.key === ask.key)) particle.asks.push(ask)
  throw waiting
}

/** Evaluates every item although one of them has to wait, so that all that is missing is asked for at once. */
export function forEvery<A, B>(items: readonly A[], f: (item: A) => B): B[] {
  const results: B[] = []
  let waits = false
  for (const item of items) {
    try {
      results.push(f(item))
    } catch (thrown) {
      if (thrown !== waiting) throw thrown
      waits = true
    }
  }
  if (waits) throw waiting
  return results
}

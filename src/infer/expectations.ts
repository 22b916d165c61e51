import { logSumExp } from '../models/log-sum.js'
import { stopped } from '../models/model.js'
import { setOf, type TokenSet, tokensOf } from '../models/token-set.js'
import type { Guidance } from './learned/twist.js'
import type { Particle } from './particle.js'
import type { Plan } from './plan.js'

/** Least probability of a token that is looked at, as a share of its own among those that live. */
const leastChance = 1e-6

/**
 * Log factors to draw with where a trained twist guides a draw, by token: what it says of them, as with large vocabularies. psi tells of all that follows
 * a draw (losses.ts), so it takes the place of what is known to weigh between this draw and the next, and of the twists of the program, which guess at
 * the same. Losses know psi up to a factor of the text so far, or of its length, so it is not set beside the weight of a token whose end is in sight:
 * it tells of such tokens, too, unless the end of every one is in sight. Of a stop it says nothing: that is what is known to weigh behind it.
 * @param tries what the particle would become with each token, `worth` what its weight would be multiplied by
 */
export function expectations(
  p: Particle,
  tries: ReadonlyMap<number, Particle>,
  worth: ReadonlyMap<number, number>,
  guidance: Guidance,
): ReadonlyMap<number, number> {
  if (![...tries].some(([token, { done }]) => token !== stopped && !done)) return worth
  const before = p.withoutTwists
  return new Map(
    [...worth].map(([token, log]) => {
      if (log === Number.NEGATIVE_INFINITY) return [token, log]
      return [token, token === stopped ? tries.get(token)!.withoutTwists - before : guidance.rows![token]!]
    }),
  )
}

/**
 * Log factors to draw with, for tokens that are worth `worth` when they are drawn: the same, except where the draw would hardly ever give a
 * token that lives. A twist of 0 would otherwise kill, which no twist may do.
 */
export function withChance(worth: ReadonlyMap<number, number>, logMass: (token: number) => number): Map<number, number> {
  const living = [...worth].filter(([, log]) => log > Number.NEGATIVE_INFINITY)
  const masses = living.map(([token]) => logMass(token))
  const mean = logSumExp(living.map(([, log], i) => log + masses[i]!)) - logSumExp(masses)
  const least = mean + Math.log(leastChance)
  return new Map([...worth].map(([token, log]) => [token, log === Number.NEGATIVE_INFINITY ? log : Math.max(log, least)]))
}

/** The tokens that may be drawn, without those that are known to die: a learned twist never meets them, so what it says of them counts for nothing. */
export function livingOf({ allowed, model }: Plan, worth: ReadonlyMap<number, number>): TokenSet | null {
  const dies = (token: number) => worth.get(token) === Number.NEGATIVE_INFINITY
  const all = allowed ? tokensOf(allowed) : Array(model.vocabulary.size).keys()
  const living = [...all].filter((token) => !dies(token))
  return living.length === (allowed?.count ?? model.vocabulary.size) ? allowed : setOf(living, model.vocabulary.size)
}

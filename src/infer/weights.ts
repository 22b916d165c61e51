import { largest, logSumExp } from '../models/log-sum.js'

export { logAddExp, logSumExp } from '../models/log-sum.js'

/**
 * Log weights of a population, shape (N): -Infinity is a dead particle. Equal weights give exact answers, because
 * exp(0) = 1 and sums of ones are exact.
 *
 * A NaN anywhere gives NaN, and +Infinity gives NaN or +Infinity: neither is a weight, and the caller stops the run there,
 * with the step and the particle that it came from.
 */

/**
 * log (1/N sum_i exp(logw_i)), dead ones counted: the estimate log Z-hat of absolute weights.
 * @param count N, where the population may be of another size
 */
export function logMeanExp(logw: Float64Array, count = logw.length): number {
  const at = largest(logw)
  if (at < 0) return -Infinity
  const top = logw[at]!
  if (!Number.isFinite(top)) return top
  let sum = 0
  for (let i = 0; i < logw.length; i++) sum += Math.exp(logw[i]! - top)
  return top + Math.log(sum / count)
}

/** The probabilities exp(logw_i) / sum, shape (N); all 0 when all are dead. */
export function normalise(logw: Float64Array): Float64Array {
  const probabilities = new Float64Array(logw.length)
  const at = largest(logw)
  if (at < 0) return probabilities
  const top = logw[at]!
  let sum = 0
  for (let i = 0; i < logw.length; i++) sum += probabilities[i] = Math.exp(logw[i]! - top)
  for (let i = 0; i < logw.length; i++) probabilities[i]! /= sum
  return probabilities
}

/** Least probability with which a live particle is resampled. */
const LEAST_CHANCE = 1e-6

/**
 * With which probabilities to resample, shape (N), and the log weight of a copy of each particle, shape (N): the mean weight of the
 * population, except where a live particle is so light that doubles would never pick it (a twist of 0, say). It then gets a chance of
 * LEAST_CHANCE and its copies weigh less by as much, so that E[sum of the copies' weights] = its weight, as for all others.
 */
export function resamplingLaw(logw: Float64Array): { readonly chances: Float64Array; readonly copies: Float64Array } {
  const mean = logMeanExp(logw)
  const total = logSumExp(logw)
  const chances = normalise(logw)
  const copies = new Float64Array(logw.length).fill(mean)
  const isLight = (i: number) => logw[i]! > -Infinity && chances[i]! < LEAST_CHANCE
  if (!chances.some((_, i) => isLight(i))) return { chances, copies }
  let sum = 0
  for (let i = 0; i < logw.length; i++) sum += chances[i] = isLight(i) ? LEAST_CHANCE : chances[i]!
  for (let i = 0; i < logw.length; i++) {
    chances[i]! /= sum
    if (chances[i]! > 0) copies[i] = mean + (logw[i]! - total) - Math.log(chances[i]!)
  }
  return { chances, copies }
}

/**
 * Effective sample size, 1 / sum of squared probabilities, over all N with the dead among them: from 1 to N, and 0 when all are dead.
 * Kong, Liu & Wong (1994).
 */
export function ess(logw: Float64Array): number {
  const at = largest(logw)
  if (at < 0) return 0
  const top = logw[at]!
  let sum = 0
  let squares = 0
  for (let i = 0; i < logw.length; i++) {
    const weight = Math.exp(logw[i]! - top)
    sum += weight
    squares += weight * weight
  }
  return Math.min((sum * sum) / squares, logw.length)
}

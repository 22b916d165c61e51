import { modelError } from './errors.js'
import { logSumExp } from './log-sum.js'
import { type DrawReply, type DrawRequest, nothing, type Posterior, stopped } from './model.js'
import { has, type TokenSet } from './token-set.js'
import { TokenUrn } from './token-urn.js'

/**
 * Local posteriors in plain JavaScript, from whole rows of log probabilities: for tables, and where a graph cannot form a product itself.
 * `logs`: for each expert of the posterior, power · log p of every token.
 */

/** log g of every token. Throws R025 where a product divides by a probability of 0. */
export function logWeights(posterior: Pick<Posterior, 'within' | 'potential'>, logs: readonly Float64Array[]): Float64Array {
  const { within, potential } = posterior
  const size = logs[0]!.length
  const sums = new Float64Array(size)
  for (let v = 0; v < size; v++) sums[v] = within && !has(within, v) ? -Infinity : product(v, logs, potential)
  return sums
}

/** A factor of 0 makes a product 0, whatever the others are. */
function product(v: number, logs: readonly Float64Array[], potential: Float64Array | null): number {
  let sum = 0
  let zero = false
  for (const row of logs) {
    if (row[v] === -Infinity) zero = true
    sum += row[v]!
  }
  if (potential) {
    if (potential[v] === -Infinity) zero = true
    sum += potential[v]!
  }
  if (zero) return -Infinity
  if (sum === Infinity)
    throw modelError(
      'R025',
      'a product of contexts divides by a probability of 0',
      'divide only by contexts that give a chance to every token that the others give one',
    )
  return sum
}

/** `shift`, if there is one, has a log factor for every token: the output embedding is the identity. */
export function drawDense(request: DrawRequest, logs: readonly Float64Array[]): DrawReply {
  const { allowed, lookahead, shift, stop, random, key } = request
  const g = logWeights(request, logs)
  const shifted = shift ? g.map((log, v) => log + shift[v]!) : g
  const logLeaving = logMassOf(g, request.leaving)
  const logShifted = shift ? logMassOf(shifted, request.leaving) : logLeaving
  const drawn = new Float64Array(g.length + 1)
  for (let v = 0; v < g.length; v++)
    drawn[v] = allowed && !has(allowed, v) ? -Infinity : shifted[v]! + (lookahead ? lookahead[v]! : 0)
  drawn[g.length] = stop === null ? -Infinity : logShifted + stop
  const logMass = logSumExp(drawn)
  if (logMass === -Infinity) return { token: nothing, logProb: -Infinity, logMass, logLeaving, logShift: 0 }
  const { forced } = request
  if (forced !== undefined) {
    const logProb = forced === stopped ? logLeaving : (drawn[forced] ?? -Infinity) === -Infinity ? -Infinity : g[forced]!
    const logShift = forced === stopped ? logShifted - logLeaving : shift ? shift[forced]! : 0
    return { token: logProb === -Infinity ? nothing : forced, logProb, logMass, logLeaving, logShift }
  }
  const index = random.index(
    drawn.map((log) => Math.exp(log - logMass)),
    key,
  )
  if (index === g.length) {
    return { token: stopped, logProb: logLeaving, logMass, logLeaving, logShift: logShifted - logLeaving }
  }
  return { token: index, logProb: g[index]!, logMass, logLeaving, logShift: shift ? shift[index]! : 0 }
}

export function urnDense(posterior: Posterior, logs: readonly Float64Array[]): TokenUrn {
  const { allowed, shift, stop } = posterior
  const free = logWeights(posterior, logs)
  const logStop = stop === null ? -Infinity : logMassOf(free, posterior.leaving) + stop
  const g = shift ? free.map((log, v) => log + shift[v]!) : free
  const top = Math.max(logSumExp(g), logStop)
  const masses = g.map((log, v) => (top === -Infinity || (allowed && !has(allowed, v)) ? 0 : Math.exp(log - top)))
  return new TokenUrn(masses, top === -Infinity ? 0 : top, logStop)
}

/** log of the sum of g over a set; -Infinity for null. */
export function logMassOf(g: Float64Array, set: TokenSet | null): number {
  return set ? logSumExp(g.map((log, v) => (has(set, v) ? log : -Infinity))) : -Infinity
}

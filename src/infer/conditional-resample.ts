/**
 * Conditional resampling: the law of `resample.ts` given that one particle, in slot b, is among the ancestors, as conditional SMC needs it
 * (inference.md §2). N weights W that sum to 1, with running sums C.
 *
 *     multinomial   slot 0 keeps b, the others are free: which slot it is tells nothing
 *     systematic    V uniform on [N C_{b-1}, N C_b), points (k + frac V) / N; b stands in slot floor V
 *     stratified    the same V for the slot floor V, the other strata free
 *     residual      with probability floor(N W_b) / (N W_b) a certain copy is the retained one, else one of the draws in what is left
 *
 * The retained particle stays where it lands: slots are not alike under systematic and stratified. An ordinary resampling whose slot 0 is
 * overwritten is wrong. Chopin & Singh, "On particle Gibbs sampling" (Bernoulli 2015); Chopin & Papaspiliopoulos (2020), chapter 16.
 */
import type { Randomness } from '../models/randomness.js'
import { Cumulative, inside, residualParts } from './resample.js'
import type { Scheme } from './result.js'

export interface Conditional {
  /** As from `resample`. */
  readonly ancestors: Int32Array
  /** Where the retained particle is now. */
  readonly retained: number
}

/**
 * @param weights shape (N): non-negative and finite; proportional to the probabilities
 * @param retained the slot b, of positive weight
 * @param generation resampling points that the population has passed, this one not counted
 */
export function resampleConditionally(
  scheme: Scheme,
  weights: Float64Array,
  retained: number,
  random: Randomness,
  generation: number,
): Conditional {
  const count = weights.length
  const steps = new Cumulative(weights)
  switch (scheme) {
    case 'multinomial': {
      const points = random.resampling(generation, count, (k) => (k === 0 ? [] : inside(steps.fractions)))
      const ancestors = Int32Array.from(points, (point, k) => (k === 0 ? retained : steps.find(point)))
      return { ancestors, retained: 0 }
    }
    case 'systematic': {
      const offsets = steps.fractions.map((c) => (c * count) % 1)
      const { slot, offset } = place(steps, retained, random, generation, [0, ...offsets])
      const ancestors = steps.merge(count, () => offset)
      ancestors[slot] = retained
      return { ancestors, retained: slot }
    }
    case 'stratified': {
      const { slot } = place(steps, retained, random, generation, [0])
      // The number of slot k > 0 is that of its stratum, in order, the one of the retained particle left out.
      const stratum = (k: number) => (k <= slot ? k - 1 : k)
      const breaks = (k: number) => (k === 0 ? [] : inside(steps.fractions.map((c) => c * count - stratum(k))))
      const points = random.resampling(generation, count, breaks)
      const ancestors = steps.merge(count, (k) => (k === slot ? 0.5 : points[k < slot ? k + 1 : k]!))
      ancestors[slot] = retained
      return { ancestors, retained: slot }
    }
    case 'residual':
      return residual(weights, retained, random, generation)
    default:
      return scheme satisfies never
  }
}

/**
 * Where V falls: a slot, and where in it.
 * @param breaks fractions where the use of frac V changes
 */
function place(steps: Cumulative, retained: number, random: Randomness, generation: number, breaks: readonly number[]) {
  const fractions = steps.fractions
  const count = fractions.length
  const low = count * (retained === 0 ? 0 : fractions[retained - 1]!)
  const width = count * fractions[retained]! - low
  const turns = Array.from({ length: Math.floor(low + width) - Math.floor(low) + 1 }, (_, k) => Math.floor(low) + k)
  const changes = () => inside(turns.flatMap((turn) => breaks.map((at) => (turn + at - low) / width)))
  const v = low + width * random.resampling(generation, 1, changes)[0]!
  const slot = Math.min(Math.floor(v), count - 1)
  return { slot, offset: v - slot }
}

function residual(weights: Float64Array, retained: number, random: Randomness, generation: number): Conditional {
  const { certain, left } = residualParts(weights)
  const count = weights.length
  const free = count - certain.length
  const isOne = (i: number) => i === retained
  const copies = certain.filter(isOne).length
  const share = copies / (copies + left[retained]!)
  const first = certain.findIndex(isOne)
  if (free === 0) return { ancestors: Int32Array.from(certain), retained: first }
  const steps = new Cumulative(left)
  const [coin] = random.resampling(generation, 1, () => inside([share]))
  const isCertain = copies > 0 && coin! < share
  const points = random.resampling(generation, 1 + free, (k) =>
    k === 0 || (k === 1 && !isCertain) ? [] : inside(steps.fractions),
  )
  const drawn = Array.from(points.subarray(1), (point, k) => (k === 0 && !isCertain ? retained : steps.find(point)))
  return { ancestors: Int32Array.from([...certain, ...drawn]), retained: isCertain ? first : certain.length }
}

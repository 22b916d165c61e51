/**
 * Resampling without replacement: count of n > count weighted items, each at most once, so that E[mass of i afterwards] = m_i.
 *
 *     c solves sum_i min(c m_i, 1) = count
 *     c m_i >= 1    i keeps its mass
 *     c m_i < 1     i survives with probability c m_i, by one systematic uniform over all of these, and then has the mass 1/c
 *
 * The sum of the masses does not change. Fearnhead & Clifford, "On-line inference for hidden Markov models via particle filters",
 * Journal of the Royal Statistical Society B 65 (2003), section 3.
 */
import type { Randomness } from '../models/randomness.js'
import { systematicPlan } from './resample.js'
import { logAddExp, resamplingLaw } from './weights.js'

/** Nearer than this to 1, c m_i is meant to be 1. */
const TOLERANCE = 1e-12

export interface Survival {
  /** log c, for the masses as they were given. */
  readonly logC: number
  /** Indices that keep their mass, ascending. */
  readonly kept: readonly number[]
  /** The other indices of positive mass, ascending; count - kept.length of them survive. */
  readonly rest: readonly number[]
}

/**
 * Who keeps its mass. The sums are formed in log space and from the smallest on: beside a large mass the others still count.
 * @param logw log masses; -Infinity is a dead item, which belongs to neither part
 * @param count at least 1, fewer than there are live items
 */
export function survival(logw: Float64Array, count: number): Survival {
  const live = Array.from(logw.keys()).filter((i) => logw[i]! > Number.NEGATIVE_INFINITY)
  if (!(count >= 1 && count < live.length)) throw new RangeError(`${count} of ${live.length} live items are to survive`)
  const falling = [...live].sort((a, b) => logw[b]! - logw[a]!)
  // log sum of the masses from this one on
  const tails = new Float64Array(falling.length)
  let tail = Number.NEGATIVE_INFINITY
  for (let i = falling.length - 1; i >= 0; i--) tails[i] = tail = logAddExp(tail, logw[falling[i]!]!)
  const logC = (kept: number) => Math.log(count - kept) - tails[kept]!
  // One place at least is drawn for: where the others underflow beside the last one kept, they must not be lost for certain.
  let kept = 0
  while (kept < count - 1 && logC(kept) + logw[falling[kept]!]! >= -TOLERANCE) kept++
  const ascending = (indices: number[]) => indices.sort((a, b) => a - b)
  return { logC: logC(kept), kept: ascending(falling.slice(0, kept)), rest: ascending(falling.slice(kept)) }
}

/**
 * The survivors, ascending, and their log masses, both of shape (count). Items so light that doubles would never draw them get a larger
 * chance and a smaller mass (`resamplingLaw`).
 */
export function prune(
  logw: Float64Array,
  count: number,
  random: Randomness,
  generation: number,
): { readonly survivors: Int32Array; readonly logw: Float64Array } {
  const { kept, rest } = survival(logw, count)
  const { chances, copies } = resamplingLaw(Float64Array.from(rest, (i) => logw[i]!))
  const places = count - kept.length
  const plan = systematicPlan(chances, places)
  const drawn = plan.ancestors(random.resampling(generation, plan.uniforms, (k) => plan.breaks(k)))
  // `copies` shares the mass among as many as there are of `rest`; it belongs to `places`.
  const scale = Math.log(rest.length) - Math.log(places)
  const masses = [
    ...kept.map((i) => [i, logw[i]!] as const),
    ...Array.from(drawn, (k) => [rest[k]!, copies[k]! + scale] as const),
  ]
  masses.sort(([a], [b]) => a - b)
  return { survivors: Int32Array.from(masses, ([i]) => i), logw: Float64Array.from(masses, ([, mass]) => mass) }
}

/**
 * Resampling: N ancestors from N weights, so that E[copies of i] = N w_i.
 *
 *     systematic    points (k + u) / N with one u        stratified   points (k + u_k) / N
 *     multinomial   points u_k                           residual     floor(N w_i) copies, the rest multinomial in what is left
 *
 * A point p picks the first i whose cumulative weight exceeds p (strictly), at most the last live one: never an index of weight 0.
 * Chopin & Papaspiliopoulos, "An Introduction to Sequential Monte Carlo" (2020), chapter 9. `conditional-resample.ts` has the versions that
 * keep one particle.
 */
import type { Randomness } from '../models/randomness.js'
import type { Scheme } from './result.js'

/**
 * The ancestors of N slots, shape (N): slot i is to be filled from slot ancestors[i].
 * @param weights shape (N): non-negative and finite, not all 0; proportional to the probabilities
 * @param generation resampling points that the population has passed, this one not counted
 * @throws RangeError when the weights are no such thing: the caller stops a run before (all dead, NaN)
 */
export function resample(scheme: Scheme, weights: Float64Array, randomness: Randomness, generation: number): Int32Array {
  const plan = planOf(scheme, weights)
  return plan.ancestors(randomness.resampling(generation, plan.uniforms, (k) => plan.breaks(k)))
}

/** What a scheme does with its uniforms u_k; piecewise constant in each, which is what an enumerator of outcomes needs. */
export interface ResamplingPlan {
  /** How many uniforms it takes. */
  readonly uniforms: number
  /** Ancestors, shape (N), from shape (uniforms). */
  ancestors(u: Float64Array): Int32Array
  /** The points of (0, 1), in no order, where the ancestors change with u[k]. */
  breaks(k: number): number[]
}

/** The plan of a scheme for these weights; see `resample`. */
export function planOf(scheme: Scheme, weights: Float64Array): ResamplingPlan {
  const steps = new Cumulative(weights)
  const count = weights.length
  switch (scheme) {
    case 'systematic':
      return systematicPlan(weights, count)
    case 'stratified':
      return {
        uniforms: count,
        ancestors: (u) => steps.merge(count, (k) => u[k]!),
        breaks: (k) => inside(steps.fractions.map((c) => c * count - k)),
      }
    case 'multinomial':
      return {
        uniforms: count,
        ancestors: (u) => Int32Array.from(u, (point) => steps.find(point)),
        breaks: () => inside(steps.fractions),
      }
    case 'residual':
      return residualPlan(weights)
    default:
      return scheme satisfies never
  }
}

/** Systematic resampling of any number of weights into `count` slots: E[copies of i] = count w_i / sum. */
export function systematicPlan(weights: Float64Array, count: number): ResamplingPlan {
  const steps = new Cumulative(weights)
  return {
    uniforms: 1,
    ancestors: (u) => steps.merge(count, () => u[0]!),
    breaks: () => inside(steps.fractions.map((c) => (c * count) % 1)),
  }
}

/** Nearer than this to an integer, N w_i is meant to be one: 49 x (1 / 49) is less than 1 in floating point. */
const INTEGER_TOLERANCE = 1e-12

/** The copies that residual resampling makes for certain, and what is left of N w_i, shape (N). */
export function residualParts(weights: Float64Array): { readonly certain: readonly number[]; readonly left: Float64Array } {
  const count = weights.length
  const { total } = new Cumulative(weights)
  const certain: number[] = []
  const left = weights.map((weight, i) => {
    const expected = (count * weight) / total
    const nearest = Math.round(expected)
    const copies = Math.abs(expected - nearest) <= INTEGER_TOLERANCE * Math.max(1, expected) ? nearest : Math.floor(expected)
    for (let copy = 0; copy < copies; copy++) certain.push(i)
    return Math.max(expected - copies, 0)
  })
  return { certain, left }
}

function residualPlan(weights: Float64Array): ResamplingPlan {
  const { certain, left } = residualParts(weights)
  const uniforms = weights.length - certain.length
  if (uniforms === 0) return { uniforms, ancestors: () => Int32Array.from(certain), breaks: () => [] }
  const steps = new Cumulative(left)
  return {
    uniforms,
    ancestors: (u) => Int32Array.from([...certain, ...Array.from(u, (point) => steps.find(point))]),
    breaks: () => inside(steps.fractions),
  }
}

/** Running sums of weights, and the indices that points pick from them. */
export class Cumulative {
  readonly total: number
  /** Shape (N), not yet divided by the total. */
  private readonly sums: Float64Array
  private readonly lastLive: number

  constructor(weights: Float64Array) {
    this.sums = new Float64Array(weights.length)
    let sum = 0
    let live = -1
    for (let i = 0; i < weights.length; i++) {
      if (weights[i]! > 0) live = i
      this.sums[i] = sum += weights[i]!
    }
    if (!(sum > 0 && sum < Infinity)) throw new RangeError(`a population is resampled with weights of sum ${sum}`)
    this.total = sum
    this.lastLive = live
  }

  get fractions(): number[] {
    return Array.from(this.sums, (sum) => sum / this.total)
  }

  /** What the point u of (0, 1) picks, by bisection. */
  find(u: number): number {
    const bound = u * this.total
    let low = 0
    let high = this.lastLive
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.sums[middle]! > bound) high = middle
      else low = middle + 1
    }
    return low
  }

  /** What the ordered points (k + offset(k)) / count pick, k from 0 to count - 1, in one pass. */
  merge(count: number, offset: (k: number) => number): Int32Array {
    const picked = new Int32Array(count)
    let i = 0
    for (let k = 0; k < count; k++) {
      const bound = (k + offset(k)) * this.total
      while (i < this.lastLive && !(this.sums[i]! * count > bound)) i++
      picked[k] = i
    }
    return picked
  }
}

export function inside(points: readonly number[]): number[] {
  return points.filter((point) => point > 0 && point < 1)
}

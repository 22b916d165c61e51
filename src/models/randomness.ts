/**
 * Where a random number stands in a run (inference.md §1). Two draws with different keys are independent; equal keys
 * give equal numbers, so a result depends on the seed alone and not on the order in which particles are served.
 */
export interface DrawKey {
  readonly slot: number
  /** Resampling points that the *population* has passed. */
  readonly generation: number
  /** Draws that the slot has made since the last point. */
  readonly draw: number
}

/** The only source of chance. The sampler uses Philox; tests put an enumerator of all outcomes in its place. */
export interface Randomness {
  /** Index i with probability weights[i] / sum; weights are non-negative and not all zero. `attempt` as for `uniform`; 0 when left out. */
  index(weights: ArrayLike<number>, key: DrawKey, attempt?: number): number
  /** A number in (0, 1); `attempt` tells apart the numbers that one draw consumes. */
  uniform(key: DrawKey, attempt: number): number
  /**
   * The uniforms of one resampling, u[0..count). `breaks(k)` gives the points of (0, 1) where the use of u[k] changes,
   * which only an enumerator reads.
   */
  resampling(generation: number, count: number, breaks: (k: number) => readonly number[]): Float64Array
}

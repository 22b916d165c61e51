/** What the sampler asks of a text classifier. */
export interface Classifier {
  readonly id: string
  /** SHA-256, hex, of everything that determines its answers. */
  readonly hash: string
  /** At least one; no two are equal. */
  readonly labels: readonly string[]
  /** Whether exactly one label holds for a text, so that the probabilities sum to 1; otherwise each holds or not by itself. */
  readonly exclusive: boolean
  /** Most tokens of a text that it reads; it judges a longer one by its beginning. */
  readonly window: number
  /**
   * One judgement a text, in order. It depends on the text alone, not on the others of the batch (but for the rounding of products in
   * 32-bit floats). @param rows most texts in one call of the runtime
   */
  classify(texts: readonly string[], rows: number): Promise<readonly Judgement[]>
  dispose(): Promise<void>
}

export interface Judgement {
  /** Natural logarithm of the probability of each label. */
  readonly logProbs: Float64Array
  /** Whether the text was longer than the window. */
  readonly cut: boolean
}

/** log(1 / (1 + exp(-x))), without overflow. */
export function logSigmoid(x: number): number {
  return x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x))
}

/** log(exp(x_i) / sum_j exp(x_j)), without overflow. */
export function logSoftmax(x: ArrayLike<number>): Float64Array {
  let top = Number.NEGATIVE_INFINITY
  for (let i = 0; i < x.length; i++) top = Math.max(top, x[i]!)
  let total = 0
  for (let i = 0; i < x.length; i++) total += Math.exp(x[i]! - top)
  return Float64Array.from(x, (value) => value - top - Math.log(total))
}

import type { DrawKey, Randomness } from '../../models/randomness.js'

/** The uniforms of one draw, attempt 0, 1, 2 ..., for samplers that take as many as they need. */
export class Uniforms {
  private attempt = 0

  constructor(
    private readonly random: Randomness,
    private readonly key: DrawKey,
  ) {}

  /** A number of (0, 1), independent of those before. */
  next(): number {
    return this.random.uniform(this.key, this.attempt++)
  }

  /** A standard normal number; Box & Muller (1958), the cosine of the pair. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.next()))
    return radius * Math.cos(2 * Math.PI * this.next())
  }

  /**
   * The logarithm of a Gamma(shape, 1) number: Marsaglia & Tsang, "A simple method for generating gamma variables" (2000).
   * Below shape 1 as Gamma(shape + 1) u^(1 / shape), in logarithms since small shapes would underflow.
   */
  logGamma(shape: number): number {
    if (shape < 1) return Math.log(this.next()) / shape + this.logGamma(shape + 1)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const t = c * this.normal()
      if (t <= -1) continue
      const log = Math.log1p(t)
      // The paper's log u < x^2 / 2 + d - d v + d log v with v = (1 + t)^3, written so that large terms do not cancel.
      if (Math.log(this.next()) < 3 * d * (log - t * (1 - t * (1 / 2 - t / 3)))) return Math.log(d) + 3 * log
    }
  }
}

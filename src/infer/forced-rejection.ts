import { stopped } from '../models/model.js'
import type { Randomness } from '../models/randomness.js'
import type { Step } from './link.js'
import type { Asked, Candidate, Found, TokenSearch } from './rejection.js'

/*
 * Adaptive weighted rejection sampling that must end in a given token x* (inference.md §2), for conditional SMC. An exact sample comes with
 * a weight from its own law, tilted by that weight: the tokens that were rejected before it keep their law; the coin that decides between
 * the weights m and g(x*) does not.
 *
 *     1. draw until a token meets the requirement; put that one back. m is the mass that was not rejected.
 *     2. take x* out. The next token n decides: w = m when it meets the requirement or none is left, w = g(x*) when it does not, where
 *        P(n) ∝ g(n) (m if n meets it, g(x*) if not): by drawing n from g and keeping it with probability 1 or c = g(x*) / m.
 *
 * Tokens that were drawn in step 2 and not kept are known not to meet the requirement. With r their mass and u that of the others, the
 * next kept one is among them with probability r c / (r c + u) of what can end or go on, so that no token is tried twice. An ordinary weight
 * for a forced token gives an "upper bound" below log Z.
 */

/** What tells apart the numbers that the coin takes from those of the urn, whose attempts count from 0. */
const coinAttempts = 2 ** 31

export class ForcedSearch implements TokenSearch {
  private phase: 'rejecting' | 'deciding' | 'ended' = 'rejecting'
  private candidate: Candidate | null = null
  private evaluations = 0
  private coins = 0
  /** log m */
  private logLeft = Number.NEGATIVE_INFINITY
  /** log g(x*) */
  private logMass = Number.NEGATIVE_INFINITY
  /** log w */
  private logWeight = Number.NEGATIVE_INFINITY
  /** Mass of the tokens known not to meet the requirement, as a share of m. */
  private known = 0

  constructor(
    private readonly ask: Asked,
    private readonly forced: number,
    private readonly random: Randomness,
  ) {}

  get where(): Step {
    return this.ask.where
  }

  more(): Candidate[] {
    if (this.candidate) this.judge(this.candidate)
    if (this.phase === 'ended') return []
    const { urn, key } = this.ask
    const logLeft = urn.logMass
    const { token, logMass } = urn.take(this.random, key)
    if (logMass === Number.NEGATIVE_INFINITY) {
      // Nothing is left: x* was all that meets the requirement, or it is not there at all.
      this.candidate = null
      this.end(this.phase === 'deciding' ? this.logLeft : Number.NEGATIVE_INFINITY)
      return []
    }
    if (token !== stopped) this.evaluations++
    this.candidate = { token, logMass, logLeft, trial: this.ask.trial(token), meets: false }
    return [this.candidate]
  }

  get result(): Found {
    const found = this.logWeight > Number.NEGATIVE_INFINITY
    const { forced: token, logMass, logWeight, evaluations } = this
    return { token, logMass, logWeight, trial: found ? this.ask.trial(token) : null, evaluations }
  }

  private judge({ token, logMass, logLeft, meets }: Candidate): void {
    const { urn } = this.ask
    if (this.phase === 'rejecting') {
      if (!meets) return
      this.logLeft = logLeft
      urn.put(token, logMass)
      this.logMass = urn.remove(this.forced)
      if (this.logMass === Number.NEGATIVE_INFINITY) this.end(this.logMass)
      else this.phase = 'deciding'
      return
    }
    const keep = Math.exp(this.logMass - this.logLeft)
    if (meets) this.end(this.logLeft)
    else if (this.heads(keep, 1 - keep)) this.end(this.logMass)
    else {
      this.known += Math.exp(logMass - this.logLeft)
      if (this.heads(this.known * keep, Math.exp(urn.logMass - this.logLeft))) this.end(this.logMass)
    }
  }

  /** True with probability yes / (yes + no). */
  private heads(yes: number, no: number): boolean {
    if (!(no > 0)) return true
    return this.random.index([yes, no], this.ask.key, coinAttempts + this.coins++) === 0
  }

  private end(logWeight: number): void {
    this.phase = 'ended'
    this.candidate = null
    this.logWeight = logWeight
  }
}

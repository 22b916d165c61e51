import { nothing, stopped } from '../models/model.js'
import type { DrawKey, Randomness } from '../models/randomness.js'
import type { TokenUrn } from '../models/token-urn.js'
import { ForcedSearch } from './forced-rejection.js'
import type { Step } from './link.js'
import type { Particle } from './particle.js'
import type { Trials } from './trial.js'

/**
 * Adaptive weighted rejection sampling (Lipkin et al. 2025, arXiv 2504.05410). Tokens are drawn without replacement until one, x, meets the
 * requirement; then one more is drawn from what is left. With m the mass that was not rejected before x (its own included),
 *
 *     w = m when the next one meets the requirement too, or none is left;  w = g(x) when it does not.
 *
 * E[w 1(x = v)] = g(v) for every v that meets the requirement, so (x, w) is properly weighted, after two calls at best. The one after x
 * comes from the same sequence, so candidates can be tried several at a time. `forced-rejection.ts` has the search that must end in a given
 * token.
 */

/** One draw under a requirement. */
export interface Asked {
  readonly urn: TokenUrn
  readonly key: DrawKey
  readonly where: Step
  /** What the search must end in; undefined where chance decides. */
  readonly forced?: number | undefined
  /** What the particle would become with this token, or with a stop. */
  trial(token: number): Particle
}

export interface Found {
  readonly token: number
  /** log g(token) */
  readonly logMass: number
  /** log w */
  readonly logWeight: number
  /** null: no token meets the requirement, and w = 0. */
  readonly trial: Particle | null
  /** How often the requirement was evaluated. */
  readonly evaluations: number
}

export interface Candidate {
  readonly token: number
  readonly logMass: number
  /** log of the mass that was left before it was taken. */
  readonly logLeft: number
  readonly trial: Particle
  meets: boolean
}

/** A search for one token, candidate by candidate. */
export interface TokenSearch {
  readonly where: Step
  /** Candidates to be tried next; none when the search has ended. */
  more(): Candidate[]
  readonly result: Found
}

const none = Number.NEGATIVE_INFINITY

/** All draws side by side: the requirement is evaluated for the candidates of all particles, and what it asks is asked in one batch. */
export async function rejectAll(
  asked: readonly Asked[],
  random: Randomness,
  trials: Trials,
  answer: (particles: readonly Particle[]) => Promise<void>,
): Promise<Found[]> {
  const searches = asked.map((ask) =>
    ask.forced === undefined ? new Search(ask, random) : new ForcedSearch(ask, ask.forced, random),
  )
  for (;;) {
    const fresh = searches.flatMap((search) => search.more().map((candidate) => ({ candidate, where: search.where })))
    if (fresh.length === 0) return searches.map((search) => search.result)
    let open = fresh
    while (open.length > 0) {
      const waiting: typeof open = []
      for (const entry of open) {
        const { trial, token } = entry.candidate
        // A stop adds no token that could break the requirement.
        const meets = token === stopped || trials.meets(trial, entry.where)
        if (meets === 'waits') waiting.push(entry)
        else entry.candidate.meets = meets
      }
      if (waiting.length > 0) await answer(waiting.map(({ candidate }) => candidate.trial))
      open = waiting
    }
  }
}

class Search implements TokenSearch {
  private readonly tried: Candidate[] = []
  private batch = 2
  private empty = false

  constructor(
    private readonly ask: Asked,
    private readonly random: Randomness,
  ) {}

  get where(): Step {
    return this.ask.where
  }

  more(): Candidate[] {
    if (this.empty || this.ended) return []
    const taken: Candidate[] = []
    for (let i = 0; i < this.batch; i++) {
      const logLeft = this.ask.urn.logMass
      const { token, logMass } = this.ask.urn.take(this.random, this.ask.key)
      if (logMass === none) {
        this.empty = true
        break
      }
      taken.push({ token, logMass, logLeft, trial: this.ask.trial(token), meets: false })
    }
    this.batch = Math.min(64, 2 * this.batch)
    this.tried.push(...taken)
    return taken
  }

  get result(): Found {
    const evaluations = this.tried.filter(({ token }) => token !== stopped).length
    const at = this.tried.findIndex(({ meets }) => meets)
    const found = this.tried[at]
    if (!found) return { token: nothing, logMass: none, logWeight: none, trial: null, evaluations }
    const next = this.tried[at + 1]
    const { token, logMass, logLeft, trial } = found
    return { token, logMass, logWeight: !next || next.meets ? logLeft : logMass, trial, evaluations }
  }

  /** Whether the candidate after the first that meets the requirement is known. */
  private get ended(): boolean {
    const at = this.tried.findIndex(({ meets }) => meets)
    return at >= 0 && (at + 1 < this.tried.length || this.empty)
  }
}

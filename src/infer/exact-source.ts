import type { Obstacle } from '../check/observed.js'
import { exactWays } from '../check/settings.js'
import {
  acceptedRuns,
  type Direct,
  drawListed,
  type Exact,
  type ExactWay,
  isRefusal,
  type Listing,
  listRuns,
  noRun,
  type Refusal,
} from './exact.js'
import type { Choice } from './trace.js'
import type { TraceFile } from './traces-file.js'

/** Where exact samples come from: a way, a file, traces of the caller's own, or the first way that applies. */
export type ExactChoice = 'auto' | (typeof exactWays)[number] | TraceFile | readonly (readonly Choice[])[]

export interface ExactGrounds {
  /** Weights that may be above 1; null when there are none. Under `simulate` observations weigh nothing. */
  readonly rising: Obstacle | null
  readonly risingFactor: Obstacle | null
  /** Why observed values cannot be drawn; null where they can. */
  readonly notData: Obstacle | null
}

export interface ExactDraw {
  readonly exact: Exact | null
  /** The ways that do not apply. */
  readonly refusals: readonly Refusal[]
}

/** Exact samples of a program's target, in portions; the first portion settles the way. */
export class ExactSource {
  private listing: Listing | null = null
  private refusals: readonly Refusal[] = []

  constructor(
    private wanted: ExactChoice,
    private readonly direct: Direct,
    private readonly grounds: ExactGrounds,
    /** In which the ways are tried. */
    private readonly order: readonly (typeof exactWays)[number][] = exactWays,
    /** Told how many runs were accepted of how many. */
    private readonly onTried?: (accepted: number, tried: number) => void,
  ) {}

  /** Portions of different numbers are independent, but for traces that are given, which begin anew behind the last one. */
  async draw(count: number, portion = 0): Promise<ExactDraw> {
    const { wanted } = this
    if (typeof wanted !== 'string') {
      const given = 'origin' in wanted ? wanted.traces : wanted
      const traces = portionOf(given, count, portion)
      return { exact: { way: 'file', traces, data: null, logZ: null, acceptance: null }, refusals: [] }
    }
    const refusals = [...this.refusals]
    for (const way of wanted === 'auto' ? this.order : [wanted]) {
      // What has no run to list has none to accept; with data of its own it may have.
      const isEmpty = way === 'reject' && refusals.some(({ why }) => why === noRun)
      const found = isEmpty ? { way, why: noRun } : await this.by(way, count, portion)
      if (!isRefusal(found)) {
        this.wanted = way
        this.refusals = refusals
        return { exact: found, refusals }
      }
      refusals.push(found)
    }
    return { exact: null, refusals }
  }

  private async by(way: Exclude<ExactWay, 'file'>, count: number, portion: number): Promise<Exact | Refusal> {
    const { rising, risingFactor, notData } = this.grounds
    if (way === 'enumerate') {
      const listing = this.listing ?? (await listRuns(this.direct))
      if (isRefusal(listing)) return listing
      this.listing = listing
      return drawListed(listing, count, portion * count)
    }
    if (way === 'simulate' && notData) return { way, ...notData }
    // Asked for by name a way is tried all the same where the run itself will tell.
    const obstacle = way === 'reject' ? rising : risingFactor
    if (obstacle && this.wanted === 'auto') return { way, ...obstacle }
    return acceptedRuns(this.direct, count, way, portion, this.onTried)
  }
}

/** At most so many of a list, from where the portion before ends. */
function portionOf<T>(list: readonly T[], count: number, portion: number): T[] {
  const length = Math.min(count, list.length)
  return Array.from({ length }, (_, i) => list[(portion * length + i) % list.length]!)
}

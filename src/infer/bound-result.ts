import type { Diagnostic } from '../diagnostics/diagnostic.js'
import type { BoundRow, Bounds, Estimate } from './bound.js'
import { type Exact, type ExactWay, noRun, type Refusal } from './exact.js'
import type { RunResult } from './result.js'

/** What `smcc bound` has found; its fields are those of `--json` (cli.md), `"schema": 1`. Errors are half the 95 % interval. */
export interface BoundResult {
  readonly schema: 1
  readonly smcc: string
  readonly program: string
  readonly programHash: string
  readonly models: RunResult['models']
  readonly settings: RunResult['settings']
  readonly partial: boolean
  readonly rows: readonly BoundRow[]
  /** From the tightest bounds, with their intervals; exact where all runs were listed. */
  readonly logZ: { readonly estimate: number | null; readonly low: number | null; readonly high: number | null }
  readonly klProposalTarget: number | null
  readonly klProposalTargetError: number | null
  readonly klTargetProposal: number | null
  readonly klTargetProposalError: number | null
  /** Their sum, which needs no log Z. */
  readonly klSymmetrised: number | null
  readonly klSymmetrisedError: number | null
  /** Where the exact samples come from; null without. */
  readonly exact: ExactWay | null
  /** Share of the runs that `reject` has accepted. */
  readonly acceptance: number | null
  /** Ways to exact samples that do not apply. */
  readonly refused: readonly { readonly way: ExactWay; readonly why: string }[]
  /** What it means, in one sentence. */
  readonly verdict: string
  readonly timing: RunResult['timing']
  readonly warnings: readonly Diagnostic[]
}

export type BoundFigures = Omit<
  BoundResult,
  'schema' | 'smcc' | 'program' | 'programHash' | 'models' | 'settings' | 'timing' | 'warnings'
>

/** Bounds further apart than this, in nats, tell little; nearer than the other they are as good as log Z. */
const wide = 1
const narrow = 0.1

const unknown = { mean: null, error: null }

/** What the bounds say together. */
export function boundFigures(bounds: Bounds, exact: Exact | null, refusals: readonly Refusal[]): BoundFigures {
  const logZ = interval(bounds, exact)
  const { proposal, target, divergences } = bounds
  const half = logZ.low === null || logZ.high === null ? null : (logZ.high - logZ.low) / 2
  const kl = (estimate: Estimate | null, sign: 1 | -1) => {
    if (!estimate || logZ.estimate === null || half === null) return unknown
    return { mean: sign * (logZ.estimate - estimate.mean), error: estimate.error + half }
  }
  const forward = divergences ? (divergences.proposalTarget ?? unknown) : kl(proposal, 1)
  const backward = divergences ? (divergences.targetProposal ?? unknown) : kl(target, -1)
  const both = proposal && target
  return {
    partial: bounds.partial,
    rows: bounds.rows,
    logZ,
    klProposalTarget: forward.mean,
    klProposalTargetError: forward.error,
    klTargetProposal: backward.mean,
    klTargetProposalError: backward.error,
    klSymmetrised: both ? target.mean - proposal.mean : null,
    klSymmetrisedError: both ? proposal.error + target.error : null,
    exact: exact?.way ?? null,
    acceptance: exact?.acceptance ?? null,
    refused: refusals.map(({ way, why }) => ({ way, why })),
    verdict: verdict(bounds.rows, logZ, exact, refusals),
  }
}

function interval({ rows }: Bounds, exact: Exact | null): BoundResult['logZ'] {
  if (exact?.logZ !== null && exact?.logZ !== undefined) return { estimate: exact.logZ, low: exact.logZ, high: exact.logZ }
  const best = tightest(rows)
  if (best) return { estimate: (best.lower! + best.upper!) / 2, low: lowEnd(best), high: highEnd(best) }
  const low = extreme(
    Math.max,
    rows.flatMap((row) => (row.lower === null ? [] : [lowEnd(row)])),
  )
  const high = extreme(
    Math.min,
    rows.flatMap((row) => (row.upper === null ? [] : [highEnd(row)])),
  )
  const means = rows.flatMap(({ logMean }) => (logMean === null ? [] : [logMean]))
  return { estimate: means.at(-1) ?? null, low, high }
}

function extreme(of: (...values: number[]) => number, values: readonly number[]): number | null {
  return values.length === 0 ? null : of(...values)
}

const lowEnd = (row: BoundRow): number => row.lower! - row.lowerError!
const highEnd = (row: BoundRow): number => row.upper! + row.upperError!

/** The row whose bounds, their intervals included, are nearest to each other; null where no row has both. */
export function tightest(rows: readonly BoundRow[]): BoundRow | null {
  const closed = rows.filter(({ lower, upper }) => lower !== null && upper !== null)
  return closed.sort((a, b) => highEnd(a) - lowEnd(a) - (highEnd(b) - lowEnd(b)))[0] ?? null
}

function verdict(
  rows: readonly BoundRow[],
  logZ: BoundResult['logZ'],
  exact: Exact | null,
  refusals: readonly Refusal[],
): string {
  const last = rows.at(-1)
  if (!last) return 'nothing was bounded: the run was interrupted before its first repeats were done.'
  if (!exact && refusals.some(({ why }) => why === noRun))
    return 'Z is 0: no run meets what the program observes and requires, so there is no target to draw from.'
  const shown = (x: number) => x.toFixed(2)
  const of = (particles: number) => `${particles} ${particles === 1 ? 'particle' : 'particles'}`
  if (!exact)
    return logZ.low === null
      ? `in ${rows.every(({ dead, repeats }) => dead === repeats) ? 'all' : 'some'} repeats all particles died, and without exact samples nothing is known from above.`
      : `log Z is at least ${shown(logZ.low)}; without exact samples nothing is known from above.`
  const best = tightest(rows)
  if (!best) {
    const { dead, repeats, particles } = rows.reduce((a, b) => (b.dead <= a.dead ? b : a))
    return `all particles died in ${dead} of ${repeats} repeats with ${of(particles)}, so nothing is known from below: more particles, or graded factors.`
  }
  const gap = best.upper! - best.lower!
  const who = `${best.sampler === 'smc' ? 'SMC' : 'importance sampling'} with ${of(best.particles)}`
  const noise = best.lowerError! + best.upperError!
  const apart = `${shown(Math.max(0, gap))} ± ${shown(noise)} nats apart`
  if (gap + noise < narrow) return `${who} is as good as exact: its bounds are ${apart}.`
  if (gap + noise < wide) return `${who} is close: its bounds are ${apart}.`
  if (gap < wide) return `the bounds of ${who} are ${apart}: more repeats would tell how close it is.`
  return `the bounds are ${apart} even for ${who}: samples are not yet those of the target; more particles, or a better twist.`
}

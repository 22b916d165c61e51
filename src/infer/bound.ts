import { SmcError } from '../diagnostics/diagnostic.js'
import type { Exact } from './exact.js'
import { type ExecutorOptions, executeIslands } from './executor.js'
import type { LinkedProgram } from './link.js'
import { philoxRandomness } from './philox.js'
import type { Settings } from './result.js'
import type { Choice, Datum } from './trace.js'
import { logMeanExp } from './weights.js'

/**
 * Bidirectional bounds (inference.md §2; Grosse, Ghahramani & Adams 2015; Zhao et al. 2024, proposition 5.1):
 *
 *     E[log Z-hat] <= log Z                          over runs of SMC
 *     E[log Z-hat] >= log Z                          over runs of conditional SMC with an exact sample of the target
 *     F = E_q[log target/q],  G = E_sigma[log target/q]     what one particle without resampling gives
 *     KL(q || sigma) = log Z - F,  KL(sigma || q) = G - log Z
 *
 * A repeat in which all particles die counts as Z-hat = 0, which makes the mean of its logarithms minus infinity.
 */

export interface BoundPlan {
  /** Sizes of the population, ascending. */
  readonly particles: readonly number[]
  readonly repeats: number
  /** Repeats that may run side by side with so many particles each. */
  readonly room: (particles: number) => number
}

/** Estimates of log Z by one sampler of one size; null stands for minus infinity, or for an upper bound that nothing is known of. */
export interface BoundRow {
  readonly particles: number
  readonly sampler: 'smc' | 'importance'
  readonly repeats: number
  /** Mean of log Z-hat over the repeats. */
  readonly lower: number | null
  /** Half the 95 % interval. */
  readonly lowerError: number | null
  readonly upper: number | null
  readonly upperError: number | null
  /** log of the mean of Z-hat. */
  readonly logMean: number | null
  /** Repeats in which all particles died. */
  readonly dead: number
}

/** A mean with half its 95 % interval. */
export interface Estimate {
  readonly mean: number
  readonly error: number
}

/** KL(q‖sigma) and KL(sigma‖q), means over drawn data, with what is not known of log Z in the errors. */
export interface Divergences {
  readonly proposalTarget: Estimate | null
  readonly targetProposal: Estimate | null
}

export interface Bounds {
  readonly rows: readonly BoundRow[]
  /** F; null where a particle has died. */
  readonly proposal: Estimate | null
  /** G; null without exact samples. */
  readonly target: Estimate | null
  /** Where data are drawn, each repeat has its own log Z, which F and G are to be compared with one by one; null otherwise. */
  readonly divergences: Divergences | null
  readonly tokens: number
  readonly partial: boolean
}

/** Particles that run side by side at most. */
const mostTogether = 4096
/** 97.5 % quantile of the normal distribution. */
const quantile = 1.959964

type Options = Omit<ExecutorOptions, 'random'>

/** Runs all sizes and both samplers; `onRepeats` is told how many of the runs are done. */
export async function bounds(
  program: LinkedProgram,
  options: Options,
  plan: BoundPlan,
  exact: Exact | null,
  onRepeats: (done: number, all: number) => void = () => {},
): Promise<Bounds> {
  const samplers = options.settings.method === 'importance' ? (['importance'] as const) : (['smc', 'importance'] as const)
  const all = plan.particles.length * samplers.length * (exact ? 2 : 1) * plan.repeats
  const rows: BoundRow[] = []
  let [done, tokens] = [0, 0]
  let proposal: Estimate | null = null
  let target: Estimate | null = null
  let divergences: Divergences | null = null
  /** The bounds of each repeat that are nearest to each other on average. */
  let closest: { readonly gap: number; readonly below: readonly Repeat[]; readonly above: readonly Repeat[] } | null = null
  let key = 0
  for (const particles of plan.particles) {
    for (const sampler of samplers) {
      const found = { below: [] as Repeat[], above: [] as Repeat[] }
      for (const side of ['below', 'above'] as const) {
        key++
        if (side === 'above' && !exact) continue
        const group = Math.max(1, Math.min(Math.floor(mostTogether / particles), plan.room(particles)))
        for (let first = 0; first < plan.repeats; first += group) {
          const count = Math.min(group, plan.repeats - first)
          const settings = { ...options.settings, particles, method: sampler }
          const part: Part = { settings, first, count, key: key - 1, repeats: plan.repeats }
          const run = await repeat(program, options, part, side === 'above' ? exact!.traces : null, exact?.data ?? null)
          tokens += run.tokens
          if (!run.repeats) return { rows, proposal, target, divergences, tokens, partial: true }
          found[side].push(...run.repeats)
          done += count
          onRepeats(done, all)
        }
      }
      const row = rowOf(particles, sampler, found.below, found.above)
      rows.push(row)
      const gap = row.lower === null || row.upper === null ? Number.POSITIVE_INFINITY : row.upper - row.lower
      if (gap < (closest?.gap ?? Number.POSITIVE_INFINITY)) closest = { gap, ...found }
      if (sampler === 'smc') continue
      proposal = exact?.data ? estimate(found.below.map(meanLog)) : estimate(found.below.flatMap(({ logw }) => [...logw]))
      if (exact) target = estimate(found.above.map(({ kept }) => kept!))
      if (exact?.data && closest) divergences = divergencesOf(found.below, found.above, closest)
    }
  }
  return { rows, proposal, target, divergences, tokens, partial: false }
}

interface Part {
  readonly settings: Settings
  readonly first: number
  readonly count: number
  /** Tells the random numbers of this side, sampler and size from those of others. */
  readonly key: number
  readonly repeats: number
}

interface Repeat {
  readonly logZ: number
  /** Final log weights, shape (N). */
  readonly logw: Float64Array
  /** The log weight of the exact sample. */
  readonly kept: number | null
}

/** Some repeats side by side; null where they were interrupted. */
async function repeat(
  program: LinkedProgram,
  options: Options,
  { settings, first, count, key, repeats }: Part,
  traces: readonly (readonly Choice[])[] | null,
  data: readonly (readonly Datum[])[] | null,
): Promise<{ repeats: Repeat[] | null; tokens: number }> {
  const setups = Array.from({ length: count }, (_, i) => ({
    random: philoxRandomness(settings.seed, key * repeats + first + i),
    forced: traces ? traces[first + i]! : null,
    data: data ? data[first + i]! : null,
  }))
  const { islands, partial, tokens, machine } = await executeIslands(program, { ...options, settings }, setups)
  if (partial) {
    const warnings = [...machine.warnings.values()].filter(({ code }) => code === 'M018')
    if (options.signal?.aborted || warnings.length === 0) return { repeats: null, tokens }
    throw new SmcError(
      warnings.map((warning) => ({ ...warning, severity: 'error' })),
      'inference',
    )
  }
  const found = islands.map(({ particles }): Repeat => {
    const logw = Float64Array.from(particles, (p) => p.logw)
    return { logZ: logMeanExp(logw), logw, kept: particles.find((p) => p.forced)?.logw ?? null }
  })
  return { repeats: found, tokens }
}

const meanLog = ({ logw }: Repeat) => logw.reduce((sum, log) => sum + log, 0) / logw.length

/** log Z of each repeat's data lies between its bounds, on average: half the gap is added to the errors. */
function divergencesOf(
  proposed: readonly Repeat[],
  kept: readonly Repeat[],
  { gap, below, above }: { readonly gap: number; readonly below: readonly Repeat[]; readonly above: readonly Repeat[] },
): Divergences {
  const middle = below.map(({ logZ }, r) => (logZ + above[r]!.logZ) / 2)
  const widened = (found: Estimate | null) => found && { mean: found.mean, error: found.error + Math.max(0, gap) / 2 }
  return {
    proposalTarget: widened(estimate(proposed.map((repeat, r) => middle[r]! - meanLog(repeat)))),
    targetProposal: widened(estimate(kept.map((repeat, r) => repeat.kept! - middle[r]!))),
  }
}

function rowOf(particles: number, sampler: BoundRow['sampler'], below: readonly Repeat[], above: readonly Repeat[]): BoundRow {
  const logs = below.map(({ logZ }) => logZ)
  const lower = estimate(logs)
  const upper = above.length > 0 ? estimate(above.map(({ logZ }) => logZ)) : null
  const logMean = logMeanExp(Float64Array.from(logs))
  return {
    particles,
    sampler,
    repeats: below.length,
    lower: lower?.mean ?? null,
    lowerError: lower?.error ?? null,
    upper: upper?.mean ?? null,
    upperError: upper?.error ?? null,
    logMean: Number.isFinite(logMean) ? logMean : null,
    dead: logs.filter((log) => log === Number.NEGATIVE_INFINITY).length,
  }
}

/** Mean and half its 95 % interval, 1.96 s / sqrt(R); of one number nothing is known of the error. Null where the mean is not finite. */
export function estimate(values: readonly number[]): Estimate | null {
  const count = values.length
  const mean = values.reduce((sum, x) => sum + x, 0) / count
  if (!Number.isFinite(mean)) return null
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  return { mean, error: count > 1 ? (quantile * Math.sqrt(squares / (count - 1))) / Math.sqrt(count) : Number.NaN }
}

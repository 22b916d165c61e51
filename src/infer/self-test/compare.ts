import type { Inverse } from './conditional.js'
import type { KeptLaw } from './kept-law.js'
import type { Feature, Measured } from './measure.js'
import type { Comparison, Verdict } from './result.js'

/**
 * How far a way of running the program is from what it must give. Where all was listed, the difference relative to Z, which rounding may make
 * `rounding`; over seeds, the difference in standard errors. A true mean is further than `errors` of them in two of a million comparisons,
 * when the seeds tell its spread: where fewer than `enough` of them carry the sum they do not, and nothing is said.
 *
 * Seeds that are all alike do not tell it either: what comes once in more runs than there are would have had a part in the spread. So a mean
 * that is short of the other by d is taken to lack values of the largest size V that is known of, which have the variance d V; and one that is
 * d above it, values of 0, which have the variance d times the mean. Where V is not known, a mean that is short of the truth is unsettled.
 */
const rounding = 1e-7
const errors = 4.75
const enough = 100

/**
 * Of a sampler from the target, `most` being the largest weight of its particles, null where that is not known; or, with Z, of conditional
 * SMC from what plain SMC says of the dead.
 */
export function compare(found: Measured, target: Measured, Z: null, features: readonly Feature[], most: number | null): Comparison
export function compare(found: Inverse, plain: Measured, Z: number): Comparison
export function compare(
  found: Measured | Inverse,
  target: Measured,
  Z: number | null,
  features: readonly Feature[] = [],
  most: number | null = 0,
): Comparison {
  if ('mean' in found) {
    const { mean, error, largest, runs } = found
    const [alive, deadVariance] = [1 - target.dead, target.errors ? (target.dead * (1 - target.dead)) / target.runs : 0]
    const variance = error === null ? 0 : Z! ** 2 * (error ** 2 + unseen(mean, alive / Z!, largest, runs))
    const part = { of: 'Z E[1 / Z-hat]', difference: Math.abs(mean * Z! - alive), error: Math.sqrt(variance + deadVariance) }
    return verdict([part], 1, found)
  }
  const effective = Math.min(found.effective, target.effective)
  const parts = features.map(({ name }, i) => ({
    of: name,
    difference: Math.abs(found.means[i]! - target.means[i]!),
    error:
      target.errors === null && target.means[i] === 0
        ? 0
        : Math.hypot(errorOf(found, target, most, i), errorOf(target, found, 0, i)),
  }))
  // As many seeds as would give a sum of this error if each were a chance of its own.
  const carrying = parts[0]!.error > 0 ? (target.means[0]! / parts[0]!.error) ** 2 : Number.POSITIVE_INFINITY
  const told = verdict(parts, target.means[0]!, { ...found, effective: Math.min(effective, carrying) })
  const isShort = features.some(({ name }, i) => name === told.of && found.means[i]! < target.means[i]!)
  return most === null && told.by === 'seeds' && told.verdict === 'fails' && isShort ? { ...told, verdict: 'unsettled' } : told
}

/** Of conditional resampling from the ordinary one. */
export function compareLaw({ worst, runs }: KeptLaw): Comparison {
  const part = { of: 'P(ancestors and which is kept)', difference: worst, error: 0 }
  return verdict([part], 1, { runs, effective: Number.POSITIVE_INFINITY })
}

/** Standard error of a mean over seeds, 0 where all was listed. `other`: what it is held against. */
function errorOf(found: Measured, other: Measured, most: number | null, i: number): number {
  const { means, errors, largest, particles, runs } = found
  if (!errors) return 0
  const size = Math.max(largest!, Math.max(most ?? 0, other.heaviest) / particles)
  return Math.sqrt(errors[i]! ** 2 + unseen(means[i]!, other.means[i]!, size, runs))
}

/** The part in the variance of a mean over `runs` seeds that they may not have seen, when its true value is `truth`. */
function unseen(mean: number, truth: number, largest: number, runs: number): number {
  return (Math.abs(mean - truth) * (mean < truth ? largest : mean)) / runs
}

interface Part {
  readonly of: string
  readonly difference: number
  /** Standard error; 0 where all was listed. */
  readonly error: number
}

function verdict(
  parts: readonly Part[],
  scale: number,
  { runs, effective }: { readonly runs: number; readonly effective: number },
): Comparison {
  const listed = parts.every(({ error }) => error === 0)
  const by = effective === Number.POSITIVE_INFINITY ? 'listing' : 'seeds'
  const most = listed ? rounding : errors
  const sizes = parts.map(({ of, difference, error }) => {
    // A mean that never varied can differ by rounding only.
    if (error === 0) return { of, worst: listed ? difference / scale : difference / scale > rounding ? Number.MAX_VALUE : 0 }
    return { of, worst: difference / Math.hypot(error, rounding * scale) }
  })
  const { of, worst } = sizes.reduce((a, b) => (b.worst > a.worst ? b : a))
  const told = { by, runs, worst, of, most } as const
  if (effective < enough) return { ...told, verdict: 'unsettled' }
  return { ...told, verdict: worst > most ? 'fails' : 'holds' }
}

/** What several comparisons say of one law. */
export function together(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('fails')) return 'fails'
  return verdicts.includes('unsettled') ? 'unsettled' : 'holds'
}

import type { Inverse } from './conditional.js'
import type { Feature, Measured } from './measure.js'
import type { Comparison } from './result.js'

/**
 * How far a way of running the program is from what it must give. Where all was listed, the difference relative to Z, which rounding may make
 * `rounding`; over seeds, the difference in standard errors. A true mean is further than `errors` of them in two of a million comparisons,
 * when the seeds tell its spread: where fewer than `enough` of them carry the sum they do not, and nothing is said.
 */
const rounding = 1e-7
const errors = 4.75
const enough = 30

/** Of a sampler from the target; or, with Z, of conditional SMC from what plain SMC says of the dead. */
export function compare(found: Measured, target: Measured, Z: null, features: readonly Feature[]): Comparison
export function compare(found: Inverse, plain: Measured, Z: number): Comparison
export function compare(
  found: Measured | Inverse,
  target: Measured,
  Z: number | null,
  features: readonly Feature[] = [],
): Comparison {
  if ('mean' in found) {
    const error = found.error === null ? 0 : found.error * Z!
    const deadError = target.errors ? Math.sqrt((target.dead * (1 - target.dead)) / target.runs) : 0
    const difference = Math.abs(found.mean * Z! - (1 - target.dead))
    return verdict([{ of: 'Z E[1 / Z-hat]', difference, error: Math.hypot(error, deadError) }], 1, found)
  }
  const parts = features.map(({ name }, i) => ({
    of: name,
    difference: Math.abs(found.means[i]! - target.means[i]!),
    error: target.errors === null && target.means[i] === 0 ? 0 : Math.hypot(errorOf(found, target, i), target.errors?.[i] ?? 0),
  }))
  return verdict(parts, target.means[0]!, { ...found, effective: Math.min(found.effective, target.effective) })
}

/** Of what few seeds have seen, or none, the variance is at most mean · largest Z-hat, and the mean is the target's. */
function errorOf({ errors, seen, largest, runs }: Measured, target: Measured, i: number): number {
  if (!errors) return 0
  return seen![i]! < enough ? Math.max(errors[i]!, Math.sqrt((target.means[i]! * largest!) / runs)) : errors[i]!
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

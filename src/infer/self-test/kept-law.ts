import { resampleConditionally } from '../conditional-resample.js'
import { enumerate } from '../enumerate.js'
import { resample } from '../resample.js'
import type { Scheme } from '../result.js'

/**
 * Conditional resampling held against the law that it must have (inference.md §2), for weights that runs of the program have:
 *
 *     W_b P(ancestors, b stands in slot k | b is kept) = P(ancestors) 1[a_k = b] / N
 *
 * With two particles a resampling that breaks it may give the same E[1 / Z-hat]: an ordinary one whose slot 0 is overwritten by the kept
 * particle, which starts in either slot, keeps by the law of multinomial resampling then. And three particles have too many paths to list them
 * all, but not those of a single resampling.
 */

/** Particles that are resampled: no scheme is another one, and slots are not alike. */
const particles = 3
/** Groups of runs whose weights are tried. */
const mostGroups = 12

export interface KeptLaw {
  /** The largest difference of the two sides, a probability. */
  readonly worst: number
  /** Paths of all resamplings. */
  readonly runs: number
}

/** @param weights of runs of the program, positive; at least one */
export async function keptLaw(scheme: Scheme, weights: readonly number[]): Promise<KeptLaw> {
  let [worst, runs] = [0, 0]
  for (const group of groupsOf(weights)) {
    const total = group.reduce((sum, w) => sum + w, 0)
    /** The difference of both sides, for every outcome. */
    const differences = new Map<string, number>()
    const add = (ancestors: Int32Array, slot: number, mass: number) => {
      const key = outcome(scheme, ancestors, slot)
      differences.set(key, (differences.get(key) ?? 0) + mass)
    }
    for await (const { probability, result } of enumerate((random) => resample(scheme, group, random, 0))) {
      runs++
      for (let slot = 0; slot < particles; slot++) add(result, slot, probability / particles)
    }
    for (let kept = 0; kept < particles; kept++) {
      for await (const { probability, result } of enumerate((random) => resampleConditionally(scheme, group, kept, random, 0))) {
        runs++
        add(result.ancestors, result.retained, (-probability * group[kept]!) / total)
      }
    }
    worst = Math.max(worst, ...[...differences.values()].map(Math.abs))
  }
  return { worst, runs }
}

/** Slots are alike under multinomial and residual resampling: there only how often each particle is chosen counts, and which one is kept. */
function outcome(scheme: Scheme, ancestors: Int32Array, slot: number): string {
  const slotsMatter = scheme === 'systematic' || scheme === 'stratified'
  return slotsMatter ? `${ancestors} at ${slot}` : `${Int32Array.from(ancestors).sort()} keeps ${ancestors[slot]}`
}

/** Weights that stand beside each other, and one that is much lighter than two others: no order and no ratio is special. */
function groupsOf(weights: readonly number[]): Float64Array[] {
  const at = (i: number) => weights[i % weights.length]!
  const groups = weights.slice(0, mostGroups).map((_, i) => Float64Array.of(at(i), at(i + 1), at(i + 2)))
  const largest = Math.max(...weights)
  return [...groups, Float64Array.of(largest, largest / 20, largest / 2)]
}

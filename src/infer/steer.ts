import type { Randomness } from '../models/randomness.js'
import type { Particle } from './particle.js'
import { prune } from './prune.js'
import type { Settings } from './result.js'
import { descend, type Meeting, type Strategy } from './strategy.js'
import { ess, logSumExp } from './weights.js'

/**
 * SMC steering (Lew et al. 2023; inference.md §1): every unfinished particle goes on as K copies that share its mass, a finished one as
 * itself. Where they meet, the dead are dropped, and if more than N live, N of them survive by resampling without replacement. The
 * population holds live particles only, N of them or fewer.
 *
 * A mass m is the weight N m here, so that masses which start at 1/N are weights which start at 1.
 */
export class Steer implements Strategy {
  /** Of those that finish together there may be N x K. */
  readonly meetsAtEnd = true
  /** For each candidate, the slot that it comes from. */
  private parents = new Int32Array(0)

  constructor(
    private readonly settings: Settings,
    private readonly random: Randomness,
  ) {}

  /** Copy k of the particle in slot i draws with the numbers of slot i K + k. */
  setOut(population: Particle[]): Particle[] {
    const { expansion } = this.settings
    const parents: number[] = []
    const candidates = population.flatMap((parent, slot) => {
      // Copied K times at its full mass, a finished one would count K times (1.2).
      const count = parent.done ? 1 : expansion
      parent.logw -= Math.log(count)
      return Array.from({ length: count }, (_, k) => {
        const candidate = k === 0 ? parent : parent.copyTo(slot)
        candidate.slot = slot * expansion + k
        parents.push(slot)
        return candidate
      })
    })
    this.parents = Int32Array.from(parents)
    return candidates
  }

  meet(candidates: readonly Particle[], generation: number): Meeting {
    const { particles: most } = this.settings
    const logw = Float64Array.from(candidates, (p) => p.logw)
    const live = Int32Array.from(candidates.keys()).filter((i) => logw[i]! > Number.NEGATIVE_INFINITY)
    const resampled = live.length > most
    const after = resampled
      ? prune(logw, most, this.random, generation)
      : { survivors: live, logw: Float64Array.from(live, (i) => logw[i]!) }
    return {
      population: descend(candidates, after.survivors, (slot) => after.logw[slot]!),
      ancestors: after.survivors.map((i) => this.parents[i]!),
      ess: ess(after.logw),
      alive: after.survivors.length,
      resampled,
      logZ: logSumExp(logw) - Math.log(most),
    }
  }
}

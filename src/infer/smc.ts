import type { Randomness } from '../models/randomness.js'
import { resampleConditionally } from './conditional-resample.js'
import type { Particle } from './particle.js'
import { resample } from './resample.js'
import type { Settings } from './result.js'
import { descend, type Meeting, type Strategy } from './strategy.js'
import { ess, logMeanExp, resamplingLaw } from './weights.js'

/**
 * Sequential Monte Carlo: N slots, of which all take part where they meet, finished and dead ones too (inference.md §1). When they are
 * resampled, every survivor gets the mean weight. Importance sampling is the same without a meeting. A particle that an exact sample is
 * forced through takes part like the others and is kept by every resampling: conditional SMC (inference.md §2).
 */
export class Smc implements Strategy {
  readonly meetsAtEnd = false

  constructor(
    private readonly settings: Settings,
    private readonly random: Randomness,
  ) {}

  setOut(population: Particle[]): Particle[] {
    return population
  }

  meet(particles: Particle[], generation: number): Meeting {
    const { threshold, resample: scheme } = this.settings
    const logw = Float64Array.from(particles, (p) => p.logw)
    const size = ess(logw)
    const alive = logw.reduce((count, w) => count + (w > Number.NEGATIVE_INFINITY ? 1 : 0), 0)
    const resampled = threshold >= 1 || size < threshold * particles.length
    const told = { ess: size, alive, resampled, logZ: logMeanExp(logw) }
    if (!resampled) return { ...told, population: particles, ancestors: null }
    const { chances, copies } = resamplingLaw(logw)
    const kept = particles.findIndex((p) => p.forced)
    const { ancestors, retained } =
      kept < 0
        ? { ancestors: resample(scheme, chances, this.random, generation), retained: -1 }
        : resampleConditionally(scheme, chances, kept, this.random, generation)
    const population = descend(particles, ancestors, (slot) => copies[ancestors[slot]!]!)
    if (kept >= 0) hand(population, retained)
    return { ...told, population, ancestors }
  }
}

/** The exact sample stands in one slot; other copies of it draw freely from here on. */
function hand(population: readonly Particle[], slot: number): void {
  const { forced } = population.find((p) => p.forced)!
  for (const p of population) p.forced = null
  population[slot]!.forced = forced
}

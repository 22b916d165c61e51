import type { Randomness } from '../models/randomness.js'
import type { Particle } from './particle.js'
import { resample } from './resample.js'
import type { Settings } from './result.js'
import { descend, type Meeting, type Strategy } from './strategy.js'
import { ess, logMeanExp, resamplingLaw } from './weights.js'

/**
 * Sequential Monte Carlo: N slots, of which all take part where they meet, finished and dead ones too (inference.md §1). When they are
 * resampled, every survivor gets the mean weight. Importance sampling is the same without a meeting.
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
    const ancestors = resample(scheme, chances, this.random, generation)
    return { ...told, population: descend(particles, ancestors, (slot) => copies[ancestors[slot]!]!), ancestors }
  }
}

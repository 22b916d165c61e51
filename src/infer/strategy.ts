import type { Particle } from './particle.js'
import type { Step } from './result.js'

/** What a method makes of a population that meets, and what the step says of it. */
export interface Meeting extends Pick<Step, 'ess' | 'alive' | 'resampled'> {
  readonly population: Particle[]
  /** log Z-hat of the intermediate target; -Infinity when all are dead. */
  readonly logZ: number
  /** Slot i was filled from slot ancestors[i] of the population after the meeting before; null where all keep their slots. */
  readonly ancestors: Int32Array | null
}

/**
 * What a method does with its population, between the stretches that the executor lets it run. Weights are absolute, so that Z-hat =
 * (1/N) sum of them at any time, N being the number of particles that was asked for, whatever the size of the population.
 */
export interface Strategy {
  /** Whether the population meets once more when none of it has any way left to go, or when it is interrupted. */
  readonly meetsAtEnd: boolean
  /** The particles that go on, from the start or from a point. */
  setOut(population: Particle[]): Particle[]
  /** All have finished, died, or stand at a point. `generation`: points passed before. */
  meet(particles: readonly Particle[], generation: number): Meeting
}

/**
 * The particles that fill new slots, one for each ancestor; the first copy of a particle is the particle itself.
 * @param logw the log weight of slot i
 */
export function descend(before: readonly Particle[], ancestors: Int32Array, logw: (slot: number) => number): Particle[] {
  const taken = new Uint8Array(before.length)
  return Array.from(ancestors, (ancestor, slot) => {
    const particle = taken[ancestor] ? before[ancestor]!.copyTo(slot) : before[ancestor]!
    taken[ancestor] = 1
    particle.slot = slot
    particle.logw = logw(slot)
    return particle
  })
}

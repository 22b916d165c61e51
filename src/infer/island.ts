import type { DrawKey, Randomness } from '../models/randomness.js'
import { Genealogy } from './genealogy.js'
import type { LinkedFunction } from './link.js'
import { Particle } from './particle.js'
import type { Settings, Step } from './result.js'
import { Smc } from './smc.js'
import { Steer } from './steer.js'
import type { Strategy } from './strategy.js'
import type { Choice, Datum } from './trace.js'

/** One of several independent populations that run side by side. */
export interface IslandSetup {
  readonly random: Randomness
  /** An exact sample to be forced through one of its particles (inference.md §2); null for plain SMC. */
  readonly forced: readonly Choice[] | null
  /** What all of its particles observe in place of the program's own values. */
  readonly data?: readonly Datum[] | null
  /** Whether each particle lives on with the probability of its weight, which must not rise above 1. */
  readonly thinned?: boolean
}

/** A population and what its method makes of it. Islands meet apart from one another, after the same number of points. */
export class Island {
  particles: Particle[]
  readonly steps: Step[] = []
  private readonly strategy: Strategy
  private readonly genealogy: Genealogy

  /** @param first the slot of its first particle; slots are counted over all islands */
  constructor(
    private readonly first: number,
    settings: Settings,
    { random, forced, data = null, thinned }: IslandSetup,
    program: LinkedFunction,
  ) {
    this.strategy = settings.method === 'steer' ? new Steer(settings, random) : new Smc(settings, random)
    this.genealogy = new Genealogy(settings.particles)
    this.particles = Array.from({ length: settings.particles }, (_, slot) => Particle.atStart(slot, program))
    for (const p of this.particles) p.data = data
    if (thinned) {
      for (const p of this.particles) p.bar = Math.log(random.uniform({ ...outside, slot: p.slot, generation: -1 }, 0))
    }
    if (forced) {
      // Slots are not alike under systematic resampling, so the exact sample starts in any of them.
      const slot = random.index(new Float64Array(settings.particles).fill(1), outside)
      this.particles[slot]!.forced = forced
    }
    this.setOut()
  }

  get standing(): boolean {
    return this.particles.some((p) => p.status === 'atPoint')
  }

  get meetsAtEnd(): boolean {
    return this.strategy.meetsAtEnd
  }

  get distinct(): number {
    return this.genealogy.distinct
  }

  setOut(): void {
    this.particles = this.strategy.setOut(this.particles)
    this.number()
  }

  /** The population meets; those that stood at a point may go on. `generation`: points passed before. Returns what is told of it. */
  meet(generation: number): Step {
    const { population, ancestors, logZ, ...told } = this.strategy.meet(this.particles, generation)
    this.particles = population
    this.number()
    for (const p of this.particles) {
      p.draws = 0
      if (p.status === 'atPoint') p.status = 'running'
    }
    const distinctAncestors = this.genealogy.record(ancestors)
    const step: Step = {
      step: generation + 1,
      ...told,
      logZ: Number.isFinite(logZ) ? logZ : null,
      ancestors: ancestors && Array.from(ancestors),
      distinctAncestors,
    }
    this.steps.push(step)
    return step
  }

  private number(): void {
    for (const [i, p] of this.particles.entries()) p.slot = this.first + i
  }
}

/** The place of a number that belongs to no particle. */
const outside: DrawKey = { slot: -1, generation: 0, draw: 0 }

/** The draws of several islands of `size` slots, each from its own source, as if it ran alone. */
export function islandRandomness(sources: readonly Randomness[], size: number): Randomness {
  const sourceOf = (slot: number) => sources[Math.floor(slot / size)]!
  const inside = (key: DrawKey): DrawKey => ({ ...key, slot: key.slot % size })
  return {
    index: (weights, key, attempt) => sourceOf(key.slot).index(weights, inside(key), attempt),
    uniform: (key, attempt) => sourceOf(key.slot).uniform(inside(key), attempt),
    resampling() {
      throw new Error('islands are resampled apart from one another')
    },
  }
}

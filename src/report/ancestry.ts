import type { RunResult, Step } from '../infer/result.js'

/** Who the final particles descend from. */
export interface Ancestry {
  /** Final particles that the question is asked for: those of positive weight. */
  readonly particles: number
  /** How many slots of the start they descend from. */
  readonly roots: number
  /**
   * For every step, how many of the particles that stood there still have a descendant among the final ones.
   * It never falls from one step to the next.
   */
  readonly survivors: readonly number[]
  /** The last step at which one particle is the ancestor of all final ones; null when there is none. */
  readonly shared: number | null
}

/**
 * Follows `ancestors` from the last step back to the first. A step that did not resample passes every slot on unchanged.
 * The path up to the shared step is the same in every answer, so it counts as one draw however many particles there are.
 */
export function ancestry(result: Pick<RunResult, 'steps' | 'samples'>): Ancestry {
  let slots = new Set<number>()
  result.samples.forEach((sample, slot) => {
    if (sample.weight > 0) slots.add(slot)
  })
  const particles = slots.size
  const survivors: number[] = []
  let shared: number | null = null
  for (const step of result.steps.toReversed()) {
    slots = parents(slots, step)
    survivors.push(slots.size)
    if (shared === null && slots.size === 1 && particles > 1) shared = step.step
  }
  return { particles, roots: slots.size, survivors: survivors.reverse(), shared }
}

function parents(slots: ReadonlySet<number>, step: Step): Set<number> {
  const ancestors = step.ancestors
  if (ancestors === null) return new Set(slots)
  return new Set([...slots].map((slot) => ancestors[slot] ?? slot))
}

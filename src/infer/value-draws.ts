import type { DrawKey, Randomness } from '../models/randomness.js'
import type { Distribution } from './distributions/distribution.js'
import { forcedValue } from './forced.js'
import { plain } from './host/members.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import type { Value } from './values.js'

/** Distributions of at most so many values are looked through, as vocabularies are (language.md §6 "Fusion"). */
const mostValues = 512

/**
 * Draws a value for a particle that stands at a draw from a distribution, and weighs it: logw += log D(v) - log q(v), q the proposal, or D
 * itself. Under a fused `where` (language.md §6) from q(v) 1[v meets it] / C, and logw += log C, with C the sum of q over the values that meet it.
 */
export function drawValue(machine: Machine, p: Particle, from: Distribution, proposal: Distribution): void {
  const { step } = p
  const meeting = valuesThatMeet(machine, p, proposal)
  if (meeting?.values.length === 0) {
    p.step = step.where!
    machine.kill(p)
    return
  }
  const value = p.forced ? forcedValue(p, from) : machine.sample(p, meeting ?? proposal)
  if (machine.options.record) p.record({ value })
  p.set(step.set, value)
  const ratio = proposal === from ? 0 : from.logProb(plain(value)) - proposal.logProb(plain(value))
  if (machine.weigh(p, ratio + (meeting?.logMass ?? 0))) machine.goOn(p, step.next)
}

/** What is left of a distribution under a requirement. */
interface Meeting {
  readonly values: readonly Value[]
  /** log C; 0 where all values meet it. */
  readonly logMass: number
  sample(random: Randomness, key: DrawKey): Value
}

/**
 * null where no `where` was fused, the values cannot be listed, or the requirement has to wait for a model or JavaScript: then it weighs
 * what was drawn. Which of these holds does not depend on chance, so both ways have the same target.
 */
function valuesThatMeet(machine: Machine, p: Particle, from: Distribution): Meeting | null {
  const { trials } = machine
  const { node, where } = p.step
  if (!where || !machine.options.lookahead || node.op !== 'Draw' || !node.fused?.where) return null
  const outcomes = from.support?.(mostValues)
  if (!outcomes) return null
  const kept: (typeof outcomes)[number][] = []
  try {
    for (const outcome of outcomes) {
      const meets = trials.meets(trials.value(p, outcome.value), where)
      if (meets === 'waits') return null
      if (meets) kept.push(outcome)
    }
  } finally {
    machine.enter(p)
  }
  const mass = (of: typeof outcomes) => of.reduce((sum, { probability }) => sum + probability, 0)
  const weights = kept.map(({ probability }) => probability)
  return {
    values: kept.map(({ value }) => value),
    logMass: kept.length === outcomes.length ? 0 : Math.log(mass(kept) / mass(outcomes)),
    sample: (random, key) => kept[random.index(weights, key)]!.value,
  }
}

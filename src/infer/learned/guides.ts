import type { ServeOptions } from '../../models/model.js'
import type { Machine } from '../machine.js'
import type { Particle } from '../particle.js'
import { guideOf, type Plan } from '../plan.js'
import { byModel } from '../questions.js'
import type { Lesson } from './lesson.js'

/** Lets the learned twists that guide these draws speak, in one batch each. Up to `small` tokens they tell of every one. */
export async function askGuides(
  particles: readonly Particle[],
  machine: Machine,
  options: ServeOptions,
  small: number,
): Promise<void> {
  const guides = particles.flatMap((p) => guideOf(p, machine) ?? [])
  for (const twist of new Set(guides.map((guide) => guide.twist))) {
    const asked = guides.filter((guide) => guide.twist === twist)
    for (const [model, group] of byModel(asked, (guide) => guide.model.model))
      await twist.prepare(group, options, model.vocabulary.size <= small)
  }
}

/** What the guide of each plan has added to the log mass of the token that was found; nothing for a stop. */
export async function shiftsOf(plans: readonly Plan[], tokens: readonly number[], options: ServeOptions): Promise<number[]> {
  const shifts = new Array<number>(plans.length).fill(0)
  const guided = plans.flatMap(({ p, guidance }, at) => {
    const token = tokens[at]!
    return guidance?.linear && token >= 0 ? [{ ...p.request!.guide!, token, at }] : []
  })
  for (const twist of new Set(guided.map((guide) => guide.twist))) {
    const group = guided.filter((guide) => guide.twist === twist)
    const logs = await twist.values(group, options, true)
    group.forEach(({ at }, i) => {
      shifts[at] = logs[i]!
    })
  }
  return shifts
}

/**
 * What the twist that guides this draw may learn from it; null where nothing does. Of a stop there is nothing to learn. The particle has not
 * moved yet; `logRatio` is log (g / q) of what was drawn.
 */
export function lessonOf({ p, experts, within, allowed, leaving, offset }: Plan, token: number, logRatio: number): Lesson | null {
  const { guide, proposal } = p.request!
  if (!guide || proposal || token < 0) return null
  const before = p.withoutTwists
  const posterior = { experts, within, allowed: leaving ? null : allowed }
  return { parent: p.lesson, guide, posterior, token, before, after: before + logRatio + offset }
}

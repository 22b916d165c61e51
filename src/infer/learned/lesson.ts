import type { Expert, LanguageModel, Posterior } from '../../models/model.js'
import type { Guide } from './twist.js'

/**
 * One draw of a token that a learned twist may learn from: a path of them is what `smcc train` sees of a particle. With u the log weight of the
 * particle without its twists, which is log (target so far / proposal so far):
 */
export interface Lesson {
  readonly parent: Lesson | null
  readonly guide: Guide
  /** g of the local posterior, and the tokens that may be drawn. */
  readonly posterior: Pick<Posterior, 'within' | 'allowed'> & {
    readonly experts: readonly (Expert & { readonly model: LanguageModel })[]
  }
  readonly token: number
  /** u before the draw. */
  readonly before: number
  /** u behind the draw, before anything else weighs. */
  readonly after: number
}

/** The lessons of a particle, oldest first. */
export function lessonsOf(last: Lesson | null): Lesson[] {
  const lessons: Lesson[] = []
  for (let at = last; at; at = at.parent) lessons.push(at)
  return lessons.reverse()
}

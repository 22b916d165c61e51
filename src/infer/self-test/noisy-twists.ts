import type { LanguageModel } from '../../models/model.js'
import type { Randomness } from '../../models/randomness.js'
import { type HeadShape, untrainedLayers } from '../learned/head.js'
import { LearnedTwist } from '../learned/twist.js'

/** Learned twists of the same names that say what chance has made of them: a log psi of up to some units. `random`: a source for each. */
export function noisyTwists(twists: readonly LearnedTwist[], model: LanguageModel, random: () => Randomness): LearnedTwist[] {
  const { hiddenWidth: hidden, shiftWidth: shift } = model.output!
  return twists.map(({ name, conditions }, i) => {
    const shape: HeadShape = { hidden, shift, scale: 1, conditions, width: 4, depth: 1 }
    const source = random()
    const layers = untrainedLayers(shape, source)
    const last = layers.at(-1)!
    const weight = last.weight.map((_, draw) => 4 * source.uniform({ slot: 1000 + i, generation: 0, draw }, 0) - 2)
    const all = [...layers.slice(0, -1), { ...last, weight }]
    return new LearnedTwist(name, conditions, { shape, layers: all, model: model.hash, link: 'exp', role: 'twist' })
  })
}

import { diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import { stopped } from '../models/model.js'
import type { Distribution } from './distributions/distribution.js'
import { runError } from './host/failure.js'
import { plain } from './host/members.js'
import type { Particle } from './particle.js'
import type { Value } from './values.js'

/** What a particle must draw that an exact sample is forced through. */

/** The token that an exact sample has at this draw. */
export function forcedToken(p: Particle, size: number): number {
  const choice = p.nextChoice
  if (!choice) throw unfit(p.step.span, 'it has no token left for this draw')
  if (!('token' in choice)) throw unfit(p.step.span, 'it has a value where a token is drawn')
  if (choice.token === stopped || (choice.token >= 0 && choice.token < size)) return choice.token
  throw unfit(p.step.span, `the vocabulary has no token ${choice.token}`)
}

/** The value that an exact sample has at this draw, one that the distribution can give. */
export function forcedValue(p: Particle, from: Distribution): Value {
  const choice = p.nextChoice
  if (!choice) throw unfit(p.step.span, 'it has no value left for this draw')
  if (!('value' in choice)) throw unfit(p.step.span, 'it has a token where a distribution is drawn from')
  if (from.logProb(plain(choice.value)) === Number.NEGATIVE_INFINITY) throw unfit(p.step.span, 'what it draws has probability 0')
  return choice.value
}

/** A trace that is forced through a program it does not come from. */
export function unfit(span: Span | undefined, found: string) {
  return runError(
    diagnostic('R030', span, `this exact sample does not fit the program: ${found}`, {
      hint: 'take traces of this very program, with the same params and models',
    }),
  )
}

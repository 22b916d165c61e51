import { type Blame, diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { Span } from '../../diagnostics/span.js'
import type { Refusal } from '../exact.js'

/** Exact samples were asked for, and no way to them applies. */
export function noExactSamples(refusals: readonly Refusal[]): SmcError {
  const why = refusals.map((refusal) => `not by ${refusal.way}: ${refusal.why}`).join('; ')
  const notes = refusals.flatMap(({ way, span }) => (span ? [{ message: `why not by ${way}`, span }] : []))
  const hint =
    'use `--positives smc`; to condition a twist on an observed text, make the text a param that is observed and given to the twist, and used for nothing else'
  return new SmcError(diagnostic('R034', undefined, `there are no exact samples of this target: ${why}`, { notes, hint }))
}

/** What was kept of an earlier training does not belong to this one. */
export function cannotResume(fact: string, hint: string): SmcError {
  return new SmcError(diagnostic('R035', undefined, `this training cannot go on: ${fact}`, { hint }), 'command')
}

export function nothingToLearn(message: string, hint: string, span?: Span, blame: Blame = 'program'): SmcError {
  return new SmcError(diagnostic('R033', span, message, { hint }), blame)
}

import { type Diagnostic, diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { CheckedProgram } from './types.js'

/**
 * Forms of the language that are checked and printed but do not run yet: one diagnostic for each place, in order of position.
 * `run` refuses a program for which this is not empty. Functions that the script does not reach are not looked into.
 */
export function unsupported(checked: CheckedProgram): Diagnostic[] {
  const found: Diagnostic[] = []
  const report = (code: string, span: Span, form: string, hint: string) =>
    found.push(diagnostic(code, span, `this version does not run ${form}`, { hint }))

  for (const { span } of checked.learnedTwists)
    report('C103', span, '`learn twist`', 'write a twist by hand: `twist e`, or `twisted by e`')
  return found.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0))
}

import { type Diagnostic, diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { Clause, Exp, Stmt } from '../syntax/ast.js'
import { isDeclaration } from './declarations.js'
import type { CheckedProgram } from './types.js'
import { expressionsOf, partsOf, statementsIn } from './walk.js'

/**
 * Forms of the language that are checked and printed but do not run yet: one diagnostic for each place, in order of position.
 * `run` refuses a program for which this is not empty. Functions that the script does not reach are not looked into.
 */
export function unsupported(checked: CheckedProgram): Diagnostic[] {
  const found: Diagnostic[] = []
  const report = (code: string, span: Span, form: string, hint: string) =>
    found.push(diagnostic(code, span, `this version does not run ${form}`, { hint }))

  for (const { span } of checked.classifiers) report('C104', span, '`classifier`', 'score texts with an extern function instead')
  for (const { span } of checked.learnedTwists)
    report('C103', span, '`learn twist`', 'write a twist by hand: `twist e`, or `twisted by e`')
  const script = checked.main.program.items.filter((item): item is Stmt => !isDeclaration(item))
  for (const statements of [script, ...checked.functions.map((fn) => fn.body.statements)]) {
    for (const statement of statementsIn(statements)) {
      if (statement.kind === 'Sample') for (const clause of statement.clauses) reportClause(clause, report)
      for (const exp of expressionsOf(statement)) reportAlgebra(checked, exp, report)
    }
  }
  return found.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0))
}

type Report = (code: string, span: Span, form: string, hint: string) => void

function reportClause(clause: Clause, report: Report): void {
  if (clause.kind === 'Matching')
    report('C100', clause.span, '`matching`', 'sample freely and `require` that the text matches: `s.matches(/re/)`')
  if (clause.kind === 'Where')
    report('C101', clause.span, '`where`', 'sample token by token in a loop, and `require` the condition after each')
  if (clause.kind === 'Via') report('C102', clause.span, '`via`', 'leave it out: the target is the same')
}

/** Only the outermost operator of a product of contexts is reported. */
function reportAlgebra(checked: CheckedProgram, root: Exp, report: Report): void {
  const isAlgebra = (exp: Exp) => exp.kind === 'Binary' && checked.types.get(exp)?.kind === 'Context'
  const pending: { readonly exp: Exp; readonly inside: boolean }[] = [{ exp: root, inside: false }]
  for (let at = pending.pop(); at; at = pending.pop()) {
    const algebra = isAlgebra(at.exp)
    if (algebra && !at.inside) {
      report(
        'C105',
        at.exp.span,
        'products, quotients and powers of contexts',
        'sample a token from one context and `observe` it on the other',
      )
    }
    for (const exp of partsOf(at.exp)) pending.push({ exp, inside: algebra })
  }
}

import type { IfStmt, Stmt } from '../syntax/ast.js'
import type { Checker } from './checker.js'

/** Whether no path runs past the end of these statements: each one returns, leaves its loop, or goes on forever. */
export function leaves(statements: readonly Stmt[]): boolean {
  return statements.some(stops)
}

/** Warns of the first statement that no path reaches. A `break` outside a loop is an error of its own. */
export function checkReached(checker: Checker, statements: readonly Stmt[], inLoop: boolean): void {
  const last = statements.findIndex(stops)
  const next = last < 0 ? undefined : statements[last + 1]
  const end = statements[last]?.kind
  if (!next || (!inLoop && (end === 'Break' || end === 'Continue'))) return
  checker.warn('C054', next.span, 'no path reaches this statement', {
    notes: [{ message: 'every path ends here', span: statements[last]?.span ?? next.span }],
    hint: 'take it out, or move it up',
  })
}

function stops(statement: Stmt): boolean {
  switch (statement.kind) {
    case 'Return':
    case 'Break':
    case 'Continue':
      return true
    case 'While':
      return statement.condition.kind === 'Bool' && statement.condition.value && !breaks(statement.body.statements)
    case 'If':
      return everyBranchLeaves(statement)
    default:
      return false
  }
}

/** Chains of `else if` are walked in a loop. */
function everyBranchLeaves(first: IfStmt): boolean {
  let at: IfStmt = first
  for (;;) {
    if (!leaves(at.then.statements) || !at.else) return false
    if (!('kind' in at.else)) return leaves(at.else.statements)
    at = at.else
  }
}

/** Whether a `break` of this loop, not of one inside it, stands among the statements. */
function breaks(statements: readonly Stmt[]): boolean {
  return statements.some((statement) => {
    if (statement.kind === 'Break') return true
    if (statement.kind !== 'If') return false
    return (
      breaks(statement.then.statements) ||
      (statement.else ? breaks('kind' in statement.else ? [statement.else] : statement.else.statements) : false)
    )
  })
}

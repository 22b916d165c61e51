import type { Span } from '../diagnostics/span.js'
import type { Exp, Stmt } from '../syntax/ast.js'
import type { CheckedProgram } from './types.js'
import { statementsIn } from './walk.js'

/**
 * The first statement whose weight is not sure to be at most 1: a density, or a `factor` of which that cannot be seen. Runs of a program
 * without such statements can be accepted with the probability of their weight; null when there are none. Powers and quotients of contexts
 * are left to the run, which stops where a weight rises.
 */
export function firstRising(
  checked: CheckedProgram,
  { observations = true }: { readonly observations?: boolean } = {},
): { readonly span: Span; readonly why: string } | null {
  const script = checked.main.program.items.filter((item): item is Stmt => !item.kind.endsWith('Decl'))
  const bodies = [script, ...checked.functions.filter((f) => checked.effectful.has(f)).map((f) => f.body.statements)]
  for (const statements of bodies) {
    for (const statement of statementsIn(statements)) {
      if (statement.kind === 'Factor' && !isAtMostOne(statement.value, checked))
        return { span: statement.span, why: 'this factor may be above 1' }
      if (observations && statement.kind === 'Observe' && !isChance(statement.from, checked))
        return { span: statement.span, why: 'this observation has a density, which may be above 1' }
    }
  }
  return null
}

/** Whether it gives probabilities and not densities. */
function isChance(from: Exp, { types }: CheckedProgram): boolean {
  const type = types.get(from)
  if (type?.kind === 'Context') return true
  return type?.kind === 'Dist' && ['Int', 'Bool', 'String', 'Token'].includes(type.of.kind)
}

function isAtMostOne(exp: Exp, checked: CheckedProgram): boolean {
  if (checked.types.get(exp)?.kind === 'Bool') return true
  const both = (...parts: readonly Exp[]) => parts.every((part) => isAtMostOne(part, checked))
  switch (exp.kind) {
    case 'Number':
      return exp.value <= 1
    case 'IfExp':
      return both(exp.then, exp.else)
    case 'Binary':
      return exp.operator === '*' && both(exp.left, exp.right)
    case 'Index':
      return exp.target.kind === 'List' && both(...exp.target.elements)
    case 'Call': {
      const { callee, args } = exp
      if (callee.kind === 'Field') return callee.name.text === 'prob' && isChance(callee.target, checked)
      const [first] = args
      if (callee.kind !== 'Name' || checked.symbols.get(callee)?.kind !== 'builtin' || !first) return false
      if (callee.text === 'exp') return isAtMostZero(first.value, checked)
      return callee.text === 'min' && args.length === 2 && args.some(({ value }) => isAtMostOne(value, checked))
    }
    default:
      return false
  }
}

/** `-abs(...)`, and such times or over a number. */
function isAtMostZero(exp: Exp, checked: CheckedProgram): boolean {
  if (exp.kind === 'Unary' && exp.operator === '-') return isAtLeastZero(exp.operand, checked)
  if (exp.kind !== 'Binary' || (exp.operator !== '*' && exp.operator !== '/')) return false
  const [left, right] = [isAtMostZero(exp.left, checked), isAtMostZero(exp.right, checked)]
  return (left && isAtLeastZero(exp.right, checked)) || (right && isAtLeastZero(exp.left, checked))
}

function isAtLeastZero(exp: Exp, checked: CheckedProgram): boolean {
  if (exp.kind === 'Number') return exp.value >= 0
  if (exp.kind === 'Binary')
    return ['*', '/', '+'].includes(exp.operator) && [exp.left, exp.right].every((e) => isAtLeastZero(e, checked))
  if (exp.kind === 'Field') return exp.name.text === 'length'
  if (exp.kind !== 'Call') return false
  const { callee } = exp
  if (callee.kind === 'Field') return callee.name.text === 'count'
  return callee.kind === 'Name' && callee.text === 'abs' && checked.symbols.get(callee)?.kind === 'builtin'
}

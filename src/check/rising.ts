import type { Exp, NameExp, Stmt } from '../syntax/ast.js'
import type { Obstacle } from './observed.js'
import type { CheckedProgram, Symbol } from './types.js'
import { bindersIn, scriptOf, statementsIn } from './walk.js'

/**
 * The first statement whose weight is not sure to be at most 1: a density, or a `factor` of which that cannot be seen. Runs of a program
 * without such statements can be accepted with the probability of their weight; null when there are none. Powers and quotients of contexts
 * are left to the run, which stops where a weight rises.
 */
export function firstRising(
  checked: CheckedProgram,
  { observations = true }: { readonly observations?: boolean } = {},
): Obstacle | null {
  const sizes = new Sizes(checked)
  const bodies = [scriptOf(checked), ...checked.functions.filter((f) => checked.effectful.has(f)).map((f) => f.body.statements)]
  for (const statements of bodies) {
    for (const statement of statementsIn(statements)) {
      if (statement.kind === 'Factor' && !sizes.isAtMostOne(statement.value))
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

/** What can be seen of the size of a number without running the program. A param counts as at least 0: a run that meets another stops. */
class Sizes {
  /** Statements that bind a variable. */
  private readonly binders: ReadonlyMap<Symbol, readonly Stmt[]>

  constructor(private readonly checked: CheckedProgram) {
    this.binders = bindersIn([...scriptOf(checked), ...checked.functions.flatMap((f) => f.body.statements)], checked)
  }

  isAtMostOne(exp: Exp): boolean {
    const { checked } = this
    if (checked.types.get(exp)?.kind === 'Bool') return true
    const both = (...parts: readonly Exp[]) => parts.every((part) => this.isAtMostOne(part))
    switch (exp.kind) {
      case 'Number':
        return exp.value <= 1
      case 'Name': {
        const value = this.valueOf(exp)
        return value !== null && this.isAtMostOne(value)
      }
      case 'IfExp':
        return both(exp.then, exp.else)
      case 'Binary':
        if (exp.operator === '^') return this.isAtMostOne(exp.left) && this.isAtLeastZero(exp.right)
        return exp.operator === '*' && both(exp.left, exp.right)
      case 'Index':
        return exp.target.kind === 'List' && both(...exp.target.elements)
      case 'Call': {
        const { callee, args } = exp
        if (callee.kind === 'Field') return callee.name.text === 'prob' && isChance(callee.target, checked)
        const [first] = args
        if (callee.kind !== 'Name' || checked.symbols.get(callee)?.kind !== 'builtin' || !first) return false
        if (callee.text === 'exp') return this.isAtMostZero(first.value)
        return callee.text === 'min' && args.length === 2 && args.some(({ value }) => this.isAtMostOne(value))
      }
      default:
        return false
    }
  }

  /** `-abs(...)`, and such times or over a number. */
  private isAtMostZero(exp: Exp): boolean {
    if (exp.kind === 'Unary' && exp.operator === '-') return this.isAtLeastZero(exp.operand)
    if (exp.kind !== 'Binary' || (exp.operator !== '*' && exp.operator !== '/')) return false
    const [left, right] = [this.isAtMostZero(exp.left), this.isAtMostZero(exp.right)]
    return (left && this.isAtLeastZero(exp.right)) || (right && this.isAtLeastZero(exp.left))
  }

  private isAtLeastZero(exp: Exp): boolean {
    const { checked } = this
    if (exp.kind === 'Number') return exp.value >= 0
    if (exp.kind === 'Name') {
      if (checked.symbols.get(exp)?.kind === 'param') return true
      const value = this.valueOf(exp)
      return value !== null && this.isAtLeastZero(value)
    }
    if (exp.kind === 'Binary')
      return ['*', '/', '+'].includes(exp.operator) && [exp.left, exp.right].every((e) => this.isAtLeastZero(e))
    if (exp.kind === 'Field') return exp.name.text === 'length'
    if (exp.kind !== 'Call') return false
    const { callee } = exp
    if (callee.kind === 'Field') return callee.name.text === 'count'
    return callee.kind === 'Name' && callee.text === 'abs' && checked.symbols.get(callee)?.kind === 'builtin'
  }

  /** What a variable is that one `let` binds and nothing rebinds. */
  private valueOf(name: NameExp): Exp | null {
    const symbol = this.checked.symbols.get(name)
    const [binder, ...others] = (symbol && this.binders.get(symbol)) ?? []
    return binder?.kind === 'Let' && others.length === 0 ? binder.value : null
  }
}

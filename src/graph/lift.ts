import type { Exp } from '../syntax/ast.js'
import type { FunctionBuilder } from './function.js'

/**
 * Lifts calls of functions with effects out of expressions, into nodes of their own, keeping evaluation from left to right:
 * what stands to the left of such a call is computed into a slot first. Choices (`if`, `and`, `or`) become branches.
 */
export class Lifter {
  private readonly known = new Map<Exp, boolean>()

  constructor(private readonly builder: FunctionBuilder) {}

  /** Afterwards the expression can be emitted as pure code. */
  lift(e: Exp): void {
    if (!this.hasEffects(e)) return
    const { builder } = this
    const { emitter } = builder
    if (e.kind === 'IfExp') {
      this.lift(e.condition)
      const slot = builder.temporary('if')
      const arm = (value: Exp) => () => {
        this.lift(value)
        builder.host(slot, emitter.code(value))
      }
      builder.flow.branch(emitter.bool(e.condition), e.span, arm(e.then), arm(e.else))
      builder.keep(e, slot)
      return
    }
    if (e.kind === 'Binary' && (e.operator === 'and' || e.operator === 'or')) {
      this.lift(e.left)
      const slot = builder.temporary(e.operator)
      const right = () => {
        this.lift(e.right)
        builder.host(slot, emitter.bool(e.right))
      }
      const settled = () => builder.host(slot, { js: `${e.operator === 'or'}`, text: `${e.operator === 'or'}`, span: e.span })
      const left = emitter.bool(e.left)
      if (e.operator === 'and') builder.flow.branch(left, e.span, right, settled)
      else builder.flow.branch(left, e.span, settled, right)
      builder.keep(e, slot)
      return
    }
    this.liftAll(children(e))
    if (e.kind === 'Call') {
      const slot = builder.call(e)
      if (slot !== null) builder.keep(e, slot)
    }
  }

  /** Lifts several expressions that are evaluated one after another. */
  liftAll(expressions: readonly Exp[]): void {
    let last = -1
    expressions.forEach((e, i) => {
      if (this.hasEffects(e)) last = i
    })
    for (let i = 0; i <= last; i++) {
      const e = expressions[i]!
      this.lift(e)
      if (i === last || isConstant(e)) continue
      const { emitter } = this.builder
      const slot = this.builder.temporary('left')
      this.builder.host(slot, emitter.code(e))
      this.builder.keep(e, slot)
    }
  }

  private hasEffects(e: Exp): boolean {
    let known = this.known.get(e)
    if (known === undefined) {
      // A chain of operators is walked by hand: it may be thousands of terms deep to the left.
      let at = e
      known = false
      while (at.kind === 'Binary' && !known) {
        known = this.hasEffects(at.right)
        at = at.left
      }
      if (at.kind !== 'Binary') known ||= this.builder.isEffectful(at) || children(at).some((child) => this.hasEffects(child))
      this.known.set(e, known)
    }
    return known
  }
}

function isConstant(e: Exp): boolean {
  return (
    e.kind === 'Number' ||
    e.kind === 'Bool' ||
    e.kind === 'Regex' ||
    (e.kind === 'String' && e.parts.every((p) => typeof p === 'string'))
  )
}

/** Subexpressions in the order of evaluation; the body of a lambda is not evaluated where the lambda stands. */
function children(e: Exp): readonly Exp[] {
  switch (e.kind) {
    case 'Number':
    case 'Bool':
    case 'Regex':
    case 'Name':
    case 'Lambda':
      return []
    case 'String':
      return e.parts.filter((part): part is Exp => typeof part !== 'string')
    case 'List':
      return e.elements
    case 'Record':
      return e.entries.map((entry) => entry.value)
    case 'IfExp':
      return [e.condition, e.then, e.else]
    case 'Unary':
      return [e.operand]
    case 'Binary':
      return [e.left, e.right]
    case 'Call': {
      const target = e.callee.kind === 'Field' ? [e.callee.target] : e.callee.kind === 'Name' ? [] : [e.callee]
      return [...target, ...e.args.map((a) => a.value)]
    }
    case 'Index':
      return [e.target, e.index]
    case 'Field':
      return [e.target]
    default:
      return e satisfies never
  }
}

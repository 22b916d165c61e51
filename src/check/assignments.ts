import type { AssignStmt } from '../syntax/ast.js'
import type { Checker } from './checker.js'
import { fieldOf, indexed, infer } from './expressions.js'
import { mismatch } from './mismatch.js'
import { resolve, roleOf } from './names.js'
import { cannotAdd, plus } from './operators.js'
import { isOpen, join, listOf, unknown } from './relations.js'
import type { Scope } from './scope.js'
import { describe } from './show.js'
import type { Type } from './types.js'

/** `x = e`, `x += e`, `x.f = e`, `xs[i] = e`: rebinds the nearest `x` to an updated copy. */
export function checkAssign(checker: Checker, scope: Scope, statement: AssignStmt): void {
  const symbol = resolve(checker, scope, statement.name)
  if (symbol && (symbol.kind !== 'variable' || checker.loopVariables.has(symbol))) {
    const role = symbol.kind === 'variable' ? 'the variable of a loop' : roleOf[symbol.kind]
    checker.report('C009', statement.name.span, `\`${symbol.name}\` is ${role} and cannot be assigned`, {
      hint: `declare a variable of your own: \`let other = ${symbol.kind === 'model' ? '...' : symbol.name}\``,
    })
    infer(checker, scope, statement.value)
    return
  }
  if (symbol?.kind !== 'variable') {
    for (const step of statement.path) if (step.kind === 'IndexStep') infer(checker, scope, step.index)
    infer(checker, scope, statement.value)
    return
  }
  checker.symbols.set(statement, symbol)
  const places: Type[] = [symbol.type]
  for (const step of statement.path) {
    const target = places.at(-1) ?? unknown
    places.push(
      step.kind === 'FieldStep' ? place(checker, target, step) : indexed(checker, scope, statement.name, target, step.index),
    )
  }
  const before = places.at(-1) ?? unknown
  const value = infer(checker, scope, statement.value, before)
  const added = statement.operator === '+=' ? plus(before, value) : value
  if (!added) {
    cannotAdd(checker, statement, before, value)
    return
  }
  const after = statement.path.length === 0 ? added : rebuilt(statement, places, added)
  if (after && checker.grow(symbol, after)) return
  if (statement.path.length > 0) mismatch(checker, statement.value, before, added)
  else {
    checker.report('C032', statement.value.span, sentence(statement.name.text, symbol.type, added), {
      notes: [{ message: `\`${symbol.name}\` is declared here`, span: symbol.declared }],
      hint: 'a variable keeps its type: declare another one with `let`',
    })
  }
}

/** A field to assign to: of records only, for all else is computed. */
function place(checker: Checker, target: Type, step: AssignStmt['path'][number] & { kind: 'FieldStep' }): Type {
  if (target.kind !== 'Record' && !isOpen(target)) {
    checker.report('C009', step.name.span, `\`${step.name.text}\` of ${describe(target)} cannot be assigned`, {
      hint: 'only fields of records and elements of lists can',
    })
    return unknown
  }
  return fieldOf(checker, target, step)
}

/** The type of the whole variable once the place at the end of the path holds `value`. */
function rebuilt(statement: AssignStmt, places: readonly Type[], value: Type): Type | undefined {
  let type: Type | undefined = join(places.at(-1) ?? unknown, value)
  for (let at = statement.path.length - 1; at >= 0 && type; at--) {
    const step = statement.path[at]
    const whole = places[at] ?? unknown
    if (isOpen(whole)) type = whole
    else if (whole.kind === 'List') type = listOf(type)
    else if (whole.kind === 'Record' && step?.kind === 'FieldStep' && whole.fields.has(step.name.text)) {
      type = { kind: 'Record', fields: new Map(whole.fields).set(step.name.text, type) }
    } else type = whole
  }
  return type
}

function sentence(name: string, has: Type, found: Type): string {
  return `expected ${describe(has)} for \`${name}\`, found ${describe(found)}`
}

import type { Block, ExternDecl, FnDecl, Formal, LearnTwistDecl, Stmt } from '../syntax/ast.js'
import { typeOf } from './annotations.js'
import type { Checker } from './checker.js'
import { expect, infer } from './expressions.js'
import { leaves } from './flow.js'
import { isOpen, unit, unknown } from './relations.js'
import { Scope } from './scope.js'
import { checkBody } from './statements.js'
import type { Module, Type, VariableSymbol } from './types.js'

/** The types of parameters: as annotated, or as grown from defaults and calls. */
export function formalTypes(checker: Checker, decl: FnDecl | ExternDecl | LearnTwistDecl): Type[] {
  return decl.params.map((formal) => (formal.type ? typeOf(checker, formal.type) : checker.formalType(formal)))
}

/** What a call gives: as annotated, or as grown from its returns; Unit where none has a value. */
export function resultOf(checker: Checker, decl: FnDecl | ExternDecl): Type {
  if (decl.result) return typeOf(checker, decl.result)
  if (decl.kind === 'ExternDecl') return unknown
  return givesValue(decl) ? checker.resultType(decl) : unit
}

/** Checks a function's parameters, body and returns. */
export function checkFunction(checker: Checker, module: Module, decl: FnDecl): void {
  const around = checker.scopes.get(module)
  if (!around) return
  const scope = new Scope(around, { module, fn: decl })
  declareFormals(checker, scope, decl.params)
  if (decl.result) typeOf(checker, decl.result)
  checkBody(checker, scope, decl.body.statements)
  if ((decl.result || givesValue(decl)) && !leaves(decl.body.statements)) {
    checker.report('C051', decl.name.span, `a path through \`${decl.name.text}\` ends without a \`return\``, {
      hint: decl.result ? 'return a value on every path, or drop the `->`' : 'return a value on every path, or on none',
    })
  }
}

/** Declares parameters in order; a default sees those before it, and is pure. */
export function declareFormals(checker: Checker, scope: Scope, formals: readonly Formal[]): void {
  for (const formal of formals) {
    const annotated = formal.type && typeOf(checker, formal.type)
    if (formal.default) {
      const inside = scope.without('the default of a parameter')
      if (annotated) expect(checker, inside, formal.default, annotated)
      else checker.growFormal(formal, infer(checker, inside, formal.default))
    }
    const symbol = checker.variable(formal.name, scope.frame, annotated)
    if (!annotated) grownBy(checker, symbol, checker.formalType(formal))
    if (scope.names.has(formal.name.text)) {
      checker.report('C002', formal.name.span, `\`${formal.name.text}\` is declared twice`, {
        hint: 'give each parameter its own name',
      })
    }
    scope.names.set(formal.name.text, symbol)
    checker.symbols.set(formal, symbol)
    checker.symbols.set(formal.name, symbol)
  }
}

/** A parameter that is also assigned in the body may be more than its arguments; where they disagree it is open. */
function grownBy(checker: Checker, symbol: VariableSymbol, type: Type): void {
  if (!checker.grow(symbol, type) && !isOpen(type)) checker.grow(symbol, unknown)
}

/** Whether some `return` of the function has a value. */
export function givesValue(decl: FnDecl): boolean {
  const pending: Stmt[] = [...decl.body.statements]
  for (let statement = pending.pop(); statement; statement = pending.pop()) {
    if (statement.kind === 'Return' && statement.value) return true
    for (const block of blocksOf(statement)) pending.push(...block)
  }
  return false
}

/** The statements directly inside a compound statement, block by block. */
export function blocksOf(statement: Stmt): (readonly Stmt[])[] {
  switch (statement.kind) {
    case 'If':
      return [statement.then.statements, ...(statement.else ? [elseStatements(statement.else)] : [])]
    case 'For':
    case 'While':
    case 'Repeat':
      return [statement.body.statements]
    default:
      return []
  }
}

function elseStatements(part: Block | (Stmt & { kind: 'If' })): readonly Stmt[] {
  return 'kind' in part ? [part] : part.statements
}

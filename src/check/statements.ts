import type { DoStmt, ForStmt, IfStmt, LetStmt, ObserveStmt, ReturnStmt, Stmt } from '../syntax/ast.js'
import { typeOf } from './annotations.js'
import { checkAssign } from './assignments.js'
import { inferCall } from './calls.js'
import type { Checker } from './checker.js'
import { checkSample } from './clauses.js'
import { expect, infer } from './expressions.js'
import { checkReached } from './flow.js'
import { isObservableText } from './members.js'
import { expectPrintable, mismatch } from './mismatch.js'
import { declare } from './names.js'
import { bool, fits, int, isOpen, openOf, unknown, weight } from './relations.js'
import type { Scope } from './scope.js'
import { describe } from './show.js'
import type { Type } from './types.js'

/** Checks the statements of a function or of the script, in their own scope. */
export function checkBody(checker: Checker, around: Scope, statements: readonly Stmt[]): void {
  const scope = around.inner(statements)
  for (const statement of statements) checkStatement(checker, scope, statement, false)
  checkReached(checker, statements, false)
}

function checkBlock(checker: Checker, around: Scope, statements: readonly Stmt[], inLoop: boolean): void {
  const scope = around.inner(statements)
  for (const statement of statements) checkStatement(checker, scope, statement, inLoop)
  checkReached(checker, statements, inLoop)
  scope.end(checker.binders)
}

function checkStatement(checker: Checker, scope: Scope, statement: Stmt, inLoop: boolean): void {
  switch (statement.kind) {
    case 'Let':
      checkLet(checker, scope, statement)
      return
    case 'Assign':
      checkAssign(checker, scope, statement)
      return
    case 'Sample':
      checkSample(checker, scope, statement)
      return
    case 'Observe':
      checkObserve(checker, scope, statement)
      return
    case 'Force': {
      const from = infer(checker, scope, statement.from)
      const value = infer(checker, scope, statement.value)
      if (from.kind === 'Context') checkText(checker, statement.value, value)
      else if (!isOpen(from)) {
        checker.report('C057', statement.from.span, `expected a Context to force text on, found ${describe(from)}`, {
          hint: from.kind === 'Dist' ? 'to fix a random value write `observe`' : 'text is forced on `lm("...")`',
        })
      }
      return
    }
    case 'Factor':
    case 'Twist': {
      const type = infer(checker, scope, statement.value)
      if (fits(type, weight)) return
      if (type.kind === 'Bool') {
        checker.report('C020', statement.value.span, 'expected a Weight, found a Bool', {
          hint: 'a condition is written `require c`',
        })
      } else {
        mismatch(checker, statement.value, weight, type)
      }
      return
    }
    case 'Require':
      expect(checker, scope, statement.condition, bool)
      return
    case 'If':
      checkIf(checker, scope, statement, inLoop)
      return
    case 'For':
      checkFor(checker, scope, statement)
      return
    case 'While':
      expect(checker, scope, statement.condition, bool)
      checkBlock(checker, scope, statement.body.statements, true)
      return
    case 'Repeat':
      expect(checker, scope, statement.count, int)
      checkBlock(checker, scope, statement.body.statements, true)
      return
    case 'Break':
    case 'Continue': {
      const word = statement.kind === 'Break' ? 'break' : 'continue'
      if (!inLoop)
        checker.report('C053', statement.span, `\`${word}\` stands outside a loop`, {
          hint: 'it belongs into `for`, `while` or `repeat`',
        })
      return
    }
    case 'Return':
      checkReturn(checker, scope, statement)
      return
    case 'Do':
      checkDo(checker, scope, statement)
      return
    case 'Untwist':
    case 'Resample':
      return
    default:
      statement satisfies never
      return
  }
}

function checkLet(checker: Checker, scope: Scope, statement: LetStmt): void {
  const annotated = statement.type && typeOf(checker, statement.type)
  const type = annotated ? expect(checker, scope, statement.value, annotated) : infer(checker, scope, statement.value)
  const symbol = declare(checker, scope, statement.name, annotated ? { annotated } : {})
  if (!annotated) checker.grow(symbol, type)
  checker.symbols.set(statement, symbol)
  checker.symbols.set(statement.name, symbol)
}

function checkObserve(checker: Checker, scope: Scope, statement: ObserveStmt): void {
  const from = infer(checker, scope, statement.from)
  if (from.kind === 'Dist') {
    expect(checker, scope, statement.value, from.of)
    return
  }
  const value = infer(checker, scope, statement.value)
  if (from.kind === 'Context') checkText(checker, statement.value, value)
  else if (!isOpen(from)) cannotDraw(checker, statement.from, from, 'observe on')
}

function checkText(checker: Checker, exp: ObserveStmt['value'], type: Type): void {
  if (!isOpen(type) && !isObservableText(type))
    mismatch(checker, exp, { kind: 'String' }, type, 'a String, a Token or a list of Tokens')
}

/** Reports what stands after `~` and is neither a context nor a distribution. */
export function cannotDraw(checker: Checker, exp: ObserveStmt['from'], type: Type, what: string): void {
  const hint =
    type.kind === 'Model'
      ? 'give the model a prompt: `lm("...")`'
      : type.kind === 'List'
        ? 'to choose one of them write `uniform(xs)`'
        : type.kind === 'String'
          ? 'give the text to a model: `lm("...")`'
          : type.kind === 'Classifier'
            ? 'give the classifier a text: `tone(text)`'
            : type.kind === 'Record'
              ? 'to choose a key by its weight write `categorical(...)`'
              : 'after `~` stands `lm("...")` or a distribution such as `normal(0, 1)`'
  checker.report('C056', exp.span, `expected a Context or a distribution to ${what}, found ${describe(type)}`, { hint })
}

/** Chains of `else if` are walked in a loop. */
function checkIf(checker: Checker, scope: Scope, first: IfStmt, inLoop: boolean): void {
  for (let at: IfStmt | undefined = first; at; ) {
    expect(checker, scope, at.condition, bool)
    checkBlock(checker, scope, at.then.statements, inLoop)
    const part: IfStmt['else'] = at.else
    if (part && !('kind' in part)) checkBlock(checker, scope, part.statements, inLoop)
    at = part && 'kind' in part ? part : undefined
  }
}

function checkFor(checker: Checker, scope: Scope, statement: ForStmt): void {
  const over = infer(checker, scope, statement.in)
  let element: Type = unknown
  if (over.kind === 'List') element = over.element
  else if (isOpen(over)) element = openOf(over)
  else {
    const hint =
      over.kind === 'Int'
        ? 'to count write `for i in 1..n`'
        : over.kind === 'String' || over.kind === 'Token'
          ? 'take its `.words()` or `.split("")`'
          : over.kind === 'Context'
            ? 'take its tokens: `.tokens`'
            : 'a loop goes over a list or a range'
    checker.report('C020', statement.in.span, `expected a list or a range, found ${describe(over)}`, { hint })
  }
  const around = scope.inner()
  const symbol = declare(checker, around, statement.name, { loop: true })
  checker.grow(symbol, element)
  checker.loopVariables.add(symbol)
  checker.symbols.set(statement, symbol)
  checker.symbols.set(statement.name, symbol)
  checkBlock(checker, around, statement.body.statements, true)
  around.end(checker.binders)
}

function checkReturn(checker: Checker, scope: Scope, statement: ReturnStmt): void {
  const { fn } = scope.frame
  const annotated = fn?.result && typeOf(checker, fn.result)
  if (!statement.value) {
    if (fn && !annotated) return
    checker.report(
      'C052',
      statement.span,
      fn ? `\`${fn.name.text}\` returns a value, but not here` : 'the script returns no value here',
      {
        hint: annotated ? `return ${describe(annotated)}` : 'say what to report: `return x`',
      },
    )
    return
  }
  if (annotated) {
    expect(checker, scope, statement.value, annotated)
    return
  }
  const type = infer(checker, scope, statement.value)
  if (fn) {
    checker.growResult(fn, type)
    return
  }
  expectPrintable(checker, statement.value, type, 'into the result')
  checker.growScriptResult(type)
}

function checkDo(checker: Checker, scope: Scope, statement: DoStmt): void {
  const { call } = statement
  const { callee } = call
  const type = inferCall(checker, scope, call, true)
  checker.record(call, type)
  const symbol = callee.kind === 'Name' ? checker.symbols.get(callee) : undefined
  const mayAct = symbol?.kind === 'function' || symbol?.kind === 'extern' || (isOpen(type) && symbol?.kind !== 'builtin')
  if (!mayAct) valueDropped(checker, statement.call)
}

/** Warns of a call that does nothing but compute a value. */
export function valueDropped(checker: Checker, call: DoStmt['call']): void {
  checker.warn('C058', call.span, 'the value of this call is not used', { hint: 'keep it, `let x = ...`, or take the call out' })
}

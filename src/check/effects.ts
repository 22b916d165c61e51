import type { FnDecl } from '../syntax/ast.js'
import type { Checker } from './checker.js'
import { valueDropped } from './statements.js'
import { statementsIn } from './walk.js'

/** Statements that draw, weigh, or move what others see. */
const effects = new Set(['Sample', 'Observe', 'Force', 'Factor', 'Require', 'Twist', 'Untwist', 'Resample'])

/** The functions that have an effect, by themselves or through a call. */
export function effectfulFunctions(checker: Checker): ReadonlySet<FnDecl> {
  const effectful = new Set<FnDecl>()
  const callers = new Map<FnDecl, FnDecl[]>()
  const pending: FnDecl[] = []
  for (const [caller, callees] of checker.calls) {
    for (const callee of callees) if (caller) callers.set(callee, [...(callers.get(callee) ?? []), caller])
  }
  for (const module of checker.scopes.keys()) {
    for (const item of module.program.items) if (item.kind === 'FnDecl' && hasOwnEffect(item)) pending.push(item)
  }
  for (let fn = pending.pop(); fn; fn = pending.pop()) {
    if (effectful.has(fn)) continue
    effectful.add(fn)
    pending.push(...(callers.get(fn) ?? []))
  }
  return effectful
}

function hasOwnEffect(fn: FnDecl): boolean {
  for (const statement of statementsIn(fn.body.statements)) if (effects.has(statement.kind)) return true
  return false
}

/** Calls that may not sample or weigh where they stand, and calls that do nothing at all. */
export function checkEffects(checker: Checker, effectful: ReadonlySet<FnDecl>): void {
  for (const { callee, call, pure, dropped } of checker.noted) {
    if (pure !== undefined && effectful.has(callee)) {
      checker.report('C070', call.span, `\`${callee.name.text}\` samples or weighs, which ${pure} cannot`, {
        notes: [{ message: `\`${callee.name.text}\` is declared here`, span: callee.name.span }],
        hint: 'call it in a statement before, and use its value here',
      })
    } else if (dropped && !effectful.has(callee)) valueDropped(checker, call)
  }
}

/** A recursive function says what it returns: its type cannot be found from itself. */
export function checkRecursion(checker: Checker): void {
  for (const fn of checker.calls.keys()) {
    if (!fn || fn.result || !reaches(checker, fn, fn)) continue
    checker.report('C055', fn.name.span, `\`${fn.name.text}\` calls itself and does not say what it returns`, {
      hint: `write its type: \`fn ${fn.name.text}(...) -> Int { ... }\``,
    })
  }
}

function reaches(checker: Checker, from: FnDecl, goal: FnDecl): boolean {
  const seen = new Set<FnDecl>()
  const pending = [...(checker.calls.get(from) ?? [])]
  for (let fn = pending.pop(); fn; fn = pending.pop()) {
    if (fn === goal) return true
    if (seen.has(fn)) continue
    seen.add(fn)
    pending.push(...(checker.calls.get(fn) ?? []))
  }
  return false
}

/** The functions that the script calls, callees before their callers. */
export function reachedFunctions(checker: Checker): readonly FnDecl[] {
  const reached = new Set<FnDecl>()
  const entered = new Set<FnDecl>()
  const pending: { readonly fn: FnDecl; readonly done: boolean }[] = []
  const enter = (callees: Iterable<FnDecl>) => {
    for (const fn of [...callees].reverse()) if (!entered.has(fn)) pending.push({ fn, done: false })
  }
  enter(checker.calls.get(null) ?? [])
  for (let at = pending.pop(); at; at = pending.pop()) {
    if (at.done) reached.add(at.fn)
    if (at.done || entered.has(at.fn)) continue
    entered.add(at.fn)
    pending.push({ fn: at.fn, done: true })
    enter(checker.calls.get(at.fn) ?? [])
  }
  return [...reached]
}

import type { Diagnostic } from '../diagnostics/diagnostic.js'
import type { Decl, Stmt } from '../syntax/ast.js'
import { Checker } from './checker.js'
import { checkExtern, checkLearnedTwist, checkParams, collectModules, isDeclaration } from './declarations.js'
import { checkEffects, checkRecursion, effectfulFunctions, reachedFunctions } from './effects.js'
import { leaves } from './flow.js'
import { checkFunction } from './functions.js'
import { checkInfer, checkLearn } from './settings.js'
import { checkBody } from './statements.js'
import type { CheckedProgram, Module } from './types.js'

/** Passes after which what still grows is made Unknown; types settle in three or four. */
const patience = 12

/**
 * Settles names, types and effects of a program and of the files that it uses (language.md §3 to §9).
 * Never throws on a wrong program: all that is wrong is in `diagnostics`, the main file first, by position.
 */
export function check(main: Module): CheckedProgram {
  const checker = new Checker(main)
  checker.reporting = true
  const modules = collectModules(checker)
  checker.reporting = false
  settleTypes(checker, modules)

  checker.reporting = true
  walk(checker, modules)
  checkScriptReturns(checker)
  checkRecursion(checker)
  const effectful = effectfulFunctions(checker)
  checkEffects(checker, effectful)

  const { items } = main.program
  const externs = new Set([...checker.symbols.values()].flatMap((symbol) => (symbol.kind === 'extern' ? [symbol.decl] : [])))
  return {
    main,
    diagnostics: inOrder(checker.diagnostics, modules),
    symbols: checker.symbols,
    types: checker.types,
    effectful,
    functions: reachedFunctions(checker),
    models: ofKind(items, 'ModelDecl'),
    classifiers: ofKind(items, 'ClassifierDecl'),
    params: ofKind(items, 'ParamDecl'),
    externs: [...externs],
    infer: ofKind(items, 'InferDecl'),
    learnedTwists: ofKind(items, 'LearnTwistDecl'),
    result: checker.scriptResult,
  }
}

function settleTypes(checker: Checker, modules: readonly Module[]): void {
  for (let pass = 0; ; pass++) {
    checker.settling = pass >= patience
    walk(checker, modules, pass % 2 === 1)
    if (!checker.changed) return
  }
}

/** One walk over everything. Arguments settle fastest from caller to callee, results the other way: `backwards` alternates. */
function walk(checker: Checker, modules: readonly Module[], backwards = false): void {
  checker.startPass()
  checkParams(checker)
  const script = checker.scopes.get(checker.main)
  if (script) {
    const statements = checker.main.program.items.filter((item): item is Stmt => !isDeclaration(item))
    checkBody(checker, script, statements)
  }
  const declarations = modules.flatMap((module) => module.program.items.filter(isDeclaration).map((decl) => ({ module, decl })))
  for (const { module, decl } of backwards ? declarations.reverse() : declarations) checkDeclaration(checker, module, decl)
}

function checkDeclaration(checker: Checker, module: Module, decl: Decl): void {
  switch (decl.kind) {
    case 'FnDecl':
      checkFunction(checker, module, decl)
      return
    case 'ExternDecl':
      checkExtern(checker, module, decl)
      return
    case 'InferDecl':
      if (module === checker.main) checkInfer(checker, decl.settings)
      return
    case 'LearnTwistDecl':
      checkLearnedTwist(checker, module, decl)
      if (decl.settings) checkLearn(checker, decl.settings)
      return
    case 'ModelDecl':
    case 'ClassifierDecl':
    case 'ParamDecl':
    case 'UseDecl':
      return
    default:
      decl satisfies never
      return
  }
}

function checkScriptReturns(checker: Checker): void {
  const { program } = checker.main
  const statements = program.items.filter((item): item is Stmt => !isDeclaration(item))
  if (leaves(statements)) return
  const last = program.items.at(-1)
  const end = last?.span.end ?? program.span.end
  const hasReturn = checker.scriptReturns
  checker.report(
    'C050',
    { source: program.source, start: Math.max(0, end - 1), end },
    hasReturn ? 'a path through the script ends without a `return`' : 'the script has no `return`',
    {
      hint: 'end it with what to report: `return x`',
    },
  )
}

function inOrder(diagnostics: readonly Diagnostic[], modules: readonly Module[]): Diagnostic[] {
  const place = new Map(modules.map((module, at) => [module.program.source, at]))
  const rank = (each: Diagnostic) => (each.span && place.get(each.span.source)) ?? 0
  return [...diagnostics].sort(
    (a, b) => rank(a) - rank(b) || (a.span?.start ?? 0) - (b.span?.start ?? 0) || (a.span?.end ?? 0) - (b.span?.end ?? 0),
  )
}

function ofKind<K extends Decl['kind']>(items: Module['program']['items'], kind: K): Extract<Decl, { kind: K }>[] {
  return items.filter((item): item is Extract<Decl, { kind: K }> => item.kind === kind)
}

import { suggest } from '../diagnostics/suggest.js'
import type { Decl, Exp, ExternDecl, FnDecl, LearnTwistDecl, Name, Stmt, StringLiteral, UseDecl } from '../syntax/ast.js'
import { typeOf } from './annotations.js'
import { builtins } from './builtins.js'
import type { Checker } from './checker.js'
import { expect, infer } from './expressions.js'
import { declareFormals } from './functions.js'
import { declaredTwice } from './names.js'
import { isOpen, isPrintable, unknown } from './relations.js'
import { Scope } from './scope.js'
import { describe } from './show.js'
import type { Module, Symbol as Named, Type } from './types.js'
import { partsOf } from './walk.js'

type ParamSymbol = Named & { kind: 'param' }

/** The program's files, the main one first; each gets the scope of its declarations, which are visible before their place. */
export function collectModules(checker: Checker): readonly Module[] {
  const modules: Module[] = []
  const pending: Module[] = [checker.main]
  for (let module = pending.shift(); module; module = pending.shift()) {
    if (modules.includes(module)) continue
    modules.push(module)
    pending.push(...module.uses.values())
  }
  for (const module of modules) collect(checker, module)
  for (const module of modules)
    for (const item of module.program.items) if (item.kind === 'UseDecl') bindUse(checker, module, item)
  return modules
}

export function isDeclaration(item: Decl | Stmt): item is Decl {
  return ['ModelDecl', 'ClassifierDecl', 'ParamDecl', 'InferDecl', 'LearnTwistDecl', 'FnDecl', 'ExternDecl', 'UseDecl'].includes(
    item.kind,
  )
}

function collect(checker: Checker, module: Module): void {
  const scope = new Scope(null, { module, fn: null })
  checker.scopes.set(module, scope)
  for (const item of module.program.items) {
    const symbol = isDeclaration(item) ? symbolOf(item, module) : undefined
    if (symbol && symbol.kind !== 'variable' && symbol.kind !== 'builtin') add(checker, scope, symbol.decl.name, symbol)
  }
  const ignored =
    module === checker.main ? undefined : module.program.items.find((item) => !isDeclaration(item) || item.kind === 'InferDecl')
  if (ignored) {
    checker.warn('C012', ignored.span, 'the script of a file that is used does not run', {
      hint: 'keep functions for others in a file of their own',
    })
  }
}

function symbolOf(decl: Decl, module: Module): Named | undefined {
  const name = 'name' in decl ? decl.name.text : ''
  switch (decl.kind) {
    case 'ModelDecl':
      return { kind: 'model', name, decl }
    case 'ClassifierDecl':
      return { kind: 'classifier', name, decl }
    case 'ParamDecl':
      return { kind: 'param', name, decl, type: unknown }
    case 'LearnTwistDecl':
      return { kind: 'learnedTwist', name, decl }
    case 'FnDecl':
      return { kind: 'function', name, decl, module }
    case 'ExternDecl':
      return { kind: 'extern', name, decl, module }
    case 'InferDecl':
    case 'UseDecl':
      return undefined
    default:
      return decl satisfies never
  }
}

function add(checker: Checker, scope: Scope, binder: Name, symbol: Named): void {
  const first = scope.names.get(binder.text)
  if (first) {
    declaredTwice(checker, binder, first, 'take another name')
    return
  }
  scope.names.set(binder.text, symbol)
  checker.symbols.set(binder, symbol)
}

/** `use a, b from "..."` sees the functions that the file declares itself. */
function bindUse(checker: Checker, module: Module, use: UseDecl): void {
  const scope = checker.scopes.get(module)
  const path = pathOf(use.from)
  const used = module.uses.get(path)
  if (!scope) return
  if (!used) {
    checker.report('C008', use.from.span, `there is no file "${path}"`, {
      hint: path.startsWith('std/')
        ? 'the standard library is `std/text`, `std/score` and `std/decode`'
        : 'paths are relative to this file',
    })
    for (const name of use.names) scope.absent.add(name.text)
    return
  }
  const functions = used.program.items.filter((item): item is FnDecl => item.kind === 'FnDecl')
  for (const name of use.names) {
    const decl = functions.find((each) => each.name.text === name.text)
    const symbol = decl && checker.scopes.get(used)?.names.get(name.text)
    if (symbol) {
      add(checker, scope, name, symbol)
      continue
    }
    const names = functions.map((each) => each.name.text)
    const close = suggest(name.text, names)
    checker.report('C007', name.span, `"${path}" has no function \`${name.text}\``, {
      hint: close
        ? `did you mean \`${close}\`?`
        : names.length > 0
          ? `it has ${names.map((each) => `\`${each}\``).join(', ')}`
          : 'it declares no function',
    })
    scope.absent.add(name.text)
  }
}

function pathOf(literal: StringLiteral): string {
  return literal.parts.filter((part) => typeof part === 'string').join('')
}

/** `param`s in order: a default may use those before it, and built-in functions. */
export function checkParams(checker: Checker): void {
  const module = checker.main
  const all = checker.scopes.get(module)
  const earlier = new Scope(null, { module, fn: null }, [], 'the default of a param')
  for (const decl of module.program.items) {
    if (decl.kind !== 'ParamDecl' || !all) continue
    const symbol = checker.symbols.get(decl.name) as ParamSymbol | undefined
    let type: Type = decl.type ? typeOf(checker, decl.type) : unknown
    if (decl.default) {
      onlyEarlier(checker, earlier, all, decl.default)
      if (decl.type) expect(checker, earlier, decl.default, type)
      else type = infer(checker, earlier, decl.default)
    }
    if (!isOpen(type) && (type.kind === 'Token' || !isPrintable(type))) {
      checker.report('C072', decl.type?.span ?? decl.name.span, `a param cannot be ${describe(type)}`, {
        hint: 'params are numbers, booleans, strings, lists and records',
      })
      type = unknown
    }
    if (symbol?.decl !== decl) continue
    ;(symbol as { type: Type }).type = type
    earlier.names.set(decl.name.text, symbol)
  }
}

function onlyEarlier(checker: Checker, earlier: Scope, all: Scope, value: Exp): void {
  const bound = new Set<string>()
  const pending: Exp[] = [value]
  for (let exp = pending.pop(); exp; exp = pending.pop()) {
    if (exp.kind === 'Lambda') for (const param of exp.params) bound.add(param.text)
    const known = exp.kind === 'Name' ? all.names.get(exp.text) : undefined
    if (
      exp.kind === 'Name' &&
      known &&
      !bound.has(exp.text) &&
      !earlier.find(exp.text) &&
      !(builtins.has(exp.text) && known.kind !== 'param')
    ) {
      checker.report('C071', exp.span, `the default of a param cannot use \`${exp.text}\``, {
        hint:
          known.kind === 'param'
            ? 'a default may use the params before it'
            : 'a default may use earlier params; compute the rest with `let`',
      })
      earlier.absent.add(exp.text)
    }
    pending.push(...partsOf(exp))
  }
}

/** JavaScript knows no types of ours, so that each parameter says its own. */
export function checkExtern(checker: Checker, module: Module, decl: ExternDecl): void {
  for (const formal of decl.params) {
    if (formal.type) continue
    checker.report('C094', formal.span, `the parameter \`${formal.name.text}\` of an extern function lacks its type`, {
      hint: `write \`${formal.name.text}: String\`, or what it is`,
    })
  }
  typeOf(checker, decl.result)
  inOwnScope(checker, module, decl)
}

const features = ['String', 'Token', 'Int', 'Float', 'Bool', 'Weight']

/** A learned twist reads one context, and features that condition it. */
export function checkLearnedTwist(checker: Checker, module: Module, decl: LearnTwistDecl): void {
  inOwnScope(checker, module, decl)
  const [first, ...rest] = decl.params
  if (!first) {
    checker.report('C093', decl.name.span, `the learned twist \`${decl.name.text}\` has no context`, {
      hint: `write \`${decl.name.text}(story: Context)\``,
    })
    return
  }
  const type = first.type && typeOf(checker, first.type)
  if (type?.kind !== 'Context' && !(type && isOpen(type))) {
    checker.report('C093', first.span, 'the first parameter of a learned twist is its context', {
      hint: `write \`${first.name.text}: Context\``,
    })
  }
  for (const formal of rest) {
    const feature = formal.type && typeOf(checker, formal.type)
    if (feature && (isOpen(feature) || features.includes(feature.kind))) continue
    checker.report('C093', formal.span, `\`${formal.name.text}\` cannot condition a twist`, {
      hint: 'give it the type String, Int, Float or Bool',
    })
  }
}

function inOwnScope(checker: Checker, module: Module, decl: ExternDecl | LearnTwistDecl): void {
  const around = checker.scopes.get(module)
  if (around) declareFormals(checker, new Scope(around, { module, fn: null }), decl.params)
}

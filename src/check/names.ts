import { positionAt } from '../diagnostics/span.js'
import { suggest } from '../diagnostics/suggest.js'
import type { Decl, Name, NameExp, Stmt } from '../syntax/ast.js'
import { builtins } from './builtins.js'
import type { Checker } from './checker.js'
import type { Scope } from './scope.js'
import type { Symbol as Named, Type, VariableSymbol } from './types.js'

/** What each kind of name is called in messages. */
export const roleOf: Readonly<Record<Named['kind'], string>> = {
  variable: 'a variable',
  param: 'a param',
  model: 'a model',
  classifier: 'a classifier',
  function: 'a function',
  extern: 'an extern function',
  learnedTwist: 'a learned twist',
  builtin: 'a built-in function',
}

const builtinSymbols = new Map<string, Named>([...builtins.keys()].map((name) => [name, { kind: 'builtin', name }]))

/** What a name stands for here; undefined after reporting that it stands for nothing. */
export function resolve(
  checker: Checker,
  scope: Scope,
  name: NameExp | Name,
  wanted: 'value' | 'function' = 'value',
): Named | undefined {
  const symbol = scope.find(name.text) ?? builtinSymbols.get(name.text)
  if (!symbol) {
    if (!scope.isAbsent(name.text)) explainUnknown(checker, scope, name, wanted)
    return undefined
  }
  const belongsToScript =
    symbol.kind === 'param' || symbol.kind === 'model' || symbol.kind === 'classifier' || symbol.kind === 'learnedTwist'
  if (belongsToScript && scope.frame.module !== checker.main) {
    checker.report(
      'C011',
      name.span,
      `\`${name.text}\` belongs to the script of this file, which does not run when the file is used`,
      {
        hint: 'pass it to the function as an argument',
      },
    )
    return undefined
  }
  checker.symbols.set(name, symbol)
  return symbol
}

/** Declares a variable in this block. */
export function declare(
  checker: Checker,
  scope: Scope,
  binder: Name,
  options: { annotated?: Type; loop?: boolean } = {},
): VariableSymbol {
  const symbol = checker.variable(binder, scope.frame, options.annotated)
  if (binder.text === '_') return symbol
  const here = scope.names.get(binder.text) ?? atTopLevel(scope)?.names.get(binder.text)
  if (here) {
    const hint = here.kind === 'variable' ? `to give it another value write \`${binder.text} = ...\`` : 'take another name'
    declaredTwice(checker, binder, here, hint)
  } else {
    const outer = scope.find(binder.text)
    if (outer) {
      checker.warn('C003', binder.span, `\`${binder.text}\` hides ${roleOf[outer.kind]} of the same name`, {
        notes: place(outer),
        hint:
          outer.kind === 'variable' && !options.loop ? `to change that one write \`${binder.text} = ...\`` : 'take another name',
      })
    }
  }
  scope.names.set(binder.text, symbol)
  return symbol
}

export function declaredTwice(checker: Checker, binder: Name, first: Named, hint: string): void {
  checker.report('C002', binder.span, `\`${binder.text}\` is declared twice`, { notes: place(first), hint })
}

/** The top block of the script declares in the same breath as the file. */
function atTopLevel(scope: Scope): Scope | null {
  return scope.frame.fn === null && scope.parent?.parent === null ? scope.parent : null
}

function place(symbol: Named) {
  const span = symbol.kind === 'variable' ? symbol.declared : symbol.kind === 'builtin' ? undefined : symbol.decl.name.span
  return span ? [{ message: `the other \`${symbol.name}\` is here`, span }] : []
}

function explainUnknown(checker: Checker, scope: Scope, name: NameExp | Name, wanted: 'value' | 'function'): void {
  const { text, span } = name
  for (const around of scope.outward()) {
    const later = binderIn(around.statements, text)
    if (later && later.span.start > span.start) {
      const { line } = positionAt(later.span.source, later.span.start)
      checker.report('C005', span, `\`${text}\` is used before it is declared`, {
        notes: [{ message: `it is declared in line ${line}`, span: later.span }],
        hint: 'move the declaration up',
      })
      return
    }
    const ended = around.ended.get(text)
    if (ended) {
      checker.report('C006', span, `\`${text}\` belongs to a block that has ended`, {
        notes: [{ message: 'it is declared in this block', span: ended.span }],
        hint: `declare it before the block: \`let ${text} = ...\` before the \`if\` or the loop`,
      })
      return
    }
  }
  if (scope.frame.fn && binderIn(scope.frame.module.program.items, text)) {
    checker.report('C004', span, `\`${text}\` is a variable of the script, which a function does not see`, {
      hint: `make it a parameter of \`${scope.frame.fn.name.text}\` and pass it as an argument`,
    })
    return
  }
  const declareHint =
    wanted === 'function'
      ? `declare it: \`fn ${text}(...) { ... }\`, or \`use\` it from a file`
      : `declare it first: \`let ${text} = ...\`, or \`param ${text}\` for an input`
  const close = suggest(text, [...scope.visible(), ...builtins.keys()])
  checker.report('C001', span, `there is no \`${text}\``, {
    hint: close ? `did you mean \`${close}\`?` : declareHint,
  })
}

function binderIn(statements: readonly (Decl | Stmt)[], name: string): Name | undefined {
  for (const statement of statements) {
    if ((statement.kind === 'Let' || statement.kind === 'Sample') && statement.name.text === name) return statement.name
  }
  return undefined
}

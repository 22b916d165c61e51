import type { Span } from '../diagnostics/span.js'
import type { Exp, NameExp, RegexLiteral } from '../syntax/ast.js'
import { type Builtin, builtins } from './builtins.js'
import type { Checker } from './checker.js'
import { expect, infer } from './expressions.js'
import { firstFault } from './regex-syntax.js'
import { regex, string, unknown } from './relations.js'
import type { Scope } from './scope.js'
import type { Type } from './types.js'

/*
 * Regular expressions of smc are those of JavaScript with the `u` flag, without look-around and back-references, which no
 * automaton of bounded size can follow. They are no values: each place that takes one calls `inferPattern`.
 */

/** Flags that mean something here. */
const flags = 'imsu'

/** Checks a place that takes a regular expression or a text. `infer` handles everything that is no pattern. */
export function inferPattern(checker: Checker, scope: Scope, exp: Exp): Type {
  if (exp.kind !== 'Regex') return infer(checker, scope, exp)
  checkRegex(checker, exp)
  return checker.record(exp, regex)
}

/** `until`: a text or a pattern, and one that needs at least one character. */
export function checkStop(checker: Checker, scope: Scope, exp: Exp): Type {
  const type = inferPattern(checker, scope, exp)
  const isEmptyText = exp.kind === 'String' && exp.parts.every((part) => part === '')
  if (isEmptyText || (exp.kind === 'Regex' && matchesEmpty(exp))) {
    checker.report('C083', exp.span, 'this stop matches the empty text, so that every span would end at once', {
      hint: 'ask for at least one character, as in `/x+/`',
    })
  }
  return type
}

function checkRegex(checker: Checker, exp: RegexLiteral): void {
  const patternStart = exp.span.start + 1
  const flagsStart = patternStart + exp.pattern.length + 1
  const at = (start: number, end: number): Span => ({ source: exp.span.source, start, end })
  for (let index = 0; index < exp.flags.length; index++) {
    const flag = exp.flags[index] ?? ''
    if (flags.includes(flag) && exp.flags.indexOf(flag) === index) continue
    const repeated = flags.includes(flag)
    checker.report(
      'C082',
      at(flagsStart + index, flagsStart + index + 1),
      repeated ? `the flag \`${flag}\` is given twice` : `there is no flag \`${flag}\``,
      { hint: 'the flags are `i` (case), `m` (lines) and `s` (dot matches line breaks)' },
    )
    return
  }
  const fault = firstFault(exp.pattern, exp.flags)
  if (!fault) return
  const code = fault.kind === 'syntax' ? 'C080' : 'C081'
  checker.report(code, at(patternStart + fault.start, patternStart + fault.end), fault.message, { hint: fault.hint })
}

function matchesEmpty(exp: RegexLiteral): boolean {
  if (firstFault(exp.pattern, exp.flags)) return false
  return new RegExp(exp.pattern, withUnicode(exp.flags)).test('')
}

function withUnicode(written: string): string {
  const known = [...new Set(written)].filter((flag) => flags.includes(flag) && flag !== 'u')
  return `${known.join('')}u`
}

/** `matching`: a regular expression, `json(...)` or `grammar(...)`. */
export function checkMatching(checker: Checker, scope: Scope, exp: Exp): void {
  if (exp.kind === 'Regex') {
    inferPattern(checker, scope, exp)
    return
  }
  const builtin = exp.kind === 'Call' && exp.callee.kind === 'Name' ? resolveBuiltin(scope, exp.callee) : undefined
  if (exp.kind !== 'Call' || exp.callee.kind !== 'Name' || builtin?.role !== 'pattern') {
    infer(checker, scope, exp)
    checker.report('C085', exp.span, 'expected a pattern after `matching`', {
      hint: 'write a regular expression, `json(...)` or `grammar("file.ebnf")`',
    })
    return
  }
  checker.symbols.set(exp.callee, { kind: 'builtin', name: builtin.name })
  checker.record(exp.callee, regex)
  checker.record(exp, regex)
  const [arg, surplus] = exp.args
  if (!arg || surplus) {
    checker.report('C085', exp.span, `\`${builtin.name}\` takes 1 argument, found ${exp.args.length}`, {
      hint: builtin.name === 'json' ? 'give it a schema, or the path of one' : 'give it the path of a grammar',
    })
    return
  }
  if (builtin.name === 'json' && (arg.value.kind === 'Record' || arg.value.kind === 'List'))
    inferSchema(checker, scope, arg.value)
  else expect(checker, scope, arg.value, string)
}

function resolveBuiltin(scope: Scope, name: NameExp): Builtin | undefined {
  return scope.find(name.text) ? undefined : builtins.get(name.text)
}

/** A schema is JSON: its lists may hold values of several types. */
function inferSchema(checker: Checker, scope: Scope, exp: Exp): void {
  if (exp.kind === 'Record') for (const entry of exp.entries) inferSchema(checker, scope, entry.value)
  else if (exp.kind === 'List') for (const element of exp.elements) inferSchema(checker, scope, element)
  else {
    infer(checker, scope, exp)
    return
  }
  checker.record(exp, unknown)
}

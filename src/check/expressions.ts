import type { BinaryExp, Exp, FieldExp, IfExp, IndexExp, LambdaExp, ListExp, NameExp, RecordExp } from '../syntax/ast.js'
import { inferCall } from './calls.js'
import type { Checker } from './checker.js'
import { unknownMember } from './member-errors.js'
import { membersOf } from './members.js'
import { expectPrintable, mismatch } from './mismatch.js'
import { resolve, roleOf } from './names.js'
import { binary, unary } from './operators.js'
import {
  bool,
  classifier,
  fits,
  float,
  functionOf,
  int,
  isOpen,
  join,
  listOf,
  model,
  nothing,
  openOf,
  string,
  unknown,
} from './relations.js'
import type { Scope } from './scope.js'
import { describe } from './show.js'
import type { Type } from './types.js'

/**
 * The type of an expression. `expected` says what the place wants, which types the parameters of a lambda; it is not enforced.
 * An expression that is wrong is reported once and is Unknown.
 */
export function infer(checker: Checker, scope: Scope, exp: Exp, expected?: Type): Type {
  return checker.record(exp, typeOf(checker, scope, exp, expected))
}

/** The same, and the expression must fit. Returns its own type, or Unknown when it does not fit. */
export function expect(checker: Checker, scope: Scope, exp: Exp, expected: Type): Type {
  const found = infer(checker, scope, exp, expected)
  if (fits(found, expected)) return found
  mismatch(checker, exp, expected, found)
  return unknown
}

function typeOf(checker: Checker, scope: Scope, exp: Exp, expected: Type | undefined): Type {
  switch (exp.kind) {
    case 'Number':
      return exp.isInt ? int : float
    case 'Bool':
      return bool
    case 'String':
      for (const part of exp.parts) {
        if (typeof part === 'string') continue
        expectPrintable(checker, part, infer(checker, scope, part))
        if (part.kind === 'Number') warnOfConstant(checker, part)
      }
      return string
    case 'Regex':
      checker.report('C084', exp.span, 'a regular expression stands where a value is expected', {
        hint: 'it can follow `until` or `matching`, or be the argument of `contains`, `matches` or `split`',
      })
      return unknown
    case 'Name':
      return inferName(checker, scope, exp)
    case 'List':
      return inferList(checker, scope, exp, expected)
    case 'Record':
      return inferRecord(checker, scope, exp, expected)
    case 'IfExp':
      return inferChoice(checker, scope, exp, expected)
    case 'Lambda':
      return inferLambda(checker, scope, exp, expected)
    case 'Unary':
      return unary(checker, exp, infer(checker, scope, exp.operand))
    case 'Binary':
      return inferBinary(checker, scope, exp)
    case 'Call': {
      const result = inferCall(checker, scope, exp)
      if (result.kind !== 'Unit') return result
      checker.report('C033', exp.span, 'this call gives no value', {
        hint: 'call it as a statement, or let the function `return` something',
      })
      return unknown
    }
    case 'Index':
      return inferIndex(checker, scope, exp)
    case 'Field':
      return inferField(checker, scope, exp)
    default:
      return exp satisfies never
  }
}

function inferName(checker: Checker, scope: Scope, exp: NameExp): Type {
  const symbol = resolve(checker, scope, exp)
  if (!symbol) return unknown
  switch (symbol.kind) {
    case 'variable':
    case 'param':
      return symbol.type
    case 'model':
      return model
    case 'classifier':
      return classifier
    default:
      checker.report('C029', exp.span, `\`${exp.text}\` is ${roleOf[symbol.kind]}, which is not a value by itself`, {
        hint: `call it, \`${exp.text}(...)\`, or wrap it: \`x => ${exp.text}(x)\``,
      })
      return unknown
  }
}

function inferList(checker: Checker, scope: Scope, exp: ListExp, expected: Type | undefined): Type {
  const wanted = expected?.kind === 'List' ? expected.element : undefined
  let element: Type = nothing
  for (const each of exp.elements) {
    const type = infer(checker, scope, each, wanted)
    const joined = join(element, type)
    if (!joined) {
      checker.report('C022', each.span, `expected ${describe(element)} as the elements before it, found ${describe(type)}`, {
        hint: 'a list holds values of one type; a record holds several',
      })
    }
    element = joined ?? unknown
  }
  return listOf(element)
}

function inferRecord(checker: Checker, scope: Scope, exp: RecordExp, expected: Type | undefined): Type {
  const fields = new Map<string, Type>()
  const wanted = expected?.kind === 'Record' ? expected.fields : undefined
  for (const { name, value } of exp.entries) {
    if (fields.has(name.text)) {
      checker.report('C031', name.span, `the field \`${name.text}\` is given twice`, { hint: 'leave one of them out' })
    }
    fields.set(name.text, infer(checker, scope, value, wanted?.get(name.text)))
  }
  return { kind: 'Record', fields }
}

/** Chains of `else if` may be long: they are walked in a loop. */
function inferChoice(checker: Checker, scope: Scope, exp: IfExp, expected: Type | undefined): Type {
  const chain: IfExp[] = []
  let last: Exp = exp
  while (last.kind === 'IfExp') {
    chain.push(last)
    last = last.else
  }
  let joined: Type | undefined
  for (const each of chain) {
    expect(checker, scope, each.condition, bool)
    joined = branch(checker, joined, each.then, infer(checker, scope, each.then, expected))
  }
  const type = branch(checker, joined, last, infer(checker, scope, last, expected))
  for (const each of chain) checker.record(each, type)
  return type
}

function branch(checker: Checker, before: Type | undefined, exp: Exp, type: Type): Type {
  const joined = before ? join(before, type) : type
  if (!joined && before) {
    checker.report('C022', exp.span, `expected ${describe(before)} as in the branch before it, found ${describe(type)}`, {
      hint: 'give both branches of the `if` the same type',
    })
  }
  return joined ?? unknown
}

function inferLambda(checker: Checker, scope: Scope, exp: LambdaExp, expected: Type | undefined): Type {
  const wanted = expected?.kind === 'Function' ? expected : undefined
  if (wanted && wanted.params.length !== exp.params.length) {
    checker.report(
      'C041',
      exp.span,
      `expected a function of ${count(wanted.params.length)}, found one of ${count(exp.params.length)}`,
      {
        hint:
          wanted.params.length === 1
            ? 'write `x => ...`'
            : `write \`(${wanted.params.map((_, at) => `x${at + 1}`).join(', ')}) => ...\``,
      },
    )
  }
  const inner = scope.ofLambda(exp)
  const symbols = exp.params.map((param, at) => {
    const symbol = checker.variable(param, scope.frame, undefined, exp)
    checker.grow(symbol, wanted?.params[at] ?? unknown)
    if (inner.names.has(param.text) && param.text !== '_') {
      checker.report('C002', param.span, `\`${param.text}\` is declared twice`, { hint: 'take another name' })
    }
    inner.names.set(param.text, symbol)
    checker.symbols.set(param, symbol)
    return symbol
  })
  const result = wanted ? expect(checker, inner, exp.body, wanted.result) : infer(checker, inner, exp.body)
  return functionOf(
    wanted && wanted.params.length !== exp.params.length ? wanted.params : symbols.map((symbol) => symbol.type),
    result,
  )
}

/** A sum may have ten thousand terms: its left spine is walked in a loop. */
function inferBinary(checker: Checker, scope: Scope, exp: BinaryExp): Type {
  const spine: BinaryExp[] = []
  let first: Exp = exp
  while (first.kind === 'Binary') {
    spine.push(first)
    first = first.left
  }
  let type = infer(checker, scope, first)
  for (const each of spine.reverse()) {
    type = checker.record(each, binary(checker, each, type, infer(checker, scope, each.right)))
  }
  return type
}

function inferIndex(checker: Checker, scope: Scope, exp: IndexExp): Type {
  const target = infer(checker, scope, exp.target)
  return indexed(checker, scope, exp.target, target, exp.index)
}

/** The type of `target[index]`: an element, or a slice for a range. */
export function indexed(checker: Checker, scope: Scope, at: Exp | { span: Exp['span'] }, target: Type, index: Exp): Type {
  if (target.kind === 'List' || isOpen(target)) {
    const isSlice = index.kind === 'Binary' && index.operator === '..'
    if (isSlice) infer(checker, scope, index)
    else expect(checker, scope, index, int)
    return target.kind === 'List' ? (isSlice ? target : target.element) : openOf(target)
  }
  infer(checker, scope, index)
  const hint =
    target.kind === 'Record'
      ? 'fields follow a dot: `r.name`'
      : target.kind === 'String' || target.kind === 'Token'
        ? 'take its `.words()` or `.split("")` first'
        : 'only lists have an index'
  checker.report('C028', at.span, `expected a list before \`[\`, found ${describe(target)}`, { hint })
  return unknown
}

function inferField(checker: Checker, scope: Scope, exp: FieldExp): Type {
  return fieldOf(checker, infer(checker, scope, exp.target), exp)
}

/** The type of a field, or a report of what is wrong with it. */
export function fieldOf(checker: Checker, target: Type, field: { readonly name: FieldExp['name'] }): Type {
  const members = membersOf(target)
  if (!members) return openOf(target)
  const type = members.fields.get(field.name.text)
  if (type) return type
  if (members.methods.has(field.name.text)) {
    checker.report('C026', field.name.span, `\`${field.name.text}\` is a method`, { hint: `write \`.${field.name.text}(...)\`` })
  } else {
    unknownMember(checker, target, members, field.name, false)
  }
  return unknown
}

function count(parameters: number): string {
  return parameters === 1 ? '1 parameter' : `${parameters} parameters`
}

/** Nobody inserts a number that could be written: it is a count of a regular expression or a part of another notation. */
function warnOfConstant(checker: Checker, { span }: Exp): void {
  const written = span.source.text.slice(span.start, span.end)
  checker.warn('C034', span, `\`{${written}}\` in a string inserts the number ${written}`, {
    hint: `write \`\\{${written}\\}\` for the signs themselves`,
  })
}

import { suggest } from '../diagnostics/suggest.js'
import type { Argument, CallExp, FieldExp, Formal, NameExp } from '../syntax/ast.js'
import { builtins, classifierParameters, isMessages, modelParameters } from './builtins.js'
import type { Checker } from './checker.js'
import { infer } from './expressions.js'
import { formalTypes, resultOf } from './functions.js'
import { unknownMember } from './member-errors.js'
import { elementsWanted, membersOf } from './members.js'
import { mismatch } from './mismatch.js'
import { resolve, roleOf } from './names.js'
import { inferPattern } from './patterns.js'
import { classifier, context, distOf, fits, functionOf, isOpen, model, openOf, string, unknown, weight } from './relations.js'
import type { Scope } from './scope.js'
import { describe } from './show.js'
import type { Parameter, Signature } from './signature.js'
import type { Symbol as Named, Type } from './types.js'

/** The type of a call; Unit for a function that returns nothing. */
export function inferCall(checker: Checker, scope: Scope, call: CallExp, dropped = false): Type {
  const { callee } = call
  if (callee.kind === 'Field') return callMethod(checker, scope, call, callee)
  if (callee.kind === 'Name') {
    const symbol = resolve(checker, scope, callee, 'function')
    if (symbol) return callSymbol(checker, scope, call, callee, symbol, dropped)
    return withoutCallee(checker, scope, call)
  }
  return callValue(checker, scope, call, infer(checker, scope, callee), 'this value')
}

function callSymbol(checker: Checker, scope: Scope, call: CallExp, callee: NameExp, symbol: Named, dropped: boolean): Type {
  const name = callee.text
  switch (symbol.kind) {
    case 'function': {
      checker.noteCall(scope.frame.fn, {
        callee: symbol.decl,
        call,
        dropped,
        ...(scope.pure !== undefined && { pure: scope.pure }),
      })
      const parameters = asParameters(symbol.decl.params, formalTypes(checker, symbol.decl), (formal, type) =>
        checker.growFormal(formal, type),
      )
      const result = resultOf(checker, symbol.decl)
      const called = callSignature(checker, scope, call, name, { parameters, result: () => result })
      checker.record(
        callee,
        functionOf(
          parameters.map((parameter) => parameter.type),
          result,
        ),
      )
      return called
    }
    case 'extern': {
      const parameters = asParameters(symbol.decl.params, formalTypes(checker, symbol.decl))
      const result = resultOf(checker, symbol.decl)
      checker.record(
        callee,
        functionOf(
          parameters.map((parameter) => parameter.type),
          result,
        ),
      )
      return callSignature(checker, scope, call, name, { parameters, result: () => result })
    }
    case 'learnedTwist': {
      const parameters = asParameters(symbol.decl.params, formalTypes(checker, symbol.decl))
      checker.record(
        callee,
        functionOf(
          parameters.map((parameter) => parameter.type),
          weight,
        ),
      )
      return callSignature(checker, scope, call, name, { parameters, result: () => weight })
    }
    case 'builtin':
      return callBuiltin(checker, scope, call, name)
    case 'model':
      checker.record(callee, model)
      return callModel(checker, scope, call, name)
    case 'classifier':
      checker.record(callee, classifier)
      return callSignature(checker, scope, call, name, { parameters: classifierParameters, result: () => distOf(string) })
    default:
      checker.record(callee, symbol.type)
      return callValue(checker, scope, call, symbol.type, `\`${name}\``, roleOf[symbol.kind])
  }
}

function callBuiltin(checker: Checker, scope: Scope, call: CallExp, name: string): Type {
  const builtin = builtins.get(name)
  if (!builtin) return unknown
  if (builtin.role === 'pattern') {
    checker.report('C084', call.span, `\`${name}(...)\` stands where a value is expected`, {
      hint: 'it can only follow `matching`',
    })
    return unknown
  }
  const matching = builtin.signatures.filter((signature) => bind(signature.parameters, call.args).faults.length === 0)
  if (matching.length < 2) return callSignature(checker, scope, call, name, matching[0] ?? builtin.signatures.at(-1))
  const types = call.args.map((arg) => infer(checker, scope, arg.value))
  const fitting = matching.filter((signature) =>
    bind(signature.parameters, call.args).bound.every(({ parameter, arg }) =>
      takes(parameter, types[call.args.indexOf(arg)] ?? unknown),
    ),
  )
  if (fitting.length > 1 && types.some(isOpen)) return openOf(...types)
  const chosen = fitting[0] ?? matching.at(-1)
  if (!chosen) return unknown
  const { bound } = bind(chosen.parameters, call.args)
  const given = bound.map(({ parameter, arg }) => accepted(checker, parameter, arg, types[call.args.indexOf(arg)] ?? unknown))
  return fitting.length > 0 ? chosen.result(given) : unknown
}

/** `lm(prompt, temperature: x, chat: true)`: a list of messages needs the chat template. */
function callModel(checker: Checker, scope: Scope, call: CallExp, name: string): Type {
  const called = callSignature(checker, scope, call, name, { parameters: modelParameters, result: () => context })
  const { bound } = bind(modelParameters, call.args)
  const prompt = bound.find(({ parameter }) => parameter.name === 'prompt')?.arg.value
  const chat = bound.find(({ parameter }) => parameter.name === 'chat')?.arg.value
  const type = prompt && checker.types.get(prompt)
  if (prompt && type && isMessages(type) && (!chat || (chat.kind === 'Bool' && !chat.value))) {
    checker.report('C045', prompt.span, 'a list of messages needs the chat template', { hint: 'add `chat: true`' })
  }
  const temperature = bound.find(({ parameter }) => parameter.name === 'temperature')?.arg.value
  const isNegative = temperature?.kind === 'Unary' && temperature.operator === '-' && temperature.operand.kind === 'Number'
  if (temperature && (isNegative || (temperature.kind === 'Number' && temperature.value <= 0))) {
    checker.report('C046', temperature.span, 'a temperature is above 0', {
      hint: 'take a small one, such as `0.1`, for text that hardly varies',
    })
  }
  return called
}

function callMethod(checker: Checker, scope: Scope, call: CallExp, callee: FieldExp): Type {
  const target = infer(checker, scope, callee.target)
  const { name } = callee
  const members = membersOf(target)
  if (!members) {
    withoutCallee(checker, scope, call)
    return openOf(target)
  }
  const method = members.methods.get(name.text)
  if (method) {
    const wanted = elementsWanted(target, name.text)
    if (wanted !== undefined) {
      checker.report('C020', callee.target.span, `\`${name.text}\` expects a list of ${wanted}, found ${describe(target)}`, {
        hint: 'make one with `.map(x => ...)`',
      })
    }
    const result = callSignature(checker, scope, call, name.text, method)
    return wanted === undefined ? result : unknown
  }
  const field = members.fields.get(name.text)
  if (field && (target.kind === 'Record' || isOpen(field))) {
    checker.record(callee, field)
    return callValue(checker, scope, call, field, `\`${name.text}\``)
  }
  if (field) {
    checker.report('C027', name.span, `\`${name.text}\` is a field`, { hint: `write \`.${name.text}\` without parentheses` })
  } else {
    unknownMember(checker, target, members, name, true)
  }
  return withoutCallee(checker, scope, call)
}

function callValue(checker: Checker, scope: Scope, call: CallExp, type: Type, what: string, role = 'a value'): Type {
  if (type.kind === 'Function') {
    const parameters = type.params.map((param): Parameter => ({ name: '', type: param }))
    return callSignature(checker, scope, call, 'the function', { parameters, result: () => type.result })
  }
  if (type.kind === 'Model') return callModel(checker, scope, call, what.replaceAll('`', ''))
  if (type.kind === 'Classifier') {
    return callSignature(checker, scope, call, what, { parameters: classifierParameters, result: () => distOf(string) })
  }
  if (!isOpen(type)) {
    const name = call.callee.kind === 'Name' ? call.callee.text : ''
    const hides = builtins.has(name)
    checker.report('C047', call.callee.span, `${what} is ${describe(type)} and cannot be called`, {
      hint: hides
        ? `${role} of this program hides the built-in \`${name}\`: give it another name`
        : 'take the parentheses away, or name a function',
    })
  }
  withoutCallee(checker, scope, call)
  return isOpen(type) ? type : unknown
}

/** Arguments of a call that is wrong, or not known, are still looked into. */
function withoutCallee(checker: Checker, scope: Scope, call: CallExp): Type {
  for (const arg of call.args) inferPattern(checker, scope, arg.value)
  return unknown
}

function callSignature(checker: Checker, scope: Scope, call: CallExp, name: string, signature: Signature | undefined): Type {
  if (!signature) return unknown
  const { bound, faults, missing } = bind(signature.parameters, call.args)
  for (const fault of faults) reportFault(checker, call, name, signature.parameters, fault, missing)
  const given: Type[] = []
  for (const { parameter, arg } of bound) {
    const type = parameter.pattern ? inferPattern(checker, scope, arg.value) : infer(checker, scope, arg.value, parameter.type)
    given.push(accepted(checker, parameter, arg, type))
  }
  for (const arg of call.args) if (!bound.some((each) => each.arg === arg)) infer(checker, scope, arg.value)
  return signature.result(given)
}

function takes(parameter: Parameter, type: Type): boolean {
  if (isOpen(type)) return true
  if (type.kind === 'Regex') return parameter.pattern !== undefined
  if (parameter.pattern === 'only') return false
  return parameter.accepts ? parameter.accepts(type) : fits(type, parameter.type)
}

function accepted(checker: Checker, parameter: Parameter, arg: Argument, type: Type): Type {
  parameter.grow?.(type)
  if (takes(parameter, type)) return type
  if (parameter.pattern === 'only') {
    checker.report('C020', arg.value.span, `expected a regular expression, found ${describe(type)}`, {
      hint: 'write it between slashes: `/[a-z]+/`',
    })
  } else {
    mismatch(checker, arg.value, parameter.type, type, parameter.wants)
  }
  return unknown
}

type Fault =
  | { readonly kind: 'missing'; readonly parameter: Parameter }
  | { readonly kind: 'surplus' | 'unknown' | 'twice' | 'late'; readonly arg: Argument }

interface Binding {
  readonly bound: readonly { readonly parameter: Parameter; readonly arg: Argument }[]
  readonly faults: readonly Fault[]
  readonly missing: readonly Parameter[]
}

/** Which argument is for which parameter. Positional ones come first and fill the parameters from the left. */
function bind(parameters: readonly Parameter[], args: readonly Argument[]): Binding {
  const bound: { parameter: Parameter; arg: Argument }[] = []
  const faults: Fault[] = []
  let position = 0
  let named = false
  for (const arg of args) {
    const { name } = arg
    if (name) {
      named = true
      const parameter = parameters.find((each) => each.name === name.text && each.name !== '')
      if (!parameter) faults.push({ kind: 'unknown', arg })
      else if (bound.some((each) => each.parameter === parameter)) faults.push({ kind: 'twice', arg })
      else bound.push({ parameter, arg })
      continue
    }
    const parameter = parameters[position]
    if (named) faults.push({ kind: 'late', arg })
    else if (!parameter) faults.push({ kind: 'surplus', arg })
    else bound.push({ parameter, arg })
    if (!parameter?.rest) position++
  }
  const missing = parameters.filter((parameter) => !parameter.optional && !bound.some((each) => each.parameter === parameter))
  const guessed = faults.some((fault) => fault.kind === 'unknown' || fault.kind === 'late')
  if (missing[0] && !guessed) faults.push({ kind: 'missing', parameter: missing[0] })
  const order = (each: { parameter: Parameter }) => parameters.indexOf(each.parameter)
  return { bound: bound.sort((a, b) => order(a) - order(b)), faults, missing }
}

function reportFault(
  checker: Checker,
  call: CallExp,
  name: string,
  parameters: readonly Parameter[],
  fault: Fault,
  missing: readonly Parameter[],
): void {
  const form = `${name}(${parameters.map((each) => (each.optional ? `${each.name}: ...` : each.name || '_')).join(', ')})`
  switch (fault.kind) {
    case 'missing':
      checker.report('C040', call.span, `\`${name}\` lacks its argument${list(missing)}`, {
        hint: `it is called as \`${form}\``,
      })
      return
    case 'surplus':
      checker.report(
        'C041',
        fault.arg.span,
        `\`${name}\` takes ${parameters.length === 1 ? '1 argument' : `${parameters.length} arguments`}`,
        {
          hint: parameters.length === 0 ? `write \`${name}()\`` : `it is called as \`${form}\``,
        },
      )
      return
    case 'twice':
      checker.report('C043', fault.arg.span, `the argument \`${fault.arg.name?.text}\` is given twice`, {
        hint: 'leave one of them out',
      })
      return
    case 'late':
      checker.report('C044', fault.arg.span, 'an argument without a name follows one with a name', {
        hint: 'put the named arguments last',
      })
      return
    case 'unknown': {
      const given = fault.arg.name?.text ?? ''
      const close = suggest(
        given,
        parameters.map((each) => each.name),
      )
      checker.report('C042', fault.arg.name?.span ?? fault.arg.span, `\`${name}\` has no parameter \`${given}\``, {
        hint: close ? `did you mean \`${close}\`?` : `it is called as \`${form}\``,
      })
      return
    }
    default:
      fault satisfies never
      return
  }
}

function list(missing: readonly Parameter[]): string {
  const names = missing.map((each) => each.name).filter((name) => name !== '')
  return `${missing.length > 1 ? 's' : ''}${names.length > 0 ? ` ${names.map((name) => `\`${name}\``).join(', ')}` : ''}`
}

function asParameters(
  formals: readonly Formal[],
  types: readonly Type[],
  grow?: (formal: Formal, type: Type) => void,
): Parameter[] {
  return formals.map((formal, at) => ({
    name: formal.name.text,
    type: formal.type ? (types[at] ?? unknown) : unknown,
    ...(formal.default && { optional: true }),
    ...(grow && !formal.type && { grow: (type: Type) => grow(formal, type) }),
  }))
}

import {
  bool,
  distOf,
  float,
  int,
  isNumber,
  isOpen,
  joinAll,
  listOf,
  nothing,
  openOf,
  regex,
  string,
  unknown,
  weight,
} from './relations.js'
import type { Parameter, Signature } from './signature.js'
import type { Type } from './types.js'

/** The functions that every program sees (language.md §6, §8, §9). A declaration of the program may hide one. */
export interface Builtin {
  readonly name: string
  readonly role: 'distribution' | 'maths' | 'conversion' | 'pattern'
  /** Tried in this order. */
  readonly signatures: readonly Signature[]
}

const builtin = (name: string, role: Builtin['role'], ...signatures: readonly Signature[]): [string, Builtin] => [
  name,
  { name, role, signatures },
]

const takes =
  (...parameters: readonly Parameter[]) =>
  (result: Type | ((args: readonly Type[]) => Type)): Signature => ({
    parameters,
    result: typeof result === 'function' ? result : () => result,
  })

const number = (name: string): Parameter => ({ name, type: float })
const whole = (name: string): Parameter => ({ name, type: int })

const distribution = (name: string, of: Type, ...parameters: readonly Parameter[]) =>
  builtin(name, 'distribution', takes(...parameters)(distOf(of)))
const real = (name: string, result: Type) => builtin(name, 'maths', takes(number('x'))(result))

/** `min(a, b, ...)` and `min(xs)`: Int of Ints, Weight where one is a Weight. */
const extreme = (name: string) =>
  builtin(
    name,
    'maths',
    takes({ name: 'xs', type: listOf(float) })(([xs]) => (xs?.kind === 'List' ? xs.element : unknown)),
    takes(number('a'), { name: 'b', type: float, rest: true })((args) => joinAll(args) ?? unknown),
  )

const weights: Parameter = {
  name: 'weights',
  type: unknown,
  accepts: (type) => type.kind === 'Record' && [...type.fields.values()].every((field) => isNumber(field) || isOpen(field)),
  wants: 'a list of weights, or a record of them',
}

export const builtins: ReadonlyMap<string, Builtin> = new Map([
  distribution('bernoulli', bool, number('p')),
  builtin(
    'categorical',
    'distribution',
    takes({ ...weights, type: listOf(weight), accepts: isWeights })(distOf(int)),
    takes(weights)(distOf(string)),
  ),
  builtin(
    'uniform',
    'distribution',
    takes({ name: 'values', type: listOf(unknown) })(([values]) =>
      distOf(values?.kind === 'List' ? values.element : openOf(values ?? nothing)),
    ),
    takes(number('a'), number('b'))(distOf(float)),
  ),
  distribution('geometric', int, number('p')),
  distribution('poisson', int, number('rate')),
  distribution('binomial', int, whole('n'), number('p')),
  distribution('normal', float, number('mean'), number('sd')),
  distribution('beta', float, number('a'), number('b')),
  distribution('gamma', float, number('shape'), number('rate')),
  distribution('exponential', float, number('rate')),
  distribution('dirichlet', listOf(float), { name: 'concentrations', type: listOf(float) }),
  real('exp', weight),
  real('log', float),
  real('sqrt', float),
  builtin('abs', 'maths', takes(whole('x'))(int), takes(number('x'))(float)),
  extreme('min'),
  extreme('max'),
  real('floor', int),
  real('round', int),
  builtin('int', 'conversion', takes({ name: 's', type: string })(int)),
  builtin('float', 'conversion', takes({ name: 's', type: string })(float)),
  builtin(
    'json',
    'pattern',
    takes({ name: 'schema', type: unknown, accepts: isSchema, wants: 'a schema, or the path of one' })(regex),
  ),
  builtin('grammar', 'pattern', takes({ name: 'path', type: string })(regex)),
])

/** `lm(prompt, temperature: 0.8, chat: true)`: the prompt may be a list of messages with `chat: true`, which calls.ts sees to. */
export const modelParameters: readonly Parameter[] = [
  { name: 'prompt', type: string, accepts: (type) => isPrompt(type), wants: 'a String, or a list of {role, content} records' },
  { name: 'temperature', type: float, optional: true },
  { name: 'chat', type: bool, optional: true },
]

/** `tone(text)` */
export const classifierParameters: readonly Parameter[] = [{ name: 'text', type: string }]

/** Whether the type is a list of `{role: String, content: String}`. */
export function isMessages(type: Type): boolean {
  if (type.kind !== 'List') return false
  const message = type.element
  if (isOpen(message)) return true
  if (message.kind !== 'Record' || message.fields.size !== 2) return false
  return ['role', 'content'].every((name) => {
    const field = message.fields.get(name)
    return field !== undefined && (field.kind === 'String' || field.kind === 'Token' || isOpen(field))
  })
}

function isPrompt(type: Type): boolean {
  return type.kind === 'String' || type.kind === 'Token' || isMessages(type)
}

function isWeights(type: Type): boolean {
  return type.kind === 'List' && (isNumber(type.element) || isOpen(type.element))
}

function isSchema(type: Type): boolean {
  return type.kind === 'Record' || type.kind === 'String' || type.kind === 'Bool'
}

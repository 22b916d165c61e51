import type { Type } from './types.js'

/*
 * How types relate: which fits where, and which one type covers two (language.md §3). Int fits Float, Token fits String, and Weight
 * and the numbers fit each other, as the contract converts them. Lists and records are values and never change, so they are covariant.
 */

export const int: Type = { kind: 'Int' }
export const float: Type = { kind: 'Float' }
export const bool: Type = { kind: 'Bool' }
export const string: Type = { kind: 'String' }
export const token: Type = { kind: 'Token' }
export const context: Type = { kind: 'Context' }
export const model: Type = { kind: 'Model' }
export const weight: Type = { kind: 'Weight' }
export const classifier: Type = { kind: 'Classifier' }
export const regex: Type = { kind: 'Regex' }
export const unit: Type = { kind: 'Unit' }

/** Could be anything: everything fits it and it fits everything, so that one error provokes no second one. */
export const unknown: Type = { kind: 'Unknown' }

/**
 * Nothing seen so far: the element of `[]`, a parameter before its first call. It behaves as `unknown`, but gives way in a join,
 * which is how later use settles it. Told apart by identity; what is left of it at the end reads as Unknown.
 */
export const nothing: Type = { kind: 'Unknown' }

export const listOf = (element: Type): Type => ({ kind: 'List', element })
export const distOf = (of: Type): Type => ({ kind: 'Dist', of })
export const functionOf = (params: readonly Type[], result: Type): Type => ({ kind: 'Function', params, result })
export const recordOf = (fields: Readonly<Record<string, Type>>): Type => ({
  kind: 'Record',
  fields: new Map(Object.entries(fields)),
})

export const isOpen = (type: Type): boolean => type.kind === 'Unknown'
export const isNumber = (type: Type): boolean => type.kind === 'Int' || type.kind === 'Float' || type.kind === 'Weight'
export const isText = (type: Type): boolean => type.kind === 'String' || type.kind === 'Token'

/** What an operation on these operands gives when at least one is open: `unknown` outweighs `nothing`. */
export function openOf(...types: readonly Type[]): Type {
  return types.some((type) => type === nothing) && !types.some((type) => isOpen(type) && type !== nothing) ? nothing : unknown
}

/** Whether a value of type `found` can stand where `expected` is wanted. */
export function fits(found: Type, expected: Type): boolean {
  if (isOpen(found) || isOpen(expected)) return true
  switch (expected.kind) {
    case 'Float':
    case 'Weight':
      return isNumber(found)
    case 'String':
      return isText(found)
    case 'List':
      return found.kind === 'List' && fits(found.element, expected.element)
    case 'Dist':
      return found.kind === 'Dist' && fits(found.of, expected.of)
    case 'Record':
      return found.kind === 'Record' && sameFields(found.fields, expected.fields, fits)
    case 'Function':
      return (
        found.kind === 'Function' &&
        found.params.length === expected.params.length &&
        found.params.every((param, at) => fits(expected.params[at] ?? unknown, param)) &&
        fits(found.result, expected.result)
      )
    default:
      return found.kind === expected.kind
  }
}

/** The least type that both fit, or undefined. A number beside a Weight makes a Weight, as the operators do. */
export function join(a: Type, b: Type): Type | undefined {
  if (a === b || b === nothing) return a
  if (a === nothing) return b
  if (isOpen(a) || isOpen(b)) return unknown
  if (a.kind === 'List' && b.kind === 'List') return wrap(join(a.element, b.element), listOf)
  if (a.kind === 'Dist' && b.kind === 'Dist') return wrap(join(a.of, b.of), distOf)
  if (a.kind === 'Record' && b.kind === 'Record') return joinRecords(a.fields, b.fields)
  if (a.kind === 'Function' && b.kind === 'Function') return joinFunctions(a, b)
  if (isNumber(a) && isNumber(b)) return [weight, float, int].find((type) => type.kind === a.kind || type.kind === b.kind)
  if (isText(a) && isText(b)) return a.kind === b.kind ? a : string
  return a.kind === b.kind ? a : undefined
}

/** The join of all, where one exists. */
export function joinAll(types: readonly Type[]): Type | undefined {
  let joined: Type | undefined = nothing
  for (const type of types) joined = joined && join(joined, type)
  return joined
}

/** The same type, also in what is still open. */
export function same(a: Type, b: Type): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || isOpen(a)) return false
  switch (a.kind) {
    case 'List':
      return b.kind === 'List' && same(a.element, b.element)
    case 'Dist':
      return b.kind === 'Dist' && same(a.of, b.of)
    case 'Record':
      return b.kind === 'Record' && sameFields(a.fields, b.fields, same)
    case 'Function':
      return (
        b.kind === 'Function' &&
        a.params.length === b.params.length &&
        a.params.every((param, at) => same(param, b.params[at] ?? unknown)) &&
        same(a.result, b.result)
      )
    default:
      return true
  }
}

/** Whether values of the type have a printed form; streams, models, functions and distributions have none. */
export function isPrintable(type: Type): boolean {
  switch (type.kind) {
    case 'List':
      return isPrintable(type.element)
    case 'Record':
      return [...type.fields.values()].every(isPrintable)
    case 'Context':
    case 'Model':
    case 'Classifier':
    case 'Regex':
    case 'Dist':
    case 'Function':
    case 'Unit':
      return false
    default:
      return true
  }
}

type Fields = ReadonlyMap<string, Type>

function sameFields(a: Fields, b: Fields, relate: (a: Type, b: Type) => boolean): boolean {
  if (a.size !== b.size) return false
  for (const [name, type] of a) {
    const other = b.get(name)
    if (!other || !relate(type, other)) return false
  }
  return true
}

function joinRecords(a: Fields, b: Fields): Type | undefined {
  if (a.size !== b.size) return undefined
  const fields = new Map<string, Type>()
  for (const [name, type] of a) {
    const other = b.get(name)
    const joined = other && join(type, other)
    if (!joined) return undefined
    fields.set(name, joined)
  }
  return { kind: 'Record', fields }
}

/** A function that may be either one takes only what both take; where they differ nothing is known. */
function joinFunctions(a: Type & { kind: 'Function' }, b: Type & { kind: 'Function' }): Type | undefined {
  if (a.params.length !== b.params.length) return undefined
  const params = a.params.map((param, at) => (same(param, b.params[at] ?? unknown) ? param : unknown))
  return functionOf(params, join(a.result, b.result) ?? unknown)
}

function wrap(type: Type | undefined, build: (type: Type) => Type): Type | undefined {
  return type && build(type)
}

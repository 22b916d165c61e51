import { type Diagnostic, diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { Span } from '../../diagnostics/span.js'
import { ClassifierValue, isContext, isRecord, ModelValue, Token, type Value, Weight } from '../values.js'

/** Stops the run with a place in the program. The executor adds which particle it was, and when. */
export type Fail = (code: string, site: number, message: string, hint?: string) => never

/** Codes that mean inference failed; all others mean that the program is wrong. */
const inferenceCodes = new Set(['R001', 'R002', 'R003'])

export function failureAt(sites: readonly Span[]): Fail {
  return (code, site, message, hint) => {
    throw runError(diagnostic(code, sites[site], message, hint === undefined ? {} : { hint }))
  }
}

export function runError(d: Diagnostic): SmcError {
  return new SmcError(d, inferenceCodes.has(d.code) ? 'inference' : 'program')
}

/** A value for a message: its kind, and what it is where that is short. */
export function shown(value: Value): string {
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return `the Bool ${value}`
  if (typeof value === 'string') return `the String ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
  if (value instanceof Weight) return `the Weight ${value.toNumber()}`
  if (value instanceof Token) return `the Token ${JSON.stringify(value.text)}`
  if (isContext(value)) return 'a Context'
  if (value instanceof ModelValue) return `the model ${value.name}`
  if (value instanceof ClassifierValue) return `the classifier ${value.name}`
  if (value instanceof RegExp) return 'a regular expression'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (isRecord(value)) return `a record with ${Object.keys(value).join(', ') || 'no fields'}`
  if (typeof value === 'function') return 'a function'
  if (value === undefined || value === null) return 'nothing'
  return 'a distribution'
}

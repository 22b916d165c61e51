import { show } from '../../check/show.js'
import type { Type } from '../../check/types.js'
import type { Json } from '../result.js'
import { isRecord, record, Token, type Value, Weight } from '../values.js'
import { type Fail, shown } from './failure.js'

/** A value as JSON, for answers and for extern functions. Infinite numbers, which JSON lacks, become strings. */
export function toJson(value: Value, fail: Fail, site: number): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : `${value}`
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value instanceof Weight) return toJson(value.toNumber(), fail, site)
  if (value instanceof Token) return value.text
  if (Array.isArray(value)) return value.map((x) => toJson(x, fail, site))
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, x]) => [name, toJson(x, fail, site)]))
  if (value === undefined || value === null) return null
  return fail(
    'R008',
    site,
    `${shown(value)} has no text of its own`,
    'write what should stand there, such as `.text` of a context',
  )
}

/** A value as text, for interpolation and `join`. */
export function printed(value: Value, fail: Fail, site: number): string {
  if (typeof value === 'string') return value
  if (value instanceof Token) return value.text
  const json = toJson(value, fail, site)
  return typeof json === 'string' ? json : JSON.stringify(json)
}

/** JSON as a value of a type; `mismatch` throws. Numbers, strings and booleans are checked, an Unknown type takes anything. */
export function fromJson(json: unknown, type: Type, mismatch: (expected: string, found: string) => never): Value {
  const wrong = () =>
    mismatch(
      show(type),
      json === null ? 'null' : Array.isArray(json) ? 'a list' : typeof json === 'object' ? 'a record' : JSON.stringify(json),
    )
  switch (type.kind) {
    case 'Int':
      return Number.isSafeInteger(json) ? json : wrong()
    case 'Float':
      return typeof json === 'number' && Number.isFinite(json) ? json : wrong()
    case 'Weight':
      return typeof json === 'number' && Number.isFinite(json) && json >= 0 ? json : wrong()
    case 'Bool':
      return typeof json === 'boolean' ? json : wrong()
    case 'String':
      return typeof json === 'string' ? json : wrong()
    case 'List':
      return Array.isArray(json) ? json.map((item) => fromJson(item, type.element, mismatch)) : wrong()
    case 'Record': {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return wrong()
      const given = json as Readonly<Record<string, unknown>>
      for (const name of type.fields.keys())
        if (!Object.hasOwn(given, name)) return mismatch(show(type), `a record without \`${name}\``)
      for (const name of Object.keys(given))
        if (!type.fields.has(name)) return mismatch(show(type), `a record with \`${name}\` besides`)
      const names = [...type.fields.keys()]
      return record(
        names,
        names.map((name) => fromJson(given[name], type.fields.get(name)!, mismatch)),
      )
    }
    case 'Unknown':
      return unknownJson(json, wrong)
    default:
      return wrong()
  }
}

function unknownJson(json: unknown, wrong: () => never): Value {
  if (json === null || json === undefined) return wrong()
  if (Array.isArray(json)) return json.map((item) => unknownJson(item, wrong))
  if (typeof json === 'object')
    return record(
      Object.keys(json),
      Object.values(json).map((item) => unknownJson(item, wrong)),
    )
  return json
}

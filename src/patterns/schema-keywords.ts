import type { SmcError } from '../diagnostics/diagnostic.js'
import { suggest } from '../diagnostics/suggest.js'
import { patternError } from './errors.js'

export type Schema = Readonly<Record<string, unknown>>
export type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object'

/** What says nothing about which values fit. */
const annotations = [
  ...['$schema', '$id', '$anchor', '$comment', '$defs', 'definitions', 'title', 'description', 'default', 'examples'],
  ...['deprecated', 'readOnly', 'writeOnly', 'contentEncoding', 'contentMediaType'],
]

/** The keywords that bound values of one type. */
export const boundsOfType: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
  object: [
    ...['properties', 'patternProperties', 'additionalProperties', 'propertyNames'],
    ...['required', 'minProperties', 'maxProperties'],
  ],
}

/** Keywords that say by themselves what fits; what stands beside them is joined with it. */
export const alone = ['$ref', 'enum', 'const', 'anyOf', 'oneOf', 'allOf'] as const

/** Keywords that are told as cases before they are followed (`schema-complement.ts`). */
export const cased = ['not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas']

/** Keywords of JSON Schema that no automaton here follows, and what to do instead. */
const refused: Readonly<Record<string, string>> = {
  dependencies: 'write `dependentRequired` or `dependentSchemas`',
  unevaluatedProperties: 'write `additionalProperties`',
  unevaluatedItems: 'write `items` beside `prefixItems`',
  additionalItems: 'write `prefixItems` with `items`',
  contentSchema: 'leave it out',
  $dynamicRef: 'write `$ref`',
  $recursiveRef: 'write `$ref`',
  nullable: 'write `"type": ["string", "null"]`',
}

/** Types that have no value in common; together they have every value. */
export const everyType: readonly JsonType[] = ['null', 'boolean', 'number', 'string', 'array', 'object']
const types: readonly JsonType[] = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']

export function schemaError(code: 'P003' | 'P007' | 'P008', path: string, message: string, hint: string): SmcError {
  return patternError(code, `${message}, at \`${path}\` in the schema`, { hint })
}

/** Throws P007 for what is no record of keywords, and P008 for keywords that are not followed. */
export function requireSchema(schema: unknown, path: string): asserts schema is Schema {
  if (!isRecord(schema)) {
    const message = `expected a schema, found ${shown(schema)}`
    throw schemaError('P007', path, message, 'write `{"type": "string"}`, `true` or `false`')
  }
  const known = [...annotations, ...alone, ...cased, 'type', ...Object.values(boundsOfType).flat()]
  for (const keyword of Object.keys(schema)) {
    if (known.includes(keyword)) continue
    const instead = refused[keyword]
    const message = instead ? `the keyword \`${keyword}\` is not supported` : `there is no keyword \`${keyword}\``
    const near = suggest(keyword, known)
    throw schemaError(
      'P008',
      path,
      message,
      instead ?? (near ? `did you mean \`${near}\`?` : 'leave it out; notes belong into `description` or `$comment`'),
    )
  }
}

/** Schemas that may lead to each other without a step into the value. */
const mostSteps = 100

/** Throws P008 where `count` references and cases have been followed, and none of them stepped into the value. */
export function requireStep(count: number, path: string): void {
  if (count > mostSteps)
    throw schemaError('P008', path, 'a schema needs itself here', 'a reference must not lead to itself alone')
}

/** Whether a schema says several things that have to be joined (`schema-merge.ts`): all but bounds, or one keyword alone. */
export function saysSeveral(schema: Schema): boolean {
  if (cased.some((keyword) => keyword in schema)) return true
  const single = alone.filter((keyword) => keyword in schema)
  const isList = single[0] === 'enum' || single[0] === 'const'
  const others = [...Object.values(boundsOfType).flat(), ...(isList ? [] : ['type'])].filter((keyword) => keyword in schema)
  const isLong = Array.isArray(schema.allOf) && schema.allOf.length > 1
  return isLong || single.length > 1 || (single.length > 0 && others.length > 0)
}

/** The types that a schema names; undefined when it names none. Throws P007. */
export function typesOf(schema: Schema, path: string): readonly JsonType[] | undefined {
  if (!('type' in schema)) return undefined
  const named: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type]
  for (const each of named) {
    if (types.includes(each as JsonType)) continue
    const near = typeof each === 'string' ? suggest(each, types) : undefined
    const hint = near ? `did you mean "${near}"?` : `the types are ${types.map((type) => `"${type}"`).join(', ')}`
    throw schemaError('P007', `${path}/type`, `there is no type ${JSON.stringify(each)}`, hint)
  }
  return named as JsonType[]
}

/** A keyword that holds a whole number, 0 or more. */
export function countOf(schema: Schema, keyword: string, path: string): number | undefined {
  const value = schema[keyword]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw schemaError('P007', `${path}/${keyword}`, `expected a whole number, found ${shown(value)}`, 'write a number such as 3')
}

export function numberOf(schema: Schema, keyword: string, path: string): number | undefined {
  const value = schema[keyword]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw schemaError('P007', `${path}/${keyword}`, `expected a number, found ${shown(value)}`, 'write a number such as 3')
}

export function textOf(schema: Schema, keyword: string, path: string): string | undefined {
  const value = schema[keyword]
  if (value === undefined || typeof value === 'string') return value
  throw schemaError('P007', `${path}/${keyword}`, `expected a text, found ${shown(value)}`, 'write a text in `"`')
}

export function listOf(schema: Schema, keyword: string, path: string): readonly unknown[] | undefined {
  const value = schema[keyword]
  if (value === undefined || Array.isArray(value)) return value
  throw schemaError('P007', `${path}/${keyword}`, `expected a list, found ${shown(value)}`, 'write a list in `[` and `]`')
}

export function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The schemas of the properties; none where the keyword is left out. Throws P007. */
export function propertiesOf(schema: Schema, path: string): Schema {
  return recordOf(schema, 'properties', path)
}

/** A keyword that holds names of properties; none where it is left out. Throws P007. */
export function namesOf(schema: Schema, keyword: string, path: string): readonly string[] {
  const names = listOf(schema, keyword, path) ?? []
  const wrong = names.find((name) => typeof name !== 'string')
  if (wrong === undefined) return names as readonly string[]
  throw schemaError('P007', `${path}/${keyword}`, `expected names of properties, found ${shown(wrong)}`, 'write names in `"`')
}

/** A keyword that holds schemas by name. Throws P007. */
export function recordOf(schema: Schema, keyword: string, path: string): Schema {
  const value = schema[keyword] ?? {}
  if (isRecord(value)) return value
  throw schemaError('P007', `${path}/${keyword}`, `expected a record of schemas, found ${shown(value)}`, 'write `{"name": {}}`')
}

/** Whether a value is of a type. */
export function isOf(value: unknown, type: JsonType): boolean {
  if (type === 'null') return value === null
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  return type === 'object' ? isRecord(value) : typeof value === type
}

/** Equal for values that are equal in JSON, in whatever order their properties stand. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  )
}

/** A value in a message: short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}

/** The step of a JSON pointer (RFC 6901). */
export function step(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

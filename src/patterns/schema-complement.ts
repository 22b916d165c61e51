import { resolve } from './schema-cases.js'
import {
  boundsOfType,
  countOf,
  everyType,
  isOf,
  isRecord,
  type JsonType,
  listOf,
  namesOf,
  propertiesOf,
  recordOf,
  requireSchema,
  type Schema,
  schemaError,
  typesOf,
} from './schema-keywords.js'

/*
 * What is said with `not`, `if` and their kin, told as cases (`anyOf`) of schemas without them. A schema is a conjunction, so its complement is
 * the cases in which one of its keywords is broken; what it says of parts of a value is pushed inwards, `not` before the schema of the part. At
 * the leaves three kinds of `not` remain, which are followed as they are: beside a type of texts or of numbers, bounds of that type or listed texts; and
 * of records, that they have no property but some.
 */

/** Numbers that are not whole. */
export const fraction: Schema = { type: 'number', not: { type: 'number', multipleOf: 1 } }

/** Whether the `not` of a schema is one of those that are followed as they are. */
export function isLeaf(schema: Schema): boolean {
  const { type, not } = schema
  if (!isRecord(not) || not.type !== type) return false
  const said = Object.keys(not).filter((keyword) => keyword !== 'type')
  if (type === 'object') {
    const names = isRecord(not.properties) ? Object.values(not.properties) : [false]
    return not.additionalProperties === false && said.length === 2 && names.every((each) => each === true)
  }
  return (
    (type === 'string' || type === 'number') &&
    said.length > 0 &&
    said.every((keyword) => boundsOfType[type]!.includes(keyword) || (type === 'string' && keyword === 'enum'))
  )
}

/** The cases of each keyword that is told as cases, all of which hold. `root` is the document that `$ref` looks into. Throws P007 and P008. */
export function casesOf(root: unknown, schema: Schema, path: string): (readonly unknown[])[] {
  const cases: (readonly unknown[])[] = []
  if ('not' in schema && !isLeaf(schema)) cases.push(complement(root, schema.not, path))
  if ('if' in schema) {
    const { if: condition, then = true, else: otherwise = true } = schema
    cases.push([{ allOf: [condition, then] }, { allOf: [{ not: condition }, otherwise] }])
  } else if ('then' in schema || 'else' in schema) {
    throw schemaError('P007', path, '`then` and `else` say nothing without `if`', 'add the `if`, or leave them out')
  }
  const needed = recordOf(schema, 'dependentRequired', path)
  for (const name of Object.keys(needed)) {
    const others = namesOf(needed, name, `${path}/dependentRequired`)
    cases.push([without(name), { required: [name, ...others] }])
  }
  for (const [name, each] of Object.entries(recordOf(schema, 'dependentSchemas', path)))
    cases.push([without(name), { allOf: [{ required: [name] }, each] }])
  return cases
}

/** `oneOf` as cases: a part, and none of the others. */
export function exactlyOne(parts: readonly unknown[]): readonly unknown[] {
  return parts.map((part, i) => ({ allOf: [part, ...parts.filter((_, j) => j !== i).map((each) => ({ not: each }))] }))
}

const without = (name: string): Schema => ({ properties: { [name]: false } })

/** Cases that together are the values that do not fit a schema. */
function complement(root: unknown, schema: unknown, path: string): readonly unknown[] {
  if (typeof schema === 'boolean') return schema ? [] : [true]
  requireSchema(schema, path)
  const not = (other: unknown) => ({ not: other })
  const list = (keyword: string) => listOf(schema, keyword, path) ?? []
  const cases: unknown[] = []
  if ('$ref' in schema) cases.push(not(resolve(root, schema.$ref, path).schema))
  if ('const' in schema) cases.push(...noneOf([schema.const], path))
  if ('enum' in schema) cases.push(...noneOf(list('enum'), path))
  cases.push(...list('allOf').map(not))
  if ('anyOf' in schema) cases.push({ allOf: list('anyOf').map(not) })
  if ('oneOf' in schema) cases.push({ allOf: exactlyOne(list('oneOf')).map(not) })
  if ('not' in schema) cases.push(schema.not)
  const { not: _, ...rest } = schema
  for (const each of casesOf(root, rest, path)) cases.push({ allOf: each.map(not) })
  cases.push(...otherTypes(typesOf(schema, path)))
  for (const type of ['string', 'number'] as const) {
    const bounds = Object.fromEntries(boundsOfType[type]!.filter((keyword) => keyword in schema).map((key) => [key, schema[key]]))
    if (Object.keys(bounds).length > 0) cases.push({ type, not: { type, ...bounds } })
  }
  cases.push(...otherLists(schema, path), ...otherRecords(schema, path))
  return cases
}

function otherTypes(types: readonly JsonType[] | undefined): readonly Schema[] {
  if (!types) return []
  const others = everyType.filter((type) => !types.includes(type) && !(type === 'number' && types.includes('integer')))
  const cases: Schema[] = others.length > 0 ? [{ type: others }] : []
  if (types.includes('integer') && !types.includes('number')) cases.push(fraction)
  return cases
}

function otherLists(schema: Schema, path: string): readonly Schema[] {
  const type = 'array'
  if (schema.uniqueItems === true) throw unsupported('uniqueItems', path)
  const first = listOf(schema, 'prefixItems', path) ?? []
  const before = (i: number) => Array.from({ length: i }, () => true)
  const cases: Schema[] = first.flatMap((each, i) =>
    each === true ? [] : [{ type, minItems: i + 1, prefixItems: [...before(i), { not: each }] }],
  )
  const { items = true } = schema
  if (items === false) cases.push({ type, minItems: first.length + 1 })
  else if (items !== true && first.length > 0) throw unsupported('items', path, ' beside `prefixItems`')
  else if (items !== true) cases.push({ type, contains: { not: items } })
  cases.push(...outside(type, countOf(schema, 'minItems', path) ?? 0, countOf(schema, 'maxItems', path), 'Items', {}))
  if ('contains' in schema) {
    const { contains } = schema
    const [min, max] = [countOf(schema, 'minContains', path) ?? 1, countOf(schema, 'maxContains', path)]
    cases.push(...outside(type, min, max, 'Contains', { contains }))
  }
  return cases
}

/** A count below `min` or above `max`. */
function outside(type: JsonType, min: number, max: number | undefined, what: string, beside: Schema): readonly Schema[] {
  const cases: Schema[] =
    min > 0 ? [{ type, ...beside, ...(what === 'Contains' && { minContains: 0 }), [`max${what}`]: min - 1 }] : []
  if (max !== undefined) cases.push({ type, ...beside, [`min${what}`]: max + 1 })
  return cases
}

function otherRecords(schema: Schema, path: string): readonly unknown[] {
  const type = 'object'
  const properties = propertiesOf(schema, path)
  const cases: unknown[] = namesOf(schema, 'required', path).map((name) => ({ type, ...without(name) }))
  for (const [name, each] of Object.entries(properties))
    if (each !== true) cases.push({ type, required: [name], properties: { [name]: { not: each } } })
  const patterns = Object.values(recordOf(schema, 'patternProperties', path)).some((each) => each !== true)
  if (patterns) throw unsupported('patternProperties', path)
  const { additionalProperties = true, propertyNames = true } = schema
  if (propertyNames !== true) throw unsupported('propertyNames', path)
  if (additionalProperties === false && !('patternProperties' in schema)) cases.push(anotherThan(Object.keys(properties)))
  else if (additionalProperties !== true) throw unsupported('additionalProperties', path)
  const [min, max] = [countOf(schema, 'minProperties', path) ?? 0, countOf(schema, 'maxProperties', path)]
  return [...cases, ...outside(type, min, max, 'Properties', {})]
}

/** Records with a property that is none of these. */
function anotherThan(names: readonly string[]): Schema {
  const properties = Object.fromEntries(names.map((name) => [name, true]))
  return { type: 'object', not: { type: 'object', properties, additionalProperties: false } }
}

/** Every value but these. */
function noneOf(values: readonly unknown[], path: string): readonly unknown[] {
  const texts = values.filter((value) => typeof value === 'string')
  const numbers = values.filter((value) => typeof value === 'number')
  const truths = [true, false].filter((truth) => values.includes(truth))
  const lists = values.filter((value): value is readonly unknown[] => Array.isArray(value))
  const records = values.filter(isRecord)
  const others = everyType.filter((type) => !values.some((value) => isOf(value, type)))
  const cases: unknown[] = others.length > 0 ? [{ type: others }] : []
  if (texts.length > 0) cases.push({ type: 'string', not: { type: 'string', enum: texts } })
  if (numbers.length > 0)
    cases.push({ allOf: numbers.map((value) => ({ type: 'number', not: { type: 'number', minimum: value, maximum: value } })) })
  if (truths.length === 1) cases.push({ enum: [!truths[0]] })
  if (lists.length > 0) cases.push({ type: 'array', allOf: lists.map((list) => ({ anyOf: notThisList(list, path) })) })
  if (records.length > 0) cases.push({ type: 'object', allOf: records.map((record) => ({ anyOf: notThisRecord(record, path) })) })
  return cases
}

function notThisList(list: readonly unknown[], path: string): readonly unknown[] {
  const prefixItems = list.map((each) => ({ const: each }))
  return otherLists({ prefixItems, minItems: list.length, maxItems: list.length }, path)
}

function notThisRecord(record: Schema, path: string): readonly unknown[] {
  const constants = Object.entries(record).map(([name, value]) => [name, { const: value }])
  const required = Object.keys(record)
  return [...otherRecords({ required, properties: Object.fromEntries(constants) }, path), anotherThan(required)]
}

function unsupported(keyword: string, path: string, where = '') {
  const hint =
    'say what may stand there instead of what may not; give the parts of a `oneOf` a required property with a `const` of its own'
  return schemaError(
    'P008',
    path,
    `the values that break \`${keyword}\`${where} cannot be told, as \`not\`, \`if\` or \`oneOf\` asks`,
    hint,
  )
}

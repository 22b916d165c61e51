import { combined } from './character-dfa.js'
import { checkDisjoint, resolve } from './schema-cases.js'
import {
  alone,
  boundsOf,
  isOf,
  isRecord,
  type JsonType,
  listOf,
  numberOf,
  requireSchema,
  type Schema,
  schemaError,
  typesOf,
} from './schema-keywords.js'
import { onlyThese, stringBounds } from './schema-strings.js'

/** A schema, or `true` or `false`. */
type Any = Schema | boolean

/** Where a joined schema keeps the schemas that say something of the properties of a record. */
const records = Symbol('records')

/** The schemas that say together what the properties of a record are. */
export function recordsOf(schema: Schema): readonly Schema[] {
  return (schema as { readonly [records]?: readonly Schema[] })[records] ?? [schema]
}

/** Equal for equal schemas, joined ones too. */
export function keyOf(schema: unknown): string {
  return JSON.stringify(schema, (_, value) =>
    isRecord(value) && records in value ? { ...value, ' of': recordsOf(value) } : value,
  )
}

/** A schema that says nothing. */
const nothing: Schema = { [records]: [] }

/** References that one part may go through. */
const deepest = 100

/**
 * One schema for what fits all of several: bounds take the tighter, properties and elements what each part says of them, and of the cases
 * of an `anyOf` each is joined with the rest. `root` is the document that `$ref` looks into. Throws P007, and P008 for what no schema here says.
 */
export function conjunction(root: unknown, parts: readonly unknown[], path: string): Any {
  const plain: Schema[] = []
  const choices: (readonly unknown[])[] = []
  let values: readonly unknown[] | undefined
  const waiting = parts.map((part) => ({ part, depth: 0 })).reverse()
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { part, depth } = next
    if (part === true) continue
    if (part === false) return false
    requireSchema(part, path)
    if (depth > deepest)
      throw schemaError('P008', path, 'a schema needs itself here', 'a reference must not lead to itself alone')
    const rest = Object.entries(part).filter(([keyword]) => !alone.some((each) => each === keyword))
    if (rest.length === Object.keys(part).length) {
      plain.push(part)
      continue
    }
    // Behind what it refers to: the properties of a base come first.
    waiting.push({ part: Object.fromEntries(rest), depth })
    for (const keyword of alone) {
      if (!(keyword in part)) continue
      if (keyword === '$ref') waiting.push({ part: resolve(root, part.$ref, path).schema, depth: depth + 1 })
      else if (keyword === 'const') values = among(values, [part.const])
      else {
        const list = listOf(part, keyword, path)!
        if (keyword === 'enum') values = among(values, list)
        else if (keyword === 'allOf') waiting.push(...list.map((each) => ({ part: each, depth: depth + 1 })).reverse())
        else {
          if (keyword === 'oneOf') checkDisjoint(root, list, path)
          choices.push(list)
        }
      }
    }
  }
  const bounds = plain.reduce((all, each) => both(all, each, path), nothing)
  const [first, ...others] = choices
  if (first) {
    const all = [bounds, ...(values ? [{ enum: values }] : []), ...others.map((anyOf) => ({ anyOf }))]
    return { anyOf: first.map((each) => ({ allOf: [...all, each] })) }
  }
  if (!values) return bounds
  const types = typesOf(bounds, path)
  const left = values.filter((value) => (!types || types.some((type) => isOf(value, type))) && fits(value, bounds, path))
  return left.length > 0 && { enum: left }
}

/** Whether a constant is within the bounds of its type. */
function fits(value: unknown, bounds: Schema, path: string): boolean {
  if (typeof value === 'string') {
    const texts = stringBounds(bounds, path)
    return !texts || combined(onlyThese([value]), 'and', texts).dfa.size > 0
  }
  return boundsOf(bounds, value).every((keyword) => {
    const bound = bounds[keyword]
    if (typeof value === 'number' && typeof bound === 'number') {
      if (keyword === 'minimum') return value >= bound
      if (keyword === 'maximum') return value <= bound
      if (keyword === 'exclusiveMinimum') return value > bound
      if (keyword === 'exclusiveMaximum') return value < bound
      if (Number.isInteger(value) && Number.isInteger(bound)) return value % bound === 0
    }
    const hint = 'list only values that are within the bounds'
    throw schemaError('P008', path, `\`${keyword}\` beside \`enum\` or \`const\` is not supported`, hint)
  })
}

function among(a: readonly unknown[] | undefined, b: readonly unknown[]): readonly unknown[] {
  const texts = b.map((value) => JSON.stringify(value))
  return a ? a.filter((value) => texts.includes(JSON.stringify(value))) : b
}

const larger = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const smaller = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
/** What both may say only alike. */
const same = ['pattern', 'format', 'multipleOf']

/** Both of two schemas without references and cases. */
function both(a: Schema, b: Schema, path: string): Schema {
  const result: Record<string, unknown> = { ...a, ...b }
  for (const keyword of [...larger, ...smaller]) {
    const [x, y] = [numberOf(a, keyword, path), numberOf(b, keyword, path)]
    if (x !== undefined && y !== undefined) result[keyword] = larger.includes(keyword) ? Math.max(x, y) : Math.min(x, y)
  }
  for (const keyword of same) {
    if (!(keyword in a && keyword in b) || a[keyword] === b[keyword]) continue
    throw schemaError('P008', path, `two different \`${keyword}\` for one value are not supported`, 'write one that says both')
  }
  const [ours, theirs] = [typesOf(a, path), typesOf(b, path)]
  if (ours && theirs) result.type = common(ours, theirs)
  if ('required' in a && 'required' in b)
    result.required = [...new Set([...listOf(a, 'required', path)!, ...listOf(b, 'required', path)!])]
  if (a.uniqueItems === true) result.uniqueItems = true
  joinElements(a, b, result, path)
  return { ...result, [records]: [...recordsOf(a), ...recordsOf(b)] }
}

/** Types that both name; whole numbers are numbers. */
function common(a: readonly JsonType[], b: readonly JsonType[]): JsonType[] {
  const has = (types: readonly JsonType[], type: JsonType) =>
    types.includes(type) || (type === 'integer' && types.includes('number'))
  return [...new Set([...a, ...b])].filter((type) => has(a, type) && has(b, type))
}

function joinElements(a: Schema, b: Schema, result: Record<string, unknown>, path: string): void {
  const [ours, theirs] = [listOf(a, 'prefixItems', path) ?? [], listOf(b, 'prefixItems', path) ?? []]
  const count = Math.max(ours.length, theirs.length)
  const said = (schema: Schema, first: readonly unknown[], i: number) => (i < first.length ? first[i] : (schema.items ?? true))
  if (count > 0) result.prefixItems = Array.from({ length: count }, (_, i) => jointly([said(a, ours, i), said(b, theirs, i)]))
  if ('items' in a && 'items' in b) result.items = jointly([a.items, b.items])
}

/** A schema that says what all of these say. */
export function jointly(schemas: readonly unknown[]): unknown {
  if (schemas.includes(false)) return false
  const parts = new Map(schemas.filter((each) => each !== true).map((each) => [keyOf(each), each]))
  const [first = true, ...more] = parts.values()
  return more.length === 0 ? first : { allOf: [first, ...more] }
}

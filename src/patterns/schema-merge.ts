import { areDisjoint, resolve } from './schema-cases.js'
import { casesOf, exactlyOne, fraction, isLeaf } from './schema-complement.js'
import { fits } from './schema-fits.js'
import { isJoined, joined, keyOf, partsOf } from './schema-joined.js'
import {
  alone,
  canonical,
  cased,
  isRecord,
  type JsonType,
  listOf,
  namesOf,
  numberOf,
  propertiesOf,
  requireSchema,
  requireStep,
  type Schema,
  typesOf,
} from './schema-keywords.js'

/** A schema, or `true` or `false`. */
type Any = Schema | boolean

/**
 * One schema for what fits all of several: bounds take the tighter, properties and elements what each part says of them, and of the cases
 * of an `anyOf` each is joined with the rest. `root` is the document that `$ref` looks into. Throws P007, and P008 for what no schema here says.
 */
export function conjunction(root: unknown, parts: readonly unknown[], path: string): Any {
  const plain: Schema[] = []
  const choices: (() => readonly (readonly unknown[])[])[] = []
  let values: readonly unknown[] | undefined
  const waiting = parts.map((part) => ({ part, depth: 0 })).reverse()
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { part, depth } = next
    if (part === true || (isRecord(part) && Object.keys(part).length === 0)) continue
    if (part === false) return false
    requireSchema(part, path)
    requireStep(depth, path)
    const told: readonly string[] = [...alone, ...cased.filter((keyword) => keyword !== 'not' || !isLeaf(part))]
    const rest = Object.entries(part).filter(([keyword]) => !told.includes(keyword))
    if (isJoined(part) || rest.length === Object.keys(part).length) {
      plain.push(part)
      continue
    }
    // Behind what it refers to: the properties of a base come first.
    waiting.push({ part: Object.fromEntries(rest), depth })
    choices.push(() => casesOf(root, part, path))
    for (const keyword of alone) {
      if (!(keyword in part)) continue
      if (keyword === '$ref') waiting.push({ part: resolve(root, part.$ref, path).schema, depth: depth + 1 })
      else if (keyword === 'const') values = among(values, [part.const])
      else {
        const list = listOf(part, keyword, path)!
        if (keyword === 'enum') values = among(values, list)
        else if (keyword === 'allOf') waiting.push(...list.map((each) => ({ part: each, depth: depth + 1 })).reverse())
        else {
          const isChoice = keyword === 'anyOf' || areDisjoint(root, list, path)
          choices.push(() => [isChoice ? list : exactlyOne(list)])
        }
      }
    }
  }
  // What is listed is asked one by one, whatever stands beside it.
  if (values) {
    const left = values.filter((value) => parts.every((part) => fits(root, value, part, path)))
    return left.length > 0 && { enum: left }
  }
  // Each once: a schema that comes back to itself would else be another one on every round.
  const bounds = differing(plain.flatMap(partsOf)).reduce((all, each) => both(all, each, path), joined({}, []))
  if (typesOf(bounds, path)?.length === 0) return false
  const [first, ...others] = choices.flatMap((each) => each())
  if (!first) return bounds
  if (isBrokenWhole(bounds, path) || lacksProperty(root, bounds, path)) return false
  const all = [bounds, ...others.map((anyOf) => ({ anyOf }))]
  return first.length > 0 && { anyOf: first.map((each) => ({ allOf: [...all, each] })) }
}

/** Whether a whole number must not be whole: so are most cases of a `not` of whole numbers in bounds, which would multiply with others. */
function isBrokenWhole(bounds: Schema, path: string): boolean {
  return typesOf(bounds, path)?.join() === 'integer' && partsOf(bounds).includes(fraction)
}

/** Whether a record lacks a value for a property that must be there: a case that comes to nothing, found before it multiplies with others. */
function lacksProperty(root: unknown, bounds: Schema, path: string): boolean {
  if (typesOf(bounds, path)?.join() !== 'object') return false
  const isListed = (said: unknown) => isRecord(said) && ('const' in said || 'enum' in said)
  return namesOf(bounds, 'required', path).some((name) => {
    const said = partsOf(bounds)
      .map((part) => propertiesOf(part, path))
      .flatMap((properties) => (Object.hasOwn(properties, name) ? [properties[name]] : []))
    return said.includes(false) || (said.some(isListed) && conjunction(root, said, path) === false)
  })
}

function among(a: readonly unknown[] | undefined, b: readonly unknown[]): readonly unknown[] {
  const texts = b.map(canonical)
  return a ? a.filter((value) => texts.includes(canonical(value))) : b
}

const larger = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const smaller = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']

/** Both of two schemas without references and cases. */
function both(a: Schema, b: Schema, path: string): Schema {
  const result: Record<string, unknown> = { ...a, ...b }
  for (const keyword of [...larger, ...smaller]) {
    const [x, y] = [numberOf(a, keyword, path), numberOf(b, keyword, path)]
    if (x !== undefined && y !== undefined) result[keyword] = larger.includes(keyword) ? Math.max(x, y) : Math.min(x, y)
  }
  const [ours, theirs] = [typesOf(a, path), typesOf(b, path)]
  if (ours && theirs) result.type = common(ours, theirs)
  if ('required' in a && 'required' in b)
    result.required = [...new Set([...listOf(a, 'required', path)!, ...listOf(b, 'required', path)!])]
  if (a.uniqueItems === true) result.uniqueItems = true
  joinElements(a, b, result, path)
  return joined(result, [...partsOf(a), ...partsOf(b)])
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
  const [first = true, ...more] = differing(schemas.filter((each) => each !== true))
  return more.length === 0 ? first : { allOf: [first, ...more] }
}

/** Of equal schemas the first. */
function differing<S>(schemas: readonly S[]): readonly S[] {
  const byKey = new Map<string, S>()
  for (const each of schemas) if (!byKey.has(keyOf(each))) byKey.set(keyOf(each), each)
  return [...byKey.values()]
}

import { combined } from './character-dfa.js'
import { resolve } from './schema-cases.js'
import { partsOf } from './schema-joined.js'
import {
  canonical,
  countOf,
  isOf,
  isRecord,
  listOf,
  namesOf,
  numberOf,
  propertiesOf,
  recordOf,
  requireSchema,
  requireStep,
  type Schema,
  step,
  typesOf,
} from './schema-keywords.js'
import { containing, onlyThese, stringBounds } from './schema-strings.js'

/**
 * Whether a value fits a schema, told by the schema itself and not by an automaton: for the values of `enum` and `const`, which are known. `root` is
 * the document that `$ref` looks into. Throws P007 and P008.
 */
export function fits(root: unknown, value: unknown, schema: unknown, path: string, depth = 0): boolean {
  if (typeof schema === 'boolean') return schema
  requireSchema(schema, path)
  return partsOf(schema).every((part) => fitsPart(root, value, part, path, depth))
}

function fitsPart(root: unknown, value: unknown, schema: Schema, path: string, depth: number): boolean {
  requireStep(depth, path)
  const here = (other: unknown) => fits(root, value, other, path, depth + 1)
  const parts = (keyword: string) => listOf(schema, keyword, path) ?? []
  if ('$ref' in schema && !here(resolve(root, schema.$ref, path).schema)) return false
  if ('const' in schema && !among(value, [schema.const])) return false
  if ('enum' in schema && !among(value, parts('enum'))) return false
  if (!parts('allOf').every(here)) return false
  if ('anyOf' in schema && !parts('anyOf').some(here)) return false
  if ('oneOf' in schema && parts('oneOf').filter(here).length !== 1) return false
  if ('not' in schema && here(schema.not)) return false
  if ('if' in schema && !here(here(schema.if) ? (schema.then ?? true) : (schema.else ?? true))) return false
  if (typesOf(schema, path)?.some((type) => isOf(value, type)) === false) return false
  const inside = (other: unknown, part: unknown, key: string | number) => fits(root, part, other, step(path, key))
  if (typeof value === 'string') return textFits(value, schema, path)
  if (typeof value === 'number') return numberFits(value, schema, path)
  if (Array.isArray(value)) return listFits(value, schema, path, inside)
  return !isRecord(value) || recordFits(value, schema, path, here, inside)
}

function among(value: unknown, listed: readonly unknown[]): boolean {
  const text = canonical(value)
  return listed.some((each) => canonical(each) === text)
}

/** `not` and `enum` have been asked before: an automaton of all texts of a long `enum` for each of them would be slow. */
function textFits(value: string, { not: _, enum: __, ...bounds }: Schema, path: string): boolean {
  const texts = stringBounds(bounds, path)
  return !texts || combined(onlyThese([value]), 'and', texts).dfa.size > 0
}

function numberFits(value: number, schema: Schema, path: string): boolean {
  const unit = numberOf(schema, 'multipleOf', path)
  return (
    value >= (numberOf(schema, 'minimum', path) ?? value) &&
    value <= (numberOf(schema, 'maximum', path) ?? value) &&
    value > (numberOf(schema, 'exclusiveMinimum', path) ?? Number.NEGATIVE_INFINITY) &&
    value < (numberOf(schema, 'exclusiveMaximum', path) ?? Number.POSITIVE_INFINITY) &&
    (unit === undefined || isMultiple(value, unit))
  )
}

/** Of the decimals that two numbers are written as, exactly. */
function isMultiple(value: number, unit: number): boolean {
  const [a, b] = [value, unit].map((each) => {
    const [digits = '', exponent = ''] = each.toExponential().split('e')
    const [before = '', behind = ''] = digits.split('.')
    return { whole: BigInt(before + behind), power: Number(exponent) - behind.length }
  }) as [Scaled, Scaled]
  const least = Math.min(a.power, b.power)
  const scaled = ({ whole, power }: Scaled) => whole * 10n ** BigInt(power - least)
  return scaled(b) !== 0n && scaled(a) % scaled(b) === 0n
}

/** `whole` * 10^`power`. */
interface Scaled {
  readonly whole: bigint
  readonly power: number
}

/** Whether a part of the value, at a key, fits a schema. */
type Inside = (schema: unknown, part: unknown, key: string | number) => boolean

function listFits(value: readonly unknown[], schema: Schema, path: string, inside: Inside): boolean {
  const first = listOf(schema, 'prefixItems', path) ?? []
  if (value.length < (countOf(schema, 'minItems', path) ?? 0)) return false
  if (value.length > (countOf(schema, 'maxItems', path) ?? Number.POSITIVE_INFINITY)) return false
  if (schema.uniqueItems === true && new Set(value.map(canonical)).size < value.length) return false
  if ('contains' in schema) {
    const count = value.filter((each, i) => inside(schema.contains, each, i)).length
    if (count < (countOf(schema, 'minContains', path) ?? 1)) return false
    if (count > (countOf(schema, 'maxContains', path) ?? Number.POSITIVE_INFINITY)) return false
  }
  return value.every((each, i) => inside(i < first.length ? first[i] : (schema.items ?? true), each, i))
}

function recordFits(value: Schema, schema: Schema, path: string, here: (schema: unknown) => boolean, inside: Inside): boolean {
  const has = (name: string) => Object.hasOwn(value, name)
  const names = Object.keys(value)
  if (names.length < (countOf(schema, 'minProperties', path) ?? 0)) return false
  if (names.length > (countOf(schema, 'maxProperties', path) ?? Number.POSITIVE_INFINITY)) return false
  if (!namesOf(schema, 'required', path).every(has)) return false
  const needed = recordOf(schema, 'dependentRequired', path)
  if (Object.keys(needed).some((name) => has(name) && !namesOf(needed, name, `${path}/dependentRequired`).every(has)))
    return false
  const dependent = recordOf(schema, 'dependentSchemas', path)
  if (Object.entries(dependent).some(([name, each]) => has(name) && !here(each))) return false
  const properties = propertiesOf(schema, path)
  const patterns = Object.entries(recordOf(schema, 'patternProperties', path))
  return names.every((name) => {
    if ('propertyNames' in schema && !inside(schema.propertyNames, name, name)) return false
    const said = patterns
      .filter(([pattern]) => combined(onlyThese([name]), 'and', containing(pattern, path)).dfa.size > 0)
      .map(([, each]) => each)
    if (Object.hasOwn(properties, name)) said.push(properties[name])
    if (said.length === 0) said.push(schema.additionalProperties ?? true)
    return said.every((each) => inside(each, value[name], name))
  })
}

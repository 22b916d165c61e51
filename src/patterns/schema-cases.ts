import { canonical, isRecord, type JsonType, listOf, type Schema, schemaError, shown, step, typesOf } from './schema-keywords.js'

/** The schema that a `$ref` of this document names, `#` and a JSON pointer. Throws P007 and P008. */
export function resolve(root: unknown, reference: unknown, path: string): { readonly schema: unknown; readonly path: string } {
  if (typeof reference !== 'string') {
    throw schemaError('P007', path, `expected a text, found ${shown(reference)}`, 'write "#/$defs/name"')
  }
  if (!/^#(?:\/|$)/.test(reference)) {
    const hint = 'put the schema into `$defs` and write "#/$defs/name"'
    throw schemaError('P008', path, `a reference to ${JSON.stringify(reference)} is not supported`, hint)
  }
  const pointer = decoded(reference)
  let found = root
  for (const each of pointer.split('/').slice(1)) {
    const key = each.replaceAll('~1', '/').replaceAll('~0', '~')
    const inside: Schema = isRecord(found) || Array.isArray(found) ? (found as Schema) : {}
    if (!Object.hasOwn(inside, key)) {
      throw schemaError(
        'P007',
        path,
        `there is nothing at ${JSON.stringify(reference)}`,
        'put the schema there, or mend the path',
      )
    }
    found = inside[key]
  }
  return { schema: found, path: pointer }
}

/** A pointer in a URI has percent-encoding (RFC 6901, section 6); what is none stands for itself. */
function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference)
  } catch {
    return reference
  }
}

/**
 * Whether no value fits two parts of a `oneOf`, as far as that is seen at once: parts of different types, or records that differ in a required
 * constant or of which one must have what the other may not. `oneOf` is then the same as `anyOf`.
 */
export function areDisjoint(root: unknown, parts: readonly unknown[], path: string): boolean {
  const whole = parts.map((part, i) => follow(root, part, step(path, i)))
  return whole.every((a, i) => whole.slice(0, i).every((b) => differ(a, b)))
}

function follow(root: unknown, schema: unknown, path: string): unknown {
  let found = schema
  for (let i = 0; isRecord(found) && '$ref' in found && i < 100; i++) found = resolve(root, found.$ref, path).schema
  return found
}

function differ(a: unknown, b: unknown): boolean {
  if (a === false || b === false) return true
  if (!isRecord(a) || !isRecord(b)) return false
  if (apart(constants(a), constants(b))) return true
  const [ours, theirs] = [kinds(a), kinds(b)]
  if (!ours || !theirs) return false
  if (ours.every((type) => !theirs.includes(type))) return true
  if ([...ours, ...theirs].some((type) => type !== 'object')) return false
  if (lacks(a, b) || lacks(b, a)) return true
  const [mine, other] = [a.properties, b.properties]
  const required = listOf(a, 'required', '')?.filter((name) => listOf(b, 'required', '')?.includes(name)) ?? []
  return required.some((name) => {
    const key = String(name)
    const [x, y] = [isRecord(mine) ? mine[key] : undefined, isRecord(other) ? other[key] : undefined]
    return isRecord(x) && isRecord(y) && apart(constants(x), constants(y))
  })
}

/** Whether a record must have a property that the other may not have. */
function lacks(a: Schema, b: Schema): boolean {
  if (a.additionalProperties !== false || 'patternProperties' in a) return false
  return (listOf(b, 'required', '') ?? []).some((name) => !isRecord(a.properties) || !Object.hasOwn(a.properties, String(name)))
}

function constants(schema: Schema): readonly string[] | undefined {
  const values = 'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? (schema.enum as unknown[]) : undefined
  return values?.map(canonical)
}

function apart(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.every((value) => !b.includes(value))
}

/** Types with whole numbers told as numbers. */
function kinds(schema: Schema): readonly JsonType[] | undefined {
  return typesOf(schema, '')?.map((type) => (type === 'integer' ? 'number' : type))
}

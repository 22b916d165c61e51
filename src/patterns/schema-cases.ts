import { canonical, isRecord, type JsonType, namesOf, type Schema, schemaError, shown, step, typesOf } from './schema-keywords.js'

/** A schema and where it stands. */
interface Placed {
  readonly schema: unknown
  readonly path: string
}

/** The schema that a `$ref` of this document names, `#` and a JSON pointer. Throws P007 and P008. */
export function resolve(root: unknown, reference: unknown, path: string): Placed {
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
  const whole = parts.map((part, i) => follow(root, { schema: part, path: step(path, i) }))
  return whole.every((a, i) => whole.slice(0, i).every((b) => differ(a, b)))
}

function follow(root: unknown, part: Placed): Placed {
  let found = part
  for (let i = 0; isRecord(found.schema) && '$ref' in found.schema && i < 100; i++)
    found = resolve(root, found.schema.$ref, found.path)
  return found
}

function differ({ schema: a, path: ourPath }: Placed, { schema: b, path: theirPath }: Placed): boolean {
  if (a === false || b === false) return true
  if (!isRecord(a) || !isRecord(b)) return false
  if (apart(constants(a), constants(b))) return true
  const [ours, theirs] = [kinds(a, ourPath), kinds(b, theirPath)]
  if (!ours || !theirs) return false
  if (ours.every((type) => !theirs.includes(type))) return true
  if ([...ours, ...theirs].some((type) => type !== 'object')) return false
  const [needed, asked] = [namesOf(a, 'required', ourPath), namesOf(b, 'required', theirPath)]
  if (lacks(a, asked) || lacks(b, needed)) return true
  const [mine, other] = [a.properties, b.properties]
  return needed.some((name) => {
    if (!asked.includes(name)) return false
    const [x, y] = [isRecord(mine) ? mine[name] : undefined, isRecord(other) ? other[name] : undefined]
    return isRecord(x) && isRecord(y) && apart(constants(x), constants(y))
  })
}

/** Whether a record may not have a property that the other must have. */
function lacks({ properties, patternProperties, additionalProperties }: Schema, required: readonly string[]): boolean {
  if (additionalProperties !== false || patternProperties !== undefined) return false
  return required.some((name) => !isRecord(properties) || !Object.hasOwn(properties, name))
}

function constants(schema: Schema): readonly string[] | undefined {
  const values = 'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? (schema.enum as unknown[]) : undefined
  return values?.map(canonical)
}

function apart(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.every((value) => !b.includes(value))
}

/** Types with whole numbers told as numbers. */
function kinds(schema: Schema, path: string): readonly JsonType[] | undefined {
  return typesOf(schema, path)?.map((type) => (type === 'integer' ? 'number' : type))
}

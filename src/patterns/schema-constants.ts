import { canonical, isRecord, requireStep, typesOf } from './schema-keywords.js'
import { conjunction } from './schema-merge.js'

/** Every value that fits a schema, each once; undefined where they cannot be listed. `root` is the document that `$ref` looks into. Throws P007, P008. */
export function valuesOf(root: unknown, schema: unknown, path: string, depth = 0): readonly unknown[] | undefined {
  requireStep(depth, path)
  const whole = isRecord(schema) ? conjunction(root, [schema], path) : schema
  if (whole === false) return []
  if (!isRecord(whole)) return undefined
  if (Array.isArray(whole.enum)) return different(whole.enum)
  if (Array.isArray(whole.anyOf)) {
    const parts = whole.anyOf.map((part) => valuesOf(root, part, path, depth + 1))
    return parts.every((part) => part !== undefined) ? different(parts.flat()) : undefined
  }
  const listed: Readonly<Record<string, readonly unknown[]>> = { null: [null], boolean: [true, false] }
  const parts = typesOf(whole, path)?.map((type) => listed[type])
  return parts?.every((part) => part !== undefined) ? different(parts.flat()) : undefined
}

function different(values: readonly unknown[]): readonly unknown[] {
  return [...new Map(values.map((value) => [canonical(value), value])).values()]
}

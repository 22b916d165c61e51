import { isRecord, type Schema } from './schema-keywords.js'

/** Where a joined schema keeps the schemas that it was joined of. */
const parts = Symbol('parts')

/** The schemas that a joined schema was joined of, without references and cases; any other schema alone. */
export function partsOf(schema: Schema): readonly Schema[] {
  return (schema as { readonly [parts]?: readonly Schema[] })[parts] ?? [schema]
}

/** Whether a schema was joined: it holds bounds alone. */
export function isJoined(schema: Schema): boolean {
  return parts in schema
}

/** `bounds`, as far as one schema can say it, for what all of `of` say. */
export function joined(bounds: Schema, of: readonly Schema[]): Schema {
  return { ...bounds, [parts]: of } as Schema
}

/** Equal for equal schemas, joined ones too. */
export function keyOf(schema: unknown): string {
  return JSON.stringify(schema, (_, value) => (isRecord(value) && parts in value ? { ...value, ' of': partsOf(value) } : value))
}

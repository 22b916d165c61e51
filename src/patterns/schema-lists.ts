import { onesOf } from '../models/token-set.js'
import type { GrammarNodes } from './grammar-nodes.js'
import { TooLarge } from './regex-nfa.js'
import { valuesOf } from './schema-constants.js'
import { fits } from './schema-fits.js'
import { partsOf } from './schema-joined.js'
import { countOf, listOf, type Schema, schemaError, step } from './schema-keywords.js'
import { jointly } from './schema-merge.js'

/** Values of a list of different ones: each doubles the sets of them. */
const mostDistinct = 9
/**
 * Places in a list that are told apart: by what stands before them, and how much of it is counted by `contains`. So many ways may lead from
 * one of them, too: each `contains` doubles them.
 */
const mostPlaces = 10_000

/** How the schemas and spaces in a list are laid (`schema-nodes.ts`). */
export interface Layer {
  readonly nodes: GrammarNodes
  /** The document that `$ref` looks into. */
  readonly root: unknown
  /** The nodes of a schema that stands nowhere else, from a node on; the one behind it. */
  value(schema: unknown, path: string, from: number): number
  /** The same by a rule, for what stands in many places. */
  call(schema: unknown, path: string, from: number): number
  constant(value: unknown, from: number): number
  gap(from: number): number
  /** Whether what is laid was joined of several schemas: a contradiction is then no mistake. */
  isJoined(): boolean
}

/** Elements that fit `schema`: at least `min` and at most `max`. */
interface Contained {
  readonly schema: unknown
  readonly min: number
  readonly max: number
}

function containedIn(schema: Schema, path: string): readonly Contained[] {
  return partsOf(schema).flatMap((part) => {
    const [min, max] = [countOf(part, 'minContains', path), countOf(part, 'maxContains', path)]
    if ('contains' in part) return [{ schema: part.contains, min: min ?? 1, max: max ?? Number.POSITIVE_INFINITY }]
    if (min === undefined && max === undefined) return []
    throw schemaError('P007', path, '`minContains` and `maxContains` say nothing without `contains`', 'add the `contains`')
  })
}

/** A list, from a node on; the node behind it. Throws P003, P007, P008. */
export function listNodes(layer: Layer, schema: Schema, path: string, from: number): number {
  const { nodes } = layer
  const first = listOf(schema, 'prefixItems', path) ?? []
  const min = countOf(schema, 'minItems', path) ?? 0
  const max = countOf(schema, 'maxItems', path) ?? Number.POSITIVE_INFINITY
  if (max < min && layer.isJoined()) return nodes.node()
  if (max < min) throw schemaError('P007', path, '`maxItems` is below `minItems`', 'swap them')
  const contained = containedIn(schema, path)
  if (schema.uniqueItems === true && max > 1) return distinctNodes(layer, schema, path, from, { min, max, contained })
  /** From here on elements have one schema and need not be counted. */
  const last = max === Number.POSITIVE_INFINITY ? Math.max(first.length, min, 1) : max
  const open = nodes.text(from, '[')
  const end = nodes.node()
  const close = nodes.node()
  /** Places behind some elements, by how many (at most `last`) and how many of those each `contains` counts. */
  const places = new Map<string, { readonly node: number; readonly count: number; readonly counts: readonly number[] }>()
  const place = (count: number, counts: readonly number[]) => {
    const at = Math.min(count, last)
    const key = [at, ...counts].join()
    let known = places.get(key)
    if (!known) {
      if (places.size >= mostPlaces) throw new TooLarge()
      places.set(key, (known = { node: count === 0 ? open : nodes.node(), count: at, counts }))
    }
    return known.node
  }
  place(
    0,
    contained.map(() => 0),
  )
  for (const { node, count, counts } of places.values()) {
    if (count >= min && contained.every((each, i) => counts[i]! >= each.min)) nodes.join(node, count === 0 ? close : end)
    if (count === max) continue
    const before = layer.gap(count === 0 ? node : nodes.text(node, ','))
    const own = count < first.length ? first[count] : (schema.items ?? true)
    const at = count < first.length ? step(`${path}/prefixItems`, count) : `${path}/items`
    for (const { demands, next } of ways(contained, counts)) {
      const behind =
        demands.length > 0
          ? layer.call(jointly([own, ...demands]), `${path}/contains`, before)
          : count < first.length
            ? layer.value(own, at, before)
            : layer.call(own, at, before)
      nodes.join(behind, place(count + 1, next))
    }
  }
  nodes.join(layer.gap(end), close)
  return nodes.text(close, ']')
}

/** What the next element may be for every `contains`, and how many are counted behind it. */
function ways(contained: readonly Contained[], counts: readonly number[]) {
  let all: { readonly demands: readonly unknown[]; readonly next: readonly number[] }[] = [{ demands: [], next: [] }]
  for (const [i, { schema, min, max }] of contained.entries()) {
    const count = counts[i]!
    const isOpen = max === Number.POSITIVE_INFINITY
    // Without an upper bound one that is not counted may be anything.
    const miss = isOpen ? [] : [{ not: schema }]
    all = all.flatMap(({ demands, next }) => [
      { demands: [...demands, ...miss], next: [...next, count] },
      ...(count < (isOpen ? min : max) ? [{ demands: [...demands, schema], next: [...next, count + 1] }] : []),
    ])
    if (all.length > mostPlaces) throw new TooLarge()
  }
  return all
}

/** A list of different values, which can be told apart where the schema lists them: a node for every set of those that stand in it already. */
function distinctNodes(
  layer: Layer,
  schema: Schema,
  path: string,
  from: number,
  { min, max, contained }: { readonly min: number; readonly max: number; readonly contained: readonly Contained[] },
): number {
  const { nodes } = layer
  const values = 'prefixItems' in schema ? undefined : valuesOf(layer.root, schema.items ?? true, `${path}/items`)
  if (!values) {
    const hint = 'list the values of `items` with `enum`, or check it with a `require` after the span'
    throw schemaError('P008', `${path}/uniqueItems`, 'different values can only be told apart where they are listed', hint)
  }
  if (values.length > mostDistinct) throw new TooLarge()
  const counted = contained.map((each) => values.map((value) => fits(layer.root, value, each.schema, `${path}/contains`)))
  const isEnough = (used: number) =>
    contained.every((each, i) => {
      const count = counted[i]!.filter((does, value) => does && (used & (2 ** value)) !== 0).length
      return each.min <= count && count <= each.max
    })
  const open = nodes.text(from, '[')
  const end = nodes.node()
  const close = nodes.node()
  /** Behind a list of the values of a set, by the set. */
  const places = new Map([[0, open]])
  for (const [used, place] of places) {
    const count = onesOf(used)
    if (count >= min && isEnough(used)) nodes.join(place, count === 0 ? close : end)
    if (count === max) continue
    const next = layer.gap(count === 0 ? place : nodes.text(place, ','))
    for (const [i, value] of values.entries()) {
      const both = used | (2 ** i)
      if (both === used) continue
      nodes.join(layer.constant(value, next), nodes.numbered(places, both))
    }
  }
  nodes.join(layer.gap(end), close)
  return nodes.text(close, ']')
}

import type { Json } from '../result.js'

/** A program that weighs by ten data in a row gives a few seeds all the weight; of these many the next seeds see enough. */
export const listLengths = [4, 2] as const

/** Params whose lists, wherever they stand inside, are cut to their first `most` elements; null where none is longer. */
export function withShortLists(params: Readonly<Record<string, Json>>, most: number): Readonly<Record<string, Json>> | null {
  const changed = Object.entries(params).flatMap(([name, value]) => {
    const short = cut(value, most)
    return JSON.stringify(short) === JSON.stringify(value) ? [] : [[name, short] as const]
  })
  return changed.length === 0 ? null : Object.fromEntries(changed)
}

function cut(value: Json, most: number): Json {
  if (Array.isArray(value)) return value.slice(0, most).map((each) => cut(each, most))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cut(each, most)]))
}

import { readdirSync, readFileSync } from 'node:fs'
import type { Source } from '../../src/diagnostics/span.js'

const place = new URL('../programs/', import.meta.url)

/** The forty programs, and those of the language's contract. */
export const programs: readonly Source[] = readdirSync(place)
  .filter((name) => name.endsWith('.smc'))
  .map((name) => ({ path: name, text: readFileSync(new URL(name, place), 'utf8') }))

/** A tree as plain data: without positions, comments and the source; clauses in the order of their kinds. */
export function bare(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(bare)
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node).filter(([key]) => key !== 'span' && key !== 'source' && key !== 'comments')
  return Object.fromEntries(entries.map(([key, value]) => [key, key === 'clauses' ? sorted(bare(value)) : bare(value)]))
}

function sorted(clauses: unknown): unknown {
  return [...(clauses as { kind: string }[])].sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0))
}

import { readdirSync, readFileSync } from 'node:fs'
import type { Json, Settings } from '../../src/index.js'

/** What an example must give: `examples/NAME/expected.json`. Every number says where it comes from. */
export interface Expected {
  readonly settings: Partial<Settings>
  readonly logZ: Near & { readonly why: string }
  readonly posterior?: readonly { value: Json; probability: number; tolerance: number; why: string }[]
  readonly moments?: readonly { path: string; mean: Near; sd: Near; why: string }[]
  /** What holds for every answer that has weight. */
  readonly everyValue?: { readonly words: number } | { readonly matches: string }
}

export interface Near {
  readonly value: number
  readonly tolerance: number
}

const folder = new URL('../../examples/', import.meta.url)

/** The examples that have a folder of their own. */
export const names: readonly string[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'stdlib')
  .map((entry) => entry.name)

export function pathOf(name: string): string {
  return new URL(`${name}/${name}.smc`, folder).pathname
}

export function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(new URL(`${name}/expected.json`, folder), 'utf8'))
}

export function readmeOf(name: string): string {
  return readFileSync(new URL(`${name}/README.md`, folder), 'utf8')
}

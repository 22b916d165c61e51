import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, statfs, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Graph } from '../tensor/graph.js'
import { graphFile, savedBytes, saveOnnx } from '../tensor/save.js'
import { type Placement, Session } from '../tensor/session.js'
import { smccCache, temporaryName } from './cache-folder.js'

/** Makes the graphs of one model ready to run, on the CPU or where `placement` says: `name` tells them apart, `build` converts the weights. */
export type OpenGraph = (name: string, build: () => Promise<Graph>, placement?: Placement) => Promise<Session>

/** Every graph is built anew. */
export const openUncached: OpenGraph = async (_, build, placement) => Session.open(await build(), placement)

export interface CacheLimits {
  /** Graphs with fewer bytes of weights are built as fast as they are found. */
  readonly leastBytes: number
  /** Most bytes of all graphs together; those that were not used for the longest time go first. */
  readonly mostBytes: number
}

const defaultLimits: CacheLimits = { leastBytes: 1 << 24, mostBytes: 2 ** 34 }

/**
 * Keeps converted graphs on the disk, where the runtime maps their weights: a model opens without converting them again. An entry is
 * `graphs/KEY/NAME`, and KEY the hash of everything that a graph is made of: the model, the numbers it computes in, and the code
 * that writes graphs. It appears whole, by renaming, and may be deleted at any time, also while it is in use.
 */
export async function cachedGraphs(modelHash: string, limits: CacheLimits = defaultLimits): Promise<OpenGraph> {
  const cache = smccCache()
  if (cache === null) return openUncached
  const root = join(cache, 'graphs')
  const key = createHash('sha256')
    .update(`${modelHash} ${await codeHash()}`)
    .digest('hex')
  return async (name, build, placement) => {
    const folder = join(root, key, name)
    const kept = await openKept(folder, placement)
    if (kept) return kept
    const graph = await build()
    const bytes = savedBytes(graph)
    if (bytes < limits.leastBytes || !(await keep(root, folder, graph, bytes, limits.mostBytes)))
      return Session.open(graph, placement)
    return (await openKept(folder, placement)) ?? Session.open(graph, placement)
  }
}

/** Null when there is no such entry; one that does not open is removed. */
async function openKept(folder: string, placement?: Placement): Promise<Session | null> {
  const path = join(folder, graphFile)
  if (!(await stat(path).catch(() => null))) return null
  try {
    const session = await Session.openFile(path, placement)
    const now = new Date()
    await utimes(folder, now, now).catch(() => {})
    return session
  } catch {
    await rm(folder, { recursive: true, force: true }).catch(() => {})
    return null
  }
}

/** Whether the graph stands in the cache afterwards. A full disk, or a folder that may not be written, only costs time. */
async function keep(root: string, folder: string, graph: Graph, bytes: number, mostBytes: number): Promise<boolean> {
  const temporary = temporaryName(folder)
  try {
    await mkdir(temporary, { recursive: true })
    const { bavail, bsize } = await statfs(temporary)
    // A cache must not be what fills a disk.
    if (bytes > mostBytes || 4 * bytes > bavail * bsize) return false
    await saveOnnx(graph, temporary)
    await makeRoom(root, mostBytes - bytes)
    await rename(temporary, folder)
    return true
  } catch {
    // Another process may have been first.
    return (await stat(join(folder, graphFile)).catch(() => null)) !== null
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
  }
}

/** Removes the entries that were not used for the longest time until the others take at most `bytes`, and what a process that was killed has left. */
async function makeRoom(root: string, bytes: number): Promise<void> {
  const entries: { path: string; used: number; bytes: number }[] = []
  for (const key of await readdir(root)) {
    for (const name of await readdir(join(root, key)).catch(() => [])) {
      const path = join(root, key, name)
      const used = (await stat(path).catch(() => null))?.mtimeMs ?? 0
      if (name.endsWith('.new')) {
        if (Date.now() - used > 3_600_000) await rm(path, { recursive: true, force: true })
        continue
      }
      const sizes = (await readdir(path)).map(async (file) => (await stat(join(path, file))).size)
      entries.push({ path, used, bytes: (await Promise.all(sizes)).reduce((a, b) => a + b, 0) })
    }
  }
  let total = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  for (const entry of entries.sort((a, b) => a.used - b.used)) {
    if (total <= bytes) return
    await rm(entry.path, { recursive: true, force: true })
    total -= entry.bytes
  }
}

let code: Promise<string> | undefined

/** SHA-256 of the code of this package that can shape a graph: another version writes other graphs. */
function codeHash(): Promise<string> {
  code ??= (async () => {
    const models = dirname(fileURLToPath(import.meta.url))
    const hash = createHash('sha256')
    for (const folder of [models, join(models, 'architectures'), join(models, 'gguf'), join(models, '..', 'tensor')]) {
      const names = (await readdir(folder)).filter((name) => /\.[jt]s$/.test(name)).sort()
      for (const text of await Promise.all(names.map((name) => readFile(join(folder, name))))) hash.update(text)
    }
    return hash.digest('hex')
  })()
  return code
}

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, rm, stat, statfs, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenedGraph } from '../tensor/backend.js'
import type { Graph } from '../tensor/graph.js'
import { graphFile, savedBytes, saveOnnx } from '../tensor/save.js'
import { type Placement, Session } from '../tensor/session.js'
import { makeFolder, smccCache, temporaryName } from './cache-folder.js'
import type { Written } from './keep.js'

/** Makes the graphs of one model ready to run, on the CPU or where `placement` says: `name` tells them apart, `build` converts the weights. */
export type OpenGraph = (name: string, build: () => Promise<Graph>, placement?: Placement) => Promise<Session>

/** The same where it need not be ONNX Runtime that runs them. */
export type OpenOnBackend = (name: string, build: () => Promise<Graph>, placement?: Placement) => Promise<OpenedGraph>

/** Every graph is built anew. */
export const openUncached: OpenGraph = async (_, build, placement) => Session.open(await build(), placement)

export interface CacheLimits {
  /** Graphs with fewer bytes of weights are built as fast as they are found. */
  readonly leastBytes: number
  /** Most bytes of all graphs together; those that were not used for the longest time go first. */
  readonly mostBytes: number
}

const defaultLimits: CacheLimits = { leastBytes: 1 << 24, mostBytes: 2 ** 34 }

/** Writes the graph `name` into a folder that exists, as `saveOnnx` does; false when it cannot, whatever the reason. */
export type WriteGraph = (name: string, folder: string) => Promise<boolean>

export interface CacheOptions {
  readonly limits?: CacheLimits
  /** Converts elsewhere than in this thread; without it, or when it fails, `build` does. */
  readonly write?: WriteGraph
  /** Puts written graphs into the cache once nothing reads them; by default a process that this one does not wait for. */
  readonly finish?: (written: readonly Written[]) => void
}

/**
 * Keeps converted graphs on the disk, where the runtime maps their weights: a model opens without converting them again. An entry is
 * `graphs/KEY/NAME`, and KEY the hash of everything that a graph is made of: the model, the numbers it computes in, and the code
 * that writes graphs. A new one is written beside its place and used from there at once. When the sessions of the model have been
 * released it is flushed and renamed, so that it appears whole. It may be deleted at any time, also while it is in use.
 */
export async function cachedGraphs(modelHash: string, options: CacheOptions = {}): Promise<OpenGraph> {
  const { limits = defaultLimits, finish = keepDetached } = options
  const cache = smccCache()
  if (cache === null) return openUncached
  const root = join(cache, 'graphs')
  const key = createHash('sha256')
    .update(`${modelHash} ${await codeHash()}`)
    .digest('hex')
  const released: Written[] = []
  let inUse = 0
  const openWritten = async (written: Written, placement?: Placement) => {
    const session = await Session.openFile(join(written.temporary, graphFile), placement, () => {
      released.push(written)
      if (--inUse === 0) finish(released.splice(0))
    })
    inUse++
    return session
  }
  return async (name, build, placement) => {
    const folder = join(root, key, name)
    const kept = await openKept(folder, placement)
    if (kept) return kept
    const written = { root, temporary: temporaryName(folder), folder, mostBytes: limits.mostBytes }
    const session = await within(written, async () => {
      if (!(await options.write?.(name, written.temporary))) return null
      return openWritten(written, placement)
    })
    if (session) return session
    const graph = await build()
    const bytes = savedBytes(graph)
    if (bytes < limits.leastBytes || bytes > limits.mostBytes) return Session.open(graph, placement)
    const mine = await within(written, async () => {
      if (!(await hasRoom(written.temporary, bytes))) return null
      await saveOnnx(graph, written.temporary)
      return openWritten(written, placement)
    })
    return mine ?? Session.open(graph, placement)
  }
}

/** Runs `action` on a new folder, which is removed when nothing comes of it. A full disk, or a folder that may not be written, only costs time. */
async function within({ temporary }: Written, action: () => Promise<Session | null>): Promise<Session | null> {
  let session: Session | null = null
  try {
    makeFolder(temporary)
    session = await action()
  } catch {
    // The graph is built in memory instead, and what is wrong with the model is said there.
  }
  if (!session) await rm(temporary, { recursive: true, force: true }).catch(() => {})
  return session
}

/** A cache must not be what fills a disk. */
export async function hasRoom(folder: string, bytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return 4 * bytes <= bavail * bsize
}

/** `keep` in a process that outlives this one and that this one does not wait for. It ends by itself, also when it fails. */
function keepDetached(written: readonly Written[]): void {
  const script = fileURLToPath(new URL('./keep-process.js', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify(written)], { detached: true, stdio: 'ignore', windowsHide: true })
  // Without it the next run converts the model again, and what was written is removed when it is an hour old.
  child.on('error', () => {})
  child.unref()
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

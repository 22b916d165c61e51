import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A graph that has been written but may not be on the disk yet. Flushing takes seconds, and only then does it get the name under which it is
 * found. `keep-process.ts` does that while nobody waits.
 */
export interface Written {
  /** The folder of the cache that holds all graphs. */
  readonly root: string
  /** Where the files have been written, and where they belong. */
  readonly temporary: string
  readonly folder: string
  /** Most bytes of all graphs together; those that were not used for the longest time go first. */
  readonly mostBytes: number
}

/** Flushes, makes room and renames. A full disk, or another process that was first, only costs time. */
export async function keep(written: readonly Written[]): Promise<void> {
  for (const { root, temporary, folder, mostBytes } of written) {
    try {
      for (const name of await readdir(temporary)) await flush(join(temporary, name))
      await makeRoom(root, mostBytes - (await bytesOf(temporary)))
      await rename(temporary, folder)
    } catch {
      await rm(temporary, { recursive: true, force: true }).catch(() => {})
    }
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function bytesOf(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size)
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
}

/** Removes the entries that were not used for the longest time until the others take at most `bytes`, and what a process that was killed has left. */
async function makeRoom(root: string, bytes: number): Promise<void> {
  const entries: { path: string; used: number; bytes: number }[] = []
  for (const key of await readdir(root)) {
    for (const name of await readdir(join(root, key)).catch(() => [])) {
      const path = join(root, key, name)
      const used = (await stat(path).catch(() => null))?.mtimeMs ?? 0
      if (!name.endsWith('.new')) entries.push({ path, used, bytes: await bytesOf(path) })
      else if (Date.now() - used > 3_600_000) await rm(path, { recursive: true, force: true })
    }
  }
  let total = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  for (const entry of entries.sort((a, b) => a.used - b.used)) {
    if (total <= bytes) return
    await rm(entry.path, { recursive: true, force: true })
    total -= entry.bytes
  }
}

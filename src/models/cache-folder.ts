import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/**
 * Where smcc keeps what it can make again: `SMCC_CACHE`, or `XDG_CACHE_HOME`/smcc, or ~/.cache/smcc; null when `SMCC_CACHE` is `off`.
 * Everything in it may be deleted at any time.
 */
export function smccCache(): string | null {
  const { SMCC_CACHE, XDG_CACHE_HOME } = process.env
  if (SMCC_CACHE === 'off') return null
  return resolve(SMCC_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'smcc'))
}

/** A name beside `path` that nobody else uses. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(6).toString('hex')}.new`
}

/** Makes a folder and those that it lies in. Node's own way of it goes round without end where a folder lets nothing be made in it, as /proc does. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (thrown) {
    if (await isFolder(path)) return
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw thrown
    await makeFolder(dirname(path))
    // Another process may have been quicker.
    await mkdir(path).catch(async (again) => {
      if (!(await isFolder(path))) throw again
    })
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found?.isDirectory() === true
}

/** Writes a small file of the cache at once or not at all. A cache that cannot be written is only slower, so that is no error. */
export async function writeCached(path: string, text: string): Promise<void> {
  const temporary = temporaryName(path)
  try {
    await makeFolder(dirname(path))
    await writeFile(temporary, text)
    await rename(temporary, path)
  } catch {
    await rm(temporary, { force: true }).catch(() => {})
  }
}

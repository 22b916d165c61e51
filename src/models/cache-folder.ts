import { randomBytes } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
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
export function makeFolder(path: string): void {
  if (madeFolder(path)) return
  makeFolder(dirname(path))
  if (!madeFolder(path)) mkdirSync(path)
}

/** Whether the folder is there now; false where the one that it lies in is not. Throws what the system throws. */
function madeFolder(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch (thrown) {
    // Another process may have been quicker.
    if (isFolder(path)) return true
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw thrown
    return false
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Writes a small file of the cache at once or not at all. A cache that cannot be written is only slower, so that is no error. */
export async function writeCached(path: string, text: string): Promise<void> {
  const temporary = temporaryName(path)
  try {
    makeFolder(dirname(path))
    await writeFile(temporary, text)
    await rename(temporary, path)
  } catch {
    await rm(temporary, { force: true }).catch(() => {})
  }
}

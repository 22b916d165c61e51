import { createHash, type Hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { smccCache, writeCached } from './cache-folder.js'
import { hashFiles, hashTexts, type RandomFile } from './files.js'

/** A file this young may change again without its times telling. */
const settledMilliseconds = 2000
/** Smaller files are read faster than their stamp is looked up. */
const leastBytes = 1 << 22

/** SHA-256, not yet closed, of what determines a model: its small files and its weights. Throws M007. */
export async function modelHash(texts: Readonly<Record<string, string>>, files: readonly RandomFile[]): Promise<Hash> {
  return hashTexts(texts).update(await contentHash(files))
}

/**
 * SHA-256 of names, sizes and content of files, hex. Large files are read once: the cache remembers the hash by the path, device, inode, size and times of each file. The time
 * of the last change of the inode is among them, which no program can set back.
 */
async function contentHash(files: readonly RandomFile[]): Promise<string> {
  const folder = smccCache()
  const bytes = files.reduce((total, { size }) => total + size, 0)
  const stamp = folder && bytes >= leastBytes ? await stampOf(files) : null
  if (!folder || stamp === null) return read(files)
  const path = join(folder, 'hashes', createHash('sha256').update(stamp).digest('hex'))
  const known = await readFile(path, 'utf8').catch(() => '')
  if (/^[0-9a-f]{64}$/.test(known)) return known
  const hash = await read(files)
  if ((await stampOf(files)) === stamp) await writeCached(path, hash)
  return hash
}

async function read(files: readonly RandomFile[]): Promise<string> {
  const hash = createHash('sha256')
  await hashFiles(files, hash)
  return hash.digest('hex')
}

/** What tells one state of these files from another; null while one of them is too young to tell. */
async function stampOf(files: readonly RandomFile[]): Promise<string | null> {
  const stats = await Promise.all(files.map(({ handle }) => handle.stat({ bigint: true })))
  if (stats.some(({ ctimeMs }) => Date.now() - Number(ctimeMs) < settledMilliseconds)) return null
  return JSON.stringify(
    stats.map(({ dev, ino, size, mtimeNs, ctimeNs }, i) => [files[i]!.path, ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]),
  )
}

import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SmcError } from '../../diagnostics/diagnostic.js'
import { makeFolder } from '../cache-folder.js'
import { modelError } from '../errors.js'
import { partialFor } from './partial.js'
import { causeOf, request } from './request.js'

/** A file as the hub describes it. */
export interface RemoteFile {
  readonly name: string
  readonly url: string
  readonly size: number
  /** SHA-256 of large files; for small ones git's name of the content: SHA-1 of "blob SIZE\0" and the content. */
  readonly hash: { readonly algorithm: 'sha256' | 'git'; readonly digest: string }
}

/** Told while files arrive. */
export type OnDownload = (progress: { readonly file: string; readonly received: number; readonly size: number }) => void

/** Times that a broken transfer is taken up again at once. */
const attempts = 4

/** Files that are being fetched in this process. */
const underWay = new Map<string, Promise<void>>()

/**
 * Fetches a file to `path`. Its bytes gather in a file beside it, from which a broken transfer goes on, now or at the next call; only a
 * file of the right size and hash gets its name. Throws M002 (no answer, no room), M007 (truncated, wrong hash).
 */
export async function download(id: string, file: RemoteFile, path: string, onDownload?: OnDownload): Promise<void> {
  const before = underWay.get(path)
  if (before) return before
  const fetching = fetchWhole(id, file, path, onDownload).finally(() => underWay.delete(path))
  underWay.set(path, fetching)
  return fetching
}

async function fetchWhole(id: string, file: RemoteFile, path: string, onDownload?: OnDownload): Promise<void> {
  makeFolder(dirname(path))
  const partial = await partialFor(path, (received) => onDownload?.({ file: file.name, received, size: file.size }))
  if (partial === null) return
  let failure = ''
  for (let attempt = 0; attempt < attempts; attempt++) {
    const held = await sizeOf(partial)
    if (held > file.size) await rm(partial)
    else if (held === file.size) break
    failure = await receive(id, file, partial, held > file.size ? 0 : held, onDownload)
    if (failure === '') break
  }
  const held = await sizeOf(partial)
  if (held < file.size) {
    throw modelError(
      'M007',
      `the download of ${file.name} of ${id} ended after ${held} of ${file.size} bytes${failure && `: ${failure}`}`,
      'try again: it goes on where it stopped',
    )
  }
  const digest = held === file.size ? await digestOf(partial, file) : 'of another size'
  if (digest !== file.hash.digest) {
    await rm(partial)
    throw modelError(
      'M007',
      `the download of ${file.name} of ${id} is damaged: its hash is ${digest}, expected ${file.hash.digest}`,
      'it has been removed; try again, and if that does not help, over another network',
    )
  }
  await rename(partial, path)
}

/** Appends what is missing to a file; the reason when the transfer breaks off, else ''. */
async function receive(
  id: string,
  file: RemoteFile,
  partial: string,
  held: number,
  onDownload: OnDownload | undefined,
): Promise<string> {
  const response = await request(id, file.url, held > 0 ? { range: `bytes=${held}-` } : {})
  // A server that knows no ranges, or another range than the one that was asked for, sends everything.
  const resumed = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${held}-`) === true
  if (response.status === 416 || !response.body || (response.status === 206 && !resumed)) {
    await response.body?.cancel()
    await rm(partial, { force: true })
    return `the server answers ${response.status}`
  }
  const output = await open(partial, resumed ? 'a' : 'w')
  let received = resumed ? held : 0
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      await output.write(chunk).catch((thrown) => {
        throw unwritable(dirname(partial), thrown)
      })
      received += chunk.length
      onDownload?.({ file: file.name, received, size: file.size })
      if (received > file.size) return 'the server sends more than it announced'
    }
    await output.sync()
    return received < file.size ? 'the connection was closed' : ''
  } catch (thrown) {
    if (thrown instanceof SmcError) throw thrown
    return causeOf(thrown)
  } finally {
    await output.close()
  }
}

/** For whatever a file of the cache is refused: a full disk, a folder that belongs to somebody else. */
export function unwritable(folder: string, thrown: unknown): SmcError {
  return modelError(
    'M002',
    `${folder} cannot be written: ${causeOf(thrown)}`,
    'make room, or name another folder by HF_HUB_CACHE',
  )
}

/** Whether the file has its size and hash. */
export async function isWhole(path: string, file: RemoteFile): Promise<boolean> {
  return (await sizeOf(path)) === file.size && (await digestOf(path, file)) === file.hash.digest
}

async function digestOf(path: string, { hash, size }: RemoteFile): Promise<string> {
  const digest: Hash = createHash(hash.algorithm === 'git' ? 'sha1' : 'sha256')
  if (hash.algorithm === 'git') digest.update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  return digest.digest('hex')
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0
}

import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { modelError, reason } from './errors.js'

/** A file that is read in ranges. */
export interface RandomFile {
  readonly path: string
  readonly handle: FileHandle
  readonly size: number
}

/** Throws M003. */
export async function openFile(path: string): Promise<RandomFile> {
  try {
    const handle = await open(path, 'r')
    return { path, handle, size: (await handle.stat()).size }
  } catch (thrown) {
    throw modelError(
      'M003',
      `${path} cannot be opened: ${reason(thrown)}`,
      'a model is a .gguf file, or a folder with config.json, tokenizer.json and model.safetensors',
    )
  }
}

/** Bytes `begin` .. `end` - 1. Throws M007 when the file ends before. */
export async function readRange(file: RandomFile, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const data = new Uint8Array(end - begin)
  for (let done = 0; done < data.length; ) {
    const { bytesRead } = await file.handle.read(data, done, Math.min(data.length - done, 1 << 30), begin + done)
    if (bytesRead === 0) throw damaged(file.path, `it ends at byte ${begin + done}, expected ${end}`)
    done += bytesRead
  }
  return data
}

export function damaged(path: string, fact: string) {
  return modelError(
    'M007',
    `${join(basename(dirname(path)), basename(path))} is damaged: ${fact}`,
    'fetch the file again; a download may have stopped half-way',
  )
}

/** Feeds the names, sizes and content of files to a hash. */
export async function hashFiles(files: readonly RandomFile[], hash: Hash): Promise<void> {
  const chunk = 1 << 22
  for (const file of files) {
    hash.update(`${basename(file.path)} ${file.size}\n`)
    for (let at = 0; at < file.size; at += chunk) hash.update(await readRange(file, at, Math.min(file.size, at + chunk)))
  }
}

/** SHA-256 of named texts, not yet closed. */
export function hashTexts(texts: Readonly<Record<string, string>>): Hash {
  const hash = createHash('sha256')
  for (const [name, text] of Object.entries(texts)) hash.update(`${name} ${Buffer.byteLength(text)}\n`).update(text)
  return hash
}

/** Numbers in a tensor of this shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

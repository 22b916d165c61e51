import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openFile } from '../../src/models/files.js'
import { modelHash } from '../../src/models/model-hash.js'

let folder: string
let file: string
const saved = process.env.SMCC_CACHE
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smcc-hash-'))
  file = join(folder, 'weights')
  process.env.SMCC_CACHE = join(folder, 'cache')
})
afterEach(() => {
  if (saved === undefined) delete process.env.SMCC_CACHE
  else process.env.SMCC_CACHE = saved
  rmSync(folder, { recursive: true })
})

const large = (value: number) => Buffer.alloc(5_000_000, value)
async function hash(texts: Record<string, string> = {}): Promise<string> {
  const opened = await openFile(file)
  try {
    return (await modelHash(texts, [opened])).digest('hex')
  } finally {
    await opened.handle.close()
  }
}
const remembered = () => (existsSync(join(folder, 'cache')) ? readdirSync(join(folder, 'cache', 'hashes')) : [])

it('of a large file is remembered, and the file is read again when it has changed', async () => {
  writeFileSync(file, large(1))
  const young = await hash()
  expect(remembered()).toEqual([])
  await setTimeout(2200)
  expect(await hash()).toBe(young)
  expect(remembered()).toHaveLength(1)
  // What stands in the cache is what is believed.
  writeFileSync(join(folder, 'cache', 'hashes', remembered()[0]!), '0'.repeat(64))
  expect(await hash()).not.toBe(young)
  writeFileSync(join(folder, 'cache', 'hashes', remembered()[0]!), 'half a ha')
  expect(await hash()).toBe(young)

  // The same size and the same time of writing: the inode tells.
  const { atime, mtime } = await (await import('node:fs/promises')).stat(file)
  writeFileSync(file, large(2))
  utimesSync(file, atime, mtime)
  expect(await hash()).not.toBe(young)
})

it('holds the small files of a model too, and nothing is remembered when the cache is off', async () => {
  writeFileSync(file, large(1))
  const past = new Date(Date.now() - 60_000)
  utimesSync(file, past, past)
  await setTimeout(2200)
  process.env.SMCC_CACHE = 'off'
  const plain = await hash({ 'config.json': '{}' })
  expect(await hash({ 'config.json': '{ }' })).not.toBe(plain)
  expect(existsSync(join(folder, 'cache'))).toBe(false)
})

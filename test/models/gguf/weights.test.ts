import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { GgufWeights } from '../../../src/models/gguf/weights.js'
import { openModel } from '../../../src/models/registry.js'

const root = mkdtempSync(join(tmpdir(), 'smcc-gguf-'))
afterAll(() => rmSync(root, { recursive: true }))
const source = fileURLToPath(new URL('../../conformance/fixtures/gguf/llama.gguf', import.meta.url))
const whole = readFileSync(source)

function written(name: string, bytes: Uint8Array): string {
  const path = join(root, `${name}.gguf`)
  writeFileSync(path, bytes)
  return path
}

function patched(name: string, change: (view: DataView, bytes: Buffer) => void): string {
  const bytes = Buffer.from(whole)
  change(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes)
  return written(name, bytes)
}

it('one row of a matrix, whatever its format', async () => {
  const formats = ['llama', 'gemma2', 'gpt2', 'phi3']
  for (const name of formats) {
    const weights = await GgufWeights.open(
      fileURLToPath(new URL(`../../conformance/fixtures/gguf/${name}.gguf`, import.meta.url)),
    )
    const shape = weights.header.tensors.get('token_embd.weight')!.shape as readonly [number, number]
    const matrix = await weights.read('token_embd.weight', shape)
    for (const row of [0, shape[0] - 1]) {
      const found = await weights.readRow('token_embd.weight', shape, row)
      expect([...found]).toEqual([...matrix.subarray(row * shape[1], (row + 1) * shape[1])])
    }
    await weights.close()
  }
})

describe('damaged GGUF files', () => {
  for (const length of [0, 3, 8, 20, 200, 1500, Math.floor(whole.length / 2), whole.length - 100]) {
    it(`a file of ${whole.length} bytes that ends after ${length}`, async () => {
      const path = written(`cut-${length}`, whole.subarray(0, length))
      await expect(openModel(path, { base: '.' })).rejects.toThrow(/M007: .*is damaged/)
    })
  }

  it('something else', async () => {
    await expect(GgufWeights.open(written('zip', Buffer.from('PK\u0003\u0004'.repeat(20))))).rejects.toThrow(
      /M007.*does not begin with "GGUF"/,
    )
  })

  it('another version, and other byte order', async () => {
    const version = (value: number, little: boolean) =>
      patched(`version-${value}-${little}`, (view) => view.setUint32(4, value, little))
    await expect(GgufWeights.open(version(1, true))).rejects.toThrow('M016')
    await expect(GgufWeights.open(version(3, false))).rejects.toThrow('M016')
  })

  it('absurd counts do not take the memory', async () => {
    const path = patched('counts', (view) => view.setBigUint64(16, 1n << 62n, true))
    await expect(GgufWeights.open(path)).rejects.toThrow('M007')
  })

  it('a format that is not read is named with the tensor', async () => {
    const path = patched('format', (view, bytes) => {
      const at = bytes.indexOf('token_embd.weight') + 'token_embd.weight'.length
      view.setUint32(at + 4 + 16, 10, true)
    })
    await expect(openModel(path, { base: '.' })).rejects.toThrow(/M016.*token_embd.weight is stored as Q2_K, expected F32/)
  })

  it('an architecture that is not supported is named', async () => {
    const path = patched('architecture', (_, bytes) => {
      bytes.write('mamba', bytes.indexOf('general.architecture') + 'general.architecture'.length + 12)
    })
    await expect(openModel(path, { base: '.' })).rejects.toThrow(/M005.*"mamba"/)
  })

  it('a tensor that is missing is named', async () => {
    const path = patched('missing', (_, bytes) => bytes.write('blk.1.ffn_xx', bytes.indexOf('blk.1.ffn_up')))
    await expect(openModel(path, { base: '.' })).rejects.toThrow(/M008.*holds no tensor blk.1.ffn_up.weight/)
  })

  it('one part of several is told from a whole model', async () => {
    const count = (value: number) => [value, 0, 0, 0, 0, 0, 0, 0]
    const part = (parts: number) => [...count(11), ...Buffer.from('split.count'), 2, 0, 0, 0, parts, 0]
    const file = (parts: number) => Buffer.from([...Buffer.from('GGUF'), 3, 0, 0, 0, ...count(0), ...count(1), ...part(parts)])
    await expect(GgufWeights.open(written('part', file(3)))).rejects.toThrow(/M016.*one of 3 parts of a model/)
    await (await GgufWeights.open(written('alone', file(1)))).close()
  })

  it('a rule of cutting words that is not known is named', async () => {
    const path = patched('pre', (_, bytes) => bytes.write('defauld', bytes.indexOf('default', bytes.indexOf('ggml.pre'))))
    await expect(openModel(path, { base: '.' })).rejects.toThrow(/M017.*rule "defauld"/)
  })
})

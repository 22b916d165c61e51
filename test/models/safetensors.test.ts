import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../src/models/registry.js'
import { Weights } from '../../src/models/safetensors.js'

const root = mkdtempSync(join(tmpdir(), 'smcc-weights-'))
afterAll(() => rmSync(root, { recursive: true }))
let folders = 0

function write(header: Record<string, unknown>, data: Uint8Array): string {
  const folder = join(root, String(folders++))
  mkdirSync(folder)
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, text, data]))
  return folder
}

const bytesOf = (numbers: Uint16Array | Float32Array) => new Uint8Array(numbers.buffer as ArrayBuffer)

async function widened(dtype: string, data: Uint16Array | Float32Array): Promise<Float32Array> {
  const weights = await Weights.open(
    write({ x: { dtype, shape: [data.length], data_offsets: [0, data.byteLength] } }, bytesOf(data)),
  )
  const result = await weights.read('x', [data.length])
  await weights.close()
  return result
}

describe('number formats', () => {
  it('widens every 16-bit float exactly', async () => {
    const all = Uint16Array.from({ length: 1 << 16 }, (_, i) => i)
    const wide = await widened('F16', all)
    for (let half = 0; half < 1 << 16; half++) {
      const exponent = (half >> 10) & 31
      const fraction = half & 1023
      const size =
        exponent === 31
          ? fraction
            ? Number.NaN
            : Infinity
          : exponent
            ? 2 ** (exponent - 15) * (1 + fraction / 1024)
            : 2 ** -24 * fraction
      const expected = half >> 15 ? -size : size
      if (!Object.is(wide[half], expected)) throw new Error(`half ${half}: ${wide[half]} is not ${expected}`)
    }
    expect(wide).toHaveLength(1 << 16)
  })

  it('widens bfloat16, and keeps 32-bit floats', async () => {
    expect([...(await widened('BF16', Uint16Array.of(0x3f80, 0xc000, 0x0001, 0x7f80)))]).toEqual([1, -2, 2 ** -133, Infinity])
    expect([...(await widened('F32', Float32Array.of(0.1, -3)))]).toEqual([Math.fround(0.1), -3])
  })
})

describe('damaged files', () => {
  const source = fileURLToPath(new URL('../conformance/fixtures/grouped', import.meta.url))
  const whole = readFileSync(join(source, 'model.safetensors'))

  for (const length of [0, 5, 8, 100, Math.floor(whole.length / 2), whole.length - 1]) {
    it(`notices that a file of ${whole.length} bytes ends after ${length}`, async () => {
      const folder = join(root, `cut-${length}`)
      mkdirSync(folder)
      for (const name of ['config.json', 'tokenizer.json', 'model.safetensors'])
        copyFileSync(join(source, name), join(folder, name))
      truncateSync(join(folder, 'model.safetensors'), length)
      await expect(openModel(folder, { base: '.' })).rejects.toThrow(/M007: .*is damaged/)
    })
  }

  it('names a shard that is missing, and says what to do with pickled weights', async () => {
    const folder = join(root, 'shards')
    mkdirSync(folder)
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const
    const index = { weight_map: { x: shards[0], y: shards[1] } }
    writeFileSync(join(folder, 'pytorch_model.bin'), 'x')
    await expect(Weights.open(folder)).rejects.toMatchObject({
      diagnostics: [{ code: 'M003', hint: expect.stringMatching(/pickle.*save_pretrained/) }],
    })
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index))
    writeFileSync(join(folder, shards[0]), '\u0002\0\0\0\0\0\0\0{}')
    await expect(Weights.open(folder)).rejects.toThrow(
      /M003: .*00002-of-00002.safetensors does not exist, and .*index.json names it/,
    )
    // As Hugging Face's own library does, a whole file goes before an index.
    copyFileSync(join(folder, shards[0]), join(folder, 'model.safetensors'))
    await (await Weights.open(folder)).close()
  })

  it('names a missing tensor', async () => {
    const weights = await Weights.open(write({}, new Uint8Array(0)))
    await expect(weights.read('model.norm.weight', [2])).rejects.toThrow(/M008: the weights hold no tensor model.norm.weight/)
    await weights.close()
  })

  it('names both shapes when they differ', async () => {
    const weights = await Weights.open(write({ x: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] } }, new Uint8Array(24)))
    await expect(weights.read('x', [3, 2])).rejects.toThrow('M008: model.safetensors: x has shape [2, 3], expected [3, 2]')
    await weights.close()
  })

  it('refuses formats that it would read wrongly', async () => {
    const weights = await Weights.open(write({ x: { dtype: 'I8', shape: [4], data_offsets: [0, 4] } }, new Uint8Array(4)))
    await expect(weights.read('x', [4])).rejects.toThrow('x is stored as I8, expected F32, F16 or BF16')
    await weights.close()
  })

  it('notices a tensor whose bytes do not fit its shape', async () => {
    const weights = await Weights.open(write({ x: { dtype: 'F32', shape: [4], data_offsets: [0, 12] } }, new Uint8Array(12)))
    await expect(weights.read('x', [4])).rejects.toThrow(/M007.*takes 12 bytes, expected 16/)
    await weights.close()
  })

  it('notices a header that does not describe its tensors', async () => {
    await expect(
      Weights.open(write({ x: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, new Uint8Array(4))),
    ).rejects.toThrow(/M007/)
    await expect(Weights.open(write({ x: 3 }, new Uint8Array(4)))).rejects.toThrow(/M007/)
  })
})

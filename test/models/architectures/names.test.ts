import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../../src/models/registry.js'

const fixtures = fileURLToPath(new URL('../../conformance/fixtures', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'smcc-names-'))
afterAll(() => rmSync(scratch, { recursive: true }))

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
type Expected = { ids: number[]; next: number[] }

/** A copy of a fixture whose weights have another header; `more` is appended to the numbers. */
function changed(fixture: string, name: string, change: (header: Header, end: number) => Header, more?: Buffer): string {
  cpSync(join(fixtures, fixture), join(scratch, name), { recursive: true })
  const path = join(scratch, name, 'model.safetensors')
  const file = readFileSync(path)
  const length = Number(file.readBigUInt64LE(0))
  const header: Header = JSON.parse(file.subarray(8, 8 + length).toString())
  const numbers = file.subarray(8 + length)
  const text = Buffer.from(JSON.stringify(change(header, numbers.length)))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(path, Buffer.concat([prefix, text, numbers, more ?? Buffer.alloc(0)]))
  return name
}

const renamed = (fixture: string, rename: (name: string) => string) =>
  changed(fixture, `${fixture}-renamed`, (header) =>
    Object.fromEntries(Object.entries(header).map(([name, entry]) => [rename(name), entry])),
  )

async function next(name: string, ids: readonly number[]): Promise<Float64Array> {
  const model = await openModel(name, { base: scratch })
  try {
    const [logs] = await model.logProbs([{ history: model.start(ids), temperature: 1, power: 1 }], { rows: 1, live: () => [] })
    return logs!
  } finally {
    await model.dispose()
  }
}

const expectedOf = (fixture: string): Expected => JSON.parse(readFileSync(join(fixtures, fixture, 'expected.json'), 'utf8'))

async function expectSame(fixture: string, name: string): Promise<void> {
  const expected = expectedOf(fixture)
  const found = await next(name, expected.ids)
  expected.next.forEach((value, token) => {
    expect(Math.abs(found[token]! - value)).toBeLessThan(1e-4)
  })
}

describe('models that were saved without their head', () => {
  it.each(['llama-linear', 'mistral', 'qwen2', 'phi3', 'gemma3', 'gemma3-before5', 'gpt2', 'gpt-neo', 'gpt-neox-sequential'])(
    '%s: names without the first part',
    async (fixture) => {
      await expectSame(
        fixture,
        renamed(fixture, (name) => (/^(lm_head|embed_out|__)/.test(name) ? name : name.replace(/^\w+\./, ''))),
      )
    },
  )
})

describe('an embedding that is the output too', () => {
  it.each([
    ['llama-linear', 'model.embed_tokens.weight', 'lm_head.weight'],
    ['gpt2', 'transformer.wte.weight', 'lm_head.weight'],
    ['gpt-neox-sequential', 'gpt_neox.embed_in.weight', 'embed_out.weight'],
  ])('%s: may be stored as the output alone', async (fixture, embedding, output) => {
    await expectSame(
      fixture,
      renamed(fixture, (name) => (name === embedding ? output : name)),
    )
  })

  it('may be stored twice, and where the two differ the output reads its own', async () => {
    const embedding = 'model.embed_tokens.weight'
    const { ids } = expectedOf('llama-linear')
    const twice = (name: string, more?: Buffer) =>
      changed(
        'llama-linear',
        name,
        (header, end) => {
          const { data_offsets: at } = header[embedding]!
          const offsets: [number, number] = more ? [end, end + at[1] - at[0]] : at
          return { ...header, 'lm_head.weight': { ...header[embedding]!, data_offsets: offsets } }
        },
        more,
      )
    await expectSame('llama-linear', twice('equal'))
    // An output of zeros makes every token equally probable.
    const logs = await next(twice('zeros', Buffer.alloc(50 * 24 * 4)), ids)
    for (const log of logs) expect(log).toBeCloseTo(-Math.log(50), 6)
  })
})

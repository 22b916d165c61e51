import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { modelsEntries } from '../../src/diagnostics/catalogue/models.js'
import { SmcError } from '../../src/diagnostics/diagnostic.js'
import { listModels, openClassifier, openModel, showModel } from '../../src/models/registry.js'
import { drawing } from './requests.js'

const tinyFolder = fileURLToPath(new URL('../../models/tiny', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'smcc-models-'))
afterAll(() => rmSync(root, { recursive: true }))

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action()
    return 'nothing'
  } catch (thrown) {
    if (!(thrown instanceof SmcError)) throw thrown
    return thrown.diagnostics.map(({ code }) => code).join()
  }
}

describe('the catalogue of model errors', () => {
  for (const [code, entry] of Object.entries(modelsEntries)) {
    // What a budget or a device refuses is shown by a call of the API.
    if (entry.stage === 'api') continue
    const ask = async (source: string) => {
      const base = join(root, code)
      mkdirSync(base, { recursive: true })
      for (const [path, text] of Object.entries(entry.files ?? {})) {
        mkdirSync(dirname(join(base, path)), { recursive: true })
        writeFileSync(join(base, path), text)
      }
      const named = /classifier tone = "(.*)"/.exec(source)
      if (named) return (await openClassifier(named[1]!, base)).dispose()
      const [, id, prompt, chat] = /model lm = "(.*)"\nlet story = lm\("(.*?)"(, chat: true)?\)/.exec(source)!
      const model = await openModel(id!, { base })
      const tokens = chat
        ? model.vocabulary.encodeChat([{ role: 'user', content: prompt! }])
        : model.vocabulary.encodePrompt(prompt!)
      const history = model.start(tokens)
      await model.draw([drawing(model, history)], { rows: 1, live: () => [] })
      await model.dispose()
    }
    it(`${code}: ${entry.title}`, async () => {
      expect(await codeOf(() => ask(entry.bad))).toBe(code)
      expect(await codeOf(() => ask(entry.mended))).toBe('nothing')
    })
  }
})

describe('the registry', () => {
  it('suggests a near name', async () => {
    await expect(openModel('tinny', { base: root })).rejects.toMatchObject({ diagnostics: [{ hint: 'did you mean "tiny"?' }] })
  })

  it('says that a GGUF file does not exist', async () => {
    expect(await codeOf(() => openModel('./some.gguf', { base: root }))).toBe('M003')
  })

  it('finds a hub model in the local cache', async () => {
    const hub = join(root, 'hub')
    const snapshot = join(hub, 'models--someone--model', 'snapshots', 'abc')
    mkdirSync(snapshot, { recursive: true })
    writeFileSync(join(snapshot, 'config.json'), '{ "model_type": "mamba" }')
    writeFileSync(join(snapshot, 'tokenizer.json'), '{}')
    expect(await codeOf(() => openModel('someone/model', { base: root }))).toBe('M002')
    writeFileSync(join(snapshot, 'model.safetensors'), '')
    const before = process.env.HF_HUB_CACHE
    process.env.HF_HUB_CACHE = hub
    try {
      expect(await codeOf(() => openModel('someone/model', { base: root }))).toBe('M005')
      expect((await listModels()).map(({ id }) => id)).toEqual(['tiny', 'someone/model'])
      // As the first GPT-2 is called.
      renameSync(join(hub, 'models--someone--model'), join(hub, 'models--gpt2'))
      expect((await listModels()).map(({ id }) => id)).toEqual(['tiny', 'gpt2'])
      expect(await codeOf(() => openModel('gpt2', { base: root }))).toBe('M005')
      expect(await codeOf(() => openModel('gpt3', { base: root }))).toBe('M001')
      // A model that is whole, but for a tokenizer of another kind.
      const gpt2 = join(hub, 'models--gpt2', 'snapshots', 'abc')
      for (const file of ['config.json', 'model.safetensors']) copyFileSync(join(tinyFolder, file), join(gpt2, file))
      writeFileSync(join(gpt2, 'tokenizer.json'), '{ "model": { "type": "WordPiece" } }')
      expect((await listModels())[1]).toMatchObject({ size: null, description: expect.stringContaining('WordPiece') })
      copyFileSync(join(tinyFolder, 'tokenizer.json'), join(gpt2, 'tokenizer.json'))
      expect((await listModels())[1]).toMatchObject({ size: { family: 'llama' } })
    } finally {
      if (before === undefined) delete process.env.HF_HUB_CACHE
      else process.env.HF_HUB_CACHE = before
    }
  })

  it('describes a table', async () => {
    writeFileSync(join(root, 'coin.json'), '{ "tokens": ["a", "b"], "order": 0, "end": "b", "next": { "": [0.5, 0.5] } }')
    expect(await showModel('table:coin.json', root)).toMatchObject({
      family: 'table',
      parameters: 2,
      vocabulary: 2,
      contextLength: Infinity,
      end: [1],
    })
    await expect(showModel('table:none.json', root)).rejects.toThrow('M003')
  })

  it('describes tiny', async () => {
    const shown = await showModel('tiny', root)
    expect(shown).toMatchObject({ family: 'llama', layers: 6, width: 256, vocabulary: 4096, contextLength: 256, end: [0] })
    expect(shown.parameters).toBeGreaterThan(5.3e6)
    expect(shown.parameters).toBeLessThan(5.5e6)
    expect(shown.stateBytesPerToken).toBe(2 * 4 * 6 * 4 * 32)
  })
})

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openModel, showModel } from '../../src/models/registry.js'

/** Random models that make_gguf_fixtures.py wrote, one for each architecture of llama.cpp that this project runs. */
const families = {
  llama: 'llama',
  llama3: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gemma2: 'gemma2',
  gemma3: 'gemma3',
  phi3: 'phi3',
  'phi3-longrope': 'phi3',
  gpt2: 'gpt2',
  gptneox: 'gpt_neox',
}
const folder = fileURLToPath(new URL('./fixtures/gguf', import.meta.url))
const alone = { rows: 8, live: () => [] }

describe.each(Object.entries(families))('%s.gguf', (name, family) => {
  const { ids, logProbs, next } = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as {
    ids: number[]
    logProbs: number[]
    next: number[]
  }

  it.each([1, 20])('agrees with PyTorch after a prompt of %i tokens', async (prompt) => {
    const model = await openModel(`${name}.gguf`, { base: folder })
    const history = model.start(ids.slice(0, prompt))
    const [scores] = await model.score([{ history, temperature: 1, tokens: ids.slice(prompt), keep: false }], alone)
    scores!.forEach((score, i) => {
      expect(Math.abs(score - logProbs[prompt - 1 + i]!)).toBeLessThan(1e-4)
    })
    const last = next.map((_, token) => ({ history: model.start(ids), temperature: 1, tokens: [token], keep: false }))
    const all = await model.score(last, alone)
    next.forEach((logProb, token) => {
      expect(Math.abs(all[token]![0]! - logProb)).toBeLessThan(1e-4)
    })
    await model.dispose()
  })

  it('is described', async () => {
    const shown = await showModel(`${name}.gguf`, folder)
    expect(shown).toMatchObject({ family, vocabulary: next.length, end: [1] })
    expect(shown.path).toMatch(/\.gguf$/)
  })
})

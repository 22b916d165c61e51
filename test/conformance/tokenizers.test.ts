import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openFile } from '../../src/models/files.js'
import { readHeader } from '../../src/models/gguf/header.js'
import { tokenizerFilesOf } from '../../src/models/gguf/tokenizer.js'
import type { JsonObject } from '../../src/models/json.js'
import { textOf } from '../../src/models/model.js'
import { SubwordVocabulary, type TokenizerFiles } from '../../src/models/tokenizer.js'

/** Small tokenizers of every kind that make_tokenizer_fixtures.py trained, and how Python's libraries cut texts with them. */
interface Case {
  readonly text: string
  readonly prompt: number[]
  readonly continuation: number[]
}
const folder = fileURLToPath(new URL('./fixtures/tokenizers', import.meta.url))
const read = (name: string) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as { tokenizer?: JsonObject; cases: Case[] }
const files = readdirSync(folder)

async function fromGguf(name: string): Promise<TokenizerFiles> {
  const file = await openFile(`${folder}/${name}`)
  const header = await readHeader(file)
  await file.handle.close()
  return tokenizerFilesOf(header, name)
}

function agrees(vocabulary: SubwordVocabulary, cases: readonly Case[]): void {
  for (const { text, prompt, continuation } of cases) {
    expect([text, vocabulary.encodeContinuation(text)]).toEqual([text, continuation])
    // An empty prompt is the begin token, where there is one at all.
    if (text !== '') expect([text, vocabulary.encodePrompt(text)]).toEqual([text, prompt])
  }
}

describe.each(files.filter((name) => name.endsWith('.json') && !name.includes('.gguf')))('%s', (name) => {
  const { tokenizer, cases } = read(name)
  const given = { tokenizer: tokenizer!, tokenizerConfig: {}, config: {}, generationConfig: {}, chatTemplate: null }
  const vocabulary = new SubwordVocabulary(name, 500, given)

  it('cuts as tokenizers does', () => agrees(vocabulary, cases))

  it('spells what it has cut', () => {
    for (const { text, continuation } of cases) {
      if (text.includes('<s>') || text.includes('<|user|>')) continue
      const normal = name === 'qwen2.json' ? text.normalize('NFC') : text
      // What stands for a space and a space are one in SentencePiece.
      const spaced = name.startsWith('llama2') || name.startsWith('unigram') ? normal.replaceAll('▁', ' ') : normal
      expect(textOf(vocabulary, continuation)).toBe(spaced)
    }
  })
})

describe.each(files.filter((name) => name.endsWith('.gguf')))('%s', (name) => {
  const kind = name.replace('.gguf', '')
  const { cases } = read(kind.startsWith('sentencepiece') ? `${name}.json` : `${kind}.json`)

  it('cuts as the tokenizer that it was made from', async () => {
    agrees(new SubwordVocabulary(name, 500, await fromGguf(name)), cases)
  })
})

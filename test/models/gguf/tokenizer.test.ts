import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { GgufValue } from '../../../src/models/gguf/header.js'
import { tokenizerFilesOf } from '../../../src/models/gguf/tokenizer.js'
import { SubwordVocabulary } from '../../../src/models/tokenizer.js'

const read = (entries: Readonly<Record<string, GgufValue>>) => {
  const pairs = Object.entries(entries).map(([key, value]) => [`tokenizer.ggml.${key}`, value] as const)
  return tokenizerFilesOf({ metadata: new Map(pairs), tensors: new Map() }, 'm.gguf')
}

it('byte-level tokens without merges would spell every word by letters, and are refused', () => {
  const bpe = { model: 'gpt2', tokens: ['a', 'b', 'ab'] }
  expect(() => read(bpe)).toThrow(/M007: .*m.gguf is damaged: its metadata hold no merges/)
  expect(read({ ...bpe, merges: ['a b'] }).tokenizer.model).toMatchObject({ merges: [['a', 'b']] })
})

it('pieces without a score each would be merged in any order, and are refused', () => {
  const pieces = { model: 'llama', tokens: ['<unk>', 'a', 'b', 'ab'] }
  expect(() => read(pieces)).toThrow(/M007: .*hold 0 scores for 4 tokens/)
  expect(() => read({ ...pieces, scores: [0, 0, 0] })).toThrow(/M007: .*hold 3 scores for 4 tokens/)
  expect(read({ ...pieces, scores: [0, -1, -2, -3] }).tokenizer.model).toMatchObject({ merges: [['a', 'b']] })
})

it('words end where the rule of the file says', () => {
  const tokens = ['a', 'B', "'", 's', '1', '2', 'aB', "a'", '12', 'Ba']
  const merges = ['a B', "a '", '1 2', 'B a']
  const cut = (pre: string, text: string) => {
    const files = read({ model: 'gpt2', pre, tokens, merges })
    return new SubwordVocabulary('m.gguf', tokens.length, files).encodeContinuation(text).map((token) => tokens[token])
  }
  expect(cut('gpt2', 'aBa')).toEqual(['aB', 'a'])
  for (const pre of ['gpt-4o', 'tekken']) expect(cut(pre, 'aBa')).toEqual(['a', 'Ba'])
  expect(cut('gpt-4o', "a's12")).toEqual(["a'", 's', '12'])
  expect(cut('tekken', "a's12")).toEqual(['a', "'", 's', '1', '2'])
})

it('tokens of a chat are whole, also where ▁ stands in their names', () => {
  const separator = '<｜tool▁sep｜>'
  const tokens = ['x', 'y', separator, '▁▁', ...separator]
  const types = tokens.map((_, id) => (id === 2 || id === 3 ? 4 : 1))
  const cut = (entries: Readonly<Record<string, GgufValue>>, text: string) =>
    new SubwordVocabulary('m.gguf', tokens.length, read({ tokens, token_type: types, ...entries })).encodeContinuation(text)
  expect(cut({ model: 'gpt2', merges: ['x y'] }, `x${separator}y`)).toEqual([0, 2, 1])
  // SentencePiece's stand for spaces, and are made by merges.
  const scores = tokens.map((_, id) => -id)
  expect(read({ model: 'llama', tokens, token_type: types, scores }).tokenizer.added_tokens).toEqual([])
})

it("tokens of Phi-3's chats swallow the line break behind them, its begin token does not", () => {
  const tokens = ['<unk>', '<s>', '</s>', '▁', 'a', '▁a', '<0x0A>', '<|user|>', '<|end|>', '<|endoftext|>']
  const types = [2, 3, 4, 1, 1, 1, 6, 3, 3, 3]
  const scores = tokens.map((_, id) => -id)
  const entries = { model: 'llama', tokens, token_type: types, scores, unknown_token_id: 0, bos_token_id: 1, eos_token_id: 2 }
  const cut = (architecture: string, text: string) => {
    const pairs = Object.entries(entries).map(([key, value]) => [`tokenizer.ggml.${key}`, value] as const)
    const metadata = new Map<string, GgufValue>([['general.architecture', architecture], ...pairs])
    const vocabulary = new SubwordVocabulary('m.gguf', 10, tokenizerFilesOf({ metadata, tensors: new Map() }, 'm.gguf'))
    return vocabulary.encodePrompt(text).slice(1)
  }
  expect(cut('phi3', '<|user|>\na<|end|>\n<|endoftext|>\n')).toEqual([7, 5, 8, 9, 3, 6])
  expect(cut('llama', '<|user|>\na<|end|>')).toEqual([7, 3, 6, 4, 8])
})

it('a text ends with the end token of the file, and with those that are known by their names', () => {
  const tokens = ['a', '<|endoftext|>', '<|im_end|>', '<|end|>', '<|user|>']
  const ends = (types: number[]) => {
    const files = read({ model: 'gpt2', tokens, token_type: types, merges: ['a a'], eos_token_id: 2 })
    return new SubwordVocabulary('m.gguf', tokens.length, files).end
  }
  expect(ends([1, 3, 3, 3, 3])).toEqual([2, 1, 3])
  // What is no token of control may stand in any text.
  expect(ends([1, 1, 3, 4, 3])).toEqual([2])
})

it('files from before the rules had names are cut by the rule of their model', () => {
  const tokens = ['1', '2', '12', '<|begin_of_text|>', 'a', "'", 'S', "'S"]
  const cut = (architecture: string, known: readonly string[], text: string) => {
    const entries: Record<string, GgufValue> = { model: 'gpt2', tokens: known, merges: ['1 2', "' S"] }
    const pairs = Object.entries(entries).map(([key, value]) => [`tokenizer.ggml.${key}`, value] as const)
    const metadata = new Map<string, GgufValue>([['general.architecture', architecture], ...pairs])
    const files = tokenizerFilesOf({ metadata, tensors: new Map() }, 'm.gguf')
    return new SubwordVocabulary('m.gguf', 8, files).encodeContinuation(text).map((id) => known[id])
  }
  expect(cut('qwen2', tokens, '12')).toEqual(['1', '2'])
  expect(cut('llama', tokens, "12a'S")).toEqual(['12', 'a', "'S"])
  expect(cut('llama', tokens.with(3, '?'), "12a'S")).toEqual(['12', 'a', "'", 'S'])
})

it.each([
  ['mellum', 'gpt-2'],
  ['a.x-4.0', 'gpt-2'],
  ['trillion', 'gpt-2'],
  ['granite-docling', 'gpt-2'],
  ['minerva-7b', 'smollm'],
  ['pixtral', 'llama-bpe'],
  ['midm-2.0', 'llama-bpe'],
])('the rule %s is that of %s', (pre, same) => {
  const bpe = { model: 'gpt2', tokens: ['a', 'b', 'ab'], merges: ['a b'] }
  expect(read({ ...bpe, pre }).tokenizer).toEqual(read({ ...bpe, pre: same }).tokenizer)
})

it('a rule that is not known is refused', () => {
  const bpe = { model: 'gpt2', tokens: ['a', 'b', 'ab'], merges: ['a b'] }
  expect(() => read({ ...bpe, pre: 'kimi-k2' })).toThrow(/M017: .*by the rule "kimi-k2", which is not supported/)
})

/** Byte-level tokens that merge wherever nothing parts them: a token is a word. */
function wordsOf(pre: string, text: string): string[] {
  const characters = [...byteLevel(text)]
  const pieces = new Set(characters)
  const merges = new Set<string>()
  for (let from = 0; from < characters.length; from++) {
    for (let to = from + 2; to <= characters.length; to++) {
      pieces.add(characters.slice(from, to).join(''))
      for (let cut = from + 1; cut < to; cut++)
        merges.add(`${characters.slice(from, cut).join('')} ${characters.slice(cut, to).join('')}`)
    }
  }
  const tokens = [...pieces]
  const files = read({ model: 'gpt2', pre, tokens, merges: [...merges] })
  return new SubwordVocabulary('m.gguf', tokens.length, files).encodeContinuation(text).map((token) => tokens[token]!)
}

/** Each byte as the character that stands for it in the tokens of GPT-2. */
function byteLevel(text: string): string {
  let free = 256
  const characters = Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(printable ? byte : free++)
  })
  return [...new TextEncoder().encode(text)].map((byte) => characters[byte]).join('')
}

const rules = JSON.parse(readFileSync(new URL('./words.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string[]>
>

it.each(Object.entries(rules))("the rule %s cuts words where Hugging Face's library does", (pre, texts) => {
  for (const [text, words] of Object.entries(texts)) expect(wordsOf(pre, text)).toEqual(words)
})

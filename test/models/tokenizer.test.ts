import { readFileSync } from 'node:fs'
import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, it } from 'vitest'
import { parseObject } from '../../src/models/json.js'
import { textOf } from '../../src/models/model.js'
import { SubwordVocabulary } from '../../src/models/tokenizer.js'
import { forReading, heedUnicodeSpaces } from '../../src/models/tokenizer-json.js'

const read = (name: string) => parseObject(readFileSync(new URL(`../../models/tiny/${name}`, import.meta.url), 'utf8'), name)
const tiny = {
  tokenizer: read('tokenizer.json'),
  tokenizerConfig: read('tokenizer_config.json'),
  config: read('config.json'),
  generationConfig: {},
  chatTemplate: null,
}
const vocabulary = (change: Partial<typeof tiny> & Record<string, unknown> = {}) =>
  new SubwordVocabulary('tiny', 4096, { ...tiny, ...change })

describe('byte-level tokens', () => {
  it('spell any text, and give its bytes back', () => {
    const words = vocabulary()
    for (const text of ['Lily found a key.', ' She said, "Hi!"\n\n', 'Zoë café — 漢字 😀', '\t  x', 'a\u0000b', '\u{10ffff}']) {
      expect(textOf(words, words.encodeContinuation(text))).toBe(text)
    }
  })

  it('hold parts of characters', () => {
    const words = vocabulary()
    const ids = words.encodeContinuation('😀')
    expect(ids.length).toBeGreaterThan(1)
    expect(textOf(words, ids.slice(0, 1))).toBe('\ufffd')
  })

  it('begin a prompt with the begin token, and a continuation with none', () => {
    const words = vocabulary()
    expect(words.encodePrompt('The')[0]).toBe(0)
    expect(words.encodePrompt('')).toEqual([0])
    expect(words.encodeContinuation('The')).toEqual(words.encodePrompt('The').slice(1))
    expect(words.encodeContinuation('')).toEqual([])
  })

  it('give no bytes for the end token', () => {
    const words = vocabulary()
    expect(words.end).toEqual([0])
    expect(words.bytes(0)).toHaveLength(0)
  })

  it("take end tokens from every file, the tokenizer's own first", () => {
    const words = vocabulary({ config: { eos_token_id: [5, 7] }, generationConfig: { eos_token_id: 9 } })
    expect(words.end).toEqual([0, 5, 7, 9])
    expect(words.bytes(7)).toHaveLength(0)
  })

  it('have an identity that depends on the tokens alone', () => {
    expect(vocabulary({ generationConfig: { eos_token_id: 9 } }).identity).toBe(vocabulary().identity)
    expect(new SubwordVocabulary('tiny', 4095, tiny).identity).not.toBe(vocabulary().identity)
  })
})

describe('begin tokens', () => {
  it('are as add_bos_token says, in the classes that heed it', () => {
    const config = (more: object) => vocabulary({ tokenizerConfig: { ...tiny.tokenizerConfig, ...more } })
    const bare = (more: object) =>
      vocabulary({
        tokenizer: { ...tiny.tokenizer, post_processor: null },
        tokenizerConfig: { ...tiny.tokenizerConfig, ...more },
      })
    expect(config({ tokenizer_class: 'LlamaTokenizerFast', add_bos_token: false }).encodePrompt('The')[0]).not.toBe(0)
    expect(config({ tokenizer_class: 'PreTrainedTokenizerFast', add_bos_token: false }).encodePrompt('The')[0]).toBe(0)
    expect(bare({ tokenizer_class: 'LlamaTokenizer', add_bos_token: true }).encodePrompt('The')[0]).toBe(0)
    expect(bare({}).encodePrompt('The')[0]).not.toBe(0)
  })

  it('stand alone for an empty prompt, even where no other prompt begins with them', () => {
    const bare = vocabulary({ tokenizer: { ...tiny.tokenizer, post_processor: null } })
    expect(bare.encodePrompt('')).toEqual([0])
  })

  it('of config.json stand for an empty prompt where the tokenizer names none, as in the first GPT-2', () => {
    const tokenizer = { ...tiny.tokenizer, post_processor: null }
    const words = (more: Record<string, unknown>) => vocabulary({ tokenizer, tokenizerConfig: {}, config: {}, ...more })
    expect(words({ config: { bos_token_id: 7 } }).encodePrompt('')).toEqual([7])
    expect(words({ config: { bos_token_id: 7 } }).encodePrompt('The')[0]).not.toBe(7)
    expect(words({ config: { bos_token_id: 7 }, generationConfig: { bos_token_id: 3 } }).encodePrompt('')).toEqual([3])
    expect(words({ config: { bos_token_id: 4096 } }).encodePrompt('')).toEqual([])
    expect(words({ config: { bos_token_id: null } }).encodePrompt('')).toEqual([])
  })
})

describe('tokenizers that would be read wrongly', () => {
  it.each([
    [{ model: { type: 'WordPiece', vocab: { a: 0 }, unk_token: 'a' } }, 'WordPiece'],
    [{ pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' }, behavior: 'MergedWithNext', invert: true } }, 'MergedWithNext'],
    [{ pre_tokenizer: { type: 'Punctuation', behavior: 'Sideways' } }, 'Sideways'],
    [{ pre_tokenizer: { type: 'Split', behavior: 'Isolated', invert: false } }, 'no pattern'],
    [{ normalizer: { type: 'Nmt' } }, 'Nmt'],
    [{ post_processor: { type: 'TemplateProcessing' } }, 'iterable'],
  ])('%j', (change, name) => {
    expect(() => vocabulary({ tokenizer: { ...tiny.tokenizer, ...change } })).toThrow(new RegExp(`M017.*${name}`))
  })
})

describe("words are cut where Hugging Face's library cuts them", () => {
  const cut = (pre_tokenizer: object, text: string) => {
    const model = { type: 'BPE', vocab: {}, merges: [] }
    const tokenizer = new Tokenizer(forReading({ ...tiny.tokenizer, model, added_tokens: [], pre_tokenizer }, 'm'), {})
    heedUnicodeSpaces(tokenizer)
    return tokenizer.pre_tokenizer!.pre_tokenize(text).join(' ')
  }

  it.each([
    ['Isolated', '- - ab - c - - d -', 'a x x b yz yc', 'a . b ! ? é « c'],
    ['Removed', 'ab c d', 'a b yc', 'a b é c'],
    ['Contiguous', '-- ab - c -- d -', 'a xx b yz yc', 'a . b !? é « c'],
    ['MergedWithPrevious', '- - ab- c- - d-', 'ax x byz yc', 'a. b! ? é« c'],
    ['MergedWithNext', '- -ab -c - -d -', 'a x xb yzyc', 'a .b ! ?é «c'],
  ])('%s', (behavior, hyphens, letters, signs) => {
    expect(cut({ type: 'Split', pattern: { String: '-' }, behavior, invert: false }, '--ab-c--d-')).toBe(hyphens)
    expect(cut({ type: 'Split', pattern: { Regex: 'x|yz' }, behavior, invert: false }, 'axxbyzyc')).toBe(letters)
    expect(cut({ type: 'Punctuation', behavior }, 'a.b!?é«c')).toBe(signs)
    const long = 'ab'.repeat(4e6)
    expect(cut({ type: 'Split', pattern: { String: '-' }, behavior, invert: false }, long)).toBe(long)
  })

  it('inverted', () => {
    const letters = { type: 'Split', pattern: { Regex: '[a-z]' }, invert: true }
    expect(cut({ ...letters, behavior: 'Isolated' }, 'ab12c3')).toBe('a b 12 c 3')
    expect(cut({ ...letters, behavior: 'Removed' }, 'ab12c3')).toBe('a b c')
  })

  it('at the spaces and the letters of Unicode', () => {
    expect(cut({ type: 'Whitespace' }, 'naïve ٣½! a_b«.»\u0085y \ufeffz')).toBe('naïve ٣ ½! a_b «.» y \ufeff z')
    expect(cut({ type: 'WhitespaceSplit' }, 'a\ufeffb\u0085c')).toBe('a\ufeffb c')
    const bytes = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true }
    const words = 'Ġa Ġï»¿ b Âħ Âħ c'
    expect(cut(bytes, 'a \ufeffb\u0085\u0085c')).toBe(words)
    expect(cut({ type: 'Sequence', pretokenizers: [bytes] }, 'a \ufeffb\u0085\u0085c')).toBe(words)
  })
})

describe('pieces', () => {
  it('stand for spaces and bytes', () => {
    const tokenizer = {
      version: '1.0',
      added_tokens: [
        { id: 0, content: '<s>', special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
      ],
      normalizer: null,
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false },
      post_processor: null,
      decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] },
      model: {
        type: 'BPE',
        vocab: { '<s>': 0, '<0x41>': 1, '▁the': 2, a: 3 },
        merges: [],
        byte_fallback: true,
        unk_token: '<s>',
      },
    }
    const words = new SubwordVocabulary('pieces', 4, { ...tiny, tokenizer, tokenizerConfig: {}, config: {} })
    expect(textOf(words, [0, 1, 2, 3])).toBe('A thea')
  })
})

describe('chats', () => {
  const template =
    '{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[answer]{% endif %}'
  const messages = [{ role: 'user', content: 'Hi!' }]

  it('have no tools and no documents, as templates ask', () => {
    const asks = '{% if tools is not none or documents is not none or tools is not defined %}wrong{% endif %}The'
    const words = vocabulary({ chatTemplate: asks as unknown as null })
    expect(words.encodeChat(messages)).toEqual(words.encodeContinuation('The'))
  })

  it('go through the template, with one begin token', () => {
    for (const change of [
      { tokenizerConfig: { ...tiny.tokenizerConfig, chat_template: template } },
      {
        tokenizerConfig: {
          ...tiny.tokenizerConfig,
          chat_template: [
            { name: 'tools', template: 'no' },
            { name: 'default', template },
          ],
        },
      },
      { chatTemplate: template as unknown as null },
    ]) {
      const words = vocabulary(change)
      const ids = words.encodeChat(messages)
      expect(ids.filter((id) => id === 0)).toHaveLength(1)
      expect(ids[0]).toBe(0)
      expect(textOf(words, ids)).toBe('[user] Hi!\n[answer]')
    }
  })

  it('need a template', () => {
    expect(() => vocabulary().encodeChat(messages)).toThrow(/M010: tiny has no chat template/)
  })

  it('tell what the template refuses', () => {
    const words = vocabulary({ chatTemplate: "{{ raise_exception('roles must alternate') }}" as unknown as null })
    expect(() => words.encodeChat(messages)).toThrow(/M010.*roles must alternate/)
  })
})

it('added tokens that are normalised are the same in a text that goes on, where a space is put before texts', () => {
  const vocab = Object.fromEntries(['<unk>', '▁', 'a', 'x', '<', 't', '>', '▁a'].map((piece, id) => [piece, id]))
  const added = { id: 8, content: '<t>', single_word: false, lstrip: false, rstrip: false, normalized: true, special: false }
  const normalizers = [
    { type: 'Prepend', prepend: '▁' },
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  ]
  const tokenizer = {
    added_tokens: [added],
    normalizer: { type: 'Sequence', normalizers },
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab, merges: [['▁', 'a']], unk_token: '<unk>' },
  }
  const words = new SubwordVocabulary('m', 9, { ...tiny, tokenizer, tokenizerConfig: {}, config: {} })
  // Hugging Face's own looks for "▁<t>" in a whole text: without a space before it, it is no token.
  for (const text of ['x <t>a', 'x<t> a', 'x <t> <t>']) {
    expect(words.encodeContinuation(text)).toEqual(words.encodePrompt(text).slice(1))
  }
  expect(words.encodePrompt('x <t>a')).toEqual([1, 3, 8, 2])
  expect(words.encodePrompt('x<t> a')).toEqual([1, 3, 4, 5, 6, 7])
})

describe('behind an added token that is normalised', () => {
  const pieces = ['<unk>', '▁', 'a', 'x', '<', 't', '>', '▁a']
  const added = { content: '<t>', single_word: false, lstrip: false, rstrip: false, normalized: true, special: false }
  const words = (tokenizer: object) =>
    new SubwordVocabulary('m', 16, {
      ...tiny,
      tokenizer: { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...tokenizer },
      tokenizerConfig: {},
      config: {},
    })

  it.each([
    ['first', [7, 8, 2], [8, 2], [7, 8, 2, 8, 3]],
    ['always', [7, 8, 7], [8, 7], [7, 8, 7, 8, 1, 3]],
    ['never', [2, 8, 2], [8, 2], [2, 8, 2, 8, 3]],
  ])('a space is put before a word as the scheme "%s" says', (prepend_scheme, ...cut) => {
    const found = words({
      added_tokens: [{ ...added, id: 8 }],
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme, split: false },
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges: [['▁', 'a']],
        unk_token: '<unk>',
      },
    })
    expect(['a<t>a', '<t>a', 'a<t>a<t>x'].map((text) => found.encodePrompt(text))).toEqual(cut)
  })

  it('whose name is written with a space, bytes spell nothing', () => {
    const bytes = [...new TextEncoder().encode('▁<t>')].map((byte) => `<0x${byte.toString(16).toUpperCase()}>`)
    const vocab = [...pieces.map((piece, id) => [piece, -1 - id]), ...bytes.map((byte) => [byte, -30])]
    const found = words({
      added_tokens: [{ ...added, id: 14 }],
      normalizer: { type: 'Prepend', prepend: '▁' },
      model: { type: 'Unigram', unk_id: 0, vocab, byte_fallback: true },
    })
    expect(found.encodePrompt('<t>a')).toEqual([14, 2])
    expect(found.encodePrompt('t~')).toEqual([1, 5, 0])
  })
})

describe('added tokens that are single words', () => {
  const added = { id: 4095, single_word: true, lstrip: false, rstrip: false, normalized: false, special: false }
  const withDog = (content = 'dog') =>
    vocabulary({
      tokenizer: { ...tiny.tokenizer, added_tokens: [...(tiny.tokenizer.added_tokens as object[]), { ...added, content }] },
    })

  it('are no tokens where the word goes on', () => {
    const words = withDog()
    for (const text of ['dogs', 'hotdog', 'dog_', '1dog', 'dog\u00e9', ' a dogdog', 'd\u0301og \u00e9dog']) {
      expect(words.encodeContinuation(text)).toEqual(vocabulary().encodeContinuation(text))
    }
  })

  it('are tokens where it ends', () => {
    const words = withDog()
    const plain = (text: string) => vocabulary().encodeContinuation(text)
    expect(words.encodeContinuation('dog')).toEqual([4095])
    expect(words.encodeContinuation('A hotdog, a dog.')).toEqual([...plain('A hotdog, a '), 4095, ...plain('.')])
    expect(words.encodePrompt('dog-dog')).toEqual([0, 4095, ...plain('-'), 4095])
    expect(textOf(words, words.encodeContinuation('dogs, dog'))).toBe('dogs, dog')
  })
})

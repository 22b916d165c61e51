import { modelError } from '../errors.js'
import { damaged } from '../files.js'
import type { JsonObject } from '../json.js'
import type { TokenizerFiles } from '../tokenizer.js'
import type { GgufHeader } from './header.js'
import { preTokenizer } from './pre-tokenizers.js'

/** `tokenizer.ggml.token_type` */
const control = 3
const userDefined = 4

/**
 * The tokenizer that the metadata of a GGUF file hold, as the files of the Hugging Face layout: byte-level BPE ("gpt2"), or SentencePiece BPE
 * ("llama", also gemma's), whose merges follow from the scores of its pieces. Throws M007, M017.
 */
export function tokenizerFilesOf({ metadata }: GgufHeader, path: string): TokenizerFiles {
  const get = (key: string) => metadata.get(`tokenizer.ggml.${key}`) ?? null
  const list = <T>(key: string): readonly T[] => {
    const value = get(key)
    return Array.isArray(value) ? (value as readonly T[]) : []
  }
  const model = get('model')
  const tokens = list<string>('tokens')
  if (tokens.length === 0) throw damaged(path, 'its metadata hold no tokens (tokenizer.ggml.tokens)')
  const types = list<number>('token_type')
  const id = (key: string) => (typeof get(key) === 'number' ? Number(get(key)) : null)
  const flag = (key: string, fallback: boolean) => (typeof get(key) === 'boolean' ? get(key) === true : fallback)
  const named = (key: string) => tokens[id(key) ?? -1] ?? null
  const architecture = String(metadata.get('general.architecture'))

  let base: { tokenizer: JsonObject; begins: boolean }
  if (model === 'gpt2') {
    const merges = list<string>('merges')
    if (merges.length === 0) throw damaged(path, 'its metadata hold no merges of tokens (tokenizer.ggml.merges)')
    base = byteLevelBpe(tokens, merges, String(get('pre') ?? unnamedRule(architecture, tokens)), path)
  } else if (model === 'llama') {
    const scores = list<number>('scores')
    if (scores.length !== tokens.length) {
      throw damaged(path, `its metadata hold ${scores.length} scores for ${tokens.length} tokens (tokenizer.ggml.scores)`)
    }
    const space = flag('add_space_prefix', true)
    base = { tokenizer: sentencePieceBpe(tokens, scores, named('unknown_token_id'), space), begins: true }
  } else {
    throw modelError(
      'M017',
      `${path}: tokenizers of the kind ${JSON.stringify(model)} are not supported`,
      `this version reads "gpt2" (byte-level BPE) and "llama" (SentencePiece BPE); a folder with the model's own tokenizer.json may work`,
    )
  }
  const begin = flag('add_bos_token', base.begins) ? named('bos_token_id') : null
  const template = metadata.get('tokenizer.chat_template')
  return {
    tokenizer: {
      version: '1.0',
      ...base.tokenizer,
      added_tokens: addedTokens(tokens, types, {
        pieces: model === 'llama',
        strips: model === 'llama' && architecture === 'phi3',
      }),
      post_processor: begin === null ? null : beginWith(begin, tokens.indexOf(begin)),
    },
    tokenizerConfig: {
      bos_token: named('bos_token_id'),
      eos_token: named('eos_token_id'),
      unk_token: named('unknown_token_id'),
      pad_token: named('padding_token_id'),
      ...(typeof template === 'string' && { chat_template: template }),
    },
    config: {},
    generationConfig: {
      eos_token_id: [id('eos_token_id'), id('eot_token_id'), id('eom_token_id'), ...endsByName(tokens, types)].filter(
        (end) => end !== null,
      ),
    },
    chatTemplate: null,
  }
}

/** Which rule cuts words in files from before there was a name for it. */
function unnamedRule(architecture: string, tokens: readonly string[]): string {
  if (architecture.startsWith('qwen')) return 'qwen2'
  return tokens.includes('<|begin_of_text|>') ? 'llama-bpe' : 'default'
}

function byteLevelBpe(tokens: readonly string[], merges: readonly string[], pre: string, path: string) {
  const scheme = preTokenizer(pre, path)
  const model = {
    type: 'BPE',
    vocab: vocabularyOf(tokens),
    // A space separates the two halves; in the halves themselves it is written otherwise.
    merges: merges.map((merge) => merge.split(' ', 2)),
    ignore_merges: scheme.ignoreMerges,
  }
  const tokenizer = {
    normalizer: scheme.normalizer,
    pre_tokenizer: { type: 'Sequence', pretokenizers: scheme.parts },
    decoder: { type: 'ByteLevel' },
    model,
  }
  return { tokenizer, begins: scheme.begins }
}

function sentencePieceBpe(
  tokens: readonly string[],
  scores: readonly number[],
  unknown: string | null,
  space: boolean,
): JsonObject {
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' }
  const vocab = vocabularyOf(tokens)
  return {
    normalizer: { type: 'Sequence', normalizers: space ? [{ type: 'Prepend', prepend: '▁' }, replace] : [replace] },
    pre_tokenizer: null,
    decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] },
    model: {
      type: 'BPE',
      vocab,
      merges: mergesByScore(tokens, scores, vocab),
      byte_fallback: true,
      fuse_unk: true,
      unk_token: unknown,
    },
  }
}

/**
 * SentencePiece merges, of all neighbours that make a piece, those that make the one with the highest score. As a list of merges: every way to
 * make a piece of two others, by the score of the piece; ways of equal score by the lengths of their halves, longer ones first.
 */
function mergesByScore(
  tokens: readonly string[],
  scores: readonly number[],
  vocab: Readonly<Record<string, number>>,
): [string, string][] {
  const ways: { left: string; right: string; score: number }[] = []
  tokens.forEach((piece, id) => {
    for (let cut = 1; cut < piece.length; cut++) {
      const left = piece.slice(0, cut)
      const right = piece.slice(cut)
      if (Object.hasOwn(vocab, left) && Object.hasOwn(vocab, right)) ways.push({ left, right, score: scores[id]! })
    }
  })
  ways.sort((a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length)
  return ways.map(({ left, right }) => [left, right])
}

/** Without a prototype, so that tokens such as "constructor" are keys like any other. */
function vocabularyOf(tokens: readonly string[]): Record<string, number> {
  const vocab: Record<string, number> = Object.create(null)
  // Where two entries are equal (padding), the first one is meant.
  for (let id = tokens.length - 1; id >= 0; id--) vocab[tokens[id]!] = id
  return vocab
}

const endNames = new Set(
  '</s> <eos> <|endoftext|> <|end_of_text|> <|im_end|> <|end|> <|eot_id|> <|eom_id|> <end_of_turn> <EOT> <｜end▁of▁sentence｜>'.split(
    ' ',
  ),
)

/** Most files name one end token, also of models that end an answer with one and a text with another: llama.cpp knows these by their names. */
function endsByName(tokens: readonly string[], types: readonly number[]): number[] {
  return types.flatMap((type, id) => (type === control && endNames.has(tokens[id] ?? '') ? [id] : []))
}

interface AddedRules {
  /** Whether tokens are SentencePiece's, in which ▁ stands for a space. */
  readonly pieces: boolean
  /** Phi-3's swallow the white space behind them, its templates' line breaks. The file does not say so; llama.cpp knows it by the model's name. */
  readonly strips: boolean
}

const keepsSpace = ['<s>', '<|endoftext|>']

function addedTokens(tokens: readonly string[], types: readonly number[], { pieces, strips }: AddedRules): JsonObject[] {
  const added: JsonObject[] = []
  types.forEach((type, id) => {
    const content = tokens[id]
    if (content === undefined || (type !== control && type !== userDefined)) return
    // Pieces that stand for spaces are made by merges, after spaces have been replaced.
    if (pieces && type === userDefined && content.includes('▁')) return
    const special = type === control
    const rstrip = strips && !keepsSpace.includes(content)
    added.push({ id, content, special, single_word: false, lstrip: false, rstrip, normalized: false })
  })
  return added
}

function beginWith(token: string, id: number): JsonObject {
  return {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [
      { SpecialToken: { id: token, type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  }
}

import { createHash } from 'node:crypto'
import { Tokenizer } from '@huggingface/tokenizers'
import { findSameTokens, heedFirstWords, heedSingleWords } from './added-tokens.js'
import { renderChat } from './chat.js'
import { modelError, reason } from './errors.js'
import { isObject, type JsonObject } from './json.js'
import type { ChatMessage, Vocabulary } from './model.js'
import { forContinuations, forPrompts, heedUnicodeSpaces } from './tokenizer-json.js'

/** The files of a model that its vocabulary is made of. */
export interface TokenizerFiles {
  readonly tokenizer: JsonObject
  readonly tokenizerConfig: JsonObject
  readonly config: JsonObject
  readonly generationConfig: JsonObject
  /** chat_template.jinja, where it is a file of its own. */
  readonly chatTemplate: string | null
}

/** The vocabulary of a Hugging Face tokenizer (byte-level BPE, or pieces with ▁ and <0xNN>). */
export class SubwordVocabulary implements Vocabulary {
  readonly identity: string
  readonly end: readonly number[]
  readonly #tokenizer: Tokenizer
  /** Cuts text that goes on from other text. */
  readonly #continuing: Tokenizer
  /** What the model expects before every prompt. */
  readonly #before: readonly number[]
  /** What it expects before an empty one. */
  readonly #alone: readonly number[]
  readonly #bytes: readonly Uint8Array[]

  /** `size`: rows of the model's output, which may be more than the tokenizer has tokens. Throws M009. */
  constructor(
    private readonly id: string,
    readonly size: number,
    private readonly files: TokenizerFiles,
  ) {
    const { tokenizer, tokenizerConfig } = files
    const prepared = forPrompts(tokenizer, id)
    const continuing = forContinuations(prepared)
    let before: number[]
    try {
      this.#tokenizer = new Tokenizer(prepared, tokenizerConfig)
      this.#continuing = continuing ? new Tokenizer(continuing, { ...tokenizerConfig, remove_space: false }) : this.#tokenizer
      for (const one of new Set([this.#tokenizer, this.#continuing])) {
        heedSingleWords(one)
        heedUnicodeSpaces(one)
        heedFirstWords(one)
      }
      if (continuing) findSameTokens(this.#continuing, this.#tokenizer)
      before = this.#tokensBefore()
    } catch (thrown) {
      throw modelError(
        'M017',
        `the tokenizer of ${id} is damaged or not supported: ${reason(thrown)}`,
        'fetch tokenizer.json again, or choose another model',
      )
    }
    const tokens = Array.from({ length: size }, (_, token) => this.#tokenizer.id_to_token(token) ?? null)
    this.identity = createHash('sha256').update(JSON.stringify(tokens)).digest('hex')
    this.end = endTokens(files, (token) => this.#tokenizer.token_to_id(token)).filter((token) => token < size)
    this.#bytes = tokenBytes(tokens, tokenizer, this.end)
    const begin = nameOf(tokenizerConfig.bos_token)
    const beginId = begin === null ? undefined : this.#tokenizer.token_to_id(begin)
    const alone = beginId ?? beginOf(files, size)
    this.#before = beginFlag(tokenizerConfig, beginId) ?? before
    this.#alone = this.#before.length > 0 || alone === undefined ? this.#before : [alone]
  }

  encodePrompt(text: string): number[] {
    return text === '' ? [...this.#alone] : [...this.#before, ...this.#encode(this.#tokenizer, text)]
  }

  encodeContinuation(text: string): number[] {
    return this.#encode(this.#continuing, text)
  }

  /** Throws M010 when the model has no chat template. */
  encodeChat(messages: readonly ChatMessage[]): number[] {
    // A template writes the begin token itself, so the post-processor must not.
    return this.#encode(this.#tokenizer, renderChat(this.id, this.files.tokenizerConfig, this.files.chatTemplate, messages))
  }

  bytes(token: number): Uint8Array {
    const bytes = this.#bytes[token]
    if (!bytes) throw new RangeError(`token ${token} is outside a vocabulary of ${this.size}`)
    return bytes
  }

  /** The tokens that the post-processor puts before a text; those behind it would end the text before it begins. */
  #tokensBefore(): number[] {
    const probe = 'a'
    const plain: number[] = this.#tokenizer.encode(probe, { add_special_tokens: false }).ids
    const full: number[] = this.#tokenizer.encode(probe, { add_special_tokens: true }).ids
    const at = full.findIndex((_, i) => plain.every((token, j) => full[i + j] === token))
    return plain.length > 0 && at > 0 ? full.slice(0, at) : []
  }

  #encode(tokenizer: Tokenizer, text: string): number[] {
    const { ids: found, tokens } = tokenizer.encode(text, { add_special_tokens: false })
    const ids = this.#spellsBytes ? this.#withBytes(tokenizer, found, tokens) : found
    for (const token of ids) {
      if (!Number.isInteger(token) || token < 0 || token >= this.size) {
        throw modelError(
          'M009',
          `the tokenizer of ${this.id} cannot cut ${JSON.stringify(text)} into tokens of the model`,
          'write the text with other characters',
        )
      }
    }
    return ids
  }

  /** Unigram models may spell by bytes what they have no piece for; the library leaves that out. */
  get #spellsBytes(): boolean {
    const { model } = this.files.tokenizer
    return isObject(model) && Array.isArray(model.vocab) && model.byte_fallback === true
  }

  #withBytes(tokenizer: Tokenizer, ids: readonly number[], pieces: readonly string[]): number[] {
    const { unk_id: unknown } = this.files.tokenizer.model as JsonObject
    return pieces.flatMap((piece, i) => {
      // An added token may be known by another text than its own: with a space before it.
      if (ids[i] !== unknown || tokenizer.token_to_id(piece) !== undefined) return [ids[i]!]
      const bytes = [...new TextEncoder().encode(piece)].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
      const spelt = bytes.map((byte) => tokenizer.token_to_id(byte))
      return spelt.every((id) => id !== undefined) ? (spelt as number[]) : [ids[i]!]
    })
  }
}

/** What `add_bos_token` says before a prompt; Hugging Face's classes of these names heed it over the post-processor. */
function beginFlag({ tokenizer_class: kind, add_bos_token: adds }: JsonObject, begin: number | undefined): number[] | null {
  if (typeof adds !== 'boolean' || !/^(Code)?(Llama|Gemma)Tokenizer/.test(String(kind))) return null
  return adds && begin !== undefined ? [begin] : []
}

/** The begin token that config.json or generation_config.json names, from which Hugging Face's `generate` starts without a prompt. */
function beginOf({ config, generationConfig }: TokenizerFiles, size: number): number | undefined {
  const named = [generationConfig.bos_token_id, config.bos_token_id]
  return named.find((token): token is number => Number.isSafeInteger(token) && Number(token) >= 0 && Number(token) < size)
}

/** A special token in tokenizer_config.json: its text, or an object with it. */
function nameOf(value: unknown): string | null {
  const name = isObject(value) ? value.content : value
  return typeof name === 'string' ? name : null
}

/** End tokens as the files name them: ids in config.json or generation_config.json, or a token in tokenizer_config.json. */
function endTokens(
  { config, generationConfig, tokenizerConfig }: TokenizerFiles,
  idOf: (token: string) => number | undefined,
): number[] {
  const found = new Set<number>()
  const add = (value: unknown) => {
    for (const token of Array.isArray(value) ? value : [value]) if (Number.isSafeInteger(token) && token >= 0) found.add(token)
  }
  const named = nameOf(tokenizerConfig.eos_token)
  // The tokenizer's own comes first: it is what the chat template and the training texts end with.
  if (named !== null) add(idOf(named))
  add(config.eos_token_id)
  add(generationConfig.eos_token_id)
  return [...found]
}

function tokenBytes(tokens: readonly (string | null)[], tokenizer: JsonObject, end: readonly number[]): Uint8Array[] {
  const silent = new Set<number>(end)
  const verbatim = new Set<number>()
  for (const added of Array.isArray(tokenizer.added_tokens) ? tokenizer.added_tokens : []) {
    if (!isObject(added) || typeof added.id !== 'number') continue
    if (added.special === true) silent.add(added.id)
    else verbatim.add(added.id)
  }
  const byteLevel = usesByteLevel(tokenizer)
  const encoder = new TextEncoder()
  const empty = new Uint8Array(0)
  return tokens.map((token, id) => {
    if (token === null || silent.has(id)) return empty
    if (verbatim.has(id)) return encoder.encode(token)
    if (byteLevel) return byteLevelBytes(token)
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)
    return byte ? Uint8Array.of(Number.parseInt(byte[1]!, 16)) : encoder.encode(token.replaceAll('▁', ' '))
  })
}

function usesByteLevel(tokenizer: JsonObject): boolean {
  const uses = (part: unknown): boolean =>
    isObject(part) &&
    (part.type === 'ByteLevel' || [part.decoders, part.pretokenizers].some((list) => Array.isArray(list) && list.some(uses)))
  return uses(tokenizer.decoder) || uses(tokenizer.pre_tokenizer)
}

/**
 * The byte that each character of a byte-level token stands for (Radford et al. 2019): printable Latin-1 bytes are themselves, the
 * other 68 are the code points from 256 on, in the order of the bytes.
 */
const byteOf = new Map<string, number>()
for (let byte = 0, next = 256; byte < 256; byte++) {
  const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  byteOf.set(String.fromCharCode(printable ? byte : next++), byte)
}

function byteLevelBytes(token: string): Uint8Array {
  const encoder = new TextEncoder()
  return Uint8Array.from([...token].flatMap((character) => byteOf.get(character) ?? [...encoder.encode(character)]))
}

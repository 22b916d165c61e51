import { modelError } from '../errors.js'
import type { JsonObject } from '../json.js'

/** How byte-level BPE cuts a text into words before it merges; `tokenizer.ggml.pre` names one of these. */
interface Scheme {
  readonly normalizer: JsonObject | null
  readonly parts: readonly JsonObject[]
  /** Whether a word that is a token is taken whole, whatever the merges say. */
  readonly ignoreMerges: boolean
  /** Whether a begin token is expected where the file does not say. */
  readonly begins: boolean
}

const byteLevel = (regex: boolean) => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: regex })
const split = (regex: string) => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false })

/** Words as GPT-4's tokenizer cuts them, with runs of `digits` digits. */
const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

/** Words as the tokenizer of GPT-4o cuts them: capitals before small letters belong together, and what is behind an apostrophe with `tails`. */
const cased = (digits: string, tails: string) => {
  const [capital, small] = ['[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]', '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]']
  const word = `[^\\r\\n\\p{L}\\p{N}]?`
  const letters = `${word}${capital}*${small}+${tails}|${word}${capital}+${small}*${tails}`
  return `${letters}|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
}

const gpt2: Scheme = { normalizer: null, parts: [byteLevel(true)], ignoreMerges: false, begins: false }
const digits: Scheme = { ...gpt2, parts: [{ type: 'Digits', individual_digits: true }, byteLevel(true)] }
const llama3: Scheme = {
  normalizer: null,
  parts: [split(words('{1,3}')), byteLevel(false)],
  ignoreMerges: true,
  begins: true,
}
const qwen2: Scheme = {
  normalizer: { type: 'NFC' },
  parts: [split(words('')), byteLevel(false)],
  ignoreMerges: false,
  begins: false,
}

const gpt4o: Scheme = {
  ...qwen2,
  normalizer: null,
  parts: [split(cased('{1,3}', "(?i:'s|'t|'re|'ve|'m|'ll|'d)?")), byteLevel(false)],
}
/** Mistral's, from NeMo on. */
const tekken: Scheme = { ...llama3, parts: [split(cased('', '')), byteLevel(false)] }

/** Names that llama.cpp's converter writes. "default" stands in files from before it wrote names, whose models were GPT-2's kin. */
const schemes: Readonly<Record<string, Scheme>> = {
  default: gpt2,
  'gpt-2': gpt2,
  gpt2,
  'phi-2': gpt2,
  mpt: { ...gpt2, normalizer: { type: 'NFC' } },
  olmo: { ...gpt2, normalizer: { type: 'NFC' } },
  smollm: digits,
  starcoder: digits,
  refact: digits,
  'command-r': digits,
  codeshell: digits,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  falcon3: llama3,
  'gpt-4o': gpt4o,
  tekken,
  dbrx: { ...llama3, ignoreMerges: false, begins: false },
  'smaug-bpe': { ...llama3, ignoreMerges: false },
  qwen2,
  'deepseek-r1-qwen': { ...qwen2, begins: true },
}

/** Throws M017 for a name that is not known. */
export function preTokenizer(name: string, path: string): Scheme {
  const scheme = Object.hasOwn(schemes, name) ? schemes[name] : undefined
  if (scheme) return scheme
  throw modelError(
    'M017',
    `${path}: the tokenizer cuts words by the rule "${name}", which is not supported`,
    `this version knows ${Object.keys(schemes).join(', ')}; a folder with the model's own tokenizer.json works with any rule`,
  )
}

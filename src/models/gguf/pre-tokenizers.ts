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

const eachDigit = { type: 'Digits', individual_digits: true }

/** Words as GPT-4's tokenizer cuts them, with runs of `digits` digits, and `signs` of no other kind. */
const words = (digits: string, signs = '[^\\s\\p{L}\\p{N}]+[\\r\\n]*') =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?${signs}|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

/** Words as the tokenizer of GPT-4o cuts them: capitals before small letters belong together, and what is behind an apostrophe with `tails`. */
const cased = (digits: string, tails: string) => {
  const [capital, small] = ['[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]', '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]']
  const word = `[^\\r\\n\\p{L}\\p{N}]?`
  const letters = `${word}${capital}*${small}+${tails}|${word}${capital}+${small}*${tails}`
  return `${letters}|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
}

/** Letters with two cases, as the tokenizer of DeepSeek LLM lists them; some that have one by now are not among them. */
const casedLetters = [
  'A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af',
  '\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481',
  '\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf',
  '\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57',
  '\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3',
  '\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124',
  '\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b',
  '\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e',
  '\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}',
  '\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\u{1e900}-\u{1e943}',
].join('')
/** Chinese, and everything between it and Hebrew; Korean. */
const eastern = split('[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+')

const gpt2: Scheme = { normalizer: null, parts: [byteLevel(true)], ignoreMerges: false, begins: false }
const digits: Scheme = { ...gpt2, parts: [eachDigit, byteLevel(true)] }
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

const deepseekLlm: Scheme = {
  ...gpt2,
  parts: [
    split('[\r\n]'),
    split(`\\s?[${casedLetters}]+`),
    split('\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+'),
    split('\\s+$'),
    eastern,
    eachDigit,
    byteLevel(false),
  ],
}
const deepseekCoder: Scheme = {
  ...gpt2,
  parts: [split('[\r\n]'), split('\\s?\\p{L}+'), split('\\s?\\p{P}+'), eastern, eachDigit, byteLevel(false)],
}
const deepseek3: Scheme = {
  ...gpt2,
  parts: [
    split('\\p{N}{1,3}'),
    split('[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+'),
    split(
      '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+',
    ),
    byteLevel(false),
  ],
}
const falcon: Scheme = {
  ...gpt2,
  parts: [
    { type: 'Punctuation', behavior: 'Contiguous' },
    byteLevel(true),
    { type: 'Digits', individual_digits: false },
    split('[0-9][0-9][0-9]'),
  ],
}
/** Line breaks do not belong to the signs before them. */
const seedCoder: Scheme = { ...gpt2, parts: [split(words('', '[^\\s\\p{L}\\p{N}\\r\\n]+')), byteLevel(false)] }
const minicpm5: Scheme = {
  ...llama3,
  parts: [split('\\p{N}{1,3}'), split(words('+')), byteLevel(false)],
  begins: false,
}
const viking: Scheme = {
  ...gpt2,
  parts: [split(' ?[^(\\s|[.,!?…。，、।۔،])]+'), eachDigit, byteLevel(false)],
}

/** Names that llama.cpp's converter writes. "default" stands in files from before it wrote names, whose models were GPT-2's kin. */
const schemes: Readonly<Record<string, Scheme>> = {
  default: gpt2,
  'gpt-2': gpt2,
  gpt2,
  'phi-2': gpt2,
  mellum: gpt2,
  trillion: gpt2,
  'granite-docling': gpt2,
  'a.x-4.0': gpt2,
  mpt: { ...gpt2, normalizer: { type: 'NFC' } },
  olmo: { ...gpt2, normalizer: { type: 'NFC' } },
  smollm: digits,
  starcoder: digits,
  refact: digits,
  'command-r': digits,
  codeshell: digits,
  'minerva-7b': digits,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  falcon3: llama3,
  pixtral: llama3,
  'midm-2.0': llama3,
  'gpt-4o': gpt4o,
  tekken,
  dbrx: { ...llama3, ignoreMerges: false, begins: false },
  'smaug-bpe': { ...llama3, ignoreMerges: false },
  qwen2,
  megrez: { ...qwen2, normalizer: null },
  'deepseek-r1-qwen': { ...qwen2, begins: true },
  'deepseek-llm': deepseekLlm,
  'deepseek-coder': deepseekCoder,
  'deepseek-v3': deepseek3,
  falcon,
  'seed-coder': seedCoder,
  minicpm5,
  viking,
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

import type { Tokenizer } from '@huggingface/tokenizers'
import { modelError } from './errors.js'
import { isObject, type JsonObject } from './json.js'

/** As `forReading`; throws M017 also for tokenizers from whose tokens no text can be written. */
export function forPrompts(tokenizer: JsonObject, id: string): JsonObject {
  const { model } = tokenizer
  const kind = isObject(model) ? (model.type ?? 'unknown') : 'unknown'
  if (kind === 'WordPiece') {
    throw modelError('M017', `the tokenizer of ${id} is of the kind WordPiece, which is not supported`, 'choose another model')
  }
  return forReading(tokenizer, id)
}

/**
 * A tokenizer.json as the library reads it rightly. Older files say `add_prefix_space` where newer ones have a scheme.
 * Throws M017 for what the library would cut otherwise than Hugging Face's own.
 */
export function forReading(tokenizer: JsonObject, id: string): JsonObject {
  for (const part of partsOf(tokenizer.pre_tokenizer, 'pretokenizers')) {
    const { type, behavior, invert } = part
    if (type !== 'Split' && type !== 'Punctuation') continue
    if (type === 'Split' && matchOf(part) === undefined) {
      throw modelError(
        'M017',
        `the tokenizer of ${id} is damaged: it splits by no pattern`,
        'fetch tokenizer.json again, or choose another model',
      )
    }
    const known = behavior === undefined ? type === 'Punctuation' : Object.hasOwn(behaviours, String(behavior))
    const plain = invert !== true || behavior === 'Isolated' || behavior === 'Removed'
    if (known && plain) continue
    throw modelError(
      'M017',
      `the tokenizer of ${id} splits with behaviour ${JSON.stringify(behavior)}, which is not supported`,
      'choose another model',
    )
  }
  return { ...tokenizer, pre_tokenizer: mapped(tokenizer.pre_tokenizer, 'pretokenizers', readRightly) }
}

/**
 * The same tokenizer for text that goes on from other text: nothing is put before it, and spaces at its ends stay. null when that is
 * no difference.
 */
export function forContinuations(tokenizer: JsonObject): JsonObject | null {
  let changed = false
  const change = (part: JsonObject, to: JsonObject | null): JsonObject | null => {
    changed = true
    return to && { ...part, ...to }
  }
  const normalizer = mapped(tokenizer.normalizer, 'normalizers', (part) =>
    part.type === 'Prepend' || part.type === 'Strip' ? change(part, null) : part,
  )
  const preTokenizer = mapped(tokenizer.pre_tokenizer, 'pretokenizers', (part) => {
    if (part.type === 'Metaspace' && part.prepend_scheme !== 'never') return change(part, { prepend_scheme: 'never' })
    if (part.type === 'ByteLevel' && part.add_prefix_space === true) return change(part, { add_prefix_space: false })
    return part
  })
  return changed ? { ...tokenizer, normalizer, pre_tokenizer: preTokenizer } : null
}

/**
 * Makes byte-level tokenizers take for white space what is so in Unicode and for Hugging Face's own: JavaScript has U+FEFF beside that, and
 * lacks U+0085.
 */
export function heedUnicodeSpaces(tokenizer: Tokenizer): void {
  for (const part of innermost(tokenizer.pre_tokenizer as Part | null)) {
    if (part.byte_encoder) part.pattern = byteLevelWords
  }
}

/** What the library makes of a pre-tokenizer. */
interface Part {
  readonly tokenizers?: readonly (Part | null)[]
  readonly byte_encoder?: object
  pattern?: RegExp
}

function innermost(part: Part | null): readonly Part[] {
  return part?.tokenizers?.flatMap(innermost) ?? (part ? [part] : [])
}

const byteLevelWords =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu

/** What becomes of the matches of a pattern, as another pattern whose matches, and what lies between them, are the words. */
const behaviours: Readonly<Record<string, (match: string) => string>> = {
  Isolated: (match) => match,
  Removed: (match) => match,
  Contiguous: (match) => `(?:${match})+`,
  MergedWithPrevious: (match) => `(?:(?!${match})[\\s\\S])*(?:${match})|(?:(?!${match})[\\s\\S])+`,
  MergedWithNext: (match) => `(?:${match})(?:(?!${match})[\\s\\S])*|(?:(?!${match})[\\s\\S])+`,
}

function split(match: string, behaviour = 'Isolated'): JsonObject {
  const pattern = { Regex: behaviours[behaviour]!(match) }
  return { type: 'Split', pattern, behavior: behaviour === 'Removed' ? 'Removed' : 'Isolated', invert: false }
}

/** The characters of words, in the brackets of a set, as Rust's regular expressions have them. */
export const letter = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'
const sign = '[\\p{P}!-/:-@\\[-`{-~]'

function readRightly(part: JsonObject): JsonObject {
  // The library takes only 0 to 9 for digits, Hugging Face's own every number of Unicode (½, Ⅷ, ٣).
  if (part.type === 'Digits') return split(part.individual_digits === true ? '\\p{N}' : '\\p{N}+')
  // It takes all signs in a row for one word, and for letters only those of English.
  if (part.type === 'Punctuation') return split(sign, part.behavior as string | undefined)
  if (part.type === 'Whitespace') return { ...split(`[${letter}]+|[^${letter}\\s]+`, 'Removed'), invert: true }
  if (part.type === 'WhitespaceSplit') return { ...split('\\S+', 'Removed'), invert: true }
  if (part.type === 'Split') return readSplit(part)
  if (part.type !== 'Metaspace' || part.prepend_scheme !== undefined) return part
  return { ...part, prepend_scheme: part.add_prefix_space === false ? 'never' : 'always' }
}

/** The library isolates whatever it does not remove, leaves out what an inverted pattern does not match, and keeps a text that is to be removed. */
function readSplit(part: JsonObject): JsonObject {
  const { pattern, behavior, invert } = part
  const match = matchOf(part)!
  const oneCharacter = isObject(pattern) && typeof pattern.String === 'string' && pattern.String.length === 1
  // As Gemma's, whose normalizer replaces every space: a text of any length is one word, and must not be walked back over.
  if (oneCharacter && behavior === 'MergedWithPrevious') return split(`(?<=${match})`)
  if (oneCharacter && behavior === 'MergedWithNext') return split(`(?=${match})`)
  return { ...split(match, String(behavior)), invert: invert === true && behavior === 'Removed' }
}

/** What a Split matches, as a regular expression; undefined where it does not say so. */
function matchOf({ pattern }: JsonObject): string | undefined {
  const { String: text, Regex } = isObject(pattern) ? pattern : {}
  if (typeof text === 'string') return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return typeof Regex === 'string' ? Regex : undefined
}

/** The parts of a normalizer or pre-tokenizer, which may be sequences of sequences. */
function* partsOf(part: unknown, list: string): Iterable<JsonObject> {
  if (!isObject(part)) return
  const inner = part[list]
  if (part.type === 'Sequence' && Array.isArray(inner)) for (const one of inner) yield* partsOf(one, list)
  else yield part
}

/** Replaces each part; null takes it away. */
function mapped(part: unknown, list: string, replace: (part: JsonObject) => JsonObject | null): unknown {
  if (!isObject(part)) return part
  const inner = part[list]
  if (part.type !== 'Sequence' || !Array.isArray(inner)) return replace(part)
  return { ...part, [list]: inner.map((one) => mapped(one, list, replace)).filter((one) => one !== null) }
}

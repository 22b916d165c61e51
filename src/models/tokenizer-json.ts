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
  const parts = [...partsOf(tokenizer.pre_tokenizer, 'pretokenizers')]
  for (const { type, behavior, pattern } of parts) {
    if (type !== 'Split' || behavior === 'Isolated' || behavior === 'Removed') continue
    // Gemma's: its normalizer has replaced every space, so nothing is split.
    if (isObject(pattern) && pattern.String === ' ') continue
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

function readRightly(part: JsonObject): JsonObject {
  // The library takes only 0 to 9 for digits, Hugging Face's own every number of Unicode (½, Ⅷ, ٣).
  if (part.type === 'Digits') {
    const pattern = { Regex: part.individual_digits === true ? '\\p{N}' : '\\p{N}+' }
    return { type: 'Split', pattern, behavior: 'Isolated', invert: false }
  }
  if (part.type !== 'Metaspace' || part.prepend_scheme !== undefined) return part
  return { ...part, prepend_scheme: part.add_prefix_space === false ? 'never' : 'always' }
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

import type { Tokenizer } from '@huggingface/tokenizers'
import { letter } from './tokenizer-json.js'

/** What the library keeps to itself of a tokenizer. */
interface Splitting {
  added_tokens_map: ReadonlyMap<string, { readonly single_word?: boolean }>
  readonly splitter_unnormalized: Splitter
  splitter_normalized: Splitter
  pre_tokenizer: ((text: string, options: { readonly section_index: number }) => string[]) | null
}

interface Splitter {
  /** Cuts a text at the added tokens in it, which become sections of their own. */
  split(text: string): string[]
}

const endsWithWord = new RegExp(`[${letter}]$`, 'u')
const startsWithWord = new RegExp(`^[${letter}]`, 'u')

/**
 * Makes a tokenizer heed `single_word`, which the library reads and passes over: such an added token is none where a character of a word
 * stands beside it. What is no token joins the text around it, as in Hugging Face's own; only where that text is empty, because other
 * added tokens stand on both sides, it is taken for the token.
 */
export function heedSingleWords(tokenizer: Tokenizer): void {
  const splitting = tokenizer as unknown as Splitting
  const { added_tokens_map: added } = splitting
  if (![...added.values()].some((token) => token.single_word === true)) return
  for (const splitter of [splitting.splitter_unnormalized, splitting.splitter_normalized]) {
    const split = splitter.split.bind(splitter)
    splitter.split = (text) => joined(text, split(text), added)
  }
}

/**
 * Makes a tokenizer that puts a space before the first word put it there only: the library takes for the first what stands behind an added token
 * too, where that is a normalised one.
 */
export function heedFirstWords(tokenizer: Tokenizer): void {
  const splitting = tokenizer as unknown as Splitting
  const { added_tokens_map: added, splitter_normalized: splitter, pre_tokenizer: cut } = splitting
  if (cut === null) return
  let first = false
  const split = splitter.split.bind(splitter)
  splitter.split = (text) => {
    const sections = split(text)
    first = !added.has(sections[0] ?? '')
    return sections
  }
  splitting.pre_tokenizer = (text, { section_index }) => {
    const index = first ? section_index : 1
    first = false
    return cut(text, { section_index: index })
  }
}

/**
 * Makes the tokenizer of texts that go on find the added tokens that the one of whole texts finds: where that one's normalizer puts a space
 * before a text, it puts it before a token that is normalised too, which then is none without that space.
 */
export function findSameTokens(continuing: Tokenizer, whole: Tokenizer): void {
  const [to, from] = [continuing, whole] as unknown as readonly [Splitting, Splitting]
  to.added_tokens_map = from.added_tokens_map
  to.splitter_normalized = from.splitter_normalized
}

function joined(text: string, sections: readonly string[], added: Splitting['added_tokens_map']): string[] {
  const result: string[] = []
  let at = 0
  let open = false
  for (const section of sections) {
    const end = at + section.length
    const token = added.get(section)
    const inside = startsWithWord.test(text.slice(end)) || endsWithWord.test(text.slice(0, at))
    const plain = !token || (token.single_word === true && inside)
    if (plain && open) result[result.length - 1] += section
    else result.push(section)
    open = plain
    at = end
  }
  return result
}

import { Tokenizer } from '@huggingface/tokenizers'
import { heedSingleWords } from '../added-tokens.js'
import { modelError, reason } from '../errors.js'
import { isObject, type JsonObject } from '../json.js'
import { forReading, heedUnicodeSpaces } from '../tokenizer-json.js'
import type { ClassifierConfig } from './config.js'

/** Texts to the tokens that a classifier reads, those of the template ([CLS], [SEP]) included. */
export class ClassifierTokens {
  /** Most tokens, those of the template included. */
  readonly window: number
  readonly pad: number
  readonly #tokenizer: Tokenizer
  /** Tokens that the template puts round a text. */
  readonly #before: readonly number[]
  readonly #after: readonly number[]

  /** Throws M017. */
  constructor(id: string, tokenizer: JsonObject, tokenizerConfig: JsonObject, config: ClassifierConfig) {
    try {
      this.#tokenizer = new Tokenizer(forReading(tokenizer, id), tokenizerConfig)
      heedSingleWords(this.#tokenizer)
      heedUnicodeSpaces(this.#tokenizer)
    } catch (thrown) {
      throw modelError(
        'M017',
        `the tokenizer of ${id} is damaged or not supported: ${reason(thrown)}`,
        'fetch tokenizer.json again, or choose another classifier',
      )
    }
    const { model_max_length: most, pad_token: pad } = tokenizerConfig
    this.window = Math.min(typeof most === 'number' && most > 0 ? most : Number.POSITIVE_INFINITY, config.positions)
    const padText = isObject(pad) ? pad.content : pad
    const padId = typeof padText === 'string' ? this.#tokenizer.token_to_id(padText) : undefined
    this.pad = config.padToken ?? padId ?? 0
    const [plain, full] = [this.#encode('a', false), this.#encode('a', true)]
    const at = full.findIndex((_, i) => plain.every((token, j) => full[i + j] === token))
    this.#before = full.slice(0, Math.max(at, 0))
    this.#after = at < 0 ? [] : full.slice(at + plain.length)
  }

  /** `cut`: the text was longer than the window, and its end is left out. */
  encode(text: string): { readonly ids: readonly number[]; readonly cut: boolean } {
    const ids = this.#encode(text, true)
    if (ids.length <= this.window) return { ids, cut: false }
    const room = Math.max(0, this.window - this.#before.length - this.#after.length)
    return { ids: [...this.#before, ...this.#encode(text, false).slice(0, room), ...this.#after], cut: true }
  }

  #encode(text: string, template: boolean): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: template }).ids
  }
}

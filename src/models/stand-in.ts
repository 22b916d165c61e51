import { createHash } from 'node:crypto'
import type { ChatMessage } from './model.js'
import type { Randomness } from './randomness.js'
import { TableModel, TableVocabulary } from './table.js'

/** The text of the end token, which adds nothing to a text. */
const end = '<end>'
/** Least share of a token, so that every text can come. */
const least = 0.15

/**
 * A table model for the place of a large one: every token may follow every other, by chances that are drawn once. Texts that its few
 * tokens cannot make are cut to what they can, so that any prompt and any observed text has a path of tokens.
 * @param tokens texts, all different; an end token is added
 * @param number tells its chances from those of other stand-ins
 */
export function standIn(id: string, tokens: readonly string[], random: Randomness, number: number): TableModel {
  const all = [...tokens, end]
  const row = (slot: number) => {
    const weights = all.map((_, draw) => least + random.uniform({ slot, generation: number, draw }, 0))
    const total = weights.reduce((a, b) => a + b, 0)
    return weights.map((weight) => weight / total)
  }
  const next = Object.fromEntries(['', ...all].map((state, slot) => [state, row(slot)]))
  const text = JSON.stringify({ tokens: all, order: 1, end, next })
  return TableModel.parse(id, text, (...given) => new AnyText(...given))
}

/** Cuts any text at all. */
class AnyText extends TableVocabulary {
  override encodePrompt(text: string): number[] {
    return this.encodeContinuation(text)
  }

  /** The tokens that occur in it, in order; one that its hash picks where none does, so that a text is not nothing. */
  override encodeContinuation(text: string): number[] {
    const ids: number[] = []
    for (let at = 0; at < text.length; ) {
      const token = this.longestFirst.find((id) => text.startsWith(this.tokens[id]!, at))
      if (token === undefined) at++
      else {
        ids.push(token)
        at += this.tokens[token]!.length
      }
    }
    if (ids.length > 0 || text === '' || this.longestFirst.length === 0) return ids
    const hash = createHash('sha256').update(text).digest()
    return [this.longestFirst[hash[0]! % this.longestFirst.length]!]
  }

  override encodeChat(messages: readonly ChatMessage[]): number[] {
    return this.encodePrompt(messages.map(({ role, content }) => `${role}: ${content}`).join('\n'))
  }
}

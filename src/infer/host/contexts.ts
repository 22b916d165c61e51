import { SmcError } from '../../diagnostics/diagnostic.js'
import type { ChatMessage, History } from '../../models/model.js'
import { Context, isRecord, type ModelValue, type Stream, Token, tokensSince, type Value, Weight } from '../values.js'
import { type Asking, answer } from './asks.js'
import { type Fail, shown } from './failure.js'
import type { operators } from './operators.js'

/** What contexts need of the particle that is running. */
export interface Streaming extends Asking {
  readonly streams: readonly Stream[]
  addStream(stream: Stream): number
}

export type Contexts = ReturnType<typeof contexts>

/** Contexts (language.md §4): streams of text that belong to a particle. Nothing here calls a model. */
export function contexts(fail: Fail, op: ReturnType<typeof operators>, running: () => Streaming) {
  /** Prompts repeat over particles and over evaluations; each is cut into tokens once and is one history. */
  const starts = new Map<ModelValue, Map<string, History>>()

  function start(model: ModelValue, key: string, encode: () => number[], site: number): History {
    let known = starts.get(model)
    if (!known) starts.set(model, (known = new Map()))
    let history = known.get(key)
    if (!history) {
      const prompt = encode()
      if (prompt.length > model.model.contextLength)
        fail(
          'R010',
          site,
          `the prompt has ${prompt.length} tokens; ${model.model.id} reads ${model.model.contextLength}`,
          'shorten the prompt, or use a model with a longer window',
        )
      history = model.model.start(prompt)
      known.set(key, history)
    }
    return history
  }

  function open(model: ModelValue, prompt: Value, options: Readonly<Record<string, Value>>, site: number): Context {
    const temperature = options.temperature === undefined ? 1 : op.number(options.temperature, site)
    if (!(temperature > 0 && temperature < Number.POSITIVE_INFINITY))
      fail('R006', site, `expected a temperature above 0, found ${temperature}`)
    const chat = options.chat === undefined ? false : options.chat
    const history = encoded(model, prompt, chat === true, site)
    return new Context(running().addStream({ model, history, start: history.length, temperature, ended: false }))
  }

  function encoded(model: ModelValue, prompt: Value, chat: boolean, site: number): History {
    const text = op.text(prompt)
    if (text !== null && !chat)
      return start(model, `text ${text}`, () => located(site, () => model.vocabulary.encodePrompt(text)), site)
    const messages = text !== null ? [{ role: 'user', content: text }] : messagesOf(prompt, site)
    if (!chat) fail('R005', site, 'a list of messages is a chat', 'write `chat: true` behind it')
    return start(
      model,
      `chat ${JSON.stringify(messages)}`,
      () => located(site, () => model.vocabulary.encodeChat(messages)),
      site,
    )
  }

  function messagesOf(prompt: Value, site: number): ChatMessage[] {
    if (!Array.isArray(prompt))
      return fail('R005', site, `expected a prompt (a String) or a list of messages, found ${shown(prompt)}`)
    return prompt.map((message) => {
      const [role, content] = isRecord(message) ? [op.text(message.role), op.text(message.content)] : [null, null]
      if (role === null || content === null)
        return fail('R005', site, `expected a message with \`role\` and \`content\`, found ${shown(message)}`)
      return { role, content }
    })
  }

  /** The tokens that a text, a token or a list of tokens adds to a stream of this model. */
  function tokensOf(model: ModelValue, value: Value, site: number): readonly number[] {
    if (typeof value === 'string') return located(site, () => model.cut(value))
    if (value instanceof Token) return [ownToken(model, value, site)]
    if (Array.isArray(value))
      return value.map((item) =>
        item instanceof Token
          ? ownToken(model, item, site)
          : fail('R005', site, `expected a list of tokens, found ${shown(item)} in it`),
      )
    return fail('R005', site, `expected a String, a Token or a list of Tokens, found ${shown(value)}`)
  }

  function ownToken(model: ModelValue, token: Token, site: number): number {
    if (token.vocabulary.identity !== model.vocabulary.identity)
      fail(
        'R009',
        site,
        `this token comes from another vocabulary than that of ${model.name}`,
        'use its text: write `"{token}"`, or let both contexts read the same tokens',
      )
    return token.id
  }

  /** Errors of a vocabulary know no place in the program: give them one. */
  function located<T>(site: number, cut: () => T): T {
    try {
      return cut()
    } catch (error) {
      if (!(error instanceof SmcError) || error.diagnostics.some((d) => d.span)) throw error
      const [d] = error.diagnostics
      return fail(d!.code, site, d!.message, d!.hint)
    }
  }

  function context(v: Value, site: number): Context {
    return v instanceof Context ? v : fail('R005', site, `expected a Context, found ${shown(v)}`)
  }

  const streamOf = (c: Context): Stream => running().streams[c.stream]!

  return {
    open,
    tokensOf,
    streamOf,
    stream: context,
    ended: (c: Context): boolean => streamOf(c).ended,
    position: (c: Context): number => streamOf(c).history.length,
    textSince(c: Context, position: number): string {
      const { model, history } = streamOf(c)
      return model.text(tokensSince(history, position))
    },
    tokensSince(c: Context, position: number): readonly Token[] {
      const { model, history } = streamOf(c)
      return tokensSince(history, position).map((id) => model.token(id))
    },
    fork: (c: Context): Context => new Context(running().addStream(streamOf(c))),
    /** Exactly what observing `value` would multiply; the stream does not move. */
    prob(c: Context, value: Value, site: number): Weight {
      const { model, history, temperature, ended } = streamOf(c)
      const tokens = tokensOf(model, value, site)
      if (tokens.length === 0) return new Weight(0)
      const endsEarly = tokens.slice(0, -1).some((id) => model.isEnd(id))
      if (ended || endsEarly || history.length + tokens.length > model.model.contextLength)
        return new Weight(Number.NEGATIVE_INFINITY)
      const key = `${history.id} ${temperature} ${tokens.join(' ')}`
      return answer(running(), { kind: 'prob', key, model, history, temperature, tokens }) as Weight
    },
    /** A stop: a text, or a regular expression. */
    stop: (v: Value, site: number): string | RegExp => {
      if (v instanceof RegExp) return v
      const text =
        op.text(v) ?? fail('R005', site, `expected a String or a regular expression after \`until\`, found ${shown(v)}`)
      return text === ''
        ? fail('R006', site, 'the empty text occurs everywhere', 'give `until` a text of one character or more')
        : text
    },
    firstMatch: (stop: string | RegExp, text: string): number =>
      typeof stop === 'string' ? text.indexOf(stop) : text.search(stop),
    spacing(v: Value, site: number): number {
      const n = op.int(v, site)
      return n >= 1 ? n : fail('R006', site, `expected 1 token or more between resampling points, found ${n}`)
    },
  }
}

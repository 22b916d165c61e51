import { SmcError } from '../../diagnostics/diagnostic.js'
import type { ChatMessage, History } from '../../models/model.js'
import { has } from '../../models/token-set.js'
import type { Datum } from '../trace.js'
import {
  Context,
  type Factor,
  isContext,
  isRecord,
  ModelValue,
  Product,
  type Stream,
  Token,
  tokensSince,
  type Value,
  Weight,
  weighted,
} from '../values.js'
import { type Asking, answer, forEvery } from './asks.js'
import { type Fail, shown } from './failure.js'
import type { operators } from './operators.js'

/** What contexts need of the particle that is running. */
export interface Streaming extends Asking {
  readonly streams: readonly Stream[]
  /** What it observes in place of the program's own values; null where it observes these. */
  readonly data: readonly Datum[] | null
  addStream(stream: Stream): number
}

export type Contexts = ReturnType<typeof contexts>

/** Where a stream starts. */
interface Start {
  readonly history: History
  readonly prompt: readonly number[]
}

/** A stream that nothing has happened to. */
const untouched = { ended: false, leaving: null, unsettled: null } as const

/** Contexts (language.md §4): streams of text that belong to a particle. Nothing here calls a model. */
export function contexts(fail: Fail, op: ReturnType<typeof operators>, running: () => Streaming) {
  /** Prompts repeat over particles and over evaluations; each is cut into tokens once and is one history. */
  const starts = new Map<ModelValue, Map<string, Start>>()

  function positive(v: Value, site: number, what: string): number {
    const n = op.int(v, site)
    return n >= 1 ? n : fail('R006', site, `expected ${what}, found ${n}`)
  }

  function start(model: ModelValue, key: string, encode: () => number[], site: number): Start {
    let known = starts.get(model)
    if (!known) starts.set(model, (known = new Map()))
    let begun = known.get(key)
    if (!begun) {
      const prompt = encode()
      if (prompt.length > model.model.contextLength)
        fail(
          'R010',
          site,
          `the prompt has ${prompt.length} tokens; ${model.model.id} reads ${model.model.contextLength}`,
          'shorten the prompt, or use a model with a longer window',
        )
      begun = { history: model.model.start(prompt), prompt }
      known.set(key, begun)
    }
    return begun
  }

  function open(model: ModelValue, prompt: Value, options: Readonly<Record<string, Value>>, site: number): Context {
    const temperature = options.temperature === undefined ? 1 : op.number(options.temperature, site)
    if (!(temperature > 0 && temperature < Number.POSITIVE_INFINITY))
      fail('R006', site, `expected a temperature above 0, found ${temperature}`)
    const chat = options.chat === undefined ? false : options.chat
    const begun = encoded(model, prompt, chat === true, site)
    return new Context(running().addStream({ model, ...begun, temperature, ...untouched }))
  }

  function encoded(model: ModelValue, prompt: Value, chat: boolean, site: number): Start {
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

  function context(v: Value, site: number): Context | Product {
    return isContext(v) ? v : fail('R005', site, `expected a Context, found ${shown(v)}`)
  }

  const streamOf = (c: Context | Product): Stream => running().streams[c.stream]!

  /** A product of powers of contexts over the same tokens; a context that stands there several times has the sum of its powers. */
  function product(factors: readonly Factor[], site: number): Product {
    const powers = new Map<number, number>()
    for (const { stream, power } of factors) powers.set(stream, (powers.get(stream) ?? 0) + power)
    const [first, ...others] = [...powers.keys()].map((stream) => running().streams[stream]!)
    for (const other of others) sameTokens(first!, other, site)
    return new Product([...powers].map(([stream, power]) => ({ stream, power })))
  }

  function sameTokens(a: Stream, b: Stream, site: number): void {
    if (a.model.vocabulary.identity === b.model.vocabulary.identity) return
    fail(
      'R009',
      site,
      `the models ${a.model.name} and ${b.model.name} read different tokens`,
      'take models with one tokenizer, or observe the text of the one on the other: `observe "{t}" ~ story`',
    )
  }

  /** A stream of its own that proposes tokens for `target`: of a model, which reads the same prompt and text, or from where a context stands. */
  function proposal(target: Context | Product, by: Value, site: number): Value {
    if (isContext(by)) {
      // A stop that it remembers would forbid tokens that the target may take: a proposal may propose too much, never too little.
      const free = (stream: number) => running().addStream({ ...running().streams[stream]!, leaving: null })
      const factors = by.factors.map(({ stream, power }) => ({ stream: free(stream), power }))
      for (const { stream } of factors) sameTokens(streamOf(target), running().streams[stream]!, site)
      return by instanceof Context ? new Context(factors[0]!.stream) : new Product(factors)
    }
    if (!(by instanceof ModelValue)) return by
    const stream = streamOf(target)
    const { prompt, history } = stream
    if (by.vocabulary.identity !== stream.model.vocabulary.identity)
      fail(
        'R009',
        site,
        `${by.name} reads other tokens than ${stream.model.name}, so it cannot propose them`,
        'take a model with the same tokenizer',
      )
    const begun = start(by, `tokens ${prompt.join()}`, () => [...prompt], site)
    const text = tokensSince(history, prompt.length)
    const at = text.reduce((h, token) => by.model.extend(h, token), begun.history)
    return new Context(running().addStream({ model: by, history: at, prompt, temperature: 1, ...untouched, ended: stream.ended }))
  }

  return {
    open,
    tokensOf,
    streamOf,
    stream: context,
    ended: (c: Context | Product): boolean => c.factors.some(({ stream }) => running().streams[stream]!.ended),
    position: (c: Context | Product): number => streamOf(c).history.length,
    textSince(c: Context | Product, position: number): string {
      const { model, history } = streamOf(c)
      return model.text(tokensSince(history, position))
    },
    tokensSince(c: Context | Product, position: number): readonly Token[] {
      const { model, history } = streamOf(c)
      return tokensSince(history, position).map((id) => model.token(id))
    },
    fork(c: Context | Product): Context | Product {
      const copies = c.factors.map(({ stream, power }) => ({ stream: running().addStream(running().streams[stream]!), power }))
      return c instanceof Context ? new Context(copies[0]!.stream) : new Product(copies)
    },
    proposal,
    sameVocabulary: (a: Context | Product, b: Context | Product, site: number): void =>
      sameTokens(streamOf(a), streamOf(b), site),
    /** a · b, a / b (`power` -1): a product of contexts. */
    times: (a: Context | Product, b: Context | Product, power: number, site: number): Product =>
      product([...a.factors, ...b.factors.map((each) => ({ ...each, power: power * each.power }))], site),
    power(c: Context | Product, exponent: Value, site: number): Product {
      const power = op.number(exponent, site)
      if (!Number.isFinite(power)) fail('R006', site, `expected a finite power, found ${power}`)
      return product(
        c.factors.map((each) => ({ ...each, power: power * each.power })),
        site,
      )
    },
    /** Exactly what observing `value` would multiply; the streams do not move. */
    prob(c: Context | Product, value: Value, site: number): Weight {
      const tokens = tokensOf(streamOf(c).model, value, site)
      if (tokens.length === 0) return new Weight(0)
      // All are asked before one is waited for.
      const parts = forEvery(c.factors, ({ stream, power }) => {
        const { model, history, temperature, ended, leaving } = running().streams[stream]!
        const endsEarly = tokens.slice(0, -1).some((id) => model.isEnd(id))
        const full = history.length + tokens.length > model.model.contextLength
        if (ended || endsEarly || full || (leaving && !has(leaving.set, tokens[0]!))) return Number.NEGATIVE_INFINITY
        const key = `${history.id} ${temperature} ${tokens.join(' ')}`
        const found = answer(running(), { kind: 'prob', key, model, history, temperature, tokens }) as Weight
        return weighted(power, found.log - (leaving?.logMass ?? 0))
      })
      return new Weight(parts.includes(Number.NEGATIVE_INFINITY) ? Number.NEGATIVE_INFINITY : parts.reduce((a, b) => a + b, 0))
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
    blockSize: (v: Value, site: number): number => positive(v, site, 'blocks of 1 token or more'),
    spacing: (v: Value, site: number): number => positive(v, site, '1 token or more between resampling points'),
  }
}

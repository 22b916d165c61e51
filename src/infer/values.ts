import type { Classifier } from '../models/classifiers/classifier.js'
import type { History, LanguageModel, Vocabulary } from '../models/model.js'
import type { TokenSet } from '../models/token-set.js'
import type { Distribution } from './distributions/distribution.js'
import { Recent } from './recent.js'

/**
 * Values of a running program. Numbers, booleans and strings are JavaScript's; a list is an array, a record an object without
 * a prototype, a regular expression a RegExp, a lambda a function; the rest are the classes here and distributions. All are
 * immutable, so particles share them.
 */
export type Value = unknown

/** A non-negative number kept in log space (language.md §3). */
export class Weight {
  constructor(readonly log: number) {}

  toNumber(): number {
    return Math.exp(this.log)
  }

  /** A number is equal when one of the two, brought to the other's scale, is; but a weight that doubles lose is neither 0 nor infinite. */
  equals(other: unknown): boolean {
    if (other instanceof Weight) return other.log === this.log
    if (typeof other !== 'number' || !(other >= 0)) return false
    const isExtreme = other === 0 || other === Number.POSITIVE_INFINITY
    return Math.log(other) === this.log || (!isExtreme && other === this.toNumber())
  }
}

/** A token of a vocabulary: a text that also has an id. */
export class Token {
  constructor(
    readonly id: number,
    readonly text: string,
    readonly end: boolean,
    readonly vocabulary: Vocabulary,
  ) {}

  equals(other: unknown): boolean {
    if (other instanceof Token) {
      return other.vocabulary.identity === this.vocabulary.identity
        ? other.id === this.id
        : other.text === this.text && other.end === this.end
    }
    return other === this.text
  }
}

/** A stream and the power of its probabilities in a product. */
export interface Factor {
  readonly stream: number
  readonly power: number
}

/** A context: the number of a stream of its particle. Copying a particle copies its streams, so the value stays plain data. */
export class Context {
  readonly factors: readonly Factor[]

  constructor(readonly stream: number) {
    this.factors = [{ stream, power: 1 }]
  }
}

/** A product of powers of contexts (language.md §4): unnormalised, and all of its streams move. */
export class Product {
  constructor(readonly factors: readonly Factor[]) {}

  /** The stream whose text is the text of the product. */
  get stream(): number {
    return this.factors[0]!.stream
  }
}

export function isContext(value: Value): value is Context | Product {
  return value instanceof Context || value instanceof Product
}

/** power · log, where the power 0 gives 1 even of 0. */
export function weighted(power: number, log: number): number {
  return power === 0 ? 0 : power * log
}

/** What is known of the token that comes next: after a stop it is one that would have left the pattern (inference.md §1 "stop mass"). */
export interface Leaving {
  readonly set: TokenSet
  /** log of the mass that was paid for the stop and is divided out by what comes next; NaN until it is settled. */
  readonly logMass: number
}

/** What a context stands for in one particle. Immutable: moving on makes a new one. */
export interface Stream {
  readonly model: ModelValue
  readonly history: History
  /** The tokens that it started with, begin token included. */
  readonly prompt: readonly number[]
  readonly temperature: number
  readonly ended: boolean
  readonly leaving: Leaving | null
  /** Where drafted tokens begin that are not weighed yet, and what was known of the first; null when there are none. */
  readonly unsettled: { readonly from: History; readonly leaving: Leaving | null } | null
}

/** Length of the prompt, begin token included. */
export function startOf(stream: Stream): number {
  return stream.prompt.length
}

/** A model of the program, with its vocabulary at hand as values. */
export class ModelValue {
  private readonly tokens = new Map<number, Token>()
  private readonly cuts = new Map<string, readonly number[]>()

  constructor(
    readonly name: string,
    readonly model: LanguageModel,
  ) {}

  get vocabulary(): Vocabulary {
    return this.model.vocabulary
  }

  isEnd(id: number): boolean {
    return this.model.vocabulary.end.includes(id)
  }

  token(id: number): Token {
    let token = this.tokens.get(id)
    if (!token) {
      token = new Token(id, decode([this.model.vocabulary.bytes(id)]), this.isEnd(id), this.model.vocabulary)
      this.tokens.set(id, token)
    }
    return token
  }

  /** A text as a continuation; remembered, because every particle observes the same few texts. */
  cut(text: string): readonly number[] {
    let tokens = this.cuts.get(text)
    if (!tokens) {
      tokens = this.model.vocabulary.encodeContinuation(text)
      if (this.cuts.size > 10_000) this.cuts.clear()
      this.cuts.set(text, tokens)
    }
    return tokens
  }

  text(tokens: readonly number[]): string {
    if (tokens.length === 1) return this.token(tokens[0]!).text
    return decode(tokens.map((id) => this.model.vocabulary.bytes(id)))
  }
}

/** Texts of which a classifier remembers what it said, and their characters together. */
const mostTexts = 20_000
const mostCharacters = 10_000_000

/** A classifier of the program, and what it has said within this run: copies of a particle ask the same again. */
export class ClassifierValue {
  readonly known = new Recent<Distribution<string>>(mostTexts, mostCharacters)

  constructor(
    readonly name: string,
    readonly classifier: Classifier,
  ) {}
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function decode(chunks: readonly Uint8Array[]): string {
  return decoder.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
}

/** Token ids from `start` on, in order. */
export function tokensSince(history: History, start: number): number[] {
  const tokens = new Array<number>(Math.max(0, history.length - start))
  let at: History | null = history
  for (let i = tokens.length - 1; i >= 0; i--) {
    tokens[i] = at!.token
    at = at!.parent
  }
  return tokens
}

export type Record_ = Readonly<Record<string, Value>>

export function isRecord(value: Value): value is Record_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) === null
}

export function record(names: readonly string[], values: readonly Value[]): Record_ {
  const result: Record<string, Value> = Object.create(null)
  names.forEach((name, i) => {
    result[name] = values[i]
  })
  return result
}

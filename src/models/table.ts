import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { drawDense, logMassOf, logWeights, urnDense } from './dense.js'
import { modelError, reason } from './errors.js'
import { isObject, type JsonObject, parseObject } from './json.js'
import type { ModelMemory } from './memory.js'
import type {
  ChatMessage,
  DrawReply,
  DrawRequest,
  Expert,
  History,
  LanguageModel,
  OutputSpace,
  Posterior,
  ScoreRequest,
  Vocabulary,
} from './model.js'
import { nextHistoryId } from './path.js'
import type { TokenUrn } from './token-urn.js'

/**
 * A Markov table (language.md §10): the next token depends on the last `order` tokens only. Exact, small, and in plain JavaScript, so
 * that a test may enumerate it.
 */
export class TableModel implements LanguageModel {
  readonly contextLength = Infinity
  readonly #rows = new Map<string, TableRow>()
  readonly #tempered = new Map<TableRow, Map<number, TableRow>>()

  /** Reads "table:FILE.json"; a relative path starts at `base`. Throws M003, M004, M012. */
  static async open(id: string, base: string): Promise<TableModel> {
    const path = resolve(base, id.slice('table:'.length))
    const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
      throw modelError('M003', `${id} cannot be read: ${reason(thrown)}`, 'the path is relative to the program')
    })
    return TableModel.parse(id, text)
  }

  /** Throws M004, M012. */
  static parse(id: string, text: string, vocabulary: MakeVocabulary = (...given) => new TableVocabulary(...given)): TableModel {
    const description = parseObject(text, id)
    return new TableModel(id, createHash('sha256').update(text).digest('hex'), description, vocabulary)
  }

  readonly output: OutputSpace
  readonly vocabulary: TableVocabulary
  readonly #order: number

  private constructor(
    readonly id: string,
    readonly hash: string,
    description: JsonObject,
    vocabulary: MakeVocabulary,
  ) {
    const { tokens, order, end, next } = description
    for (const key of Object.keys(description)) {
      if (!['tokens', 'order', 'end', 'next'].includes(key))
        throw wrong(id, `\`${key}\` is not a field of a table`, 'the fields are tokens, order, end and next')
    }
    if (!Array.isArray(tokens) || tokens.length === 0 || !tokens.every((token): token is string => typeof token === 'string')) {
      throw wrong(id, 'tokens: expected a list of strings', 'write `"tokens": ["a", "b"]`')
    }
    const twice = tokens.find((token, i) => tokens.indexOf(token) < i)
    if (twice !== undefined) throw wrong(id, `tokens: ${JSON.stringify(twice)} stands there twice`, 'remove one of them')
    if (!Number.isSafeInteger(order) || (order as number) < 0)
      throw wrong(id, `order: expected a number from 0, found ${JSON.stringify(order) ?? 'nothing'}`, 'write `"order": 1`')
    if (end !== null && (typeof end !== 'string' || !tokens.includes(end))) {
      throw wrong(
        id,
        `end: expected one of the tokens or null, found ${JSON.stringify(end) ?? 'nothing'}`,
        'name the token that ends a text, or write null',
      )
    }
    if (!isObject(next)) throw wrong(id, 'next: expected an object', 'write `"next": { "": [0.5, 0.5] }`')
    this.vocabulary = vocabulary(id, tokens, end === null ? -1 : tokens.indexOf(end))
    this.#order = order as number
    for (const [state, probabilities] of Object.entries(next))
      this.#rows.set(state, parseRow(id, state, probabilities, tokens.length))
    this.output = this.#outputSpace()
  }

  /** Probabilities in the table. */
  /** Its counts, as doubles. */
  get memory(): ModelMemory {
    return { weights: () => 8 * this.parameters, statePerToken: 0, call: () => 0, largestCall: 0 }
  }

  get parameters(): number {
    return this.#rows.size * this.vocabulary.size
  }

  start(prompt: readonly number[]): History {
    let history: TableHistory = new TableHistory(null, -1, '', [])
    for (const token of prompt) history = this.extend(history, token)
    return history
  }

  extend(history: History, token: number): TableHistory {
    const parent = history as TableHistory
    const text = this.vocabulary.tokens[token]
    if (text === undefined) throw new RangeError(`token ${token} is outside a vocabulary of ${this.vocabulary.size}`)
    const recent = this.#order === 0 ? [] : [...parent.recent, text].slice(-this.#order)
    return new TableHistory(parent, token, recent.join(''), recent)
  }

  async draw(requests: readonly DrawRequest[]): Promise<DrawReply[]> {
    return requests.map((request) => drawDense(request, this.#logs(request)))
  }

  async urns(posteriors: readonly Posterior[]): Promise<TokenUrn[]> {
    return posteriors.map((posterior) => urnDense(posterior, this.#logs(posterior)))
  }

  async measure(posteriors: readonly Posterior[]): Promise<Float64Array> {
    return Float64Array.from(posteriors, (posterior) =>
      logMassOf(logWeights(posterior, this.#logs(posterior)), posterior.leaving),
    )
  }

  async logProbs(experts: readonly Expert[]): Promise<Float64Array[]> {
    return experts.map((expert) => this.#expert(expert))
  }

  async score(requests: readonly ScoreRequest[]): Promise<Float64Array[]> {
    return requests.map(({ history, temperature, tokens }) => {
      let at = history as TableHistory
      return Float64Array.from(tokens, (token, i) => {
        if (i > 0) at = this.extend(at, tokens[i - 1]!)
        return this.#row(at, temperature).logs[token]!
      })
    })
  }

  #outputSpace(): OutputSpace {
    const numbers = new Map([...this.#rows.keys()].map((state, i) => [state, i]))
    return {
      isLogits: false,
      hiddenWidth: numbers.size,
      shiftWidth: this.vocabulary.size,
      hidden: async (histories) =>
        histories.map((history) => {
          const hidden = new Float32Array(numbers.size)
          const state = numbers.get((history as TableHistory).state)
          if (state !== undefined) hidden[state] = 1
          return hidden
        }),
      pick: async (asked) => Float64Array.from(asked, ({ shift, token }) => shift[token]!),
      rows: async (shifts) => shifts.map((shift) => Float64Array.from(shift)),
      matrix: async () => null,
      embeddings: async (tokens) =>
        tokens.map((token) => {
          const row = new Float32Array(this.vocabulary.size)
          row[token] = 1
          return row
        }),
    }
  }

  async dispose(): Promise<void> {
    this.#tempered.clear()
  }

  #logs(posterior: Posterior): Float64Array[] {
    return posterior.experts.map((expert) => this.#expert(expert))
  }

  #expert({ history, temperature, power }: Expert): Float64Array {
    const { logs } = this.#row(history as TableHistory, temperature)
    if (power === 1) return logs
    return logs.map((log) => (power === 0 ? 0 : power * log))
  }

  /** Probabilities of the next token; what an enumeration needs. Throws M013. */
  probabilities(history: History, temperature = 1): Float64Array {
    return this.#row(history as TableHistory, temperature).probabilities
  }

  #row(history: TableHistory, temperature: number): TableRow {
    const row = this.#rows.get(history.state)
    if (!row) {
      throw modelError(
        'M013',
        `${this.id} has no row for ${JSON.stringify(history.state)}, which a text has reached`,
        `add ${JSON.stringify(history.state)} to \`next\``,
      )
    }
    if (temperature === 1) return row
    let byTemperature = this.#tempered.get(row)
    if (!byTemperature) this.#tempered.set(row, (byTemperature = new Map()))
    let tempered = byTemperature.get(temperature)
    if (!tempered) byTemperature.set(temperature, (tempered = row.tempered(temperature)))
    return tempered
  }
}

class TableHistory implements History {
  readonly id = nextHistoryId()
  readonly length: number

  constructor(
    readonly parent: TableHistory | null,
    readonly token: number,
    /** The last `order` tokens, joined: the key of the row. */
    readonly state: string,
    readonly recent: readonly string[],
  ) {
    this.length = parent ? parent.length + 1 : 0
  }
}

class TableRow {
  readonly logs: Float64Array

  constructor(readonly probabilities: Float64Array) {
    this.logs = probabilities.map(Math.log)
  }

  /** p^(1/temperature), normalised; in logs, so that a low temperature does not underflow. */
  tempered(temperature: number): TableRow {
    const most = this.logs.reduce((a, b) => Math.max(a, b), -Infinity)
    return new TableRow(normalised(this.logs.map((log) => Math.exp((log - most) / temperature))))
  }
}

type MakeVocabulary = (...given: ConstructorParameters<typeof TableVocabulary>) => TableVocabulary

export class TableVocabulary implements Vocabulary {
  readonly size: number
  readonly identity: string
  readonly end: readonly number[]
  readonly #bytes: readonly Uint8Array[]
  /** Ids of tokens with a text, longest first. */
  protected readonly longestFirst: readonly number[]

  constructor(
    private readonly id: string,
    readonly tokens: readonly string[],
    end: number,
  ) {
    this.size = tokens.length
    this.identity = createHash('sha256').update(JSON.stringify(tokens)).digest('hex')
    this.end = end < 0 ? [] : [end]
    const encoder = new TextEncoder()
    this.#bytes = tokens.map((token, i) => (i === end ? new Uint8Array(0) : encoder.encode(token)))
    this.longestFirst = tokens
      .map((_, i) => i)
      .filter((i) => i !== end && tokens[i] !== '')
      .sort((a, b) => tokens[b]!.length - tokens[a]!.length)
  }

  encodePrompt(text: string): number[] {
    return this.encodeContinuation(text)
  }

  /** The longest token that fits, again and again. Throws M009. */
  encodeContinuation(text: string): number[] {
    const ids: number[] = []
    for (let at = 0; at < text.length; ) {
      const token = this.longestFirst.find((i) => text.startsWith(this.tokens[i]!, at))
      if (token === undefined) {
        throw modelError(
          'M009',
          `${this.id} has no token for ${JSON.stringify(text.slice(at))}`,
          `its tokens are ${this.longestFirst.map((i) => JSON.stringify(this.tokens[i])).join(', ')}`,
        )
      }
      ids.push(token)
      at += this.tokens[token]!.length
    }
    return ids
  }

  encodeChat(_messages: readonly ChatMessage[]): number[] {
    throw modelError('M010', `${this.id} has no chat template`, 'leave out `chat: true` and write the prompt as plain text')
  }

  bytes(token: number): Uint8Array {
    const bytes = this.#bytes[token]
    if (!bytes) throw new RangeError(`token ${token} is outside a vocabulary of ${this.size}`)
    return bytes
  }
}

function parseRow(id: string, state: string, value: unknown, size: number): TableRow {
  const place = `next[${JSON.stringify(state)}]`
  if (!Array.isArray(value) || value.length !== size) {
    const found = Array.isArray(value) ? `${value.length}` : JSON.stringify(value)
    throw wrong(
      id,
      `${place}: expected ${size} probabilities, found ${found}`,
      'write one for each token, in the order of `tokens`',
    )
  }
  for (const p of value) {
    if (typeof p !== 'number' || !(p >= 0) || p === Infinity)
      throw wrong(id, `${place}: expected probabilities, found ${JSON.stringify(p)}`, 'a probability is a number from 0 to 1')
  }
  const sum = value.reduce((total: number, p: number) => total + p, 0)
  if (Math.abs(sum - 1) > 1e-6)
    throw wrong(id, `${place}: the probabilities sum to ${Number(sum.toPrecision(9))}, expected 1`, 'divide each by their sum')
  return new TableRow(normalised(Float64Array.from(value)))
}

function normalised(weights: Float64Array): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return sum === 1 ? weights : weights.map((weight) => weight / sum)
}

function wrong(id: string, fact: string, hint: string) {
  return modelError('M012', `${id}: ${fact}`, hint)
}

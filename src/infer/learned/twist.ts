import { diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import { logAddExp } from '../../models/log-sum.js'
import type { History, OutputSpace, ServeOptions } from '../../models/model.js'
import type { ModelValue, Value } from '../values.js'
import { Token, Weight } from '../values.js'
import { type ConditionKind, FirstLayer, featuresOf, type HeadShape, headOf, type Layer, scaled, type TokenSums } from './head.js'

/** What a learned twist has been given beside its context. */
export interface Condition {
  /** Equal for equal arguments. */
  readonly key: string
  /** Texts, and numbers as features. */
  readonly parts: readonly (string | number)[]
}

/** The next token behind a history is asked about. */
export interface TwistQuestion {
  readonly model: ModelValue
  readonly history: History
  /** Tokens since the prompt. */
  readonly position: number
  readonly condition: Condition
}

/** log psi of every next token behind one history. */
export interface Guidance {
  /** g and c (head.ts) */
  readonly shift: Float32Array
  readonly level: number
  /** Whether log psi(v) = e_v · g + c. */
  readonly linear: boolean
  /** log psi of every token, where that is small or was asked for. */
  rows: Float64Array | null
  /** e_v · g of single tokens. */
  readonly values: Map<number, number>
}

/** A twist that a draw looks at: whose psi, and the stream whose next token it judges. */
export interface Guide extends TwistQuestion {
  readonly twist: LearnedTwist
  readonly stream: number
}

/** What was learned: layers for one model. */
export interface TrainedHead {
  readonly shape: HeadShape
  readonly layers: readonly Layer[]
  /** The hash of the model that the hidden states come from. */
  readonly model: string
  /** log psi of e_v · g + c: itself, or log sigmoid of it (`fudge`), which is no product with a vector: it is computed for every token. */
  readonly link: 'exp' | 'sigmoid'
  /** `proposal`: psi is known up to a factor that depends on the prefix, so it only guides draws (inference.md §3, DPG). */
  readonly role: 'twist' | 'proposal'
}

/** Conditions and tokens whose share in the first layer is remembered: of conditions mostly there is one, but they may change with the text. */
const mostStarts = 1000
const mostTokens = 1 << 14

/** What the tokens since the prompt add to the first layer. */
interface Told {
  readonly position: number
  readonly among: Float64Array
  readonly last: TokenSums | null
}

/** A `learn twist` of the program while it runs. What it has said is remembered with the history. */
export class LearnedTwist {
  private known = new WeakMap<History, Map<string, Guidance>>()
  private readonly texts = new Map<string, Float32Array>()
  /** What the first layer makes of the tokens of a history, of single tokens, and of the conditions by their key. */
  private told = new WeakMap<History, Told>()
  private readonly tokens = new Map<number, TokenSums>()
  private readonly starts = new Map<string, Float64Array>()

  constructor(
    readonly name: string,
    readonly conditions: readonly ConditionKind[],
    /** null: untrained, 1 everywhere. */
    public head: TrainedHead | null,
  ) {}

  /** From now on it says what this head says. */
  teach(head: TrainedHead): void {
    this.head = head
    this.known = new WeakMap()
    this.told = new WeakMap()
    this.tokens.clear()
    this.starts.clear()
  }

  /** The arguments after the context; throws a TypeError that says what was expected. */
  condition(args: readonly Value[]): Condition {
    const parts = this.conditions.map((kind, i) => featureOf(kind, args[i]))
    return { key: JSON.stringify(parts), parts }
  }

  find({ history, position, condition }: TwistQuestion): Guidance | undefined {
    return this.known.get(history)?.get(`${position} ${condition.key}`)
  }

  /** Computes what is not known yet, in one batch. `rows`: log psi of every token is wanted. Throws R031. */
  async prepare(questions: readonly TwistQuestion[], options: ServeOptions, rows: boolean): Promise<Guidance[]> {
    const { head } = this
    if (!head) throw new Error(`${this.name} is not trained`)
    const open = questions.filter((question) => !this.find(question))
    if (open.length > 0) await this.compute(open, head, options)
    const found = questions.map((question) => this.find(question)!)
    const linear = head.link === 'exp'
    const bare = rows || !linear ? [...new Set(found)].filter((guidance) => !guidance.rows) : []
    if (bare.length > 0) {
      const output = outputOf(this.name, questions[0]!.model)
      const logs = await output.rows(
        bare.map(({ shift }) => shift),
        options,
      )
      bare.forEach((guidance, i) => {
        guidance.rows = logs[i]!.map((x) => (linear ? x + guidance.level : -logAddExp(0, -x - guidance.level)))
      })
    }
    return found
  }

  /** log psi of one token for each question; e_v · g alone where `bare`. */
  async values(
    questions: readonly (TwistQuestion & { readonly token: number })[],
    options: ServeOptions,
    bare = false,
  ): Promise<number[]> {
    const found = await this.prepare(questions, options, false)
    const open = questions.flatMap(({ token }, i) => {
      const guidance = found[i]!
      return guidance.rows || guidance.values.has(token) ? [] : [{ guidance, token, shift: guidance.shift }]
    })
    if (open.length > 0) {
      const logs = await outputOf(this.name, questions[0]!.model).pick(open, options)
      open.forEach(({ guidance, token }, i) => {
        guidance.values.set(token, logs[i]!)
      })
    }
    return questions.map(({ token }, i) => logPsi(found[i]!, token)! - (bare ? found[i]!.level : 0))
  }

  /** What the network reads of each: x (head.ts). */
  async features(questions: readonly TwistQuestion[], options: ServeOptions): Promise<Float32Array[]> {
    const [first] = questions
    if (!first) return []
    const output = this.output(first.model)
    await this.embed(questions, options)
    const hidden = await this.hidden(questions, output, options)
    const texts = questions.map(({ history, position }) => tokensBehind(history, position))
    const embeddings = await embeddingsOf(texts.flat(), output)
    return questions.map(({ condition }, i) => {
      const tokens = texts[i]!.map((token) => embeddings.get(token)!)
      return featuresOf({ hidden: hidden[i]!, tokens, conditions: this.conditionFeatures(condition) }, output.shiftWidth)
    })
  }

  private async compute(questions: readonly TwistQuestion[], head: TrainedHead, options: ServeOptions): Promise<void> {
    const output = this.output(questions[0]!.model)
    await this.embed(questions, options)
    const hidden = await this.hidden(questions, output, options)
    const layer = new FirstLayer(head.shape, head.layers[0]!)
    await this.read(questions, layer, output)
    questions.forEach(({ history, position, condition }, i) => {
      const { among, last } = this.tell(history, position, layer)
      const sums = layer.sums(hidden[i]!, position, this.start(condition, layer), among, last)
      let known = this.known.get(history)
      if (!known) this.known.set(history, (known = new Map()))
      known.set(`${position} ${condition.key}`, {
        ...headOf(head.shape, head.layers, sums),
        linear: head.link === 'exp',
        rows: null,
        values: new Map(),
      })
    })
  }

  /** Throws R031 where the head was trained for another model. */
  private output(model: ModelValue): OutputSpace {
    const output = outputOf(this.name, model)
    if (model.model.hash === this.head!.model) return output
    throw unfit(
      `the learned twist \`${this.name}\` was trained for another model than ${model.model.id}`,
      'train it again: `smcc train PROGRAM`',
    )
  }

  private hidden(questions: readonly TwistQuestion[], output: OutputSpace, options: ServeOptions): Promise<Float32Array[]> {
    return output.hidden(
      questions.map(({ history }) => history),
      options,
    )
  }

  /** Lets the first layer read the tokens that it has not met. */
  private async read(questions: readonly TwistQuestion[], layer: FirstLayer, output: OutputSpace): Promise<void> {
    if (this.tokens.size > mostTokens) this.tokens.clear()
    const behind = questions.flatMap(({ history, position }) => this.untold(history, position).behind)
    const fresh = behind.map(({ token }) => token).filter((token) => !this.tokens.has(token))
    for (const [token, embedding] of await embeddingsOf(fresh, output)) this.tokens.set(token, layer.token(embedding))
  }

  /** Of a text that has grown by several tokens since, all that is between is told too. */
  private tell(history: History, position: number, layer: FirstLayer): Told {
    const { behind, known } = this.untold(history, position)
    let told: Told = known ?? { position: 0, among: layer.nothing(), last: null }
    for (const each of behind) {
      const last = this.tokens.get(each.token)!
      const { among } = told
      told = { position: told.position + 1, among: among.map((sum, o) => sum + last.among[o]!), last }
      this.told.set(each, told)
    }
    return told
  }

  /** Histories whose tokens have not been told yet, the shortest first, and what is known of the one before them; null at the prompt. */
  private untold(history: History, position: number): { readonly behind: readonly History[]; readonly known: Told | null } {
    const behind: History[] = []
    let at = history
    for (let left = position; left > 0; left--, at = at.parent!) {
      const known = this.told.get(at)
      if (known?.position === left) return { behind: behind.reverse(), known }
      behind.push(at)
    }
    return { behind: behind.reverse(), known: null }
  }

  /** Texts become the model's hidden state behind them, as prompts; the empty text where there is no begin token becomes zeros. */
  private async embed(questions: readonly TwistQuestion[], options: ServeOptions): Promise<void> {
    const { model } = questions[0]!
    const texts = new Set(questions.flatMap(({ condition }) => condition.parts.filter((part) => typeof part === 'string')))
    const fresh = [...texts].filter((text) => !this.texts.has(text))
    if (fresh.length === 0) return
    const output = outputOf(this.name, model)
    const prompts = fresh.map((text) => model.vocabulary.encodePrompt(text).slice(-model.model.contextLength))
    const histories = prompts.filter((prompt) => prompt.length > 0).map((prompt) => model.model.start(prompt))
    const hidden = await output.hidden(histories, options)
    let at = 0
    fresh.forEach((text, i) => {
      this.texts.set(text, prompts[i]!.length > 0 ? scaled(hidden[at++]!).slice() : new Float32Array(output.hiddenWidth))
    })
  }

  private start(condition: Condition, layer: FirstLayer): Float64Array {
    const { key } = condition
    let start = this.starts.get(key)
    if (this.starts.size > mostStarts) this.starts.clear()
    if (!start) this.starts.set(key, (start = layer.start(this.conditionFeatures(condition))))
    return start
  }

  private conditionFeatures({ parts }: Condition): Float32Array {
    const lists = parts.map((part) => (typeof part === 'string' ? this.texts.get(part)! : [part]))
    return Float32Array.from(lists.flatMap((list) => [...list]))
  }
}

/** The last so many tokens of a history. */
function tokensBehind(history: History, count: number): number[] {
  const tokens: number[] = []
  for (let at = history; tokens.length < count; at = at.parent!) tokens.push(at.token)
  return tokens.reverse()
}

/** `scaled` */
async function embeddingsOf(tokens: readonly number[], output: OutputSpace): Promise<Map<number, Float32Array>> {
  const distinct = [...new Set(tokens)]
  const rows = await output.embeddings(distinct)
  return new Map(distinct.map((token, i) => [token, scaled(rows[i]!)]))
}

/** log psi of a token, as far as it is known. */
export function logPsi({ rows, values, level }: Guidance, token: number): number | undefined {
  if (rows) return rows[token]
  const value = values.get(token)
  return value === undefined ? undefined : value + level
}

/** Throws R031 for a model of the caller's own that has no such space. */
export function outputOf(twist: string, { model }: ModelValue) {
  const { output } = model
  if (output) return output
  throw unfit(
    `\`${twist}\` cannot be learned on ${model.id}: it does not tell its hidden states`,
    'write a twist by hand, or take another model',
  )
}

function unfit(message: string, hint: string): SmcError {
  return new SmcError(diagnostic('R031', undefined, message, { hint }))
}

function featureOf(kind: ConditionKind, value: Value): string | number {
  if (kind === 'text') {
    if (typeof value === 'string') return value
    if (value instanceof Token) return value.text
    throw new TypeError('a String')
  }
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && Number.isFinite(value)) return Math.asinh(value)
  if (value instanceof Weight) return Math.asinh(Math.max(-1000, Math.min(1000, value.log)))
  throw new TypeError('a number or a Bool')
}

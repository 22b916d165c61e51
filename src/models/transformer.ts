import { Session } from '../tensor/session.js'
import type { DecoderShape } from './architectures/shape.js'
import { type Budget, callShare } from './budget.js'
import { DeviceState } from './device-state.js'
import { DeviceTrunk } from './device-trunk.js'
import { modelError } from './errors.js'
import type { Head } from './head.js'
import { HeadQuestions, type Known, type KnownPosterior } from './head-questions.js'
import { stretches } from './jobs.js'
import { type ModelMemory, transformerMemory } from './memory.js'
import type {
  DrawReply,
  DrawRequest,
  Expert,
  History,
  LanguageModel,
  OutputSpace,
  Posterior,
  ScoreRequest,
  ServeOptions,
  Vocabulary,
} from './model.js'
import { OutputMatrix } from './output-matrix.js'
import { Path } from './path.js'
import { type AttentionState, State } from './state.js'
import type { TokenUrn } from './token-urn.js'
import type { Trunk } from './trunk.js'

/** Bytes of attention state of the prompts that are remembered, the most recent ones, whether or not a particle stands on them. */
const mostPromptBytes = 1 << 28

/** A decoder-only transformer as a language model: a trunk that reads tokens and a head that draws and scores. */
export class Transformer implements LanguageModel {
  readonly contextLength: number
  readonly output: OutputSpace
  readonly #state: AttentionState
  readonly #questions: HeadQuestions
  readonly #prompts = new Map<string, Path>()

  constructor(
    readonly id: string,
    readonly hash: string,
    readonly vocabulary: Vocabulary,
    readonly trunk: Trunk | DeviceTrunk,
    readonly head: Head,
    readonly memory: ModelMemory = transformerMemory(trunk.shape, { parameters: 0, bytes: 0 }),
    private readonly matrix: OutputMatrix = new OutputMatrix(() => Promise.reject(new Error(`the files of ${id} are not known`))),
  ) {
    this.contextLength = trunk.shape.context
    this.#state = trunk instanceof DeviceTrunk ? new DeviceState(trunk) : new State(trunk, this.memory, this.#prompts)
    this.#questions = new HeadQuestions(head, trunk.shape.vocabulary, () => this.#notFinite())
    this.output = this.#outputSpace()
  }

  get shape(): DecoderShape {
    return this.trunk.shape
  }

  /** Tokens that the trunk has run so far: a history that several particles share counts once. */
  get tokensRun(): number {
    return this.#state.tokens
  }

  /** Bytes of attention state held, prompts not counted. */
  get stateBytes(): number {
    return this.#state.bytes
  }

  /** Times that attention state of a text was dropped because a budget left no room for it. */
  get rowsDropped(): number {
    return this.#state.dropped
  }

  /** Milliseconds spent inside the tensor runtime so far, over all models of the process. */
  static get runtimeMilliseconds(): number {
    return Session.milliseconds
  }

  /** Equal prompts give the same object, and its parent is null: what follows it is its own path. Throws M014, M015. */
  start(prompt: readonly number[]): History {
    if (prompt.length === 0) {
      throw modelError('M014', `${this.id} cannot go on from an empty prompt: it has no begin token`, 'give the context a prompt')
    }
    this.#checkWindow(prompt.length)
    const key = prompt.join()
    const known = this.#prompts.get(key)
    if (known) this.#prompts.delete(key)
    const path = known ?? new Path(this, { tokens: [...prompt], keys: null, values: null }, null, prompt.at(-1)!)
    this.#prompts.set(key, path)
    this.#forgetOldPrompts()
    return path
  }

  extend(history: History, token: number): History {
    return this.#own(history).child(token)
  }

  async draw(requests: readonly DrawRequest[], options: ServeOptions): Promise<DrawReply[]> {
    return this.#questions.draw(await this.#known(requests, options), this.#mostHeadRows(options.rows, options.budget))
  }

  async urns(posteriors: readonly Posterior[], options: ServeOptions): Promise<TokenUrn[]> {
    return this.#questions.urns(await this.#known(posteriors, options), this.#mostHeadRows(options.rows, options.budget))
  }

  async measure(posteriors: readonly Posterior[], options: ServeOptions): Promise<Float64Array> {
    const known = await this.#known(posteriors, options)
    return Float64Array.from(await this.#questions.measure(known, this.#mostHeadRows(options.rows, options.budget)))
  }

  async logProbs(experts: readonly Expert[], options: ServeOptions): Promise<Float64Array[]> {
    return this.#questions.logProbs(await this.#experts(experts, options), this.#mostHeadRows(options.rows, options.budget))
  }

  async score(requests: readonly ScoreRequest[], options: ServeOptions): Promise<Float64Array[]> {
    // The path before each scored token; equal paths are one object, so equal questions are asked once.
    const asked = requests.map(({ history, tokens }) => {
      const paths = [this.#own(history)]
      for (const token of tokens.slice(0, -1)) paths.push(paths.at(-1)!.child(token))
      return paths
    })
    const needs = asked.map((paths, i) => ({ paths, keep: requests[i]!.keep ? paths.at(-1)! : paths[0]! }))
    // Those that keep come first, so that a history asked both ways is kept.
    await this.#fill([...needs.filter((_, i) => requests[i]!.keep), ...needs.filter((_, i) => !requests[i]!.keep)], options)
    // A scored position is a row of the head alone, which is cheaper than a row of the trunk.
    const scores = await this.#scorePaths(requests, asked, this.#mostHeadRows(4 * options.rows, options.budget))
    for (const paths of asked) for (const path of paths.slice(1)) if (path.parent) path.hidden = null
    return scores
  }

  /** Drops all attention state; it is computed again when a question needs it. */
  forget(): void {
    this.#state.drop()
  }

  async dispose(): Promise<void> {
    this.forget()
    await this.trunk.release()
    await this.head.release()
    await this.matrix.close()
  }

  #outputSpace(): OutputSpace {
    const { width } = this.shape
    const rows = ({ rows: most, budget }: ServeOptions) => this.#mostHeadRows(most, budget)
    return {
      isLogits: this.head.isLinear,
      hiddenWidth: width,
      shiftWidth: width,
      hidden: async (histories, options) => {
        const experts = histories.map((history) => ({ history, temperature: 1, power: 1 }))
        return (await this.#experts(experts, options)).map(({ path }) => path.hidden!)
      },
      pick: async (asked, options) => Float64Array.from(await this.#questions.pick(asked, rows(options))),
      rows: (shifts, options) => this.#questions.shiftRows(shifts, rows(options)),
      matrix: () => this.matrix.whole(),
      embeddings: (tokens) => this.matrix.rows(tokens),
    }
  }

  async #fill(needs: Parameters<AttentionState['fill']>[0], options: ServeOptions): Promise<void> {
    for (const { paths } of needs) this.#checkWindow(paths.at(-1)!.length)
    await this.#state.fill(needs, options)
  }

  /** The hidden states that posteriors ask for. */
  async #known<P extends Posterior>(posteriors: readonly P[], options: ServeOptions): Promise<(P & KnownPosterior)[]> {
    const known = await this.#experts(
      posteriors.flatMap(({ experts }) => experts),
      options,
    )
    let at = 0
    return posteriors.map((posterior) => ({ ...posterior, known: known.slice(at, (at += posterior.experts.length)) }))
  }

  async #experts(experts: readonly Expert[], options: ServeOptions): Promise<Known[]> {
    const known = experts.map(({ history, temperature, power }) => ({ path: this.#own(history), temperature, power }))
    await this.#fill(stretches(new Set(known.map(({ path }) => path))), options)
    return known
  }

  async #scorePaths(requests: readonly ScoreRequest[], asked: readonly Path[][], most: number): Promise<Float64Array[]> {
    const places: { readonly request: number; readonly position: number }[] = []
    const wanted: (Known & { readonly target: number })[] = []
    requests.forEach(({ tokens, temperature }, request) => {
      tokens.forEach((target, position) => {
        places.push({ request, position })
        wanted.push({ path: asked[request]![position]!, temperature, power: 1, target })
      })
    })
    const results = requests.map(({ tokens }) => new Float64Array(tokens.length))
    // A scored position is a row of the head alone, which is cheaper than a row of the trunk.
    const scores = await this.#questions.score(wanted, most)
    places.forEach(({ request, position }, i) => {
      results[request]![position] = scores[i]!
    })
    return results
  }

  /** Rows of one call of the head; their number changes no result. */
  #mostHeadRows(rows: number, budget: Budget | undefined): number {
    const most = Math.min(this.head.most, rows, budget ? budget.roomFor(this.#state) / callShare / this.head.bytesPerRow : rows)
    return Math.max(1, Math.floor(most))
  }

  #forgetOldPrompts(): void {
    const most = mostPromptBytes / this.memory.statePerToken
    let tokens = 0
    for (const [key, { length }] of [...this.#prompts].reverse()) {
      tokens += length
      if (tokens > most && tokens > length) this.#prompts.delete(key)
    }
  }

  #own(history: History): Path {
    if (history instanceof Path && history.owner === this) return history
    throw new TypeError('this history belongs to another model')
  }

  #checkWindow(length: number): void {
    if (length <= this.contextLength) return
    throw modelError(
      'M015',
      `a text of ${length} tokens does not fit the window of ${this.id}, which holds ${this.contextLength}`,
      'shorten the prompt or the spans, or choose a model with a longer window',
    )
  }

  #notFinite() {
    return modelError(
      'M011',
      `${this.id} gives scores that are not finite numbers`,
      'its weights are damaged or need more range than 32-bit floats have; fetch them again, or choose another model',
    )
  }
}

import { Session } from '../tensor/session.js'
import type { DecoderShape } from './architectures/shape.js'
import { DeviceState } from './device-state.js'
import { DeviceTrunk } from './device-trunk.js'
import { modelError } from './errors.js'
import type { Head, HeadDraw, HeadRow } from './head.js'
import type { DrawReply, DrawRequest, History, LanguageModel, Mask, ScoreRequest, ServeOptions, Vocabulary } from './model.js'
import { Path } from './path.js'
import { type AttentionState, State } from './state.js'
import type { Trunk } from './trunk.js'

/** Bytes of attention state of the prompts that are remembered, the most recent ones, whether or not a particle stands on them. */
const mostPromptBytes = 1 << 28

/** A decoder-only transformer as a language model: a trunk that reads tokens and a head that draws and scores. */
export class Transformer implements LanguageModel {
  readonly contextLength: number
  readonly #state: AttentionState
  readonly #prompts = new Map<string, Path>()

  constructor(
    readonly id: string,
    readonly hash: string,
    readonly vocabulary: Vocabulary,
    readonly trunk: Trunk | DeviceTrunk,
    readonly head: Head,
  ) {
    this.contextLength = trunk.shape.context
    this.#state = trunk instanceof DeviceTrunk ? new DeviceState(trunk) : new State(trunk)
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
    const paths = requests.map((request) => this.#own(request.history))
    const needs = [...new Set(paths)].map((path) => ({ paths: [path], keep: path }))
    await this.#fill(needs, options)
    const replies = new Array<DrawReply>(requests.length)
    for (const mask of ['all', 'notEnd'] as const) await this.#drawMasked(requests, paths, mask, options.rows, replies)
    return replies
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
    const scores = await this.#scorePaths(requests, asked, options.rows)
    for (const paths of asked) for (const path of paths.slice(1)) if (path.parent) path.hidden = null
    return scores
  }

  /** Drops all attention state; it is computed again when a question needs it. */
  forget(): void {
    this.#state.drop(this.#prompts.values())
  }

  async dispose(): Promise<void> {
    this.forget()
    await this.trunk.release()
    await this.head.release()
  }

  async #fill(needs: Parameters<AttentionState['fill']>[0], options: ServeOptions): Promise<void> {
    for (const { paths } of needs) this.#checkWindow(paths.at(-1)!.length)
    await this.#state.fill(needs, options.rows, () => options.live())
  }

  async #drawMasked(
    requests: readonly DrawRequest[],
    paths: readonly Path[],
    mask: Mask,
    batch: number,
    replies: DrawReply[],
  ): Promise<void> {
    const distinct = new Map<string, { row: HeadRow; asked: number[] }>()
    requests.forEach((request, i) => {
      if (request.mask !== mask) return
      const { temperature } = request
      const key = `${paths[i]!.id} ${temperature}`
      const known = distinct.get(key)
      if (known) known.asked.push(i)
      else distinct.set(key, { row: { hidden: paths[i]!.hidden!, temperature }, asked: [i] })
    })
    const all = [...distinct.values()]
    const most = Math.min(this.head.mostRows, Math.max(1, batch))
    for (let at = 0; at < all.length; at += most) {
      const chunk = all.slice(at, at + most)
      const draws: HeadDraw[] = []
      const places: number[] = []
      chunk.forEach(({ asked }, row) => {
        for (const i of asked) {
          const { random, key } = requests[i]!
          draws.push({ row, first: random.uniform(key, 0), second: random.uniform(key, 1) })
          places.push(i)
        }
      })
      const drawn = await this.head.draw(
        chunk.map(({ row }) => row),
        draws,
        mask === 'notEnd',
      )
      if (!drawn) throw this.#notFinite()
      drawn.forEach((reply, k) => {
        replies[places[k]!] = reply
      })
    }
  }

  async #scorePaths(requests: readonly ScoreRequest[], asked: readonly Path[][], batch: number): Promise<Float64Array[]> {
    const distinct = new Map<string, { row: HeadRow; target: number; places: { request: number; position: number }[] }>()
    requests.forEach(({ tokens, temperature }, request) => {
      tokens.forEach((target, position) => {
        const path = asked[request]![position]!
        const key = `${path.id} ${target} ${temperature}`
        const known = distinct.get(key)
        if (known) known.places.push({ request, position })
        else distinct.set(key, { row: { hidden: path.hidden!, temperature }, target, places: [{ request, position }] })
      })
    })
    const results = requests.map(({ tokens }) => new Float64Array(tokens.length))
    const all = [...distinct.values()]
    // A scored position is a row of the head alone, which is cheaper than a row of the trunk.
    const most = Math.min(this.head.mostRows, Math.max(1, 4 * batch))
    for (let at = 0; at < all.length; at += most) {
      const chunk = all.slice(at, at + most)
      const scores = await this.head.score(
        chunk.map(({ row }) => row),
        chunk.map(({ target }) => target),
      )
      if (!scores) throw this.#notFinite()
      chunk.forEach(({ places }, i) => {
        for (const { request, position } of places) results[request]![position] = scores[i]!
      })
    }
    return results
  }

  #forgetOldPrompts(): void {
    const { layers, keyValueHeads, headWidth } = this.shape
    const most = mostPromptBytes / (8 * layers * keyValueHeads * headWidth)
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

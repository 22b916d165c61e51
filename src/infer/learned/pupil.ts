import { logWeights } from '../../models/dense.js'
import type { History, ServeOptions } from '../../models/model.js'
import { has, intersection, type TokenSet } from '../../models/token-set.js'
import type { Particle } from '../particle.js'
import { byModel } from '../questions.js'
import { type FitRows, impossible } from './fit.js'
import { type Lesson, lessonsOf } from './lesson.js'
import type { Sequence } from './losses.js'
import type { LearnedTwist } from './twist.js'

/** What stands before a next token: computed once, for the trunk is frozen. */
export interface State {
  readonly lesson: Lesson
  features: Float32Array
  /** log g (fit.ts) */
  vector: Float32Array
  mask: Float32Array
}

/** The draws of one particle that one twist learns from. */
export interface Path {
  /** Equal for paths of the same draws. */
  readonly key: string
  /** log of the whole weight of the particle; -Infinity when it has died. */
  readonly final: number
  readonly draws: readonly { readonly state: State; readonly token: number; readonly before: number; readonly after: number }[]
}

const none = new Float32Array(0)
/** Words of a mask that are told apart: those of a vocabulary whose tokens are tried one by one. */
const mostWords = 16

/** Numbers for histories: the same for the same tokens, also where these are two objects. */
export class Texts {
  private readonly numbers = new Map<string, number>()
  private readonly known = new WeakMap<History, number>()

  number(history: History): number {
    let number = this.known.get(history)
    if (number !== undefined) return number
    // A long text has more parents than calls may stand inside one another.
    const open: History[] = []
    for (let at: History | null = history; at && !this.known.has(at); at = at.parent) open.push(at)
    for (const each of open.reverse()) {
      const { parent, token, id } = each
      const key = parent ? `${this.known.get(parent)} ${token}` : `start ${each.length === 0 ? '' : id}`
      number = this.numbers.get(key)
      if (number === undefined) this.numbers.set(key, (number = this.numbers.size))
      this.known.set(each, number)
    }
    return number!
  }
}

/** Where every token is tried, what may be drawn may hang on more than the text: on other values of the program. */
function sets({ within, allowed }: Lesson['posterior']): string {
  return [within, allowed].map((set) => (set && set.words.length <= mostWords ? set.words.join('.') : '')).join()
}

/** The paths of a population for one twist, with all that the network reads. */
export async function pathsOf(
  twist: LearnedTwist,
  particles: readonly Particle[],
  texts: Texts,
  options: ServeOptions,
): Promise<Path[]> {
  const states = new Map<string, State>()
  const paths = particles.map(({ logw, lesson: last }): Path => {
    const lessons = lessonsOf(last).filter(({ guide }) => guide.twist === twist)
    let key = ''
    const draws = lessons.map((lesson) => {
      const { guide, posterior, token, before, after } = lesson
      const experts = posterior.experts.map(
        ({ model, history, temperature, power }) => `${model.id} ${texts.number(history)} ${temperature} ${power}`,
      )
      const asked = `${guide.model.name} ${texts.number(guide.history)} ${guide.position} ${guide.condition.key} ${experts.join()} ${sets(posterior)}`
      key = `${asked} ${token}`
      let state = states.get(asked)
      if (!state) states.set(asked, (state = { lesson, features: none, vector: none, mask: none }))
      return { state, token, before, after }
    })
    return { key: `${key} ${draws.length}`, final: logw, draws }
  })
  const all = [...states.values()]
  const live = () => all.flatMap(({ lesson }) => lesson.posterior.experts.map(({ history }) => history))
  await fill(twist, all, { ...options, live })
  return paths
}

async function fill(twist: LearnedTwist, states: readonly State[], options: ServeOptions): Promise<void> {
  for (const group of byModel(states, ({ lesson }) => lesson.guide.model.model).values()) {
    const guides = group.map(({ lesson }) => lesson.guide)
    const features = await twist.features(guides, options)
    group.forEach((state, i) => {
      state.features = features[i]!
    })
  }
  const { scale, shift } = twist.head!.shape
  const lines = states.filter(({ lesson }) => isLine(lesson))
  await fillLines(lines, scale, options)
  const zero = new Float32Array(shift + 1)
  const rest = states.filter(({ lesson }) => !isLine(lesson))
  await fillRows(rest, options)
  for (const state of rest) state.vector = zero
}

/** Whether g is made of factors of the model that the twist speaks through, whose logits are a product with E. */
function isLine({ guide, posterior }: Lesson): boolean {
  const { model } = guide.model
  return model.output?.isLogits === true && posterior.experts.every((expert) => expert.model === model)
}

/** sum_i power_i (E h_i / temperature_i - log of its total): a vector, and a number that any one token tells. */
async function fillLines(states: readonly State[], scale: number, options: ServeOptions): Promise<void> {
  const asked = states.flatMap((state) => state.lesson.posterior.experts.map((expert) => ({ ...expert, state })))
  for (const [model, group] of byModel(asked, (expert) => expert.model)) {
    const output = model.output!
    const hidden = await output.hidden(
      group.map(({ history }) => history),
      options,
    )
    const token = ({ state }: (typeof group)[number]) => state.lesson.token
    const scores = await model.score(
      group.map((each) => ({ history: each.history, temperature: each.temperature, tokens: [token(each)], keep: false })),
      options,
    )
    const shifts = group.map(({ temperature, power }, i) => hidden[i]!.map((h) => (power * h) / temperature))
    const logits = await output.pick(
      group.map((each, i) => ({ shift: shifts[i]!, token: token(each) })),
      options,
    )
    group.forEach(({ state, power }, i) => {
      const width = shifts[i]!.length
      if (state.vector.length === 0) state.vector = new Float32Array(width + 1)
      shifts[i]!.forEach((h, k) => {
        state.vector[k]! += h / scale
      })
      state.vector[width]! += power * scores[i]![0]! - logits[i]!
    })
  }
  const masks = new Map<TokenSet | null, Float32Array>()
  for (const state of states) {
    const { within, allowed } = state.lesson.posterior
    const { size } = state.lesson.guide.model.vocabulary
    const set = intersection(within, allowed)
    let mask = masks.get(set)
    if (!mask) masks.set(set, (mask = Float32Array.from({ length: size }, (_, v) => (set && !has(set, v) ? impossible : 0))))
    state.mask = mask
  }
}

/** Any other g, as a row of its own. */
async function fillRows(states: readonly State[], options: ServeOptions): Promise<void> {
  const experts = states.flatMap(({ lesson }, at) => lesson.posterior.experts.map((expert) => ({ ...expert, at })))
  const logs = states.map((): Float64Array[] => [])
  for (const [model, group] of byModel(experts, (expert) => expert.model)) {
    const rows = await model.logProbs(group, options)
    rows.forEach((row, i) => {
      logs[group[i]!.at]!.push(row)
    })
  }
  states.forEach((state, i) => {
    const { within, allowed } = state.lesson.posterior
    const g = logWeights({ within, potential: null }, logs[i]!)
    state.mask = Float32Array.from(g, (log, v) =>
      log === Number.NEGATIVE_INFINITY || (allowed && !has(allowed, v)) ? impossible : log,
    )
  })
}

/** Equal paths are one, with the weights of all: after resampling many particles are copies. */
export function merged(paths: readonly Path[], weights: Float64Array): { readonly path: Path; readonly weight: number }[] {
  const groups = new Map<string, { path: Path; weight: number }>()
  paths.forEach((path, i) => {
    const known = groups.get(path.key)
    if (known) known.weight += weights[i]!
    else groups.set(path.key, { path, weight: weights[i]! })
  })
  return [...groups.values()]
}

/** Rows of the network for some paths: each state with each of its tokens once. */
export class Rows implements FitRows {
  readonly features: Float32Array[] = []
  readonly vectors: Float32Array[] = []
  readonly masks: Float32Array[] = []
  readonly tokens: number[] = []
  private readonly known = new Map<State, Map<number, number>>()

  sequence(path: Path, weight: number): Sequence {
    const draws = path.draws.map(({ state, token, before, after }) => ({ row: this.row(state, token), before, after }))
    return { weight, final: path.final, draws }
  }

  private row(state: State, token: number): number {
    let tokens = this.known.get(state)
    if (!tokens) this.known.set(state, (tokens = new Map()))
    let row = tokens.get(token)
    if (row === undefined) {
      row = this.tokens.push(token) - 1
      this.features.push(state.features)
      this.vectors.push(state.vector)
      this.masks.push(state.mask)
      tokens.set(token, row)
    }
    return row
  }
}

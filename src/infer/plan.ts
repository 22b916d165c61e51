import type { Expert, LanguageModel, Posterior } from '../models/model.js'
import type { DrawKey } from '../models/randomness.js'
import { complement, intersection, type TokenSet, withoutEnd } from '../models/token-set.js'
import type { PatternState } from '../patterns/pattern.js'
import { forcedToken } from './forced.js'
import type { Guidance, Guide } from './learned/twist.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import { type Factor, weighted } from './values.js'

/** What one particle draws its next token from. */
export interface Plan {
  readonly p: Particle
  readonly key: DrawKey
  /** The factors that are drawn from: the proposal's, or the target's. */
  readonly drawn: readonly Factor[]
  readonly model: LanguageModel
  /** Of every factor, in order. */
  readonly experts: readonly (Expert & { readonly model: LanguageModel })[]
  readonly within: TokenSet | null
  /** The tokens that may be drawn. */
  readonly allowed: TokenSet | null
  /** The tokens that end the pattern; null where it cannot end here. */
  readonly leaving: TokenSet | null
  /** log of what earlier stops have paid and this token divides out. */
  readonly offset: number
  readonly pattern: PatternState | null
  /** What the learned twist says that is looked at. */
  readonly guidance: Guidance | null
  /** What an exact sample has drawn here, a token or `stopped`; undefined where chance decides. */
  readonly forced: number | undefined
}

/** Of a particle that waits to draw. */
export function planOfDraw(p: Particle, machine: Machine): Plan {
  const { node } = p.step
  if (node.op !== 'Draw') throw new Error(`a ${node.op} does not draw`)
  const { target, proposal, draw } = p.request!
  const drawn = proposal ?? target
  const streams = (factors: readonly Factor[]) => factors.map(({ stream }) => p.streams[stream]!)
  const experts = expertsOf(p, drawn)
  const { model } = experts[0]!
  const { vocabulary } = model
  const pattern = node.pattern && (p.frame.slots[node.pattern.state] as PatternState)
  const { lookahead } = machine.options
  const within = [...streams(target), ...streams(proposal ?? [])].reduce<TokenSet | null>(
    (set, { leaving }) => intersection(set, leaving?.set ?? null),
    null,
  )
  const end = node.fused?.notEnd ? withoutEnd(vocabulary) : null
  return {
    p,
    key: { slot: p.slot, generation: machine.generation, draw },
    drawn,
    model,
    experts,
    within,
    allowed: lookahead && pattern ? intersection(pattern.allowed, end) : end,
    leaving: pattern?.accepting ? complement(pattern.allowed, vocabulary.size) : null,
    offset: proposal
      ? 0
      : -drawn.reduce((sum, { stream, power }) => sum + weighted(power, p.streams[stream]!.leaving?.logMass ?? 0), 0),
    pattern,
    guidance: guideOf(p, machine)?.twist.find(p.request!.guide!) ?? null,
    forced: p.forced ? forcedToken(p, vocabulary.size) : undefined,
  }
}

/** What a draw is guided by: a trained twist over the tokens that the target itself draws. */
export function guideOf(p: Particle, { options: { lookahead, twist } }: Machine): Guide | null {
  const { guide, target, proposal } = p.request!
  if (!guide?.twist.head || proposal || !lookahead || !twist) return null
  const { model } = p.streams[target[0]!.stream]!.model
  return guide.model.model === model && target.some(({ stream }) => stream === guide.stream) ? guide : null
}

/** Of a particle whose proposal drew a stop: it asks for the mass that its target gives to what it has stopped at. */
export function planOfStop(p: Particle, machine: Machine): Plan {
  const drawn = p.request!.target
  const experts = expertsOf(p, drawn)
  const { leaving } = p.streams[drawn[0]!.stream]!
  const { model } = experts[0]!
  const key = { slot: p.slot, generation: machine.generation, draw: -1 }
  const none = { within: null, allowed: null, pattern: null, forced: undefined, guidance: null }
  return { p, key, drawn, model, experts, ...none, leaving: leaving!.set, offset: 0 }
}

/** What is drawn from, all factors in it. */
export function posteriorOf({ p, experts, within, allowed, leaving, guidance }: Plan, machine: Machine): Posterior {
  const node = p.step.node
  const stops = leaving !== null && machine.options.lookahead && node.op === 'Draw'
  const shift = guidance?.linear ? guidance.shift : null
  return { experts, potential: null, within, allowed, lookahead: null, shift, leaving, stop: stops ? 0 : null }
}

export function isWhere({ p }: Plan): boolean {
  return p.step.node.op === 'Draw' && p.step.node.fused?.where === true
}

function expertsOf(p: Particle, factors: readonly Factor[]): Plan['experts'] {
  return factors.map(({ stream, power }) => {
    const { model, history, temperature } = p.streams[stream]!
    return { model: model.model, history, temperature, power }
  })
}

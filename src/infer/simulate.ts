import { type LanguageModel, nothing, type ServeOptions } from '../models/model.js'
import type { Randomness } from '../models/randomness.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import { byModel, placed } from './questions.js'

/**
 * Texts drawn in place of observed ones (inference.md §2 "simulate"): as many tokens as the observed text has, each from the model as it is.
 * An end token before the last kills, as it does where it is observed.
 */
export async function drawTexts(
  particles: readonly Particle[],
  machine: Machine,
  random: Randomness,
  options: ServeOptions,
): Promise<void> {
  const drawn = new Map<Particle, number[]>(particles.map((p) => [p, []]))
  for (let open = [...particles]; open.length > 0; ) {
    for (const [model, group] of byModel(open, modelOf)) await drawOne(model, group, drawn)
    open = open.filter((p) => p.status !== 'dead' && drawn.get(p)!.length < p.request!.tokens.length)
  }
  for (const p of particles) {
    if (p.status === 'dead') continue
    const { model } = streamOf(p)
    const { tokens: own } = p.request!
    p.request = null
    p.status = 'running'
    p.note({ span: p.step.span, value: drawn.get(p)!, own, shown: model.text(drawn.get(p)!) })
    machine.goOn(p, p.step.next)
  }

  async function drawOne(model: LanguageModel, group: readonly Particle[], drawn: Map<Particle, number[]>): Promise<void> {
    const requests = group.map((p) => {
      const { history, temperature, leaving } = streamOf(p)
      const key = { slot: p.slot, generation: machine.generation, draw: p.request!.draw + drawn.get(p)!.length }
      return {
        experts: [{ history, temperature, power: 1 }],
        potential: null,
        within: leaving?.set ?? null,
        allowed: null,
        lookahead: null,
        shift: null,
        leaving: null,
        stop: null,
        random,
        key,
      }
    })
    const replies = await placed(requests, group, (some) => model.draw(some, options))
    replies.forEach(({ token }, i) => {
      const p = group[i]!
      if (token === nothing || streamOf(p).ended) {
        machine.kill(p)
        return
      }
      drawn.get(p)!.push(token)
      machine.move(p, p.request!.target, [token])
    })
  }
}

function streamOf(p: Particle) {
  return p.streams[p.request!.target[0]!.stream]!
}

function modelOf(p: Particle): LanguageModel {
  return streamOf(p).model.model
}

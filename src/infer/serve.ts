import { diagnostic } from '../diagnostics/diagnostic.js'
import type { History, LanguageModel, ScoreRequest, ServeOptions } from '../models/model.js'
import type { Randomness } from '../models/randomness.js'
import { judge } from './classifiers.js'
import { Draws } from './draws.js'
import type { Externs } from './externs.js'
import type { Ask } from './host/asks.js'
import { runError } from './host/failure.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import { byModel, placed } from './questions.js'
import { drawTexts } from './simulate.js'
import { type Leaving, tokensSince, Weight, weighted } from './values.js'

/** Tokens to score on one stream. */
interface Part {
  readonly model: LanguageModel
  readonly history: History
  readonly temperature: number
  readonly power: number
  readonly tokens: readonly number[]
  readonly leaving: Leaving | null
}

/**
 * Serves whatever particles wait for, in one batch a model and kind, whatever lines they stand on (architecture.md "the wavefront"):
 * draws of tokens, scores of texts, `prob` in expressions, classifiers, extern functions.
 */
export class Server {
  /** Tokens drawn so far, over all particles. */
  tokens = 0
  private readonly draws: Draws

  constructor(
    private readonly machine: Machine,
    private readonly random: Randomness,
    private readonly externs: Externs,
    private readonly options: ServeOptions,
  ) {
    this.draws = new Draws(machine, random, options, (particles) => this.answer(particles))
  }

  async serve(particles: readonly Particle[]): Promise<void> {
    const drawing = particles.filter((p) => p.status === 'drawing')
    await this.draws.serve(drawing)
    this.tokens += drawing.reduce((count, p) => count + (p.status === 'dead' ? 0 : 1), 0)
    for (let waiting = particles.filter((p) => p.status === 'scoring'); waiting.length > 0; ) {
      await this.score(waiting)
      waiting = waiting.filter((p) => p.status === 'scoring')
    }
    const simulating = particles.filter((p) => p.status === 'simulating')
    if (simulating.length > 0) await drawTexts(simulating, this.machine, this.random, this.options)
    await this.settle(particles.filter((p) => p.status === 'settling'))
    await this.answer(particles.filter((p) => p.status === 'asking'))
  }

  /** Calls of `where` for candidates that rejection has tried. */
  get evaluations(): number {
    return this.draws.evaluations
  }

  private async score(particles: readonly Particle[]): Promise<void> {
    const logs = await this.logProbs(
      particles.map((p) => ({
        p,
        parts: p.request!.target.map(({ stream, power }) => {
          const { model, history, temperature, leaving } = p.streams[stream]!
          return { model: model.model, history, temperature, power, tokens: p.request!.tokens, leaving }
        }),
      })),
    )
    particles.forEach((p, i) => {
      const { target, tokens, later } = p.request!
      p.status = 'running'
      p.request = null
      if (!this.machine.weigh(p, logs[i]!)) return
      this.machine.move(p, target, tokens)
      if (p.step.op === 'Score') p.observed++
      if (later.length === 0) this.machine.goOn(p, p.step.next)
      else if (target.some(({ stream }) => p.streams[stream]!.ended)) this.machine.kill(p)
      else {
        p.request = { target: later[0]!, proposal: null, beside: [], tokens, draw: -1, later: later.slice(1) }
        p.status = 'scoring'
      }
    })
  }

  /** What the target's own models think of the tokens that a proposal has drawn, and of a stop behind them. */
  private async settle(particles: readonly Particle[]): Promise<void> {
    const logs = await this.logProbs(
      particles.map((p) => ({
        p,
        parts: p.request!.target.flatMap(({ stream, power }) => {
          const { model, history, temperature, unsettled } = p.streams[stream]!
          if (!unsettled) return []
          const tokens = tokensSince(history, unsettled.from.length)
          return [{ model: model.model, history: unsettled.from, temperature, power, tokens, leaving: unsettled.leaving }]
        }),
      })),
    )
    const hasStopped = (p: Particle) =>
      p.request!.target.some(({ stream }) => Number.isNaN(p.streams[stream]!.leaving?.logMass ?? 0))
    const masses = await this.draws.stopMasses(particles.filter(hasStopped))
    particles.forEach((p, i) => {
      const { target } = p.request!
      const mass = masses.get(p)
      const bearer = Math.max(
        0,
        target.findIndex(({ power }) => power !== 0),
      )
      target.forEach(({ stream, power }, k) => {
        const before = p.streams[stream]!
        const logMass = mass === undefined || k !== bearer ? 0 : mass / (power || 1)
        const leaving = mass === undefined || !before.leaving ? before.leaving : { ...before.leaving, logMass }
        p.moveStream(stream, { ...before, leaving, unsettled: null })
      })
      p.status = 'running'
      p.request = null
      if (this.machine.weigh(p, logs[i]! + (mass ?? 0))) this.machine.goOn(p, p.step.next)
    })
  }

  /** For each particle, the sum of power · log p of the parts' tokens; a part that has stopped divides out what it paid. */
  private async logProbs(asked: readonly { readonly p: Particle; readonly parts: readonly Part[] }[]): Promise<Float64Array> {
    const totals = new Float64Array(asked.length)
    const zero = new Set<number>()
    const flat = asked.flatMap(({ p, parts }, index) => parts.map((part) => ({ p, index, part })))
    for (const { index, part } of flat) totals[index]! -= weighted(part.power, part.leaving?.logMass ?? 0)
    const scored = flat.filter(({ part }) => part.tokens.length > 0)
    for (const [model, group] of byModel(scored, ({ part }) => part.model)) {
      const requests = group.map(({ part: { history, temperature, tokens } }): ScoreRequest => {
        return { history, temperature, tokens, keep: true }
      })
      const particles = group.map(({ p }) => p)
      const replies = await placed(requests, particles, (some) => model.score(some, this.options))
      replies.forEach((logs, i) => {
        const { index, part } = group[i]!
        const log = weighted(part.power, sum(logs))
        if (log === Number.NEGATIVE_INFINITY) zero.add(index)
        else totals[index]! += log
      })
    }
    // A factor of 0 makes a product 0, whatever the others are.
    for (const index of zero) totals[index] = Number.NEGATIVE_INFINITY
    return totals
  }

  async answer(particles: readonly Particle[]): Promise<void> {
    const asked = particles.flatMap((p) => p.asks.map((ask) => ({ p, ask })))
    const probs = asked.filter(({ ask }) => ask.kind === 'prob')
    for (const [model, group] of byModel(probs, ({ ask }) => (ask.kind === 'prob' ? ask.model.model : (undefined as never)))) {
      const requests = group.map(({ ask }): ScoreRequest => {
        if (ask.kind !== 'prob') throw new Error('not a question to a model')
        return { history: ask.history, temperature: ask.temperature, tokens: ask.tokens, keep: false }
      })
      const asking = group.map(({ p }) => p)
      const replies = await placed(requests, asking, (some) => model.score(some, this.options))
      replies.forEach((logProbs, i) => {
        const { p, ask } = group[i]!
        remember(p, ask.key, new Weight(sum(logProbs)))
      })
    }
    const calls = asked.flatMap(({ p, ask }) => (ask.kind === 'extern' ? [{ p, ask }] : []))
    for (const index of new Set(calls.map(({ ask }) => ask.extern))) {
      const group = calls.filter(({ ask }) => ask.extern === index)
      const values = await this.externs.call(
        index,
        group.map(({ ask }) => ask),
      )
      values.forEach((value, i) => {
        remember(group[i]!.p, group[i]!.ask.key, value)
      })
    }
    await this.consult(asked)
    await this.classify(asked)
    for (const p of particles) {
      if (p.asks.length === 0) throw runError(diagnostic('R008', p.step.span, 'this expression waits for nothing'))
      p.asks = []
      p.status = 'running'
    }
  }

  /** What learned twists think of a token. */
  private async consult(asked: readonly { readonly p: Particle; readonly ask: Ask }[]): Promise<void> {
    const questions = asked.flatMap(({ p, ask }) => (ask.kind === 'learned' ? [{ p, ask }] : []))
    for (const twist of new Set(questions.map(({ ask }) => ask.twist))) {
      const group = questions.filter(({ ask }) => ask.twist === twist)
      for (const some of byModel(group, ({ ask }) => ask.model.model).values()) {
        const asks = some.map(({ ask }) => ask)
        const particles = some.map(({ p }) => p)
        const logs = await placed(asks, particles, (part) => twist.values(part, this.options))
        logs.forEach((log, i) => {
          remember(some[i]!.p, some[i]!.ask.key, new Weight(log))
        })
      }
    }
  }

  private async classify(asked: readonly { readonly p: Particle; readonly ask: Ask }[]): Promise<void> {
    const calls = asked.flatMap(({ p, ask }) => (ask.kind === 'classify' ? [{ p, ask }] : []))
    for (const classifier of new Set(calls.map(({ ask }) => ask.classifier))) {
      const group = calls.filter(({ ask }) => ask.classifier === classifier)
      const questions = group.map(({ ask }) => ({ text: ask.text, span: this.machine.placeOf(ask.site) }))
      const answers = await judge(classifier, questions, this.options.rows, ({ span }) => {
        const message = `\`${classifier.name}\` reads ${classifier.classifier.window} tokens: it judges longer texts by their beginning`
        this.machine.warnFull(span, message, 'give it a part of the text, or use a classifier with a longer window')
      })
      answers.forEach((answer, i) => {
        remember(group[i]!.p, group[i]!.ask.key, answer)
      })
    }
  }
}

function remember(p: Particle, key: string, value: unknown): void {
  p.answers ??= new Map()
  p.answers.set(key, value)
}

function sum(numbers: Float64Array): number {
  let total = 0
  for (const x of numbers) total += x
  return total
}

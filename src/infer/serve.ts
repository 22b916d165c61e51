import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { DrawRequest, LanguageModel, ScoreRequest, ServeOptions } from '../models/model.js'
import type { Randomness } from '../models/randomness.js'
import { judge } from './classifiers.js'
import type { Externs } from './externs.js'
import type { Ask } from './host/asks.js'
import { runError } from './host/failure.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import { type Stream, Weight } from './values.js'

/**
 * Serves whatever particles wait for, in one batch a model and kind, whatever lines they stand on (architecture.md "the wavefront"):
 * draws of tokens, scores of texts, `prob` in expressions, classifiers, extern functions.
 */
export class Server {
  /** Tokens drawn so far, over all particles. */
  tokens = 0

  constructor(
    private readonly machine: Machine,
    private readonly random: Randomness,
    private readonly externs: Externs,
    private readonly options: ServeOptions,
  ) {}

  async serve(particles: readonly Particle[]): Promise<void> {
    await this.draw(particles.filter((p) => p.status === 'drawing'))
    await this.score(particles.filter((p) => p.status === 'scoring'))
    await this.answer(particles.filter((p) => p.status === 'asking'))
  }

  private async draw(particles: readonly Particle[]): Promise<void> {
    for (const [model, group] of byModel(particles, (p) => streamOf(p).model.model)) {
      const requests = group.map((p): DrawRequest => {
        const { history, temperature } = streamOf(p)
        const mask = p.step.node.op === 'Draw' ? p.step.node.mask : 'all'
        return {
          history,
          temperature,
          mask,
          random: this.random,
          key: { slot: p.slot, generation: this.machine.generation, draw: p.request!.draw },
        }
      })
      const replies = await placed(requests, group, (some) => model.draw(some, this.options))
      replies.forEach(({ token, logMass }, i) => {
        const p = group[i]!
        p.status = 'running'
        if (token < 0 || !this.machine.weigh(p, logMass)) {
          if (p.logw > Number.NEGATIVE_INFINITY) this.machine.kill(p)
          return
        }
        this.tokens++
        const { stream } = p.request!
        p.set(p.step.set, p.streams[stream]!.model.token(token))
        this.machine.move(p, stream, [token])
      })
    }
  }

  private async score(particles: readonly Particle[]): Promise<void> {
    for (const [model, group] of byModel(particles, (p) => streamOf(p).model.model)) {
      const requests = group.map((p): ScoreRequest => {
        const { history, temperature } = streamOf(p)
        return { history, temperature, tokens: p.request!.tokens, keep: true }
      })
      const replies = await placed(requests, group, (some) => model.score(some, this.options))
      replies.forEach((logProbs, i) => {
        const p = group[i]!
        p.status = 'running'
        if (this.machine.weigh(p, sum(logProbs))) this.machine.move(p, p.request!.stream, p.request!.tokens)
      })
    }
  }

  private async answer(particles: readonly Particle[]): Promise<void> {
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
    await this.classify(asked)
    for (const p of particles) {
      if (p.asks.length === 0) throw runError(diagnostic('R008', p.step.span, 'this expression waits for nothing'))
      p.asks = []
      p.status = 'running'
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

/**
 * What a model answers to a batch. Its errors know no place in the program: they get that of the particle whose request fails alone.
 */
async function placed<Request, Reply>(
  requests: readonly Request[],
  particles: readonly Particle[],
  ask: (requests: readonly Request[]) => Promise<Reply[]>,
): Promise<Reply[]> {
  try {
    return await ask(requests)
  } catch (error) {
    if (!(error instanceof SmcError) || error.diagnostics.some((d) => d.span)) throw error
    for (const [i, request] of requests.entries()) {
      try {
        await ask([request])
      } catch {
        const { span } = particles[i]!.step
        throw new SmcError(
          error.diagnostics.map((d) => ({ ...d, span })),
          error.blame,
        )
      }
    }
    throw error
  }
}

function streamOf(p: Particle): Stream {
  return p.streams[p.request!.stream]!
}

function remember(p: Particle, key: string, value: unknown): void {
  p.answers ??= new Map()
  p.answers.set(key, value)
}

function byModel<T>(items: readonly T[], modelOf: (item: T) => LanguageModel): Map<LanguageModel, T[]> {
  const groups = new Map<LanguageModel, T[]>()
  for (const item of items) {
    const model = modelOf(item)
    const group = groups.get(model)
    if (group) group.push(item)
    else groups.set(model, [item])
  }
  return groups
}

function sum(numbers: Float64Array): number {
  let total = 0
  for (const x of numbers) total += x
  return total
}

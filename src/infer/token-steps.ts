import { diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import { has } from '../models/token-set.js'
import { isDistribution } from './distributions/distribution.js'
import { equal } from './equality.js'
import { runError, shown } from './host/failure.js'
import type { Host } from './host/host.js'
import { plain } from './host/members.js'
import type { Guide } from './learned/twist.js'
import type { Step } from './link.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import { type Datum, NoData } from './trace.js'
import { type Context, type Factor, isContext, type Product, type Value } from './values.js'

/** What a draw asks besides its target. */
interface Beside {
  readonly proposal: readonly Factor[] | null
  /** Streams that only move along. */
  readonly moved: readonly Factor[]
  /** Contexts on which the token is observed. */
  readonly observed: readonly Value[]
}

/** The steps of a particle that ask models about tokens: what they ask is left with the particle (`request`), and `serve.ts` answers it. */
export class TokenSteps {
  constructor(
    private readonly machine: Machine,
    private readonly host: Host,
  ) {}

  /** Asks the models for the next token of a stream, or of a product; observed contexts are further factors. */
  draw(p: Particle, step: Step, from: Context | Product, { proposal, moved, observed }: Beside): void {
    const { lookahead, twist, records } = this.machine.options
    const guide = step.guide && ((lookahead && twist) || records) ? (this.machine.evaluate(p, step.guide) as Guide) : null
    const target = [...from.factors]
    const later: (readonly Factor[])[] = []
    for (const other of observed) {
      if (!isContext(other))
        throw runError(diagnostic('R005', step.span, `expected a context after \`~\`, found ${shown(other)}`))
      this.host.sameVocabulary(from, other, this.host.siteOf(step.span))
      // A stream that has moved past the token sees it a second time: that is another question.
      const again = later.length > 0 || other.factors.some(({ stream }) => target.some((each) => each.stream === stream))
      if (again) later.push(other.factors)
      else target.push(...other.factors)
    }
    const besides = step.beside && this.machine.evaluate(p, step.beside)
    const beside = [...(isContext(besides) ? besides.factors : []), ...moved]
    const room = [...target, ...(proposal ?? []), ...beside].every(({ stream }) => this.hasRoom(p, step, stream, 1))
    if (!room) return
    if (target.some(({ stream }) => p.streams[stream]!.ended)) {
      this.machine.kill(p)
      return
    }
    p.request = { target, proposal, beside, tokens: [], draw: p.draws++, later, guide }
    p.status = 'drawing'
  }

  /** Weighs a value by its density, or a text by the models: that waits for them. A `Force` moves the streams and weighs nothing. */
  score(p: Particle, step: Step): void {
    const { simulate } = this.machine.options
    const datum = step.op === 'Score' && p.data && !simulate ? datumOf(p, step.span) : null
    const own = this.machine.evaluate(p, step.value!)
    const value = datum ? datum.value : own
    const from = this.machine.evaluate(p, step.from!)
    if (isContext(from)) {
      const first = p.streams[from.stream]!
      const site = this.host.siteOf(step.span)
      if (datum && !this.host.isShown(step.span)) requireOwn(datum, this.host.tokensOf(first.model, own, site))
      const tokens = datum ? (value as readonly number[]) : this.host.tokensOf(first.model, own, site)
      if (simulate && step.op === 'Score' && tokens.length > 0) {
        this.simulate(p, step, from, tokens)
        return
      }
      if (tokens.length === 0) {
        if (step.op === 'Score') {
          if (simulate) p.note({ span: step.span, value: tokens, own: tokens, shown: '' })
          p.observed++
        }
        this.machine.goOn(p, step.next)
        return
      }
      const streams = from.factors.map(({ stream }) => p.streams[stream]!)
      const endsEarly = tokens.slice(0, -1).some((id) => first.model.isEnd(id))
      const cannotCome = step.op === 'Score' && streams.some(({ leaving }) => leaving && !has(leaving.set, tokens[0]!))
      if (streams.some(({ ended }) => ended) || endsEarly || cannotCome) this.machine.kill(p)
      else if (from.factors.every(({ stream }) => this.hasRoom(p, step, stream, tokens.length))) {
        if (step.op === 'Force') {
          this.machine.move(p, from.factors, tokens)
          this.machine.goOn(p, step.next)
        } else {
          p.request = { target: from.factors, proposal: null, beside: [], tokens, draw: -1, later: [] }
          p.status = 'scoring'
        }
      }
      return
    }
    if (!isDistribution(from))
      throw runError(diagnostic('R005', step.span, `expected a distribution or a context after \`~\`, found ${shown(from)}`))
    if (datum && !this.host.isShown(step.span)) requireOwn(datum, own)
    if (simulate) {
      const drawn = this.machine.sample(p, from)
      p.note({ span: step.span, value: drawn, own, shown: drawn })
      this.machine.goOn(p, step.next)
      return
    }
    p.observed++
    if (this.machine.weigh(p, from.logProb(plain(value)))) this.machine.goOn(p, step.next)
  }

  /** Asks for a text of as many tokens as the observed one has (`simulate.ts`). */
  private simulate(p: Particle, step: Step, { factors }: Context | Product, tokens: readonly number[]): void {
    if (factors.length > 1 || factors[0]!.power !== 1)
      throw new NoData(step.span, 'a text is observed on a product of contexts, from which none can be drawn')
    if (p.streams[factors[0]!.stream]!.ended) this.machine.kill(p)
    else if (this.hasRoom(p, step, factors[0]!.stream, tokens.length)) {
      p.request = { target: factors, proposal: null, beside: [], tokens, draw: p.draws, later: [] }
      p.draws += tokens.length
      p.status = 'simulating'
    }
  }

  /** Whether drafted tokens wait to be weighed. */
  settle(p: Particle, step: Step): void {
    const from = this.machine.evaluate(p, step.value!)
    const waits = isContext(from) && from.factors.some(({ stream }) => p.streams[stream]!.unsettled !== null)
    if (!waits) {
      this.machine.goOn(p, step.next)
      return
    }
    p.request = { target: from.factors, proposal: null, beside: [], tokens: [], draw: -1, later: [] }
    p.status = 'settling'
  }

  private hasRoom(p: Particle, step: Step, index: number, tokens: number): boolean {
    const { model, history } = p.streams[index]!
    if (history.length + tokens <= model.model.contextLength) return true
    const message = `the window of ${model.model.id} is full: it reads ${model.model.contextLength} tokens, prompt included; particles that need more have weight 0`
    this.machine.warnFull(step.span, message, 'ask for fewer tokens, shorten the prompt, or use a model with a longer window')
    this.machine.kill(p)
    return false
  }
}

/** What a program observes is no data where it depends on what it has drawn. */
function requireOwn({ span, own }: Datum, found: Value): void {
  if (!equal(own, found)) throw new NoData(span, 'this observed value is not the same in every run')
}

/** What is observed here in place of the program's own value. */
function datumOf(p: Particle, span: Span): Datum {
  const datum = p.data![p.observed]
  if (datum?.span === span) return datum
  throw new NoData(span, 'runs do not all observe the same')
}

import { type Diagnostic, diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { Randomness } from '../models/randomness.js'
import { Deaths } from './deaths.js'
import { type Distribution, isDistribution, OutcomeError } from './distributions/distribution.js'
import { waiting } from './host/asks.js'
import { runError, shown } from './host/failure.js'
import type { Host } from './host/host.js'
import type { Evaluate, Step } from './link.js'
import { callFrom, type Particle } from './particle.js'
import { TokenSteps } from './token-steps.js'
import { RisingWeight } from './trace.js'
import { Trials } from './trial.js'
import { drawValue } from './value-draws.js'
import { type Factor, isContext, type Stream, type Value } from './values.js'

/**
 * log psi is kept above this: a twist that kills would change the target (inference.md §1). Small beside any honest twist, exact when
 * divided out; `resamplingLaw` sees to it that such a particle can still be picked.
 */
export const TWIST_FLOOR = -1000

/** Calls with effects that may stand inside one another. */
const DEEPEST_CALL = 10_000

/** Steps that one particle may take between two meetings before it is taken not to stop. */
const MOST_STEPS = 50_000_000
/** Longest stretch, in ms, that one particle runs before the executor looks round: Ctrl-C works in a loop that never ends. */
const LONGEST_STRETCH = 40
/** Steps between two looks at the clock. */
const STEPS_A_LOOK = 64

/** Rounding of a factor that is 1. */
const mostRise = 1e-5

export interface MachineOptions {
  /** Whether draws look ahead where the vocabulary is small. */
  readonly lookahead: boolean
  /** Importance sampling passes every point. */
  readonly points: boolean
  readonly twist: boolean
  /** Whether twists advise against what they mean: the self-test tries that they change no target. */
  readonly contrary?: boolean
  /** Whether particles remember what learned twists may learn from. */
  readonly records?: boolean
  /** Whether particles keep what they draw. */
  readonly record: boolean
  /** Whether everything is drawn from the target itself, and proposals only move along (`exact.ts`). */
  readonly direct: boolean
  /** Whether observed values are drawn in place of those of the program. */
  readonly simulate: boolean
  /** Whether no weight may rise: an exact sample is accepted with the probability of its weight. */
  readonly capped: boolean
}

/**
 * Runs one particle until it needs a model, stands at a resampling point, or is done: the effects of the nodes (graph/ir.ts) on its
 * weight, its frame and its streams. Questions to models are left with the particle (`status`); `serve.ts` answers them.
 */
export class Machine {
  readonly deaths = new Deaths()
  readonly warnings = new Map<string, Diagnostic>()
  /** Resampling points that the population has passed. */
  generation = 0
  /** Whether it runs a copy that may come to nothing: what dies then is not told of. */
  trying = false
  private readonly tokens: TokenSteps
  readonly trials = new Trials(this)
  private streamsBefore: readonly Stream[] = []
  /** Steps of the present particle since it last waited. */
  private steps = 0

  constructor(
    private readonly host: Host,
    private readonly random: Randomness,
    readonly options: MachineOptions,
  ) {
    this.tokens = new TokenSteps(this, host)
  }

  advance(p: Particle): void {
    this.steps = 0
    this.goFurther(p)
  }

  /** As `advance`, which may return with the particle still running: it has had its stretch of time. */
  goFurther(p: Particle): void {
    p.status = 'running'
    this.host.enter(p)
    let until = 0 // set at the first look at the clock: most stretches end before
    try {
      while (p.status === 'running') {
        if (++this.steps > MOST_STEPS)
          throw runError(
            diagnostic(
              'R012',
              p.step.span,
              `this particle has taken ${MOST_STEPS} steps and has met neither a point nor a model`,
              {
                hint: 'give the loop a condition that it meets, or a `break`',
              },
            ),
          )
        if (this.steps % STEPS_A_LOOK === 0 || this.host.looped()) {
          const now = performance.now()
          until ||= now + LONGEST_STRETCH
          if (now > until) return
        }
        this.step(p)
      }
    } catch (thrown) {
      if (thrown !== waiting) throw this.located(thrown, p)
      this.abandon(p)
      p.status = 'asking'
    }
  }

  /** Takes back what a step did whose expression has to wait: contexts that it opened. */
  abandon(p: Particle): void {
    p.streams = this.streamsBefore
  }

  /** What expressions belong to from now on. */
  enter(p: Particle): void {
    this.host.enter(p)
  }

  /** Takes one step; throws `waiting` where an expression has to wait. */
  step(p: Particle): void {
    const { step } = p
    this.streamsBefore = p.streams
    switch (step.op) {
      case 'Host':
        p.set(step.set, this.evaluate(p, step.value!))
        this.goOn(p, step.next)
        return
      case 'Branch':
        this.goOn(p, this.evaluate(p, step.value!) === true ? step.next : step.otherwise)
        return
      case 'Draw':
        this.draw(p, step)
        return
      case 'Score':
      case 'Force':
        this.tokens.score(p, step)
        return
      case 'Settle':
        this.tokens.settle(p, step)
        return
      case 'Weigh': {
        const value = this.evaluate(p, step.value!)
        const log =
          step.node.op === 'Weigh' && step.node.kind !== 'factor'
            ? value === true
              ? 0
              : Number.NEGATIVE_INFINITY
            : (value as number)
        if (this.weigh(p, log)) this.goOn(p, step.next)
        return
      }
      case 'Twist':
        if (this.options.twist) this.twist(p, step)
        this.goOn(p, step.next)
        return
      case 'Untwist':
        this.untwist(p, step)
        this.goOn(p, step.next)
        return
      case 'Point':
        this.point(p, step)
        return
      case 'Call':
        this.call(p, step)
        return
      case 'Return':
        this.return(p, step)
        return
      default:
        throw new Error(`a ${step.op} cannot run`)
    }
  }

  evaluate(p: Particle, code: Evaluate): Value {
    return code(p.frame.slots)
  }

  goOn(p: Particle, next: Step): void {
    p.step = next
    p.answers = null
  }

  /** logw += log; false when that kills. */
  weigh(p: Particle, log: number): boolean {
    if (Number.isNaN(log)) throw runError(diagnostic('R001', p.step.span, 'this weight is not a number (NaN)'))
    if (log === Number.POSITIVE_INFINITY)
      throw runError(
        diagnostic('R002', p.step.span, 'this weight is infinite', {
          hint: 'a density can be infinite at the edge of its support: observe a value inside it',
        }),
      )
    if (this.options.capped && log > mostRise) throw new RisingWeight(p.step.span, log)
    const before = p.logw
    p.logw += log
    if (p.logw > p.bar) return true
    this.kill(p, before)
    return false
  }

  /** `before`: the log weight that it had, to tell which of the dead had the best text. */
  kill(p: Particle, before = p.logw): void {
    if (!this.trying) this.deaths.note(p, before, this.generation)
    p.logw = Number.NEGATIVE_INFINITY
    p.status = 'dead'
    p.answers = null
  }

  private draw(p: Particle, step: Step): void {
    const from = this.evaluate(p, step.value!)
    const proposed = step.proposal && this.evaluate(p, step.proposal)
    const by = this.options.direct ? null : proposed
    if (isContext(from)) {
      const observed = step.observed.map((code) => this.evaluate(p, code))
      const moved = this.options.direct && isContext(proposed) ? proposed.factors : []
      this.tokens.draw(p, step, from, { proposal: isContext(by) ? by.factors : null, moved, observed })
      return
    }
    const proposal = by ?? from
    if (!isDistribution(from) || !isDistribution(proposal)) {
      const wrong = isDistribution(from) ? proposal : from
      throw runError(diagnostic('R005', step.span, `expected a distribution or a context after \`~\`, found ${shown(wrong)}`))
    }
    drawValue(this, p, from, proposal)
  }

  sample(p: Particle, from: Pick<Distribution, 'sample'>): Value {
    return from.sample(this.random, { slot: p.slot, generation: this.generation, draw: p.draws++ })
  }

  /** The streams go on behind these tokens. */
  move(p: Particle, factors: readonly Factor[], tokens: readonly number[]): void {
    for (const { stream: index } of factors) {
      const stream = p.streams[index]!
      const { model } = stream.model
      const history = tokens.reduce((h, id) => model.extend(h, id), stream.history)
      p.moveStream(index, { ...stream, history, leaving: null, ended: stream.model.isEnd(tokens[tokens.length - 1]!) })
    }
  }

  /** Once a place. */
  warnFull(span: Span | undefined, message: string, hint: string): void {
    const key = `R013 ${span?.start}`
    if (!this.warnings.has(key)) this.warnings.set(key, diagnostic('R013', span, message, { severity: 'warning', hint }))
  }

  private twist(p: Particle, step: Step): void {
    const told = Math.max(this.evaluate(p, step.value!) as number, TWIST_FLOOR)
    const log = this.options.contrary ? Math.max(1 - 2 * told, TWIST_FLOOR) : told
    const id = (step.node as { id: number }).id
    const frame = p.ownFrame()
    frame.pending ??= new Map()
    const before = frame.pending.get(id) ?? 0
    frame.pending.set(id, log)
    this.weigh(p, log - before)
  }

  private untwist(p: Particle, step: Step): void {
    if (!p.frame.pending) return
    const { pending } = p.ownFrame()
    for (const id of (step.node as { ids: readonly number[] }).ids) {
      const log = pending!.get(id)
      if (log === undefined) continue
      pending!.delete(id)
      this.weigh(p, -log)
    }
  }

  private point(p: Particle, step: Step): void {
    const stands = this.options.points && !p.passed && (step.value === null || this.evaluate(p, step.value) === true)
    if (stands) {
      p.status = 'atPoint'
      p.passed = true
      return
    }
    p.passed = false
    this.goOn(p, step.next)
  }

  private call(p: Particle, step: Step): void {
    const values = step.args.map((arg) => (arg ? this.evaluate(p, arg) : undefined))
    if (p.frame.depth >= DEEPEST_CALL)
      throw runError(
        diagnostic(
          'R012',
          step.span,
          `\`${step.callee!.name}\` calls itself too deeply: ${DEEPEST_CALL} calls stand inside one another`,
          {
            hint: 'give the recursion an end, or write a loop',
          },
        ),
      )
    p.frame = p.newFrame(step.callee!, p.frame, step)
    values.forEach((value, i) => {
      p.frame.slots[i] = value
    })
    this.goOn(p, step.callee!.entry)
  }

  private return(p: Particle, step: Step): void {
    const value = step.value ? this.evaluate(p, step.value) : undefined
    const { caller, call } = p.frame
    if (!caller || !call) {
      p.value = value
      p.status = 'finished'
      p.answers = null
      return
    }
    p.frame = caller
    p.set(call.set, value)
    this.goOn(p, call.next)
  }

  /** The place of an expression. */
  placeOf(site: number): Span | undefined {
    return this.host.sites[site]
  }

  /** Adds to an error which particle it was, and when; anything else that JavaScript throws becomes a diagnostic. */
  located(thrown: unknown, p: Particle): SmcError {
    const where = { message: `particle ${p.slot}, after ${this.generation} resampling point${this.generation === 1 ? '' : 's'}` }
    if (thrown instanceof SmcError)
      return new SmcError(
        thrown.diagnostics.map((d) => ({ ...d, notes: [...d.notes, ...callFrom(p, d.span), where] })),
        thrown.blame,
      )
    if (thrown instanceof OutcomeError)
      return runError(diagnostic('R024', p.step.span, thrown.message, { notes: [where], hint: thrown.hint }))
    if (thrown instanceof RangeError && /call stack/i.test(thrown.message)) {
      return runError(
        diagnostic('R012', p.step.span, 'a function calls itself too deeply', {
          notes: [where],
          hint: 'give the recursion an end, or write a loop',
        }),
      )
    }
    throw thrown
  }
}

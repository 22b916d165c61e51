import { type Diagnostic, diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { Randomness } from '../models/randomness.js'
import { Deaths } from './deaths.js'
import { isDistribution, OutcomeError } from './distributions/distribution.js'
import { waiting } from './host/asks.js'
import { runError, shown } from './host/failure.js'
import type { Host } from './host/host.js'
import { plain } from './host/members.js'
import type { Evaluate, Step } from './link.js'
import type { Particle } from './particle.js'
import { Context, type Stream, type Value } from './values.js'

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

export interface MachineOptions {
  /** Importance sampling passes every point. */
  readonly points: boolean
  readonly twist: boolean
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
  private streamsBefore: readonly Stream[] = []
  /** Steps of the present particle since it last waited. */
  private steps = 0

  constructor(
    private readonly host: Host,
    private readonly random: Randomness,
    private readonly options: MachineOptions,
  ) {}

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
      if (thrown === waiting) {
        p.streams = this.streamsBefore // contexts that the abandoned evaluation opened
        p.status = 'asking'
        return
      }
      throw this.located(thrown, p)
    }
  }

  private step(p: Particle): void {
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
        this.score(p, step)
        return
      case 'Weigh': {
        const value = this.evaluate(p, step.value!)
        const log =
          step.node.op === 'Weigh' && step.node.kind === 'require'
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

  private evaluate(p: Particle, code: Evaluate): Value {
    return code(p.frame.slots)
  }

  private goOn(p: Particle, next: Step): void {
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
    const before = p.logw
    p.logw += log
    if (p.logw > Number.NEGATIVE_INFINITY) return true
    this.kill(p, before)
    return false
  }

  /** `before`: the log weight that it had, to tell which of the dead had the best text. */
  kill(p: Particle, before = p.logw): void {
    this.deaths.note(p, before, this.generation)
    p.logw = Number.NEGATIVE_INFINITY
    p.status = 'dead'
    p.answers = null
  }

  private draw(p: Particle, step: Step): void {
    const from = this.evaluate(p, step.value!)
    if (from instanceof Context) {
      const stream = p.streams[from.stream]!
      if (stream.ended) this.kill(p)
      else if (this.hasRoom(p, step, from.stream, 1)) {
        p.request = { stream: from.stream, tokens: [], draw: p.draws++ }
        p.status = 'drawing'
      }
      return
    }
    if (!isDistribution(from))
      throw runError(diagnostic('R005', step.span, `expected a distribution or a context after \`~\`, found ${shown(from)}`))
    p.set(step.set, from.sample(this.random, { slot: p.slot, generation: this.generation, draw: p.draws++ }))
    this.goOn(p, step.next)
  }

  private score(p: Particle, step: Step): void {
    const value = this.evaluate(p, step.value!)
    const from = this.evaluate(p, step.from!)
    if (from instanceof Context) {
      const stream = p.streams[from.stream]!
      const tokens = this.host.tokensOf(stream.model, value, this.site(step))
      if (tokens.length === 0) {
        this.goOn(p, step.next)
        return
      }
      const endsEarly = tokens.slice(0, -1).some((id) => stream.model.isEnd(id))
      if (stream.ended || endsEarly) this.kill(p)
      else if (this.hasRoom(p, step, from.stream, tokens.length)) {
        if (step.op === 'Force') this.move(p, from.stream, tokens)
        else {
          p.request = { stream: from.stream, tokens, draw: -1 }
          p.status = 'scoring'
        }
      }
      return
    }
    if (!isDistribution(from))
      throw runError(diagnostic('R005', step.span, `expected a distribution or a context after \`~\`, found ${shown(from)}`))
    if (this.weigh(p, from.logProb(plain(value)))) this.goOn(p, step.next)
  }

  /** The stream goes on behind these tokens, and the particle at the next node. */
  move(p: Particle, index: number, tokens: readonly number[]): void {
    const stream = p.streams[index]!
    const { model } = stream.model
    const history = tokens.reduce((h, id) => model.extend(h, id), stream.history)
    p.moveStream(index, { ...stream, history, ended: stream.model.isEnd(tokens[tokens.length - 1]!) })
    this.goOn(p, p.step.next)
  }

  private hasRoom(p: Particle, step: Step, index: number, tokens: number): boolean {
    const { model, history } = p.streams[index]!
    if (history.length + tokens <= model.model.contextLength) return true
    const message = `the window of ${model.model.id} is full: it reads ${model.model.contextLength} tokens, prompt included; particles that need more have weight 0`
    this.warnFull(step.span, message, 'ask for fewer tokens, shorten the prompt, or use a model with a longer window')
    this.kill(p)
    return false
  }

  /** Once a place. */
  warnFull(span: Span | undefined, message: string, hint: string): void {
    const key = `R013 ${span?.start}`
    if (!this.warnings.has(key)) this.warnings.set(key, diagnostic('R013', span, message, { severity: 'warning', hint }))
  }

  private twist(p: Particle, step: Step): void {
    const log = Math.max(this.evaluate(p, step.value!) as number, TWIST_FLOOR)
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

  /** The site number of a step that is not an expression of its own. */
  private site(step: Step): number {
    return this.host.siteOf(step.span)
  }

  /** Adds to an error which particle it was, and when; anything else that JavaScript throws becomes a diagnostic. */
  private located(thrown: unknown, p: Particle): SmcError {
    const where = { message: `particle ${p.slot}, after ${this.generation} resampling point${this.generation === 1 ? '' : 's'}` }
    if (thrown instanceof SmcError)
      return new SmcError(
        thrown.diagnostics.map((d) => ({ ...d, notes: [...d.notes, where] })),
        thrown.blame,
      )
    if (thrown instanceof OutcomeError)
      return runError(diagnostic('R023', p.step.span, thrown.message, { notes: [where], hint: thrown.hint }))
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

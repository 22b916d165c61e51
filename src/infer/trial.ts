import { waiting } from './host/asks.js'
import type { Guidance } from './learned/twist.js'
import type { Step } from './link.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import type { Factor, Leaving, Value } from './values.js'

/** Steps that are looked ahead; wherever it stops is a place to go on from. */
const mostSteps = 2000

/**
 * What a particle would become if it drew this token: copies that run on without a question to a model, a meeting or a draw. They tell
 * what the token would be multiplied by, and the copy of the drawn one goes on in the particle's place.
 */
export class Trials {
  constructor(private readonly machine: Machine) {}

  /** The particle behind its draw, with this token. */
  token(p: Particle, token: number): Particle {
    const trial = this.copy(p)
    const { target, proposal, beside } = p.request!
    trial.set(p.step.set, p.streams[target[0]!.stream]!.model.token(token))
    if (proposal) this.markUnsettled(trial, target)
    this.machine.move(trial, [...target, ...(proposal ?? []), ...beside], [token])
    this.machine.goOn(trial, p.step.next)
    return trial
  }

  /** The particle behind its draw, which has stopped: its streams remember what comes next. */
  stop(p: Particle, stopped: number, leaving: (factor: Factor, index: number) => Leaving): Particle {
    const trial = this.copy(p)
    const { target, proposal, beside } = p.request!
    trial.set(stopped, true)
    if (proposal) this.markUnsettled(trial, target)
    target.forEach((factor, i) => {
      trial.moveStream(factor.stream, { ...trial.streams[factor.stream]!, leaving: leaving(factor, i) })
    })
    for (const { stream } of [...(proposal ?? []), ...beside]) {
      const { set } = leaving(target[0]!, 0)
      trial.moveStream(stream, { ...trial.streams[stream]!, leaving: { set, logMass: 0 } })
    }
    this.machine.goOn(trial, p.step.next)
    return trial
  }

  /** The particle behind its draw from a distribution, with this value. */
  value(p: Particle, value: Value): Particle {
    const trial = this.copy(p)
    trial.set(p.step.set, value)
    this.machine.goOn(trial, p.step.next)
    return trial
  }

  /** Runs on as far as nothing has to be waited for. `guidance`: a learned twist that is known. */
  walk(trial: Particle, guidance: Guidance | null = null): void {
    trial.looksAhead = true
    trial.guidance = guidance
    this.run(trial, ({ op }) => op === 'Point' || op === 'Draw' || op === 'Settle')
    trial.looksAhead = false
    trial.guidance = null
    trial.asks = []
  }

  /** Runs on through a requirement: whether it holds, or `waits` for answers that the copy has asked for. */
  meets(trial: Particle, where: Step): boolean | 'waits' {
    let passed = false
    const waits = this.run(trial, (step) => {
      if (passed) return true
      passed = step === where
      return false
    })
    if (waits) {
      trial.status = 'asking'
      return 'waits'
    }
    return trial.status !== 'dead'
  }

  private copy(p: Particle): Particle {
    const trial = p.copyTo(p.slot)
    trial.status = 'running'
    return trial
  }

  /** Until `ends` holds of the step that comes next, or nothing more can be done; true when that is because an expression has to wait. */
  private run(trial: Particle, ends: (step: Step) => boolean): boolean {
    const { machine } = this
    machine.trying = true
    machine.enter(trial)
    try {
      for (let steps = 0; steps < mostSteps && trial.status === 'running' && !ends(trial.step); steps++) {
        machine.step(trial)
        // A question to a model is not asked: the copy stands before it.
        if (trial.request) {
          trial.request = null
          trial.status = 'running'
          return false
        }
      }
      return false
    } catch (thrown) {
      if (thrown !== waiting) throw machine.located(thrown, trial)
      machine.abandon(trial)
      return true
    } finally {
      machine.trying = false
    }
  }

  private markUnsettled(trial: Particle, target: readonly Factor[]): void {
    for (const { stream } of target) {
      const before = trial.streams[stream]!
      if (before.unsettled) continue
      trial.moveStream(stream, { ...before, unsettled: { from: before.history, leaving: before.leaving } })
    }
  }
}

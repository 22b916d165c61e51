import { type Budget, MemoryError } from '../models/budget.js'
import type { History } from '../models/model.js'
import type { Randomness } from '../models/randomness.js'
import type { Externs } from './externs.js'
import { Genealogy } from './genealogy.js'
import type { Host } from './host/host.js'
import type { LinkedProgram } from './link.js'
import { Machine } from './machine.js'
import { Particle } from './particle.js'
import type { Progress, Settings, Step } from './result.js'
import { Server } from './serve.js'
import { Smc } from './smc.js'
import { Steer } from './steer.js'
import type { Strategy } from './strategy.js'
import { ess } from './weights.js'

/** How often, in ms, the event loop gets its turn: Ctrl-C and the live line come through it. */
const BREATH = 40
/** Particles between two looks at the clock. */
const BREATH_EVERY = 64

export interface ExecutorOptions {
  readonly settings: Settings
  readonly random: Randomness
  readonly host: Host
  readonly externs: Externs
  readonly budget?: Budget | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Whether it needs a model or an extern function to go on. */
function waits({ status }: Particle): boolean {
  return status === 'drawing' || status === 'scoring' || status === 'settling' || status === 'asking'
}

/** The population when a run has ended. */
export interface Population {
  readonly particles: readonly Particle[]
  /** N: Z-hat is the sum of the weights divided by it, whatever the size of the population. */
  readonly asked: number
  readonly steps: readonly Step[]
  /** Whether a signal ended it before its time, or the lack of memory; a warning of the machine tells of that. */
  readonly partial: boolean
  readonly tokens: number
  /** Calls of `where` for single candidates. */
  readonly evaluations: number
  readonly machine: Machine
}

/**
 * Runs the particles of one program (inference.md §1). Weights are absolute: Z-hat = (1/N) sum of all final weights, dead ones counted as
 * 0, is unbiased whatever a method does where the population meets, as long as each particle keeps its weight on average.
 *
 * The wavefront: every particle runs until it needs a model, stands at a resampling point, or is done; what waits for models is served
 * in one batch; when none is left to run, the population has reached its next point, where the method decides who goes on.
 */
export async function execute(program: LinkedProgram, options: ExecutorOptions): Promise<Population> {
  return new Executor(program, options).run()
}

class Executor {
  private particles: Particle[]
  private readonly strategy: Strategy
  private readonly machine: Machine
  private readonly server: Server
  private readonly steps: Step[] = []
  private readonly genealogy: Genealogy
  private readonly started = performance.now()
  private breathed = performance.now()

  constructor(
    program: LinkedProgram,
    private readonly options: ExecutorOptions,
  ) {
    const { settings, random, host, externs, budget } = options
    this.strategy = settings.method === 'steer' ? new Steer(settings, random) : new Smc(settings, random)
    const start = Array.from({ length: settings.particles }, (_, slot) => Particle.atStart(slot, program.script))
    this.particles = this.strategy.setOut(start)
    this.genealogy = new Genealogy(settings.particles)
    this.machine = new Machine(host, random, {
      points: settings.method !== 'importance',
      twist: settings.twist,
      lookahead: program.lookahead,
    })
    this.server = new Server(this.machine, random, externs, { rows: settings.batch, live: () => this.live(), budget })
  }

  async run(): Promise<Population> {
    while (!this.options.signal?.aborted) {
      const reached = await this.advance()
      if (!reached) break
      const standing = this.particles.some((p) => p.status === 'atPoint')
      if (!standing) return this.population(false)
      this.meet()
      this.particles = this.strategy.setOut(this.particles)
    }
    return this.population(true)
  }

  /** Runs every particle to its next point or its end; false when interrupted, or out of memory. */
  private async advance(): Promise<boolean> {
    let ready = this.particles.filter((p) => !p.done)
    while (ready.length > 0) {
      for (let i = 0; i < ready.length; i++) {
        const particle = ready[i]!
        this.machine.advance(particle)
        while (particle.status === 'running') {
          if (await this.interrupted()) return false
          this.machine.goFurther(particle)
        }
        if (i % BREATH_EVERY === 0 && (await this.interrupted())) return false
      }
      const waiting = ready.filter(waits)
      if (waiting.length > 0 && !(await this.served(waiting))) return false
      if (await this.interrupted()) return false
      ready = waiting.filter((p) => p.status === 'running')
    }
    return true
  }

  /** False when memory has run out: what the particles have so far is a result. */
  private async served(waiting: readonly Particle[]): Promise<boolean> {
    try {
      await this.server.serve(waiting)
      return true
    } catch (error) {
      const nothing = this.server.tokens === 0 && !this.particles.some((p) => p.status === 'finished')
      if (!(error instanceof MemoryError) || nothing) throw error
      for (const d of error.diagnostics) this.machine.warnings.set(d.code, { ...d, severity: 'warning' })
      return false
    }
  }

  /** The population meets; those that stood at a point may go on. */
  private meet(): void {
    const { population, ancestors, logZ, ...told } = this.strategy.meet(this.particles, this.machine.generation)
    this.particles = population
    this.machine.generation++
    for (const p of this.particles) {
      p.draws = 0
      if (p.status === 'atPoint') p.status = 'running'
    }
    const distinctAncestors = this.genealogy.record(ancestors)
    this.steps.push({
      step: this.machine.generation,
      ...told,
      logZ: Number.isFinite(logZ) ? logZ : null,
      ancestors: ancestors && Array.from(ancestors),
      distinctAncestors,
    })
    this.report()
  }

  private *live(): Iterable<History> {
    for (const p of this.particles) {
      if (p.done) continue
      for (const stream of p.streams) yield stream.history
    }
  }

  /** Lets the event loop have its turn now and then; true when the run is to end. */
  private async interrupted(): Promise<boolean> {
    if (performance.now() - this.breathed > BREATH) {
      await new Promise((resolve) => setImmediate(resolve))
      this.breathed = performance.now()
      this.report()
    }
    return this.options.signal?.aborted === true
  }

  private report(): void {
    const { onProgress } = this.options
    if (!onProgress) return
    const logw = Float64Array.from(this.particles, (p) => p.logw)
    onProgress({
      step: this.machine.generation,
      ess: ess(logw),
      alive: this.particles.filter((p) => p.status !== 'dead').length,
      finished: this.particles.filter((p) => p.status === 'finished').length,
      distinctAncestors: this.genealogy.distinct,
      tokens: this.server.tokens,
      seconds: (performance.now() - this.started) / 1000,
    })
  }

  private population(partial: boolean): Population {
    if (!partial && this.particles.every((p) => p.status === 'dead'))
      throw this.machine.deaths.allDead(this.machine.generation, [...this.machine.warnings.values()])
    if (this.strategy.meetsAtEnd) this.meet()
    return {
      particles: this.particles,
      asked: this.options.settings.particles,
      steps: this.steps,
      partial,
      tokens: this.server.tokens,
      evaluations: this.server.evaluations,
      machine: this.machine,
    }
  }
}

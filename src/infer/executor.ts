import { type Budget, MemoryError } from '../models/budget.js'
import type { History } from '../models/model.js'
import type { Randomness } from '../models/randomness.js'
import type { Externs } from './externs.js'
import { unfit } from './forced.js'
import type { Host } from './host/host.js'
import { Island, type IslandSetup, islandRandomness } from './island.js'
import type { LinkedProgram } from './link.js'
import { Machine } from './machine.js'
import { type Particle, textOf } from './particle.js'
import type { Progress, Settings, Step, StepTold } from './result.js'
import { Server } from './serve.js'
import { NoData } from './trace.js'
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
  readonly onStep?: ((step: StepTold) => void) | undefined
  /** For training: particles remember what learned twists may learn from, and a population that has died is a result too. */
  readonly records?: boolean
  /** Whether particles keep what they draw; those of an island with an exact sample do in any case. */
  readonly record?: boolean
  /** As `MachineOptions.contrary`. */
  readonly contrary?: boolean
  /** Whether the target itself is drawn from, whatever proposals there are. */
  readonly direct?: boolean
  /** Whether observed values are drawn too, and kept as the data of each particle. */
  readonly simulate?: boolean
}

/** Whether it needs a model or an extern function to go on. */
function waits({ status }: Particle): boolean {
  return status === 'drawing' || status === 'scoring' || status === 'simulating' || status === 'settling' || status === 'asking'
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

/** Populations that ran side by side; one whose particles are all dead is among them, with Z-hat = 0. */
export interface Archipelago extends Omit<Population, 'particles' | 'asked' | 'steps'> {
  readonly islands: readonly Pick<Population, 'particles' | 'steps'>[]
}

/**
 * Runs the particles of one program (inference.md §1). Weights are absolute: Z-hat = (1/N) sum of all final weights, dead ones counted as
 * 0, is unbiased whatever a method does where the population meets, as long as each particle keeps its weight on average.
 *
 * The wavefront: every particle runs until it needs a model, stands at a resampling point, or is done; what waits for models is served
 * in one batch; when none is left to run, the population has reached its next point, where the method decides who goes on.
 */
export async function execute(program: LinkedProgram, options: ExecutorOptions): Promise<Population> {
  const { islands, machine, ...told } = await new Executor(program, options, [{ random: options.random, forced: null }]).run()
  const [{ particles, steps }] = islands as readonly [Archipelago['islands'][number]]
  if (!told.partial && particles.every((p) => p.status === 'dead'))
    throw machine.deaths.allDead(machine.generation, [...machine.warnings.values()])
  return { ...told, machine, particles, steps, asked: options.settings.particles }
}

/**
 * Runs independent populations of `settings.particles` side by side, whose questions to models are asked in the same calls. Each comes out
 * as if it ran alone with its own source of chance.
 */
export async function executeIslands(
  program: LinkedProgram,
  options: Omit<ExecutorOptions, 'random'>,
  setups: readonly IslandSetup[],
): Promise<Archipelago> {
  const sources = setups.map(({ random }) => random)
  const random = islandRandomness(sources, options.settings.particles)
  return new Executor(program, { ...options, random }, setups).run()
}

class Executor {
  private readonly islands: readonly Island[]
  private readonly machine: Machine
  private readonly server: Server
  private readonly started = performance.now()
  private breathed = performance.now()

  constructor(
    program: LinkedProgram,
    private readonly options: ExecutorOptions,
    setups: readonly IslandSetup[],
  ) {
    const { settings, random, host, externs, budget, record } = options
    this.islands = setups.map((setup, i) => new Island(i * settings.particles, settings, setup, program.script))
    this.machine = new Machine(host, random, {
      points: settings.method !== 'importance',
      twist: settings.twist,
      contrary: options.contrary === true,
      lookahead: program.lookahead,
      records: options.records === true,
      record: record === true || setups.some(({ forced }) => forced !== null),
      direct: options.direct === true,
      simulate: options.simulate === true,
      capped: setups.some(({ thinned }) => thinned === true),
    })
    const serving = { rows: settings.batch, live: () => this.live(), budget, remember: options.records === true }
    this.server = new Server(this.machine, random, externs, serving)
  }

  private get particles(): readonly Particle[] {
    const [first, ...others] = this.islands
    return others.length === 0 ? first!.particles : this.islands.flatMap(({ particles }) => particles)
  }

  async run(): Promise<Archipelago> {
    while (!this.options.signal?.aborted) {
      const reached = await this.advance()
      if (!reached) break
      const standing = this.islands.filter((island) => island.standing)
      if (standing.length === 0) return this.result(false)
      this.meet(standing)
      for (const island of standing) island.setOut()
    }
    return this.result(true)
  }

  /** Runs every particle to its next point or its end; false when interrupted, or out of memory. */
  private async advance(): Promise<boolean> {
    let ready = this.particles.filter((p) => !p.done)
    const forced = ready.filter((p) => p.forced)
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
    for (const p of forced) requireFit(p)
    if (!this.options.simulate) for (const p of this.particles) if (p.data) requireAllData(p)
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

  private meet(islands: readonly Island[]): void {
    const { onStep } = this.options
    for (const island of islands) {
      const { particles } = island
      const met = onStep && particles.map((p) => ({ text: textOf(p), logWeight: Number.isFinite(p.logw) ? p.logw : null }))
      const step = island.meet(this.machine.generation)
      if (met) onStep({ ...step, population: met })
    }
    this.machine.generation++
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
    const { particles } = this
    const logw = Float64Array.from(particles, (p) => p.logw)
    onProgress({
      step: this.machine.generation,
      ess: ess(logw),
      alive: particles.filter((p) => p.status !== 'dead').length,
      finished: particles.filter((p) => p.status === 'finished').length,
      distinctAncestors: this.islands.reduce((sum, { distinct }) => sum + distinct, 0),
      tokens: this.server.tokens,
      seconds: (performance.now() - this.started) / 1000,
    })
  }

  private result(partial: boolean): Archipelago {
    const dead = (island: Island) => island.particles.every((p) => p.status === 'dead')
    const last = this.islands.filter((island) => island.meetsAtEnd && (partial || !dead(island)))
    if (last.length > 0) this.meet(last)
    return {
      islands: this.islands,
      partial,
      tokens: this.server.tokens,
      evaluations: this.server.evaluations,
      machine: this.machine,
    }
  }
}

/** Data that were drawn with one run are those of all others. */
function requireAllData(p: Particle): void {
  if (p.status === 'finished' && p.observed < p.data!.length) throw new NoData(p.step.span, 'runs do not all observe the same')
}

/** An exact sample of the target has positive weight, and all of it is used. */
function requireFit(p: Particle): void {
  if (p.status === 'dead') throw unfit(p.step.span, 'what it draws has probability 0')
  if (p.status === 'finished' && p.nextChoice) throw unfit(p.step.span, 'the program ends before all of it is drawn')
}

import { diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { Graph } from '../../graph/ir.js'
import type { Randomness } from '../../models/randomness.js'
import type { Particle } from '../particle.js'
import { philoxRandomness } from '../philox.js'
import type { Settings } from '../result.js'
import type { RunOptions } from '../run.js'
import { ess, logMeanExp, normalise } from '../weights.js'
import { type StoredTwist, signatureOf } from './file.js'
import { HeadFit } from './fit.js'
import { type HeadShape, scaleOf, untrainedLayers } from './head.js'
import { lessonsOf } from './lesson.js'
import { learnsFromAny, longest, losses, movesTotals, type Samples } from './losses.js'
import { chosen, merged, type Path, pathsOf, Rows } from './pupil.js'
import type { TrainSettings } from './settings.js'
import { tempered } from './temper.js'
import { type LearnedTwist, outputOf, type TrainedHead } from './twist.js'

/** One round of sample, weigh, fit; the last entry is a measurement only. */
export interface TrainRound {
  /** 0 before anything was learned. */
  readonly round: number
  /** Mean over the fit that follows, and over t; null where nothing was fitted. */
  readonly loss: number | null
  /** Of N samples without resampling, drawn by the twist as it is. */
  readonly ess: number
  readonly particles: number
  /** Share of these with a weight above 0. */
  readonly alive: number
  /** Mean of their log weights, those of dead ones taken 10 nats below the smallest ever seen: a lower bound on log Z where none is dead. */
  readonly lower: number
  /** log Z-hat of the population with resampling; null where it died or was not wanted. */
  readonly logZ: number | null
  /** Distinct samples of the target that were learned from, and the power that the trust region left to their weights. */
  readonly positives: number
  readonly tau: number
  readonly seconds: number
}

export interface TrainProgress extends TrainRound {
  readonly rounds: number
  readonly step: number
  readonly steps: number
  /** Seconds until the end, as far as it can be told. */
  readonly left: number
}

export interface Trained {
  readonly twists: readonly StoredTwist[]
  readonly rounds: readonly TrainRound[]
  /** Whether a signal ended it before its time: what is kept is the best so far. */
  readonly partial: boolean
  /** The round whose twists are kept. */
  readonly best: number
}

export interface TrainOptions {
  readonly settings: Settings
  readonly training: readonly TrainSettings[]
  readonly run: RunOptions
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined
}

/** Most numbers of one batch of rows of log weights. */
const mostNumbers = 1 << 22
/** Clips the norm of a gradient. */
const clip = 1
/** What a dead sample counts as, below the smallest log weight that was seen. */
const belowAll = 10

/** A population: of the target with resampling, of the twisted proposal without, or of the model itself. */
export type Sample = (how: 'target' | 'proposal' | 'model') => Promise<readonly Particle[]>

/** A twist that is being fitted. */
interface Course {
  readonly twist: LearnedTwist
  readonly settings: TrainSettings
  readonly shape: HeadShape
  readonly model: string
  readonly tokenizer: string
  readonly fit: HeadFit
  readonly role: TrainedHead['role']
  readonly link: TrainedHead['link']
  /** Samples of the target of the last rounds: log of the true weight, divided by N. */
  replay: { readonly paths: readonly Path[]; readonly logw: Float64Array }[]
  /** Rollouts of the last rounds, for losses that learn from any. */
  rollouts: (readonly Path[])[]
  /** log Z-hat of the first round (losses.ts). */
  level: number | null
}

/** The rounds of a training: sample, weigh, fit. */
export class Trainer {
  private readonly started = performance.now()
  private readonly rounds: TrainRound[] = []
  private readonly random: Randomness
  private best = { round: 0, lower: Number.NEGATIVE_INFINITY, error: 0, heads: [] as TrainedHead[] }
  private least = Number.POSITIVE_INFINITY
  private steps = 0

  constructor(
    private readonly graph: Graph,
    private readonly twists: readonly LearnedTwist[],
    private readonly options: TrainOptions,
    private readonly sample: Sample,
  ) {
    this.random = philoxRandomness(options.settings.seed, 2 ** 40)
  }

  async train(): Promise<Trained> {
    const { training } = this.options
    const { iterate, steps } = training[0]!
    const courses = await this.enrol()
    let hit = false
    try {
      for (let round = 0; round < iterate && !this.aborted; round++) {
        const proposed = await this.sample('proposal')
        if (this.aborted) break
        const needsTarget = courses.some(({ settings: { loss } }) => loss === 'ctl' || loss === 'sixo' || loss === 'dpg')
        const target = needsTarget ? await this.sample('target') : []
        const needsModel = courses.some(({ settings: { loss } }) => loss === 'sixo' || loss === 'fudge')
        const free = needsModel ? await this.sample('model') : []
        if (this.aborted) break
        const measured = this.measure(round, proposed, target, courses)
        hit ||= [...proposed, ...target, ...free].some(({ logw }) => logw > Number.NEGATIVE_INFINITY)
        const count = Math.round(((round + 1) * steps) / iterate) - Math.round((round * steps) / iterate)
        const told = await this.learn(courses, measured, { proposed, target, free }, count)
        this.rounds.push(told)
      }
      if (!this.aborted) this.rounds.push(this.measure(iterate, await this.sample('proposal'), [], courses))
      if (!hit && !this.aborted) throw this.never()
      return {
        twists: courses.map((course, i) => this.stored(course, i, this.best.heads[i] ?? course.twist.head!)),
        rounds: this.rounds,
        partial: this.aborted,
        best: this.best.round,
      }
    } finally {
      await Promise.all(courses.map(({ fit }) => fit.release()))
    }
  }

  /** Which model each twist speaks through is seen from what the program asks it. */
  private async enrol(): Promise<Course[]> {
    const particles = await this.sample('model')
    const courses: Course[] = []
    for (const [i, twist] of this.twists.entries()) {
      const lesson = particles.flatMap((p) => lessonsOf(p.lesson)).find(({ guide }) => guide.twist === twist)
      const settings = this.options.training[i]!
      if (!lesson) {
        const hint = `write \`twisted by ${twist.name}(...)\` on a span, or \`twist ${twist.name}(...)\` behind a \`sample\` of one token`
        const { span } = this.graph.learned[i]!.name
        throw new SmcError(
          diagnostic('R033', span, `no draw of the program is guided by \`${twist.name}\`: there is nothing to learn from`, {
            hint,
          }),
        )
      }
      const { model } = lesson.guide
      const output = outputOf(twist.name, model)
      const { width, depth, rate, l2 } = settings
      const { size } = model.vocabulary
      const matrix = await output.matrix()
      const sizes = { hidden: output.hiddenWidth, shift: output.shiftWidth, scale: scaleOf(matrix, size) }
      const shape = { ...sizes, conditions: twist.conditions, width, depth }
      const layers = untrainedLayers(shape, philoxRandomness(this.options.settings.seed, 2 ** 41 + i))
      const adam = { learningRate: rate, weightDecay: l2, clip }
      const fit = await HeadFit.open(shape, layers, matrix, size, adam, movesTotals(settings.loss) ? 'totals' : 'tokens')
      const role = settings.loss === 'dpg' ? 'proposal' : 'twist'
      const link = settings.loss === 'fudge' ? 'sigmoid' : 'exp'
      const { hash } = model.model
      twist.teach({ shape, layers, model: hash, link, role })
      courses.push({
        twist,
        settings,
        shape,
        model: hash,
        tokenizer: model.vocabulary.identity,
        fit,
        link,
        role,
        replay: [],
        rollouts: [],
        level: null,
      })
    }
    return courses
  }

  private measure(
    round: number,
    proposed: readonly Particle[],
    target: readonly Particle[],
    courses: readonly Course[],
  ): TrainRound {
    const logw = Float64Array.from(proposed, (p) => p.logw)
    const living = logw.filter(Number.isFinite)
    this.least = living.reduce((a, b) => Math.min(a, b), this.least)
    const floor = Number.isFinite(this.least) ? this.least - belowAll : -belowAll
    const counted = logw.map((log) => Math.max(log, floor))
    const n = logw.length
    const lower = counted.reduce((a, b) => a + b, 0) / n
    const error = Math.sqrt(counted.reduce((sum, log) => sum + (log - lower) ** 2, 0) / n / n)
    // Later twists have learned more: an earlier one is kept only where it was clearly better.
    if (lower > this.best.lower - 2 * (error + this.best.error)) {
      this.best = { round, lower, error, heads: courses.map(({ twist }) => twist.head!) }
    }
    const whole = target.length > 0 ? logMeanExp(Float64Array.from(target, (p) => p.logw)) : Number.NEGATIVE_INFINITY
    return {
      round,
      loss: null,
      ess: living.length > 0 ? ess(logw) : 0,
      particles: n,
      alive: living.length / n,
      lower,
      logZ: Number.isFinite(whole) ? whole : null,
      positives: 0,
      tau: 1,
      seconds: this.seconds,
    }
  }

  private async learn(
    courses: readonly Course[],
    measured: TrainRound,
    populations: Readonly<Record<'proposed' | 'target' | 'free', readonly Particle[]>>,
    count: number,
  ): Promise<TrainRound> {
    let told = measured
    for (const course of courses) {
      const { loss, replay } = course.settings
      const rollouts = await this.paths(course, loss === 'sixo' || loss === 'fudge' ? populations.free : populations.proposed)
      course.rollouts = [...course.rollouts, rollouts].slice(-(learnsFromAny(loss) ? replay : 1))
      course.level ??= levelOf(rollouts)
      const target = await this.paths(course, populations.target)
      const logw = Float64Array.from(target, ({ final }) => final - Math.log(target.length))
      if (logw.some(Number.isFinite)) course.replay = [...course.replay, { paths: target, logw }].slice(-replay)
      const positives = this.positives(course)
      const needsTarget = loss === 'ctl' || loss === 'sixo' || loss === 'dpg'
      const teaches = needsTarget ? positives.list.length > 0 : rollouts.some(({ final }) => Number.isFinite(final))
      told = { ...told, positives: positives.list.length, tau: positives.tau }
      if (!teaches) continue
      const total = await this.fit(course, course.rollouts.flat(), positives.list, count, (step, value) => {
        this.report({ ...told, loss: value }, step)
      })
      told = { ...told, loss: total, seconds: this.seconds }
      const { shape, model, link, role } = course
      course.twist.teach({ shape, layers: course.fit.layers, model, link, role })
    }
    this.steps += count
    return told
  }

  private paths({ twist }: Course, particles: readonly Particle[]): Promise<Path[]> {
    return pathsOf(twist, particles, { rows: this.options.settings.batch, live: () => [] })
  }

  /** The samples of the target of the last rounds together, by their true weights. */
  private positives({ replay, settings }: Course) {
    const paths = replay.flatMap((round) => round.paths)
    const logw = Float64Array.from(replay.flatMap((round) => [...round.logw]))
    if (paths.length === 0) return { list: [], tau: 1 }
    const { path, mass } = { path: paths, mass: normalise(logw) }
    const together = merged(path, mass).filter(({ weight, path: { draws } }) => weight > 0 && draws.length > 0)
    const { weights, tau } = tempered(
      Float64Array.from(together, ({ weight }) => Math.log(weight)),
      settings.trust,
    )
    return { list: together.map((each, i) => ({ path: each.path, weight: weights[i]! })), tau }
  }

  /** Mean loss over the steps, and over t. */
  private async fit(
    course: Course,
    rollouts: readonly Path[],
    positives: readonly { readonly path: Path; readonly weight: number }[],
    count: number,
    onStep: (step: number, loss: number) => void,
  ): Promise<number> {
    const { fit, settings } = course
    const loss = losses[settings.loss]
    const most = Math.max(256, Math.floor(mostNumbers / Math.max(1, rollouts[0]?.draws[0]?.state.base.length ?? 1)))
    let sum = 0
    for (let step = 0; step < count && !this.aborted; step++) {
      const rows = new Rows()
      const samples = { ...this.batch(rows, rollouts, positives, most, step, settings.loss === 'dpg'), level: course.level ?? 0 }
      const { logPsi, logTotal } = await fit.numbers(rows)
      const { value, onPsi, onTotal } = this.located(course, () => loss(samples, logPsi, logTotal))
      const done = (this.steps + step) / settings.steps
      await fit.step(rows, onPsi, onTotal, settings.rate * (1 - 0.9 * done))
      const mean = value / Math.max(1, longest([...samples.rollouts, ...samples.positives]))
      sum += mean
      onStep(this.steps + step + 1, mean)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return sum / Math.max(1, count)
  }

  /** Paths for one step: all, or as many as fit into the rows of a batch, chosen anew each time. */
  private batch(
    rows: Rows,
    rollouts: readonly Path[],
    positives: readonly { readonly path: Path; readonly weight: number }[],
    most: number,
    step: number,
    withoutRollouts: boolean,
  ): Samples {
    const half = positives.length > 0 ? Math.floor(most / 2) : 0
    const slot = this.steps + step
    const draw = (generation: number) => (index: number) => this.random.uniform({ slot, generation, draw: index }, 0)
    const taught = chosen(positives, half, draw(0))
    const total = taught.reduce((sum, { weight }) => sum + weight, 0)
    const some = withoutRollouts
      ? []
      : chosen(
          rollouts.map((path) => ({ path, weight: 1 })),
          most - half,
          draw(1),
        )
    return {
      positives: taught.map(({ path, weight }) => rows.sequence(path, weight / total)),
      rollouts: some.map(({ path }) => rows.sequence(path, 1 / some.length)),
    }
  }

  private located<T>({ twist }: Course, compute: () => T): T {
    try {
      return compute()
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown
      const { span } = this.graph.learned[this.twists.indexOf(twist)]!.name
      const message = `the loss \`fudge\` learns a probability, and ${thrown.message}`
      throw new SmcError(diagnostic('R033', span, message, { hint: 'use `loss: ctl`, or factors of at most 1' }))
    }
  }

  private report(told: TrainRound, step: number): void {
    const { iterate, steps } = this.options.training[0]!
    const left = step > 0 ? (this.seconds / step) * (steps - step) : 0
    this.options.onProgress?.({ ...told, rounds: iterate, step, steps, left, seconds: this.seconds })
  }

  private stored({ tokenizer, settings }: Course, i: number, head: TrainedHead): StoredTwist {
    const decl = this.graph.learned[i]!
    return { name: decl.name.text, signature: signatureOf(decl), tokenizer, loss: settings.loss, head }
  }

  private never(): SmcError {
    const { batch, iterate } = this.options.training[0]!
    const message = `none of the samples of ${iterate} rounds, ${batch} particles each, has a weight above 0: the target never fires, so there is nothing to learn`
    const hint = 'give partial success a weight: a graded `factor` instead of a `require`; or more particles (`--batch`)'
    return new SmcError(diagnostic('R033', this.graph.learned[0]!.name.span, message, { hint }), 'inference')
  }

  private get aborted(): boolean {
    return this.options.run.signal?.aborted === true
  }

  private get seconds(): number {
    return (performance.now() - this.started) / 1000
  }
}

/** log of the mean weight behind the first draw; null where all have died. */
function levelOf(rollouts: readonly Path[]): number | null {
  const rests = rollouts.flatMap(({ final, draws }) => (draws.length > 0 ? [final - draws[0]!.before] : []))
  const level = logMeanExp(Float64Array.from(rests))
  return Number.isFinite(level) ? level : null
}

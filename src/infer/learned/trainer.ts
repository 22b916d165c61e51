import type { Diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { Graph } from '../../graph/ir.js'
import type { LearnTwistDecl } from '../../syntax/ast.js'
import type { Backend } from '../../tensor/backend.js'
import type { ExactWay } from '../exact.js'
import type { Particle } from '../particle.js'
import { philoxRandomness } from '../philox.js'
import type { Settings } from '../result.js'
import type { RunOptions } from '../run.js'
import { type Checkpoint, type Identity, writeCheckpoint } from './checkpoint.js'
import { Course } from './course.js'
import { nothingToLearn } from './errors.js'
import { type Figures, figuresOf, type Quality, succeeded } from './figures.js'
import { type StoredTwist, signatureOf } from './file.js'
import { HeadFit } from './fit.js'
import { type HeadShape, scaleOf, untrainedLayers } from './head.js'
import type { Lesson } from './lesson.js'
import { type LossName, movesTotals, needsModel, needsRollouts, needsTarget } from './losses.js'
import type { Drawn, Populations } from './populations.js'
import type { TrainSettings } from './settings.js'
import { type LearnedTwist, outputOf, type TrainedHead } from './twist.js'

/** One round of sample, weigh, fit; the last entry is a measurement only. */
export interface TrainRound extends Figures {
  /** 0 before anything was learned. */
  readonly round: number
  /** Mean over the fit that follows, and over t; null where nothing was fitted. */
  readonly loss: number | null
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
  /** Where exact samples came from; null where samples of the target came from SMC. */
  readonly exact: ExactWay | null
}

/** What is left of a training when a round is done. */
export interface RoundDone {
  readonly rounds: readonly TrainRound[]
  /** What `resume` goes on from. */
  readonly state: Uint8Array
}

export interface TrainOptions {
  readonly settings: Settings
  readonly training: readonly TrainSettings[]
  /** The settings of the first twist that guides a draw: there is one number of steps, rounds and particles for all. */
  readonly lead: TrainSettings
  readonly run: Pick<RunOptions, 'models' | 'allowExtern' | 'signal'>
  /** What trains the networks; ONNX Runtime when left out. */
  readonly backend?: Backend | undefined
  /** What an earlier training has left; null to begin anew. */
  readonly resumed: Checkpoint | null
  readonly identity: Identity
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined
  readonly onRound?: ((done: RoundDone) => void) | undefined
  readonly onWarning?: ((warning: Diagnostic) => void) | undefined
}

/** Clips the norm of a gradient. */
const clip = 1
/** Rounds without any weight after which it says so. */
const patience = 2
/** `repeat` of what batches are chosen by, and of what the first layers are drawn by. */
const choosing = 2 ** 40
const beginning = 2 ** 41

/** The rounds of a training: sample, weigh, fit. */
export class Trainer {
  private readonly started = performance.now()
  private readonly rounds: TrainRound[] = []
  /** What is kept; `quality` is the highest so far. */
  private best: { round: number; quality: Quality; heads: readonly TrainedHead[] }
  private least = Number.POSITIVE_INFINITY
  private steps = 0
  /** Steps of the optimiser that were made here, and the seconds that they took. */
  private readonly fitted = { steps: 0, seconds: 0 }
  private hit = false
  private exact: ExactWay | null = null
  /** Heads that drew the rounds which are remembered. */
  private drew: ReadonlyMap<number, readonly TrainedHead[]> = new Map()

  constructor(
    private readonly graph: Graph,
    private readonly twists: readonly LearnedTwist[],
    /** One draw of each that it guides, left out where it guides none. */
    private readonly lessons: readonly (Lesson | undefined)[],
    private readonly options: TrainOptions,
    private readonly populations: Populations,
  ) {
    this.best = { round: 0, quality: { mean: Number.NEGATIVE_INFINITY, error: 0 }, heads: [] }
  }

  async train(): Promise<Trained> {
    const { iterate, steps } = this.options.lead
    const courses = await this.enrol()
    try {
      const begin = await this.recall(courses)
      for (let round = begin; round < iterate && !this.aborted; round++) {
        const drawn = await this.populations.draw(round, this.needs)
        if (this.aborted) break
        const count = Math.max(0, Math.round(((round + 1) * steps) / iterate) - this.steps)
        const measured = this.measure(round, drawn, courses)
        this.tellOfSilence(round)
        this.rounds.push(await this.learn(courses, measured, drawn, count))
        if (!this.aborted) this.keep(courses, round + 1)
      }
      if (!this.aborted) {
        const last = Math.max(begin, iterate)
        const drawn = await this.populations.draw(last, { ...this.needs, target: false, model: false })
        // What was cut off says nothing about the twists.
        if (!this.aborted) this.rounds.push(this.measure(last, drawn, courses))
      }
      if (!this.hit && !this.aborted) throw this.never(iterate)
      return {
        twists: courses.map((course, i) => stored(course, this.best.heads[i] ?? course.of.twist.head!)),
        rounds: this.rounds,
        partial: this.aborted,
        best: this.best.round,
        exact: this.exact,
      }
    } finally {
      await Promise.all(courses.map(({ of }) => of.fit.release()))
    }
  }

  /** Which model each twist speaks through is seen from what the program asks it. */
  private async enrol(): Promise<Course[]> {
    const courses: Course[] = []
    for (const [i, twist] of this.twists.entries()) {
      const lesson = this.lessons[i]
      const settings = this.options.training[i]!
      const declared = this.graph.learned[i]!
      if (!lesson) {
        const idle = this.idle(declared)
        if (!this.lessons.some(Boolean)) throw idle
        this.options.onWarning?.({ ...idle.diagnostics[0]!, severity: 'warning' })
        continue
      }
      const { model } = lesson.guide
      const output = outputOf(twist.name, model)
      const { width, depth, rate, l2 } = settings
      const { size, identity } = model.vocabulary
      const matrix = await output.matrix()
      const sizes = { hidden: output.hiddenWidth, shift: output.shiftWidth, scale: scaleOf(matrix, size) }
      const shape: HeadShape = { ...sizes, conditions: twist.conditions, width, depth }
      const { seed } = this.options.settings
      const adam = { learningRate: rate, weightDecay: l2, clip }
      const moves = settings.valueHead ? 'level' : movesTotals(settings.loss) ? 'totals' : 'tokens'
      const kept = this.options.resumed?.fit(courses.length, shape)
      const layers = kept?.layers ?? untrainedLayers(shape, philoxRandomness(seed, beginning + i))
      const fit = await HeadFit.open(shape, layers, matrix, size, adam, moves, this.options.backend, kept?.optimiser)
      const random = philoxRandomness(seed, choosing)
      const { hash } = model.model
      const origin = { model: hash, tokenizer: identity, vocabulary: size }
      const course = new Course({ twist, declared, settings, shape, ...origin, fit, random })
      course.teach()
      courses.push(course)
    }
    return courses
  }

  /** Takes up what an earlier training has left; gives the round that comes next. What was remembered is drawn again by the heads that drew it. */
  private async recall(courses: readonly Course[]): Promise<number> {
    const { resumed } = this.options
    if (!resumed) return 0
    const { progress } = resumed
    const heads = courses.map(({ head }) => head)
    const of = (round: string) =>
      courses.map(({ of: { shape } }, i): TrainedHead => ({ ...heads[i]!, layers: resumed.layers(`${round}.${i}`, shape) }))
    this.rounds.push(...progress.rounds)
    this.best = { round: progress.best.round, quality: progress.best.quality, heads: of('best') }
    this.least = progress.least ?? Number.POSITIVE_INFINITY
    this.steps = progress.steps
    this.hit = progress.hit
    this.exact = progress.exact
    courses.forEach((course, i) => {
      course.level = progress.levels[i] ?? null
    })
    const rounds = [...new Set(progress.remembered.flat())].sort((a, b) => a - b)
    this.drew = new Map(rounds.map((round) => [round, of(`drew.${round}`)]))
    for (const [round, drew] of this.drew) {
      courses.forEach(({ of: { twist } }, i) => {
        twist.teach(drew[i]!)
      })
      const drawn = await this.populations.draw(round, this.needs)
      for (const [i, course] of courses.entries()) {
        if (progress.remembered[i]!.includes(round)) await course.attend(round, drawn, this.serving)
      }
    }
    for (const course of courses) course.teach()
    return progress.next
  }

  /** Hands out what a later training needs to go on as if this one had not ended. */
  private keep(courses: readonly Course[], next: number): void {
    const { onRound, identity } = this.options
    if (!onRound) return
    const { best } = this
    const remembered = courses.map((course) => course.remembered)
    this.drew = new Map([...this.drew].filter(([round]) => remembered.some((rounds) => rounds.includes(round))))
    const progress = {
      next,
      steps: this.steps,
      least: Number.isFinite(this.least) ? this.least : null,
      hit: this.hit,
      exact: this.exact,
      best: { round: best.round, quality: best.quality },
      remembered,
      levels: courses.map(({ level }) => level),
      rounds: this.rounds,
    }
    const heads = Object.fromEntries([['best', best.heads], ...[...this.drew].map(([round, each]) => [`drew.${round}`, each])])
    const fits = courses.map(({ of: { fit, shape } }) => ({ shape, layers: fit.layers, optimiser: fit.state }))
    onRound({ rounds: [...this.rounds], state: writeCheckpoint(identity, progress, fits, heads) })
  }

  private measure(round: number, drawn: Drawn, courses: readonly Course[]): TrainRound {
    const { least, quality, ...figures } = figuresOf(drawn, this.least)
    this.least = least
    this.exact = drawn.exact?.way ?? null
    const lives = ({ logw }: Particle) => logw > Number.NEGATIVE_INFINITY
    this.hit ||= drawn.groups.some(({ proposed, target, free, exact }) => [...proposed, ...target, ...free, ...exact].some(lives))
    const highest = succeeded(this.best.quality, quality)
    if (highest) this.best = { round, quality: highest, heads: courses.map(({ of }) => of.twist.head!) }
    return { round, loss: null, ...figures, positives: 0, tau: 1, seconds: this.seconds }
  }

  private async learn(courses: readonly Course[], measured: TrainRound, drawn: Drawn, count: number): Promise<TrainRound> {
    let told = measured
    this.drew = new Map([...this.drew, [measured.round, courses.map(({ of }) => of.twist.head!)]])
    for (const course of courses) {
      const lessons = await course.attend(measured.round, drawn, this.serving)
      if (!lessons) continue
      told = { ...told, positives: lessons.positives, tau: lessons.tau }
      let before = this.seconds
      const loss = await course.fit(lessons, count, this.steps, (step, value) => {
        this.fitted.steps++
        this.fitted.seconds += this.seconds - before
        before = this.seconds
        this.report({ ...told, loss: value }, step, courses.length)
        return !this.aborted
      })
      told = { ...told, loss, seconds: this.seconds }
      course.teach()
    }
    this.steps += count
    return told
  }

  private report(told: TrainRound, step: number, courses: number): void {
    const { iterate, steps } = this.options.lead
    // All but the steps is taken to be the same in every round, and the last measurement to be half a round.
    const { steps: done, seconds } = this.fitted
    const round = (this.seconds - seconds) / (told.round + 1 - (this.options.resumed?.progress.next ?? 0))
    const left = (seconds / done) * courses * (steps - step) + round * (iterate - told.round - 0.5)
    this.options.onProgress?.({ ...told, rounds: iterate, step, steps, left, seconds: this.seconds })
  }

  /** Nothing asks a twist: one twist alone cannot be trained, and beside others it is left as it is. */
  private idle({ name: { text, span } }: LearnTwistDecl): SmcError {
    const hint = `write \`twisted by ${text}(...)\` on a span, or \`twist ${text}(...)\` behind a \`sample\` of one token`
    return nothingToLearn(`no draw of the program is guided by \`${text}\`: there is nothing to learn from`, hint, span)
  }

  /** A target that never fires is told of while it goes on: it may fire yet. */
  private tellOfSilence(round: number): void {
    if (this.hit || round + 1 !== patience) return
    const { diagnostics } = this.never(patience)
    this.options.onWarning?.({ ...diagnostics[0]!, severity: 'warning' })
  }

  private never(rounds: number) {
    const { batch } = this.options.lead
    const message = `none of the samples of ${rounds} rounds, ${batch} particles each, has a weight above 0: the target never fires, so there is nothing to learn`
    const hint = 'give partial success a weight: a graded `factor` instead of a `require`; or more particles (`--batch`)'
    return nothingToLearn(message, hint, this.graph.learned[0]!.name.span, 'inference')
  }

  private get needs() {
    const training = this.options.training.filter((_, i) => this.lessons[i])
    const some = (needs: (loss: LossName) => boolean) => training.some(({ loss }) => needs(loss))
    return {
      proposal: some(needsRollouts) || training.some(({ valueHead }) => valueHead),
      target: some(needsTarget),
      model: some(needsModel),
    }
  }

  private get serving() {
    return { rows: this.options.settings.batch, live: () => [] }
  }

  private get aborted(): boolean {
    return this.options.run.signal?.aborted === true
  }

  private get seconds(): number {
    return (performance.now() - this.started) / 1000
  }
}

function stored({ of }: Course, head: TrainedHead): StoredTwist {
  const { declared, tokenizer, settings } = of
  return { name: declared.name.text, signature: signatureOf(declared), tokenizer, loss: settings.loss, head }
}

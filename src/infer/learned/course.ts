import { diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { ServeOptions } from '../../models/model.js'
import type { Randomness } from '../../models/randomness.js'
import type { LearnTwistDecl } from '../../syntax/ast.js'
import type { Particle } from '../particle.js'
import { logMeanExp, normalise } from '../weights.js'
import { type Batch, Batches, type Lot, type Weighted } from './batches.js'
import type { HeadFit } from './fit.js'
import { floorsOf } from './floors.js'
import type { HeadShape, Layer } from './head.js'
import { lessonsOf } from './lesson.js'
import {
  dpgWithValue,
  isUnbounded,
  type LossValue,
  learnsFromAny,
  leavesOutLevel,
  longest,
  losses,
  needsTarget,
} from './losses.js'
import { Odds } from './picks.js'
import type { Drawn, Group } from './populations.js'
import { merged, type Path, pathsOf, Texts } from './pupil.js'
import type { TrainSettings } from './settings.js'
import { tempered } from './temper.js'
import type { LearnedTwist, TrainedHead } from './twist.js'

/**
 * Samples of the target of one round: log of the true weight, divided by N; and rollouts, for losses that learn from any. Those with data of their
 * own go with their rollouts.
 */
type Memory = { readonly round: number } & (
  | { readonly paths: readonly Path[]; readonly logw: Float64Array; readonly rollouts: readonly Path[] }
  | { readonly lots: readonly Lot[] }
)

/** What a round has to learn from. */
export interface Lessons {
  readonly lots: readonly Lot[]
  /** What is set aside to see whether the rest is learned or learned by heart; empty where nothing is. */
  readonly aside: readonly Lot[]
  /** Distinct samples of the target, and the power that the trust region left to their weights. */
  readonly positives: number
  readonly tau: number
}

export interface CourseOf {
  readonly twist: LearnedTwist
  readonly declared: LearnTwistDecl
  readonly settings: TrainSettings
  readonly shape: HeadShape
  readonly model: string
  readonly tokenizer: string
  /** Tokens. */
  readonly vocabulary: number
  readonly fit: HeadFit
  readonly random: Randomness
}

/** Rollouts that half of a batch is chosen among, at least, as their perplexity tells. */
const breadth = 100
/** How often in a round what is set aside is looked at. */
const looks = 10
/** Share of a population that is learned from where the rest is set aside. */
const learnedShare = 0.75
/** A twist that is being fitted: what it remembers, and its steps. */
export class Course {
  /** log Z-hat, by the weights behind the first draw: what psi of some losses leaves out (losses.ts). null before any sample lives. */
  level: number | null = null
  private replay: readonly Memory[] = []
  private readonly texts = new Texts()

  private readonly batches: Batches

  constructor(readonly of: CourseOf) {
    this.batches = new Batches(of.settings, of.vocabulary, of.random)
  }

  /** The head as the fit stands, with the level: texts that have ended weigh phi itself beside those that go on. */
  get head(): TrainedHead {
    const { shape, model, fit, settings } = this.of
    const role = settings.loss === 'dpg' && !settings.valueHead ? 'proposal' : 'twist'
    const layers = raised(fit.layers, leavesOutLevel(settings.loss) ? (this.level ?? 0) : 0)
    return { shape, layers, model, link: settings.loss === 'fudge' ? 'sigmoid' : 'exp', role }
  }

  /** The twist says from now on what was fitted. */
  teach(): void {
    this.of.twist.teach(this.head)
  }

  /** The rounds whose samples the next one learns from again. */
  get remembered(): number[] {
    const { replay } = this.of.settings
    return replay > 1 ? this.replay.slice(1 - replay).map(({ round }) => round) : []
  }

  /** Takes in what a round has drawn. Null where there is nothing to learn from. */
  async attend(round: number, { groups, exact }: Drawn, options: ServeOptions): Promise<Lessons | null> {
    const { loss, replay: rounds } = this.of.settings
    const rollouts = await this.paths(
      groups.map((group) => (loss === 'sixo' || loss === 'fudge' ? group.free : group.proposed)),
      options,
    )
    this.setLevel(groups.flatMap(({ proposed }) => proposed))
    const found = await this.paths(groups.map(positivesOf), options)
    if (exact?.data) {
      const lots = groups.map((_, i) => ({ positives: equal(found[i]!), rollouts: rollouts[i]! }))
      this.replay = [...this.replay, { round, lots }].slice(-rounds)
      const all = (part: Part) => this.replay.flatMap((memory) => ('lots' in memory ? partOf(part, memory.lots) : []))
      const learned = all(isUnbounded(loss) ? 'learned' : 'all')
      return { lots: learned, aside: isUnbounded(loss) ? all('aside') : [], positives: learned.length, tau: 1 }
    }
    const paths = found[0]!
    const logw = Float64Array.from(paths, ({ final }) => (exact ? 0 : final) - Math.log(paths.length))
    const kept = learnsFromAny(loss) ? rollouts[0]! : []
    if (kept.length > 0 || logw.some(Number.isFinite)) {
      this.replay = [...this.replay, { round, paths, logw, rollouts: kept }].slice(-rounds)
    }
    if (needsTarget(loss)) {
      // Samples that are given are to be learned as they are.
      const aside = isUnbounded(loss) && exact?.way !== 'file' ? this.contrast('aside', rollouts[0]!) : null
      const learned = this.contrast(aside ? 'learned' : 'all', rollouts[0]!)
      if (!learned) return null
      const { lot, tau } = learned
      return { lots: [lot], aside: aside ? [aside.lot] : [], positives: lot.positives.length, tau }
    }
    const any = this.replay.flatMap((memory) => ('rollouts' in memory ? memory.rollouts : []))
    const lot = {
      positives: [],
      rollouts: any.length > 0 ? any : rollouts[0]!,
      there: any.length > 0 ? whereTargetIs(any) : null,
    }
    const teaches = lot.rollouts.some(({ final }) => Number.isFinite(final))
    return teaches ? { lots: [lot], aside: [], positives: 0, tau: 1 } : null
  }

  /** Samples of the target, or a part of them, beside the same part of the rollouts; null where they have no draw to learn from. */
  private contrast(part: Part, all: readonly Path[]): { readonly lot: Lot; readonly tau: number } | null {
    const { loss, valueHead } = this.of.settings
    const { list, tau } = this.positives(part)
    const rollouts = partOf(part, all)
    if (rollouts.length === 0 || !list.some((each) => each.path.draws.length > 0)) return null
    const byWeight = new Odds(
      list,
      Float64Array.from(list, ({ weight }) => weight),
      ({ path }) => path.draws.length,
    )
    const floors = part !== 'aside' && (isUnbounded(loss) || valueHead) ? floorsOf(rollouts) : undefined
    return { lot: { positives: list, byWeight, rollouts, floors }, tau }
  }

  /**
   * Some steps of the optimiser; gives the mean loss over them, and over t.
   * @param first steps that were made before
   * @param onStep told of each; false ends it
   */
  async fit(
    { lots, aside }: Lessons,
    count: number,
    first: number,
    onStep: (step: number, loss: number) => boolean,
  ): Promise<number> {
    const { fit, settings } = this.of
    const tests = aside.length > 0 ? this.batches.looked(aside, this.level ?? 0, first) : []
    let best = { value: Number.POSITIVE_INFINITY, layers: fit.layers }
    const look = async () => {
      if (tests.length === 0) return
      let value = 0
      for (const test of tests) value += (await this.loss(test)).value
      if (value < best.value) best = { value, layers: fit.layers }
    }
    await look()
    const every = Math.max(1, Math.floor(count / looks))
    let [sum, done] = [0, 0]
    for (let step = 0; step < count; step++) {
      const batch = this.batches.of(lots, this.level ?? 0, first + step)
      const { value, ...slopes } = await this.loss(batch)
      await fit.step(batch.rows, slopes, settings.rate * (1 - 0.9 * ((first + step) / settings.steps)))
      if ((step + 1) % every === 0) await look()
      const length = longest(batch.samples.flatMap(({ rollouts, positives }) => [...rollouts, ...positives]))
      const mean = value / Math.max(1, length)
      sum += mean
      done++
      if (!onStep(first + step + 1, mean)) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (tests.length > 0) fit.restore(best.layers)
    return sum / Math.max(1, done)
  }

  /** The mean over several samples of lots, as the network stands. */
  private async loss({ rows, samples }: Batch): Promise<LossValue> {
    const { fit, settings } = this.of
    const loss = settings.valueHead ? dpgWithValue : losses[settings.loss]
    const { logPsi, logTotal } = await fit.numbers(rows)
    return this.located(() => average(samples.map((each) => loss(each, logPsi, logTotal))))
  }

  /** `rl` and `pcl` measure log phi from it in all rounds; for `sixo` it is log Z, and later rounds know that better. */
  private setLevel(proposed: readonly Particle[]): void {
    const { twist, settings } = this.of
    if (this.level !== null && settings.loss !== 'sixo') return
    const firsts = proposed.map(({ lesson }) => lessonsOf(lesson).find(({ guide }) => guide.twist === twist)?.before)
    // What has weighed before there is a draw is no part of psi. Texts without a draw are a part of Z: they are taken to stand where the others begin.
    const begin = logMeanExp(Float64Array.from(firsts.filter((before) => before !== undefined)))
    const without = settings.loss === 'sixo' && Number.isFinite(begin) ? begin : undefined
    const rests = proposed.flatMap(({ logw }, i) => {
      const before = firsts[i] ?? without
      return before === undefined ? [] : [logw - before]
    })
    const level = logMeanExp(Float64Array.from(rests))
    if (Number.isFinite(level)) this.level = level
  }

  /** The paths of several populations, whose states are computed together. */
  private async paths(populations: readonly (readonly Particle[])[], options: ServeOptions): Promise<Path[][]> {
    const paths = await pathsOf(this.of.twist, populations.flat(), this.texts, options)
    let at = 0
    return populations.map(({ length }) => paths.slice(at, (at += length)))
  }

  /** The samples of the target of the last rounds together, by their true weights. */
  private positives(part: Part): { readonly list: readonly Weighted[]; readonly tau: number } {
    const memories = this.replay.flatMap((memory) => ('paths' in memory ? [memory] : []))
    const paths = memories.flatMap((memory) => partOf(part, memory.paths))
    const logs = Float64Array.from(memories.flatMap(({ logw }) => partOf(part, [...logw])))
    if (!logs.some(Number.isFinite)) return { list: [], tau: 1 }
    const mass = normalise(logs)
    // Those without a draw stay: they have their share of the target, as rollouts without one have theirs.
    const together = merged(paths, mass).filter(({ weight }) => weight > 0)
    const { weights, tau } = tempered(
      Float64Array.from(together, ({ weight }) => Math.log(weight)),
      this.of.settings.trust,
    )
    return { list: together.map(({ path }, i) => ({ path, weight: weights[i]! })), tau }
  }

  private located<T>(compute: () => T): T {
    try {
      return compute()
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown
      const message = `the loss \`fudge\` learns a probability, and ${thrown.message}`
      throw new SmcError(
        diagnostic('R033', this.of.declared.name.span, message, { hint: 'use `loss: ctl`, or factors of at most 1' }),
      )
    }
  }
}

function positivesOf({ exact, target }: Group): readonly Particle[] {
  return exact.length > 0 ? exact : target
}

/**
 * Where the target is, by the weights of the rollouts, tempered: the twist has to be right there. Losses that hold for every text may learn from
 * any, and most texts that an untrained proposal draws are of no use to the target.
 */
function whereTargetIs(rollouts: readonly Path[]): Odds<Path> | null {
  const logw = Float64Array.from(rollouts, ({ final }) => final)
  const live = logw.reduce((n, log) => n + (log > Number.NEGATIVE_INFINITY ? 1 : 0), 0)
  if (live === 0) return null
  const { weights } = tempered(logw, Math.max(0, Math.log(live / breadth)))
  return new Odds(rollouts, weights, ({ draws }) => draws.length)
}

type Part = 'all' | 'learned' | 'aside'

/** The last of a population are set aside: copies of one sample mostly stand side by side. */
function partOf<T>(part: Part, all: readonly T[]): readonly T[] {
  const count = part === 'all' ? all.length : Math.ceil(learnedShare * all.length)
  return part === 'aside' ? all.slice(count) : all.slice(0, count)
}

function equal(paths: readonly Path[]): Weighted[] {
  return paths.filter(({ draws }) => draws.length > 0).map((path) => ({ path, weight: 1 }))
}

/** The mean of the losses of several lots, whose rows are counted together. */
function average(found: readonly LossValue[]): LossValue {
  const [first] = found as readonly [LossValue]
  const mean = (of: (loss: LossValue) => Float64Array) => {
    const sum = new Float64Array(of(first).length)
    for (const loss of found) for (const [row, x] of of(loss).entries()) sum[row]! += x / found.length
    return sum
  }
  return {
    value: found.reduce((total, { value }) => total + value, 0) / found.length,
    onPsi: mean(({ onPsi }) => onPsi),
    onTotal: mean(({ onTotal }) => onTotal),
    ...(first.onLevel && { onLevel: mean(({ onLevel }) => onLevel!) }),
  }
}

/** Layers whose level is higher by so much. */
function raised(layers: readonly Layer[], by: number): readonly Layer[] {
  const last = layers.at(-1)!
  const bias = last.bias.slice()
  bias[bias.length - 1]! += by
  return [...layers.slice(0, -1), { ...last, bias }]
}

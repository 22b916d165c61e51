import { diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { ServeOptions } from '../../models/model.js'
import type { Randomness } from '../../models/randomness.js'
import type { LearnTwistDecl } from '../../syntax/ast.js'
import type { Particle } from '../particle.js'
import { Cumulative } from '../resample.js'
import { logMeanExp, normalise } from '../weights.js'
import type { HeadFit } from './fit.js'
import type { HeadShape, Layer } from './head.js'
import { lessonsOf } from './lesson.js'
import {
  dpgWithValue,
  type LossValue,
  learnsFromAny,
  leavesOutLevel,
  longest,
  losses,
  needsRollouts,
  needsTarget,
  type Samples,
} from './losses.js'
import type { Drawn, Group } from './populations.js'
import { chosen, merged, type Path, pathsOf, Rows, Texts } from './pupil.js'
import type { TrainSettings } from './settings.js'
import { tempered } from './temper.js'
import type { LearnedTwist, TrainedHead } from './twist.js'

/** What there is to learn from for the same observed values. */
interface Lot {
  readonly positives: readonly Weighted[]
  readonly rollouts: readonly Path[]
  /** What the half of a batch that is where the target is is picked by; left out where all rollouts count alike. */
  readonly there?: Cumulative | null
}

interface Weighted {
  readonly path: Path
  readonly weight: number
}

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
/** Most numbers of one batch of rows of log weights. */
const mostNumbers = 1 << 22

/** A twist that is being fitted: what it remembers, and its steps. */
export class Course {
  /** log Z-hat, by the weights behind the first draw: what psi of some losses leaves out (losses.ts). null before any sample lives. */
  level: number | null = null
  private replay: readonly Memory[] = []
  private readonly texts = new Texts()

  constructor(readonly of: CourseOf) {}

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
      const all = this.replay.flatMap((memory) => ('lots' in memory ? memory.lots : []))
      return { lots: all, positives: all.length, tau: 1 }
    }
    const paths = found[0]!
    const logw = Float64Array.from(paths, ({ final }) => (exact ? 0 : final) - Math.log(paths.length))
    const kept = learnsFromAny(loss) ? rollouts[0]! : []
    if (kept.length > 0 || logw.some(Number.isFinite)) {
      this.replay = [...this.replay, { round, paths, logw, rollouts: kept }].slice(-rounds)
    }
    const { list, tau } = this.positives()
    const any = this.replay.flatMap((memory) => ('rollouts' in memory ? memory.rollouts : []))
    const lot = {
      positives: list,
      rollouts: any.length > 0 ? any : rollouts[0]!,
      there: any.length > 0 ? whereTargetIs(any) : null,
    }
    const teaches = needsTarget(loss) ? list.length > 0 : lot.rollouts.some(({ final }) => Number.isFinite(final))
    return teaches ? { lots: [lot], positives: list.length, tau } : null
  }

  /**
   * Some steps of the optimiser; gives the mean loss over them, and over t.
   * @param first steps that were made before
   * @param onStep told of each; false ends it
   */
  async fit({ lots }: Lessons, count: number, first: number, onStep: (step: number, loss: number) => boolean): Promise<number> {
    const { fit, settings } = this.of
    const loss = settings.valueHead ? dpgWithValue : losses[settings.loss]
    let [sum, done] = [0, 0]
    for (let step = 0; step < count; step++) {
      const rows = new Rows()
      const samples = this.batch(rows, lots, first + step)
      const { logPsi, logTotal } = await fit.numbers(rows)
      const { value, ...slopes } = this.located(() => average(samples.map((each) => loss(each, logPsi, logTotal))))
      await fit.step(rows, slopes, settings.rate * (1 - 0.9 * ((first + step) / settings.steps)))
      const length = longest(samples.flatMap(({ rollouts, positives }) => [...rollouts, ...positives]))
      const mean = value / Math.max(1, length)
      sum += mean
      done++
      if (!onStep(first + step + 1, mean)) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    return sum / Math.max(1, done)
  }

  /** `rl` and `pcl` measure log phi from it in all rounds; for `sixo` it is log Z, and later rounds know that better. */
  private setLevel(proposed: readonly Particle[]): void {
    const { twist, settings } = this.of
    if (this.level !== null && settings.loss !== 'sixo') return
    const rests = proposed.flatMap(({ lesson, logw }) => {
      const first = lessonsOf(lesson).find(({ guide }) => guide.twist === twist)
      return first ? [logw - first.before] : []
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
  private positives(): { readonly list: readonly Weighted[]; readonly tau: number } {
    const memories = this.replay.flatMap((memory) => ('paths' in memory ? [memory] : []))
    const paths = memories.flatMap((memory) => memory.paths)
    if (paths.length === 0) return { list: [], tau: 1 }
    const mass = normalise(Float64Array.from(memories.flatMap(({ logw }) => [...logw])))
    const together = merged(paths, mass).filter(({ weight, path: { draws } }) => weight > 0 && draws.length > 0)
    const { weights, tau } = tempered(
      Float64Array.from(together, ({ weight }) => Math.log(weight)),
      this.of.settings.trust,
    )
    return { list: together.map(({ path }, i) => ({ path, weight: weights[i]! })), tau }
  }

  /** Paths for one step: all, or as many as fit into the rows of a batch, chosen anew each time. */
  private batch(rows: Rows, lots: readonly Lot[], step: number): Samples[] {
    const { random } = this.of
    const draw = (generation: number) => (index: number) => random.uniform({ slot: step, generation, draw: index }, 0)
    const most = Math.max(256, Math.floor(mostNumbers / this.of.vocabulary))
    const { loss, valueHead } = this.of.settings
    const withRollouts = needsRollouts(loss) || valueHead
    const level = this.level ?? 0
    const sequences = ({ positives, rollouts }: Lot): Samples => {
      const total = positives.reduce((sum, { weight }) => sum + weight, 0)
      return {
        positives: positives.map(({ path, weight }) => rows.sequence(path, weight / total)),
        rollouts: withRollouts ? rollouts.map((path) => rows.sequence(path, 1 / rollouts.length)) : [],
        level,
      }
    }
    const [lot] = lots as readonly [Lot]
    if (lots.length > 1) return chosen(lots, sizeOf, most, draw(2)).map(sequences)
    const half = lot.positives.length > 0 ? Math.floor(most / 2) : 0
    const positives = chosen(lot.positives, ({ path }) => path.draws.length, half, draw(0))
    const all = lot.rollouts.reduce((sum, { draws }) => sum + draws.length, 0)
    const share = lot.there ? Math.min(all, Math.floor(most / 2)) : 0
    const anywhere = chosen(lot.rollouts, ({ draws }) => draws.length, most - half - share, draw(1))
    const rollouts = lot.there ? [...anywhere, ...drawn(lot.rollouts, lot.there, share, draw(3))] : anywhere
    return [sequences({ positives, rollouts })]
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
function whereTargetIs(rollouts: readonly Path[]): Cumulative | null {
  const logw = Float64Array.from(rollouts, ({ final }) => final)
  const live = logw.reduce((n, log) => n + (log > Number.NEGATIVE_INFINITY ? 1 : 0), 0)
  return live > 0 ? new Cumulative(tempered(logw, Math.max(0, Math.log(live / breadth))).weights) : null
}

/** Drawn with replacement, as many as have together at most so many draws. */
function drawn(rollouts: readonly Path[], there: Cumulative, most: number, random: (index: number) => number): readonly Path[] {
  const found: Path[] = []
  for (let left = most; ; ) {
    const path = rollouts[there.find(random(found.length))]!
    left -= Math.max(1, path.draws.length)
    if (left < 0) return found
    found.push(path)
  }
}

function equal(paths: readonly Path[]): Weighted[] {
  return paths.filter(({ draws }) => draws.length > 0).map((path) => ({ path, weight: 1 }))
}

function sizeOf({ positives, rollouts }: Lot): number {
  const draws = [...positives.map(({ path }) => path), ...rollouts].map((path) => path.draws.length)
  return draws.reduce((a, b) => a + b, 0)
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

import { logAddExp, logSumExp } from '../../models/log-sum.js'

/**
 * The losses of inference.md §3 (Zhao et al. 2024, whose equations are named), as functions of two numbers for each draw: x = log psi of the drawn
 * token, and L = log sum_v g(v) psi(v), g the local posterior without psi. Both come out of one pass of the network; d L / d log psi(v) is
 * g(v) psi(v) / e^L, so the gradient of every loss is a weighted sum of those of x and L. Sums over t; nothing here knows of networks.
 */
export interface Sequence {
  /** Share of the samples, or of their weight. */
  readonly weight: number
  /** log of the whole weight of the particle, u at its end (lesson.ts); -Infinity when it has died. */
  readonly final: number
  readonly draws: readonly SequenceDraw[]
}

export interface SequenceDraw {
  /** Index into the numbers of the network. */
  readonly row: number
  /** u before the draw, and right behind it. */
  readonly before: number
  readonly after: number
}

export interface Samples {
  /** Of the target: weights are shares of the true weight. */
  readonly positives: readonly Sequence[]
  /** Without resampling: of the twisted proposal, or of the model itself for `sixo` and `fudge`. */
  readonly rollouts: readonly Sequence[]
  /**
   * log psi of `rl` and `pcl` is meant to be this much below log phi; 0 when left out. Near log Z it leaves psi near 1, where the network begins. What
   * draws has it added again.
   */
  readonly level?: number
  /** What the contrastive loss behind each draw is no lower than in truth (floors.ts), the last for all behind; left out where that is not known. */
  readonly floors?: Float64Array | undefined
}

export interface LossValue {
  readonly value: number
  /** d value / d x and d value / d L, by row. */
  readonly onPsi: Float64Array
  readonly onTotal: Float64Array
  /** d / d c, of a loss that the level alone goes down (head.ts); left out where none does. */
  readonly onLevel?: Float64Array
}

export type Loss = (samples: Samples, logPsi: Float64Array, logTotal: Float64Array) => LossValue

export const lossNames = ['ctl', 'rl', 'pcl', 'sixo', 'fudge', 'dpg'] as const
export type LossName = (typeof lossNames)[number]

/** Where a weight is 0, its logarithm is taken to lie this far below the smallest that was seen. */
const belowAll = 10

/**
 * Contrastive (Eq 21): sum_t -E_sigma[log psi_t] + log E_p0[psi_t]; its gradient is E_pi_t[∇log psi_t] - E_sigma[∇log psi_t]. The prefixes of
 * pi_t are the rollouts, weighted by e^u, and the last token of pi_t is summed out: e^L. A particle that has ended stays in pi_t with its weight.
 * A term that is lower than it can be says what these samples are, not what the target is: it is not gone down any further.
 */
const ctl: Loss = ({ positives, rollouts, floors }, logPsi, logTotal) => {
  const found = empty(logPsi)
  let value = 0
  for (let t = 0; t < longest([...positives, ...rollouts]); t++) {
    const going = positives.flatMap(({ weight, draws }) => draws.slice(t, t + 1).map(({ row }) => ({ weight, row })))
    const mean = going.reduce((sum, { weight, row }) => sum + weight * logPsi[row]!, 0)
    const logs = rollouts.map(({ weight, final, draws }) => {
      const draw = draws[t]
      return Math.log(weight) + (draw ? draw.before + logTotal[draw.row]! : final)
    })
    const total = logSumExp(logs)
    const counted = total > Number.NEGATIVE_INFINITY
    const term = (counted ? total : 0) - mean
    value += term
    if (floors && term < floors[Math.min(t, floors.length - 1)]!) continue
    for (const { weight, row } of going) found.onPsi[row]! -= weight
    if (!counted) continue
    rollouts.forEach(({ draws }, k) => {
      const draw = draws[t]
      if (draw) found.onTotal[draw.row]! += Math.exp(logs[k]! - total)
    })
  }
  return { value, ...found }
}

/** -sum_k w_k sum_t (log psi_t - L_t) (Eq 64): the likelihood of the samples under the proposal. */
const dpg: Loss = (samples, logPsi, logTotal) => {
  const found = empty(logPsi)
  let value = 0
  for (const { weight, draws } of samples.positives) {
    for (const { row } of draws) {
      value += weight * (logTotal[row]! - logPsi[row]!)
      found.onPsi[row]! -= weight
      found.onTotal[row]! += weight
    }
  }
  return { value, ...found }
}

/**
 * A proposal as by `dpg`, whose value for another text may be off by any factor, and the level that makes a twist of it: psi e^c by `ctl`, of
 * which c alone learns. c drops out of `dpg`, for it is in x and in L.
 */
export const dpgWithValue: Loss = (samples, logPsi, logTotal) => {
  const proposal = dpg(samples, logPsi, logTotal)
  const { value, onPsi, onTotal } = ctl(samples, logPsi, logTotal)
  return { ...proposal, value: proposal.value + value, onLevel: onPsi.map((slope, row) => slope + onTotal[row]!) }
}

/** (log (phi_t sum_v p0 psi_{t+1}) - log psi_t)², the target held fixed; the last target is log phi - level. */
const rl: Loss = (samples, logPsi, logTotal) => {
  const found = empty(logPsi)
  const least = leastRest(samples.rollouts)
  const { level = 0 } = samples
  let value = 0
  for (const { weight, final, draws } of samples.rollouts) {
    draws.forEach(({ row, after }, t) => {
      const next = draws[t + 1]
      const target = next ? next.before - after + logTotal[next.row]! : Math.max(final - after, least) - level
      const miss = logPsi[row]! - target
      value += weight * miss ** 2
      found.onPsi[row]! += 2 * weight * miss
    })
  }
  return { value, ...found }
}

/**
 * Path consistency (Eq 50): (log phi_t + log psi_t - log psi_{t-1} - log q/p0)², and behind the last draw (log phi - log psi_T)². q is the proposal
 * that psi makes, so that log psi_t - log q/p0 = L_t; unlike in `rl`, both sides move. `sampled`: q is what the samples were drawn from instead.
 * log psi_0 is a constant: the one that fits best, unless it is given.
 */
const pathConsistency =
  (start: number | null, sampled: boolean): Loss =>
  (samples, logPsi, logTotal) => {
    const found = empty(logPsi)
    const least = leastRest(samples.rollouts)
    const { level = 0 } = samples
    const [own, onOwn] = sampled ? [logPsi, found.onPsi] : [logTotal, found.onTotal]
    /** log phi_t, and log p0/q where q is given. */
    const step = ({ draws }: Sequence, t: number) => {
      const { before, after } = draws[t]!
      return sampled ? (draws[t + 1]?.before ?? after) - before : before - (draws[t - 1]?.after ?? before)
    }
    const firsts = samples.rollouts.filter(({ draws }) => draws.length > 0)
    const share = firsts.reduce((sum, { weight }) => sum + weight, 0)
    const begin =
      start ?? firsts.reduce((sum, each) => sum + (each.weight / share) * (step(each, 0) + own[each.draws[0]!.row]!), 0)
    let value = 0
    for (const sequence of samples.rollouts) {
      const { weight, final, draws } = sequence
      draws.forEach(({ row, after }, t) => {
        const previous = draws[t - 1]
        const miss = step(sequence, t) + own[row]! - (previous ? logPsi[previous.row]! : begin)
        value += weight * miss ** 2
        onOwn[row]! += 2 * weight * miss
        if (previous) found.onPsi[previous.row]! -= 2 * weight * miss
        if (t < draws.length - 1) return
        const rest = logPsi[row]! - Math.max(final - after, least) + level
        value += weight * rest ** 2
        found.onPsi[row]! += 2 * weight * rest
      })
    }
    return { value, ...found }
  }

/** Logistic: samples of the target against samples of the model. */
const sixo: Loss = (samples, logPsi) => {
  const found = empty(logPsi)
  let value = 0
  const add = (sequences: readonly Sequence[], sign: number) => {
    for (const { weight, draws } of sequences) {
      for (const { row } of draws) {
        value += weight * softplus(-sign * logPsi[row]!)
        found.onPsi[row]! -= weight * sign * sigmoid(-sign * logPsi[row]!)
      }
    }
  }
  add(samples.positives, 1)
  add(samples.rollouts, -1)
  return { value, ...found }
}

/** Binary cross-entropy of phi given each prefix, psi = sigmoid(x). Throws a RangeError where a weight exceeds 1: it is no probability. */
const fudge: Loss = (samples, logPsi) => {
  const found = empty(logPsi)
  let value = 0
  for (const { weight, final, draws } of samples.rollouts) {
    const phi = Math.exp(final - (draws[0]?.before ?? 0))
    if (phi > 1 + 1e-6) throw new RangeError(`the weight of a sample is ${phi}`)
    for (const { row } of draws) {
      const x = logPsi[row]!
      value += weight * (phi * softplus(-x) + (1 - phi) * softplus(x))
      found.onPsi[row]! += weight * (sigmoid(x) - phi)
    }
  }
  return { value, ...found }
}

export const losses: Readonly<Record<LossName, Loss>> = { ctl, rl, pcl: pathConsistency(null, false), sixo, fudge, dpg }

/** `pcl` from a given log psi_0, with the q that the samples were drawn from. */
export const sampledPcl = (start: number) => pathConsistency(start, true)

/** Whether both log psi and the totals move, or the totals are held fixed or do not occur. */
export function movesTotals(loss: LossName): boolean {
  return loss === 'ctl' || loss === 'pcl' || loss === 'dpg'
}

/** Whether it learns as well from samples that another proposal has drawn: those of earlier rounds. */
export function learnsFromAny(loss: LossName): boolean {
  return loss === 'rl' || loss === 'pcl'
}

/** Whether its psi lies below the expected phi by a constant factor: the given level, or Z, which a share of samples does not know. */
export function leavesOutLevel(loss: LossName): boolean {
  return loss === 'rl' || loss === 'pcl' || loss === 'sixo'
}

/** Whether the loss of a few samples has no least value: it falls without end where they are learned by heart. */
export function isUnbounded(loss: LossName): boolean {
  return loss === 'ctl'
}

/** Whether it learns from samples of the target. */
export function needsTarget(loss: LossName): boolean {
  return loss === 'ctl' || loss === 'sixo' || loss === 'dpg'
}

/** Whether it learns from samples of the model itself. */
export function needsModel(loss: LossName): boolean {
  return loss === 'sixo' || loss === 'fudge'
}

/** Whether it learns from samples that were drawn without resampling. */
export function needsRollouts(loss: LossName): boolean {
  return loss !== 'dpg'
}

/** Draws of the longest sequence: t runs from 0 to one less. */
export function longest(sequences: readonly Sequence[]): number {
  return sequences.reduce((most, { draws }) => Math.max(most, draws.length), 0)
}

/** What stands for log 0 behind the last draws. */
function leastRest(sequences: readonly Sequence[]): number {
  const rests = sequences.map(({ final, draws }) => final - (draws.at(-1)?.after ?? 0)).filter(Number.isFinite)
  return rests.reduce((a, b) => Math.min(a, b), 0) - belowAll
}

function empty(like: Float64Array) {
  return { onPsi: new Float64Array(like.length), onTotal: new Float64Array(like.length) }
}

function softplus(x: number): number {
  return logAddExp(0, x)
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

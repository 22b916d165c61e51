import { ess, logMeanExp } from '../weights.js'
import type { Drawn, Group } from './populations.js'

/** What the samples of one round say of the twists that drew them. */
export interface Figures {
  /** Of all samples that were drawn without resampling: with drawn data the sum over the data. */
  readonly ess: number
  readonly particles: number
  /** Share of these with a weight above 0. */
  readonly alive: number
  /** F = E_q[log target/q]: the mean of their log weights, those of dead ones taken 10 nats below the smallest ever seen: a lower bound on log Z where none is dead. */
  readonly lower: number
  /** G = E_sigma[log target/q], over exact samples: an upper bound on log Z. null without them. */
  readonly upper: number | null
  /** KL(q||sigma) = log Z - F and KL(sigma||q) = G - log Z; null without exact samples, and where a sample has died, which makes the first infinite. */
  readonly klProposalTarget: number | null
  readonly klTargetProposal: number | null
  /** log Z-hat of the population with resampling; null where it died or was not wanted. */
  readonly logZ: number | null
}

/** What a dead sample counts as, below the smallest log weight that was seen. */
const belowAll = 10

/** Compares the twists of rounds: the higher the better. */
export interface Quality {
  readonly mean: number
  /** Standard error. */
  readonly error: number
}

/**
 * Later twists have learned more: an earlier one is kept only where it was clearly better. What later ones are held against is the highest of all
 * rounds: were it that of the last that was taken, each could be a little worse than the one before it.
 * @returns what is held against the next; null where `found` is not to be taken
 */
export function succeeded(highest: Quality, found: Quality): Quality | null {
  if (!(found.mean > highest.mean - 2 * (found.error + highest.error))) return null
  return found.mean > highest.mean ? found : highest
}

/** @param least the smallest log weight of all rounds so far */
export function figuresOf(
  { groups, exact }: Drawn,
  least: number,
): Figures & { readonly least: number; readonly quality: Quality } {
  const all = groups.flatMap(({ proposed }) => proposed.map(({ logw }) => logw))
  const living = all.filter(Number.isFinite)
  const lowest = living.reduce((a, b) => Math.min(a, b), least)
  const floor = Number.isFinite(lowest) ? lowest - belowAll : -belowAll
  const counted = (group: Group) => group.proposed.map(({ logw }) => Math.max(logw, floor))
  const lower = mean(groups.flatMap(counted))
  const whole = mean(groups.map(({ target }) => logMeanExp(weightsOf(target))))
  return {
    ess: groups.reduce((sum, { proposed }) => sum + ess(weightsOf(proposed)), 0),
    particles: all.length,
    alive: living.length / all.length,
    lower,
    ...distances(groups, exact?.logZ ?? null),
    logZ: groups.some(({ target }) => target.length > 0) && Number.isFinite(whole) ? whole : null,
    least: lowest,
    // Data differ in their Z from round to round: what is left of log Z by F and G together does not.
    quality: exact?.data
      ? spread(groups.map((group) => mean(counted(group)) - mean(group.exact.map(({ logw }) => logw))))
      : spread(groups.flatMap(counted)),
  }
}

/** log Z is the middle of its bounds by N samples of the proposal and one more, which is exact above; averages over drawn data. */
function distances(
  groups: readonly Group[],
  known: number | null,
): Pick<Figures, 'upper' | 'klProposalTarget' | 'klTargetProposal'> {
  if (groups.some(({ exact }) => exact.length === 0)) return { upper: null, klProposalTarget: null, klTargetProposal: null }
  const upper = mean(groups.flatMap(({ exact }) => exact.map(({ logw }) => logw)))
  const middles = groups.map(({ proposed, exact }) => {
    const free = weightsOf(proposed)
    const above = mean(exact.map(({ logw }) => logMeanExp(Float64Array.of(...free, logw))))
    return (logMeanExp(free) + above) / 2
  })
  const logZ = known ?? mean(middles)
  const lower = mean(groups.flatMap(({ proposed }) => proposed.map(({ logw }) => logw)))
  const told = (kl: number) => (Number.isFinite(kl) ? kl : null)
  return { upper, klProposalTarget: told(logZ - lower), klTargetProposal: told(upper - logZ) }
}

function weightsOf(particles: readonly { readonly logw: number }[]): Float64Array {
  return Float64Array.from(particles, ({ logw }) => logw)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length
}

function spread(values: readonly number[]): Quality {
  const middle = mean(values)
  return { mean: middle, error: Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0)) / values.length }
}

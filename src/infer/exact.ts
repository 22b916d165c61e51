import type { Span } from '../diagnostics/span.js'
import type { DrawKey, Randomness } from '../models/randomness.js'
import { enumerate, Unlistable } from './enumerate.js'
import { equal } from './equality.js'
import { type ExecutorOptions, executeIslands } from './executor.js'
import type { LinkedProgram } from './link.js'
import { philoxRandomness } from './philox.js'
import { type Choice, choicesOf, type Datum, NoData, RisingWeight } from './trace.js'

/**
 * Exact samples of a program's target, for upper bounds (inference.md §2). They are drawn from the target itself: no twist, no proposal,
 * nothing fused, so a run's weight is the product of all that it observes and weighs.
 *
 *     enumerate   every run, where all that may be drawn can be listed: the target as a table, and Z with it
 *     simulate    a run draws what it observes, too, and is accepted with the probability of what else it weighs; bounds then refer to drawn
 *                 data, and average over them (bidirectional Monte Carlo)
 *     reject      a run is accepted with the probability of its weight, where no factor is above 1; otherwise all begins anew
 */

export type ExactWay = 'simulate' | 'reject' | 'enumerate' | 'file'

export interface Exact {
  readonly way: ExactWay
  /** One for each repeat, independent. */
  readonly traces: readonly (readonly Choice[])[]
  /** The data that were drawn with each, in place of those of the program. */
  readonly data: readonly (readonly Datum[])[] | null
  /** log Z, where it was enumerated. */
  readonly logZ: number | null
  /** Share of the runs that were accepted, where some were rejected. */
  readonly acceptance: number | null
}

/** Why a way does not apply to this program. */
export interface Refusal {
  readonly way: ExactWay
  readonly why: string
  readonly span?: Span | undefined
}

/** The unfused program, and what it runs with. */
export interface Direct {
  readonly program: LinkedProgram
  readonly options: Omit<ExecutorOptions, 'random'>
  readonly seed: number
}

export function isRefusal(found: object): found is Refusal {
  return 'why' in found
}

/** Why nothing can be drawn from a target of which all runs were listed. */
export const noRun = 'every run has weight 0'

/** Runs of one batch: nearly all are accepted under `simulate`, few where much is rejected. */
const batchOf = (way: 'reject' | 'simulate', count: number) => (way === 'simulate' ? Math.min(256, Math.max(16, count)) : 256)
/** Ms after which a search that has too far to go is given up, and the time, in s, that it may take in all. */
const patience = 20_000
const longest = 600
/** Runs that an enumeration may take. */
const mostRuns = 20_000
/** `repeat` of the runs of the first batch: no bound counts that far. */
const firstBatch = 2 ** 40
/** Batches of one portion, at most. */
const mostBatches = 2 ** 20
/** Which trace of an enumeration a repeat takes. */
const choosing = (repeat: number): DrawKey => ({ slot: repeat, generation: -2, draw: 0 })

/**
 * Runs until `count` of them are accepted, with data of their own under `simulate`; gives up, with an estimate, when that would take too long.
 * @param portion portions of different numbers are independent
 */
export async function acceptedRuns(
  direct: Direct,
  count: number,
  way: 'reject' | 'simulate',
  portion = 0,
  onTried: (accepted: number, tried: number) => void = () => {},
): Promise<Exact | Refusal> {
  const { program, options, seed } = direct
  const traces: Choice[][] = []
  const data: (readonly Datum[])[] = []
  const batch = batchOf(way, count)
  const settings = { ...options.settings, particles: batch, method: 'importance', twist: false } as const
  const started = performance.now()
  let tried = 0
  let batches = 0
  try {
    while (traces.length < count) {
      const random = philoxRandomness(seed, firstBatch + portion * mostBatches + batches++)
      const run = { ...options, settings, record: true, direct: true, simulate: way === 'simulate' }
      const { islands, partial } = await executeIslands(program, run, [{ random, forced: null, thinned: true }])
      if (partial) return { way, why: 'it was interrupted' }
      for (const p of islands[0]!.particles) {
        if (traces.length === count) break
        tried++
        if (p.status !== 'finished') continue
        traces.push(choicesOf(p.trace))
        data.push(p.data ?? [])
        requireSame(data[0]!, data.at(-1)!)
      }
      onTried(traces.length, tried)
      if (traces.length === count) break
      const seconds = (performance.now() - started) / 1000
      const left = (seconds / Math.max(1, traces.length)) * (count - traces.length)
      if (1000 * seconds > patience && left > longest)
        return { way, why: tooRare(traces.length, tried, traces.length > 0 ? left : (seconds * count) / certain) }
    }
  } catch (error) {
    if (error instanceof NoData) return { way, why: error.why, span: error.span }
    if (!(error instanceof RisingWeight)) throw error
    const why = `a weight is multiplied by ${Math.exp(error.log).toPrecision(3)}, and only factors up to 1 can be accepted with a probability`
    return { way, why, span: error.span }
  }
  return { way, traces, data: way === 'simulate' ? data : null, logZ: null, acceptance: traces.length / tried }
}

/** Every run observes what the first did, as far as the program's own values and the order of its statements go. */
function requireSame(first: readonly Datum[], data: readonly Datum[]): void {
  for (const [i, { span, own }] of data.entries()) {
    if (i >= first.length || first[i]!.span !== span) throw new NoData(span, 'runs do not all observe the same')
    if (!equal(first[i]!.own, own)) throw new NoData(span, 'this observed value is not the same in every run')
  }
  if (data.length < first.length) throw new NoData(first[data.length]!.span, 'runs do not all observe the same')
}

/** Where none of n runs is accepted, fewer than 3 in n are, at a confidence of 95 %. */
const certain = 3

/** `left`: the seconds that the rest would take. */
function tooRare(accepted: number, tried: number, left: number): string {
  const minutes = Math.ceil(left / 60)
  return accepted === 0
    ? `none of ${tried} runs was accepted, and those that are needed would take more than ${minutes} minutes`
    : `${accepted} of ${tried} runs were accepted, and the rest would take about ${minutes} minutes`
}

/** All runs of a program, each with its part of Z. */
export interface Listing {
  readonly runs: readonly { readonly choices: readonly Choice[]; readonly mass: number }[]
  readonly seed: number
}

/** @param first how many were drawn from this listing before */
export function drawListed({ runs, seed }: Listing, count: number, first = 0): Exact {
  const masses = runs.map(({ mass }) => mass)
  const random = philoxRandomness(seed, firstBatch - 1)
  const traces = Array.from({ length: count }, (_, r) => runs[random.index(masses, choosing(first + r))]!.choices)
  const Z = masses.reduce((sum, mass) => sum + mass, 0)
  return { way: 'enumerate', traces, data: null, logZ: Math.log(Z), acceptance: null }
}

export async function listRuns(direct: Direct): Promise<Listing | Refusal> {
  const { program, options, seed } = direct
  const settings = { ...options.settings, particles: 1, method: 'importance', twist: false } as const
  const found = new Map<string, { readonly choices: readonly Choice[]; mass: number }>()
  const started = performance.now()
  const run = async (random: Randomness) => {
    if (performance.now() - started > patience) throw new Unlistable('it takes too long')
    const { islands, partial } = await executeIslands(program, { ...options, settings, record: true, direct: true }, [
      { random, forced: null },
    ])
    if (partial) throw new Unlistable('it was interrupted')
    return islands[0]!.particles[0]!
  }
  try {
    for await (const { probability, result: particle } of enumerate(run, { limit: mostRuns })) {
      const mass = probability * Math.exp(particle.logw)
      if (mass === 0) continue
      const choices = choicesOf(particle.trace)
      const key = JSON.stringify(choices)
      const known = found.get(key)
      if (known) known.mass += mass
      else found.set(key, { choices, mass })
    }
  } catch (error) {
    if (!(error instanceof Unlistable)) throw error
    return { way: 'enumerate', why: error.message }
  }
  return found.size > 0 ? { runs: [...found.values()], seed } : { way: 'enumerate', why: noRun }
}

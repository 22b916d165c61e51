import type { Span } from '../diagnostics/span.js'
import type { DrawKey, Randomness } from '../models/randomness.js'
import { enumerate, Unlistable } from './enumerate.js'
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

export function isRefusal(found: Exact | Refusal): found is Refusal {
  return 'why' in found
}

/** Runs of one batch. */
const batch = 256
/** Ms after which a search that has too far to go is given up, and the time, in s, that it may take in all. */
const patience = 20_000
const longest = 600
/** Runs that an enumeration may take. */
const mostRuns = 20_000
/** `repeat` of the runs of the first batch: no bound counts that far. */
const firstBatch = 2 ** 40
/** Which trace of an enumeration a repeat takes. */
const choosing = (repeat: number): DrawKey => ({ slot: repeat, generation: -2, draw: 0 })

/** Runs until `count` of them are accepted, with data of their own under `simulate`; gives up, with an estimate, when that would take too long. */
export async function acceptedRuns(direct: Direct, count: number, way: 'reject' | 'simulate'): Promise<Exact | Refusal> {
  const { program, options, seed } = direct
  const traces: Choice[][] = []
  const data: (readonly Datum[])[] = []
  const settings = { ...options.settings, particles: batch, method: 'importance', twist: false } as const
  const started = performance.now()
  let tried = 0
  try {
    while (traces.length < count) {
      const random = philoxRandomness(seed, firstBatch + tried / batch)
      const run = { ...options, settings, record: true, direct: true, simulate: way === 'simulate' }
      const { islands, partial } = await executeIslands(program, run, [{ random, forced: null, thinned: true }])
      if (partial) return { way, why: 'it was interrupted' }
      for (const p of islands[0]!.particles) {
        if (traces.length === count) break
        tried++
        if (p.status !== 'finished') continue
        traces.push(choicesOf(p.trace))
        data.push(p.data ?? [])
      }
      if (traces.length === count) break
      const seconds = (performance.now() - started) / 1000
      const left = (seconds / Math.max(1, traces.length)) * (count - traces.length)
      if (1000 * seconds > patience && left > longest) return { way, why: tooRare(traces.length, tried, left) }
    }
  } catch (error) {
    if (error instanceof NoData) return { way, why: error.why, span: error.span }
    if (!(error instanceof RisingWeight)) throw error
    const why = `a weight is multiplied by ${Math.exp(error.log).toPrecision(3)}, and only factors up to 1 can be accepted with a probability`
    return { way, why, span: error.span }
  }
  return { way, traces, data: way === 'simulate' ? data : null, logZ: null, acceptance: traces.length / tried }
}

function tooRare(accepted: number, tried: number, left: number): string {
  const minutes = Math.ceil(left / 60)
  return accepted === 0
    ? `none of ${tried} runs was accepted`
    : `${accepted} of ${tried} runs were accepted, and the rest would take about ${minutes} minutes`
}

/** All runs, each with its part of Z; then one for each repeat, drawn from that table. */
export async function enumerated(direct: Direct, count: number): Promise<Exact | Refusal> {
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
  const all = [...found.values()]
  const masses = all.map(({ mass }) => mass)
  const Z = masses.reduce((sum, mass) => sum + mass, 0)
  if (!(Z > 0)) return { way: 'enumerate', why: 'every run has weight 0' }
  const random = philoxRandomness(seed, firstBatch - 1)
  const traces = Array.from({ length: count }, (_, r) => all[random.index(masses, choosing(r))]!.choices)
  return { way: 'enumerate', traces, data: null, logZ: Math.log(Z), acceptance: null }
}

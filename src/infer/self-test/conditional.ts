import { enumerate } from '../enumerate.js'
import { executeIslands } from '../executor.js'
import { philoxRandomness } from '../philox.js'
import type { Choice } from '../trace.js'
import { logMeanExp } from '../weights.js'
import { hurried, runOnce, type Sampler } from './measure.js'

/** E[1 / Z-hat] with exact samples kept (inference.md §2), and its standard error; null where everything was listed. */
export interface Inverse {
  readonly mean: number
  readonly error: number | null
  /** 1 / Z-hat at most. */
  readonly largest: number
  readonly runs: number
  readonly effective: number
}

type Traces = readonly { readonly choices: readonly Choice[]; readonly mass: number }[]

const totalOf = (traces: Traces) => traces.reduce((sum, { mass }) => sum + mass, 0)

/** Over all exact samples and all that the sampler may draw beside them. @throws Unlistable */
export async function conditionalListed(sampler: Sampler, traces: Traces, limit: number, patience: number): Promise<Inverse> {
  const Z = totalOf(traces)
  let [mean, largest, runs] = [0, 0, 0]
  let forced: readonly Choice[] = []
  const once = hurried(patience, (random) => runOnce(sampler, random, forced))
  for (const { choices, mass } of traces) {
    forced = choices
    for await (const { probability, result } of enumerate(once, { limit: limit - runs })) {
      runs++
      const inverse = 1 / Math.exp(logMeanExp(Float64Array.from(result, (p) => p.logw)))
      mean += (mass / Z) * probability * inverse
      largest = Math.max(largest, inverse)
    }
  }
  return { mean, error: null, largest, runs, effective: Number.POSITIVE_INFINITY }
}

/** Over many seeds, each with an exact sample of its own. */
export async function conditionalSampled(
  { prepared, settings, options }: Sampler,
  traces: Traces,
  seeds: number,
  seed: number,
  first: number,
): Promise<Inverse> {
  const masses = traces.map(({ mass }) => mass)
  const choosing = philoxRandomness(seed, first + seeds)
  const { program, host, externs } = prepared
  const found: number[] = []
  for (let at = 0; at < seeds; at += 100) {
    const setups = Array.from({ length: Math.min(100, seeds - at) }, (_, i) => ({
      random: philoxRandomness(seed, first + at + i),
      forced: traces[choosing.index(masses, { slot: at + i, generation: 0, draw: 0 })]!.choices,
    }))
    const { islands } = await executeIslands(program, { ...options, settings, host, externs }, setups)
    for (const { particles } of islands) found.push(1 / Math.exp(logMeanExp(Float64Array.from(particles, (p) => p.logw))))
  }
  const mean = found.reduce((a, b) => a + b, 0) / seeds
  const square = found.reduce((sum, x) => sum + x * x, 0)
  const error = Math.sqrt(found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (seeds - 1) / seeds)
  return { mean, error, largest: Math.max(...found), runs: seeds, effective: (mean * seeds) ** 2 / square }
}

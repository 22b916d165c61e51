import { SmcError } from '../../diagnostics/diagnostic.js'
import type { Randomness } from '../../models/randomness.js'
import { enumerate, Unlistable } from '../enumerate.js'
import { type ExecutorOptions, execute, executeIslands, type Population } from '../executor.js'
import type { Prepared } from '../open.js'
import { philoxRandomness } from '../philox.js'
import type { Json, Settings } from '../result.js'
import { type Choice, choicesOf } from '../trace.js'

/**
 * What a sampler gives on average: E[Z-hat f(answer)] = sum over its runs of P(run) · (1/N) sum_i w_i f(answer_i), for functions f of the answer,
 * the first of which is 1. Either over all that it may draw, or over many seeds, with the standard error of each mean.
 */

/** A function of the answer. */
export interface Feature {
  readonly name: string
  of(answer: Json): number
}

/** Means of the features, shape (features), and their variances over runs; null where all runs were listed. */
export interface Measured {
  readonly means: Float64Array
  readonly errors: Float64Array | null
  /** For seeds: the largest Z-hat. */
  readonly largest?: number
  /** The largest weight of a particle. */
  readonly heaviest: number
  readonly particles: number
  /** Paths of the sampler, or seeds. */
  readonly runs: number
  /** (sum Z-hat)^2 / sum Z-hat^2 over the seeds: how many of them matter. */
  readonly effective: number
  /** P(all particles dead) */
  readonly dead: number
}

/** A way to run the program. */
export interface Sampler {
  readonly prepared: Prepared
  readonly settings: Settings
  readonly options?: Pick<ExecutorOptions, 'direct' | 'contrary' | 'record'>
}

/** Seeds of one batch. */
const together = 100

export function answersOf(
  { particles, asked }: Pick<Population, 'particles' | 'asked'>,
  { host }: Prepared,
): { answer: Json; weight: number }[] {
  return particles.flatMap((p) =>
    p.status === 'finished' ? [{ answer: host.json(p.value, 0), weight: Math.exp(p.logw) / asked }] : [],
  )
}

/** One run; nothing where all particles die. `forced`: an exact sample for conditional SMC. */
export async function runOnce(
  { prepared, settings, options }: Sampler,
  random: Randomness,
  forced: readonly Choice[] | null = null,
): Promise<Population['particles']> {
  const { program, host, externs } = prepared
  const all = { ...options, settings, host, externs }
  if (settings.method !== 'steer') return (await executeIslands(program, all, [{ random, forced }])).islands[0]!.particles
  try {
    return (await execute(program, { ...all, random })).particles
  } catch (error) {
    if (error instanceof SmcError && error.diagnostics[0]!.code === 'R003') return []
    throw error
  }
}

/** Over all that the sampler may draw. @throws Unlistable where that has more than `limit` paths, or takes longer than `patience`, in ms */
export async function listed(sampler: Sampler, features: readonly Feature[], limit: number, patience: number): Promise<Measured> {
  const means = new Float64Array(features.length)
  let [dead, runs, heaviest] = [0, 0, 0]
  const { prepared, settings } = sampler
  const once = hurried(patience, (random) => runOnce(sampler, random))
  for await (const { probability, result: particles } of enumerate(once, { limit })) {
    runs++
    const answers = answersOf({ particles, asked: settings.particles }, prepared)
    if (answers.every(({ weight }) => weight === 0)) dead += probability
    heaviest = Math.max(heaviest, ...answers.map(({ weight }) => weight * settings.particles))
    for (const { answer, weight } of answers)
      for (const [i, f] of features.entries()) means[i]! += probability * weight * f.of(answer)
  }
  return { means, errors: null, heaviest, particles: settings.particles, runs, effective: Number.POSITIVE_INFINITY, dead }
}

/** `run`, which gives up when it is called after its time. */
export function hurried<T>(patience: number, run: (random: Randomness) => Promise<T>): (random: Randomness) => Promise<T> {
  const end = performance.now() + patience
  return (random) => {
    if (performance.now() > end) throw new Unlistable('it takes too long to list all runs')
    return run(random)
  }
}

/** Over many seeds. */
export async function sampled(
  sampler: Sampler,
  features: readonly Feature[],
  seeds: number,
  seed: number,
  first: number,
): Promise<Measured> {
  const { prepared, settings, options } = sampler
  const { program, host, externs } = prepared
  const sums = new Float64Array(features.length)
  const squares = new Float64Array(features.length)
  let [dead, largest, heaviest] = [0, 0, 0]
  const take = (particles: Population['particles']) => {
    const answers = answersOf({ particles, asked: settings.particles }, prepared)
    const here = features.map((f) => answers.reduce((sum, { answer, weight }) => sum + weight * f.of(answer), 0))
    here.forEach((x, i) => {
      sums[i]! += x
      squares[i]! += x * x
    })
    largest = Math.max(largest, here[0]!)
    heaviest = Math.max(heaviest, ...answers.map(({ weight }) => weight * settings.particles))
    if (answers.every(({ weight }) => weight === 0)) dead++
  }
  const sources = Array.from({ length: seeds }, (_, i) => philoxRandomness(seed, first + i))
  if (settings.method === 'steer') for (const random of sources) take(await runOnce(sampler, random))
  else
    for (let at = 0; at < seeds; at += together) {
      const setups = sources.slice(at, at + together).map((random) => ({ random, forced: null }))
      const { islands } = await executeIslands(program, { ...options, settings, host, externs }, setups)
      for (const { particles } of islands) take(particles)
    }
  const means = sums.map((sum) => sum / seeds)
  const errors = squares.map((square, i) => Math.sqrt(Math.max(0, square / seeds - means[i]! ** 2) / (seeds - 1)))
  const effective = sums[0]! ** 2 / squares[0]! || 0
  return { means, errors, largest, heaviest, particles: settings.particles, runs: seeds, effective, dead: dead / seeds }
}

/** Every run of the program itself: what it draws, its answer, its part of Z, and the largest weight. @throws Unlistable */
export async function listedTarget(direct: Sampler, limit: number, patience: number) {
  const found = new Map<string, { readonly choices: readonly Choice[]; readonly answer: Json; mass: number }>()
  let heaviest = 0
  const once = hurried(patience, (random) => runOnce(direct, random))
  for await (const { probability, result } of enumerate(once, { limit })) {
    const [particle] = result
    if (particle!.status !== 'finished') continue
    const choices = choicesOf(particle!.trace)
    const key = JSON.stringify(choices)
    const weight = Math.exp(particle!.logw)
    const mass = probability * weight + (found.get(key)?.mass ?? 0)
    heaviest = Math.max(heaviest, weight)
    found.set(key, { choices, answer: direct.prepared.host.json(particle!.value, 0), mass })
  }
  return { runs: [...found.values()].filter(({ mass }) => mass > 0), heaviest }
}

/** The second way where the first has too much to list, or does not apply. */
export async function orElse<T>(first: () => Promise<T> | null, second: () => Promise<T>): Promise<T> {
  try {
    const found = await first()
    if (found !== null) return found
  } catch (error) {
    if (!(error instanceof Unlistable)) throw error
  }
  return second()
}

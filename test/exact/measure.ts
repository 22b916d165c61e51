import { expect } from 'vitest'
import { type Compiled, compileSource } from '../../src/compile.js'
import { SmcError } from '../../src/diagnostics/diagnostic.js'
import { defaultSettings } from '../../src/index.js'
import { type EnumerationOptions, enumerate } from '../../src/infer/enumerate.js'
import { execute, executeIslands } from '../../src/infer/executor.js'
import { Externs } from '../../src/infer/externs.js'
import { sweep } from '../../src/infer/gibbs.js'
import { createHost } from '../../src/infer/host/host.js'
import { conditionsOf } from '../../src/infer/learned/file.js'
import { LearnedTwist, type TrainedHead } from '../../src/infer/learned/twist.js'
import { link } from '../../src/infer/link.js'
import type { Particle } from '../../src/infer/particle.js'
import type { Json, Scheme, Settings, Step } from '../../src/infer/result.js'
import { type Choice, choicesOf } from '../../src/infer/trace.js'
import { ClassifierValue, ModelValue } from '../../src/infer/values.js'
import type { Classifier } from '../../src/models/classifiers/classifier.js'
import type { LanguageModel } from '../../src/models/model.js'
import type { Randomness } from '../../src/models/randomness.js'
import { TableModel } from '../../src/models/table.js'

/** A table model from its description; the fields are those of language.md §10. */
export function table(description: {
  readonly tokens: readonly string[]
  readonly order?: number
  readonly end?: string | null
  readonly next: Readonly<Record<string, readonly number[]>>
}): TableModel {
  return TableModel.parse('table', JSON.stringify({ order: 1, end: null, ...description }))
}

export const schemes: readonly Scheme[] = ['multinomial', 'systematic', 'stratified', 'residual']

/** What one run of the sampler says: weights add up to Z-hat. */
export interface Outcome {
  /** 0 where all particles died. */
  readonly estimate: number
  /** Per particle: its answer as JSON text, and its share of Z-hat. Dead ones are left out. */
  readonly answers: readonly { readonly value: string; readonly weight: number }[]
  readonly steps: readonly Step[]
}

/**
 * The real compiler and the real executor, without the reading of files and the summary: made once for a program, so that it can be
 * run ten thousand times.
 */
export interface Sampler {
  readonly compiled: Compiled
  run(random: Randomness, settings?: Partial<Settings>): Promise<Outcome>
  /** Conditional SMC: an exact sample is forced through one of the particles. */
  runForced(forced: readonly Choice[], random: Randomness, settings?: Partial<Settings>): Promise<Outcome>
  /** One sweep of particle Gibbs: the path that is drawn from a population in which another was kept. */
  sweep(retained: readonly Choice[], random: Randomness, settings?: Partial<Settings>): Promise<Swept>
  /** One particle, alone, drawn from the target itself: what it draws and its weight. */
  draw(random: Randomness): Promise<{ readonly choices: readonly Choice[]; readonly weight: number }>
}

/** What a sweep draws: its next path, and the answers of its population with their normalised weights. */
export interface Swept {
  readonly path: readonly Choice[]
  readonly answers: Outcome['answers']
  readonly renewed: number
}

/** Every model of the program is taken from `models` by its name, and every classifier from `classifiers`. */
export async function sampler(
  source: string,
  models: Readonly<Record<string, LanguageModel>> = {},
  options: {
    readonly fuse?: boolean
    readonly classifiers?: Readonly<Record<string, Classifier>>
    /** What the program's learned twists have learned; those that are left out are untrained. */
    readonly learned?: Readonly<Record<string, TrainedHead>>
    readonly allowExtern?: boolean
  } = {},
): Promise<Sampler> {
  const compiled = compileSource({ path: 'program.smc', text: source })
  const { graph } = compiled.stages({ fuse: options.fuse ?? true }).at(-1)!
  const values = graph.models.map(({ name }) => new ModelValue(name, models[name]!))
  const classifiers = graph.classifiers.map(({ name }) => new ClassifierValue(name, options.classifiers![name]!))
  const learned = graph.learned.map((decl) => {
    const name = decl.name.text
    return new LearnedTwist(name, conditionsOf(decl), options.learned?.[name] ?? null)
  })
  const host = createHost([...graph.sites], values, classifiers, learned)
  const externs = await Externs.load(graph, host, options.allowExtern ?? false)
  const program = link(graph, host)
  program.defaults.forEach((value, i) => {
    host.params[i] = value!([])
  })

  function outcome(particles: readonly Particle[], steps: readonly Step[], asked = particles.length): Outcome {
    const answers = particles.flatMap((p) =>
      p.status === 'dead' ? [] : [{ value: JSON.stringify(host.json(p.value, 0)), weight: Math.exp(p.logw) / asked }],
    )
    return { estimate: answers.reduce((sum, a) => sum + a.weight, 0), answers, steps }
  }

  async function run(random: Randomness, settings: Partial<Settings> = {}): Promise<Outcome> {
    const all = { ...defaultSettings, seed: 1, maxMemory: 1, ...settings }
    try {
      const { particles, steps } = await execute(program, { settings: all, random, host, externs })
      return outcome(particles, steps, all.particles)
    } catch (error) {
      if (!(error instanceof SmcError) || error.diagnostics[0]!.code !== 'R003') throw error
      return { estimate: 0, answers: [], steps: [] }
    }
  }
  async function runForced(forced: readonly Choice[], random: Randomness, settings: Partial<Settings> = {}): Promise<Outcome> {
    const all = { ...defaultSettings, seed: 1, maxMemory: 1, ...settings }
    const { islands } = await executeIslands(program, { settings: all, host, externs }, [{ random, forced }])
    const { particles, steps } = islands[0]!
    expect(particles.filter((p) => p.forced)).toHaveLength(1)
    const kept = particles.find((p) => p.forced)!
    expect(choicesOf(kept.trace)).toEqual(forced)
    return outcome(particles, steps)
  }

  async function sweepFrom(retained: readonly Choice[], random: Randomness, settings: Partial<Settings> = {}): Promise<Swept> {
    const all: Settings = { ...defaultSettings, seed: 1, maxMemory: 1, method: 'gibbs', ...settings }
    const { swept } = await sweep(program, { settings: all, host, externs }, retained, random)
    const { particles, drawn, told } = swept!
    const { answers, estimate } = outcome(particles, [])
    return {
      path: choicesOf(particles[drawn]!.trace),
      answers: answers.map(({ value, weight }) => ({ value, weight: weight / estimate })),
      renewed: told.renewed,
    }
  }

  async function draw(random: Randomness): Promise<{ choices: Choice[]; weight: number }> {
    const settings: Settings = { ...defaultSettings, seed: 1, maxMemory: 1, particles: 1, method: 'importance', twist: false }
    const options = { settings, host, externs, record: true, direct: true }
    const { islands } = await executeIslands(program, options, [{ random, forced: null }])
    const [particle] = islands[0]!.particles
    return { choices: choicesOf(particle!.trace), weight: Math.exp(particle!.logw) }
  }
  return { compiled, run, runForced, sweep: sweepFrom, draw }
}

/** Expectations over everything that a sampler may draw. */
export interface Expected {
  /** E[Z-hat] */
  readonly estimate: number
  /** E[log Z-hat], -Infinity where all may die. */
  readonly log: number
  /** E[Z-hat x posterior], by answer as JSON text. */
  readonly measure: ReadonlyMap<string, number>
  /** E[posterior], of the runs in which some particle lives; biased at finite N. */
  readonly selfNormalised: ReadonlyMap<string, number>
  /** P(all particles dead) */
  readonly dead: number
  readonly paths: number
}

/** Sums over all paths; the probabilities must sum to 1. */
export async function expected(
  program: Sampler,
  settings: Partial<Settings> = {},
  options: EnumerationOptions = {},
): Promise<Expected> {
  const measure = new Map<string, number>()
  const selfNormalised = new Map<string, number>()
  let [total, estimate, log, dead, paths] = [0, 0, 0, 0, 0]
  for await (const { probability, result } of enumerate((random) => program.run(random, settings), options)) {
    paths++
    total += probability
    estimate += probability * result.estimate
    if (result.estimate === 0) dead += probability
    else log += probability * Math.log(result.estimate)
    for (const { value, weight } of result.answers) {
      add(measure, value, probability * weight)
      add(selfNormalised, value, (probability * weight) / result.estimate)
    }
  }
  if (Math.abs(total - 1) > 1e-9) throw new Error(`the paths have probability ${total} in all`)
  return { estimate, log: dead > 0 ? Number.NEGATIVE_INFINITY : log, measure, selfNormalised, dead, paths }
}

/** Every trace of a program with its mass under the target: all that one particle may draw. */
export async function traces(program: Sampler, options: EnumerationOptions = {}): Promise<Traced[]> {
  const found = new Map<string, Traced>()
  for await (const { probability, result } of enumerate((random) => program.draw(random), options)) {
    if (result.weight === 0) continue
    const key = JSON.stringify(result.choices)
    const mass = probability * result.weight + (found.get(key)?.mass ?? 0)
    found.set(key, { choices: result.choices, mass })
  }
  return [...found.values()]
}

export interface Traced {
  readonly choices: readonly Choice[]
  /** Its part of Z. */
  readonly mass: number
}

/** Expectations under conditional SMC with an exact sample. */
export interface ExpectedUpper {
  readonly Z: number
  /** E[log Z-hat], from above. */
  readonly log: number
  /** E[1 / Z-hat] */
  readonly inverse: number
}

/** Sums over all exact samples and all paths of conditional SMC. */
export async function expectedUpper(
  program: Sampler,
  settings: Partial<Settings> = {},
  exact: readonly Traced[] | null = null,
): Promise<ExpectedUpper> {
  const samples = exact ?? (await traces(program))
  const Z = samples.reduce((sum, { mass }) => sum + mass, 0)
  let [log, inverse] = [0, 0]
  for (const { choices, mass } of samples) {
    let total = 0
    for await (const { probability, result } of enumerate((random) => program.runForced(choices, random, settings))) {
      total += probability
      log += (mass / Z) * probability * Math.log(result.estimate)
      inverse += ((mass / Z) * probability) / result.estimate
    }
    if (Math.abs(total - 1) > 1e-9) throw new Error(`the paths have probability ${total} in all`)
  }
  return { Z, log, inverse }
}

export function add(measure: Map<string, number>, value: string, mass: number): void {
  measure.set(value, (measure.get(value) ?? 0) + mass)
}

export function totalOf(measure: ReadonlyMap<string, number>): number {
  return [...measure.values()].reduce((sum, mass) => sum + mass, 0)
}

/** The largest difference of two measures over their answers, relative to the mass of the first. */
export function distance(exact: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  const scale = totalOf(exact) || 1
  let worst = 0
  for (const value of new Set([...exact.keys(), ...other.keys()]))
    worst = Math.max(worst, Math.abs((exact.get(value) ?? 0) - (other.get(value) ?? 0)) / scale)
  return worst
}

/** A measure with plain values for keys, as a test writes it. */
export function measureOf(entries: Iterable<readonly [Json, number]>): Map<string, number> {
  const measure = new Map<string, number>()
  for (const [value, mass] of entries) if (mass > 0) add(measure, JSON.stringify(value), mass)
  return measure
}

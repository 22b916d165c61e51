import type { Type } from '../check/types.js'
import { type Diagnostic, diagnostic } from '../diagnostics/diagnostic.js'
import type { Graph } from '../graph/ir.js'
import { type Budget, bytesText } from '../models/budget.js'
import type { DeviceChoice } from '../models/device.js'
import type { OnDownload } from '../models/hub/download.js'
import type { LanguageModel } from '../models/model.js'
import type { ProductType } from '../models/products.js'
import type { Randomness } from '../models/randomness.js'
import type { BackendName } from '../tensor/backend.js'
import { type ExecutorOptions, execute } from './executor.js'
import { gibbs, pooled, pooledEss } from './gibbs.js'
import type { LearnedNote } from './learned/file.js'
import type { LinkedProgram } from './link.js'
import { type Openers, prepare, withModels } from './open.js'
import { philoxRandomness } from './philox.js'
import type { Progress, Settings, StepTold, Sweep } from './result.js'
import { requireRoom } from './room.js'
import { type Summary, summarise } from './summary.js'

export interface RunOptions extends Partial<Settings> {
  /** Other models for the program's names: `--model lm=ID`. */
  readonly models?: Readonly<Record<string, string | LanguageModel>>
  readonly allowExtern?: boolean
  /** `int8` runs transformers faster, with rounded weights; `fp32` is the default. */
  readonly dtype?: ProductType
  /** What transformers run on; the CPU by default. Where it cannot be used, a warning says so and the CPU goes on. */
  readonly device?: DeviceChoice
  /** What computes: `onnx` by default; `tfjs` is TensorFlow.js, which the user installs, on the device that its package has. */
  readonly backend?: BackendName
  /** Told of a warning when it arises; the result holds all of them. */
  readonly onWarning?: (warning: Diagnostic) => void
  readonly onProgress?: (progress: Progress) => void
  /** Told of every point where the population meets, with the particles as they came there. */
  readonly onStep?: (step: StepTold) => void
  /** Told while a model is fetched from the hub. */
  readonly onDownload?: OnDownload
  readonly signal?: AbortSignal
  /** In place of Philox: tests enumerate all outcomes with it. */
  readonly random?: Randomness
}

export interface Run extends Summary {
  readonly seconds: number
  readonly tokens: number
  readonly models: Readonly<Record<string, { readonly id: string; readonly hash: string }>>
  readonly warnings: readonly Diagnostic[]
  readonly learned: readonly LearnedNote[]
  /** Under `gibbs`. */
  readonly sweeps?: readonly Sweep[]
}

/**
 * Runs a graph: opens its models, fills its params, and lets the particles go.
 * @param built the graph as it was before the passes: its spans tell how long texts become
 * @throws SmcError with blame `inference` when all particles die, or a weight is NaN, negative or infinite
 */
export async function run(
  graph: Graph,
  built: Graph,
  params: Readonly<Record<string, unknown>>,
  settings: Settings,
  options: RunOptions,
  openers: Openers,
): Promise<Run> {
  const started = performance.now()
  return withModels(graph, options, settings.maxMemory, openers, async (open) => {
    const { budget } = open
    const { host, externs, program } = await prepare(graph, open, params, options.allowExtern === true)
    const { particles } = settings
    requireRoom(built, host, open.models, { particles, dtype: options.dtype ?? 'fp32', budget, opened: open.opened })
    const { signal, onProgress, onStep } = options
    const common = { settings, host, externs, budget, signal, onProgress, onStep }
    const found = await (settings.method === 'gibbs' ? swept : once)(program, common, options.random, graph.result)
    return {
      ...found,
      seconds: (performance.now() - started) / 1000,
      models: open.identities,
      warnings: [...found.warnings, ...shortOfMemory(budget)],
      learned: open.notes,
    }
  })
}

type Found = Omit<Run, 'seconds' | 'models' | 'learned'>
type Common = Omit<ExecutorOptions, 'random'>

/** One population. */
async function once(program: LinkedProgram, options: Common, random: Randomness | undefined, result: Type): Promise<Found> {
  const population = await execute(program, { ...options, random: random ?? philoxRandomness(options.settings.seed) })
  const { tokens, machine } = population
  return { ...summarise(population, result, options.host, 0), tokens, warnings: [...machine.warnings.values()] }
}

/** One population and the sweeps of `gibbs`, each with the random numbers of a repeat of its own. */
async function swept(program: LinkedProgram, options: Common, random: Randomness | undefined, result: Type): Promise<Found> {
  if (random) throw new Error('the sweeps of gibbs take their numbers from the seed: one source would give all of them the same')
  const found = await gibbs(program, options, (sweep) => philoxRandomness(options.settings.seed, sweep))
  const summary = summarise(pooled(found), result, options.host, 0)
  const weights = summary.samples.map(({ weight }) => weight)
  return {
    ...summary,
    ess: found.sweeps.length > 0 ? pooledEss(found.sweeps, weights) : summary.ess,
    sweeps: found.sweeps.map(({ told }, i) => ({ sweep: i + 1, ...told })),
    tokens: found.tokens,
    warnings: found.warnings,
  }
}

export function shortOfMemory({ dropped, most }: Budget): Diagnostic[] {
  if (dropped === 0) return []
  const message = `attention state was dropped ${dropped} times to stay within ${bytesText(most)}, and computed again, which takes time`
  const hint = 'use fewer particles or shorter texts, or give the run more with `--max-memory`'
  return [diagnostic('M018', undefined, message, { severity: 'warning', hint })]
}

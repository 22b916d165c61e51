import type { Span } from '../diagnostics/span.js'
import type { Graph } from '../graph/ir.js'
import { MemoryError } from '../models/budget.js'
import { bounds } from './bound.js'
import { type BoundFigures, boundFigures } from './bound-result.js'
import { type Direct, type Exact, enumerated, isRefusal, type Refusal, rejectUntil } from './exact.js'
import { type Openers, prepare, withModels } from './open.js'
import type { Settings } from './result.js'
import { requireRoom } from './room.js'
import { type Run, type RunOptions, shortOfMemory } from './run.js'
import type { Choice } from './trace.js'

/** Where exact samples come from: a way, traces from a file, or the first way that applies. */
export type ExactChoice = 'auto' | 'reject' | 'enumerate' | 'simulate' | readonly (readonly Choice[])[]

export interface BoundOptions extends Omit<RunOptions, 'particles' | 'random'> {
  /** Sizes of the population: 4, 16, 64 by default. */
  readonly particles?: readonly number[]
  /** Independent runs for each bound: 20 by default, at least 2. */
  readonly repeats?: number
  readonly exact?: ExactChoice
  /** Told how many of the runs are done. */
  readonly onRepeats?: (done: number, all: number) => void
  /** Handed the exact samples that were used, as JSON lines for `exact`. */
  readonly onTraces?: (text: string) => void
}

export interface BoundRun extends BoundFigures, Pick<Run, 'seconds' | 'tokens' | 'models' | 'warnings'> {
  /** The exact samples that were used. */
  readonly traces: readonly (readonly Choice[])[]
  readonly refusals: readonly Refusal[]
}

export interface BoundGraphs {
  /** What runs. */
  readonly graph: Graph
  /** The same without fused draws: exact samples are drawn by it. */
  readonly direct: Graph
  /** As it was before the passes. */
  readonly built: Graph
  /** A weight that may be above 1; null when there is none. */
  readonly rising: { readonly span: Span; readonly why: string } | null
}

/** Bounds log Z of a program from both sides. @throws SmcError as `run` does, though not where all particles die */
export async function bound(
  { graph, direct, built, rising }: BoundGraphs,
  params: Readonly<Record<string, unknown>>,
  settings: Settings,
  options: BoundOptions & { readonly particles: readonly number[]; readonly repeats: number },
  openers: Openers,
): Promise<BoundRun> {
  const started = performance.now()
  const { particles: sizes, repeats, exact: wanted = 'auto', signal, onProgress } = options
  return withModels(graph, options, settings.maxMemory, openers, async (open) => {
    const { budget, opened, models } = open
    const allowed = options.allowExtern === true
    const prepared = await prepare(graph, open, params, allowed)
    const plain = await prepare(direct, open, params, allowed)
    const fits = (particles: number) =>
      requireRoom(built, prepared.host, models, { particles, dtype: options.dtype ?? 'fp32', budget, opened })
    for (const particles of sizes) fits(particles)
    const common = { settings, budget, signal, onProgress }
    const source: Direct = { program: plain.program, options: { ...common, ...plain }, seed: settings.seed }
    const { exact, refusals } = await exactSamples(wanted, source, repeats, rising)
    const plan = { particles: sizes, repeats, room: (particles: number) => room(particles, repeats, fits) }
    const found = await bounds(prepared.program, { ...common, ...prepared }, plan, exact, options.onRepeats)
    return {
      ...boundFigures(found, exact, refusals),
      traces: exact?.traces ?? [],
      refusals,
      seconds: (performance.now() - started) / 1000,
      tokens: found.tokens,
      models: open.identities,
      warnings: shortOfMemory(budget),
    }
  })
}

async function exactSamples(
  wanted: ExactChoice,
  source: Direct,
  count: number,
  rising: BoundGraphs['rising'],
): Promise<{ exact: Exact | null; refusals: readonly Refusal[] }> {
  if (typeof wanted !== 'string') return { exact: { way: 'file', traces: wanted, logZ: null, acceptance: null }, refusals: [] }
  const refusals: Refusal[] = []
  const ways = {
    enumerate: () => enumerated(source, count),
    reject: async (): Promise<Exact | Refusal> => {
      // Asked for by name it is tried all the same: the run stops where a weight does rise.
      if (rising && wanted === 'auto') return { way: 'reject', why: rising.why, span: rising.span }
      return rejectUntil(source, count)
    },
  }
  for (const way of wanted === 'auto' ? (['enumerate', 'reject'] as const) : [wanted as 'reject']) {
    const found = await ways[way]()
    if (!isRefusal(found)) return { exact: found, refusals }
    refusals.push(found)
  }
  return { exact: null, refusals }
}

/** How many repeats fit side by side. */
function room(particles: number, repeats: number, fits: (particles: number) => void): number {
  for (let group = repeats; group > 1; group = Math.ceil(group / 2)) {
    try {
      fits(group * particles)
      return group
    } catch (error) {
      if (!(error instanceof MemoryError)) throw error
    }
  }
  return 1
}

import type { Graph } from '../graph/ir.js'
import { MemoryError } from '../models/budget.js'
import { bounds } from './bound.js'
import { type BoundFigures, boundFigures } from './bound-result.js'
import type { Direct, Exact, Refusal } from './exact.js'
import { type ExactChoice, type ExactGrounds, ExactSource } from './exact-source.js'
import { type Openers, prepare, withModels } from './open.js'
import type { Settings } from './result.js'
import { requireRoom } from './room.js'
import { type Run, type RunOptions, shortOfMemory } from './run.js'
import { type Choice, NoData } from './trace.js'
import { type Origin, originOf, requireOrigin } from './traces-file.js'

export interface BoundOptions extends Omit<RunOptions, 'particles' | 'random' | 'onStep'> {
  /** Sizes of the population: 4, 16, 64 by default. */
  readonly particles?: readonly number[]
  /** Independent runs for each bound: 20 by default, at least 2. */
  readonly repeats?: number
  readonly exact?: ExactChoice
  /** Told how many of the runs are done. */
  readonly onRepeats?: (done: number, all: number) => void
  /** Told while exact samples are drawn by rejection: how many runs were accepted of how many. */
  readonly onExact?: (accepted: number, tried: number) => void
  /** Handed the exact samples that were used, as JSON lines for `exact`. */
  readonly onTraces?: (text: string) => void
}

export interface BoundRun extends BoundFigures, Pick<Run, 'seconds' | 'tokens' | 'models' | 'warnings'> {
  /** The exact samples that were used; none for data that were drawn. */
  readonly traces: readonly (readonly Choice[])[]
  /** What they are samples of. */
  readonly origin: Omit<Origin, 'programHash'>
}

export interface BoundGraphs extends ExactGrounds {
  /** What runs. */
  readonly graph: Graph
  /** The same without fused draws: exact samples are drawn by it. */
  readonly direct: Graph
  /** As it was before the passes. */
  readonly built: Graph
}

/** Bounds log Z of a program from both sides. @throws SmcError as `run` does, though not where all particles die */
export async function bound(
  graphs: BoundGraphs,
  params: Readonly<Record<string, unknown>>,
  settings: Settings,
  options: BoundOptions & { readonly particles: readonly number[]; readonly repeats: number },
  openers: Openers,
): Promise<BoundRun> {
  const { graph, direct, built } = graphs
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
    const origin = originOf(open.identities, graph, plain.host)
    if (typeof wanted === 'object' && 'origin' in wanted) requireOrigin(wanted, origin)
    const samples = await new ExactSource(wanted, source, graphs, undefined, options.onExact).draw(repeats)
    const plan = { particles: sizes, repeats, room: (particles: number) => room(particles, repeats, fits) }
    const run = (exact: Exact | null) => bounds(prepared.program, { ...common, ...prepared }, plan, exact, options.onRepeats)
    const { exact, refusals, found } = await run(samples.exact).then(
      (found) => ({ ...samples, found }),
      async (error: unknown) => {
        if (!(error instanceof NoData)) throw error
        const refused: Refusal = { way: 'simulate', why: error.why, span: error.span }
        return { exact: null, refusals: [...samples.refusals, refused], found: await run(null) }
      },
    )
    return {
      ...boundFigures(found, exact, refusals),
      // Drawn with data of their own, they are no samples of the program's target.
      traces: exact && !exact.data ? exact.traces : [],
      origin,
      seconds: (performance.now() - started) / 1000,
      tokens: found.tokens,
      models: open.identities,
      warnings: shortOfMemory(budget),
    }
  })
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

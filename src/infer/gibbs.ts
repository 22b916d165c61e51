import type { Diagnostic } from '../diagnostics/diagnostic.js'
import type { DrawKey, Randomness } from '../models/randomness.js'
import { type ExecutorOptions, execute, executeIslands, type Population } from './executor.js'
import type { LinkedProgram } from './link.js'
import type { Particle } from './particle.js'
import type { Progress, Sweep } from './result.js'
import { type Choice, choicesOf, type Trace } from './trace.js'
import { ess, logMeanExp, normalise } from './weights.js'

/**
 * Particle Gibbs (Andrieu, Doucet & Holenstein 2010; Chopin & Singh 2015). A population of SMC gives log Z-hat and a first path; then every
 * sweep is conditional SMC that retains the path x, and draws the next one from its final weights W:
 *
 *     x' = path of particle i with probability W_i
 *
 * The kernel x -> x' leaves the target sigma invariant, for every N >= 2, scheme, threshold and twist, as long as conditional resampling is
 * the law of the ordinary one given x (`conditional-resample.ts`) and x starts in a slot that is drawn. The answer is the mean over the sweeps of
 * their weighted populations, and not only of the paths that were drawn: where x is a sample of sigma, E[sum_i W_i h(x_i)] = sigma(h),
 * with less variance than h(x'). The first population is left out: nothing makes its weights those of sigma but a large N.
 */

/** A population that an earlier path was kept in, and the path that is drawn from it. */
export interface Swept {
  readonly particles: readonly Particle[]
  readonly told: Omit<Sweep, 'sweep'>
  /** Of the particle whose path is retained next. */
  readonly drawn: number
}

export interface GibbsRun {
  readonly first: Population
  /** The sweeps that were done. */
  readonly sweeps: readonly Swept[]
  readonly partial: boolean
  readonly tokens: number
  readonly warnings: readonly Diagnostic[]
}

type Options = Omit<ExecutorOptions, 'random'>

/** The place of the number that draws the next path. */
const drawing: DrawKey = { slot: -1, generation: 0, draw: 1 }

/**
 * Runs one population and then the sweeps of the settings, which a signal cuts short.
 * @param sourceOf the random numbers of a sweep, 0 for the first population; independent of one another
 * @throws SmcError as `execute`, also where all particles of the first population die: no path can be kept then
 */
export async function gibbs(
  program: LinkedProgram,
  options: Options,
  sourceOf: (sweep: number) => Randomness,
): Promise<GibbsRun> {
  const { settings, signal } = options
  const started = performance.now()
  let tokens = 0
  const during = (sweep: number): Options => {
    const [seconds, before] = [(performance.now() - started) / 1000, tokens]
    const onProgress = (progress: Progress) =>
      options.onProgress?.({
        ...progress,
        tokens: before + progress.tokens,
        seconds: seconds + progress.seconds,
        sweep,
        sweeps: settings.sweeps,
      })
    // Steps are told of the first population, as the result tells them.
    const { onStep, ...others } = options
    return { ...others, record: true, ...(onStep && sweep === 0 && { onStep }), ...(options.onProgress && { onProgress }) }
  }
  const random = sourceOf(0)
  const first = await execute(program, { ...during(0), random })
  const warnings = new Map(first.machine.warnings)
  tokens += first.tokens
  const sweeps: Swept[] = []
  let { partial } = first
  for (let path = partial ? null : pathOf(first.particles, random); path && sweeps.length < settings.sweeps; ) {
    const one = await sweep(program, during(sweeps.length + 1), path, sourceOf(sweeps.length + 1))
    tokens += one.tokens
    for (const [key, warning] of one.warnings) warnings.set(key, warning)
    partial = one.swept === null || signal?.aborted === true
    if (!one.swept) break
    sweeps.push(one.swept)
    path = choicesOf(one.swept.particles[one.swept.drawn]!.trace)
    if (partial) break
  }
  // A signal that comes when all is done cuts nothing short.
  return { first, sweeps, partial: partial && sweeps.length < settings.sweeps, tokens, warnings: [...warnings.values()] }
}

/** One sweep: conditional SMC with a path; no population where it was interrupted. */
export async function sweep(
  program: LinkedProgram,
  options: Options,
  retained: readonly Choice[],
  random: Randomness,
): Promise<{ readonly swept: Swept | null; readonly tokens: number; readonly warnings: ReadonlyMap<string, Diagnostic> }> {
  const { islands, partial, tokens, machine } = await executeIslands(program, options, [{ random, forced: retained }])
  const [island] = islands
  const { particles, steps } = island!
  if (partial) return { swept: null, tokens, warnings: machine.warnings }
  const logw = Float64Array.from(particles, (p) => p.logw)
  const drawn = drawFrom(logw, random)
  const told = {
    logZ: logMeanExp(logw),
    ess: ess(logw),
    alive: particles.filter(({ status }) => status !== 'dead').length,
    resamples: steps.filter(({ resampled }) => resampled).length,
    renewed: renewedShare(particles[drawn]!.trace, particles.find(({ forced }) => forced)!.trace),
  }
  return { swept: { particles, told, drawn }, tokens, warnings: machine.warnings }
}

function pathOf(particles: readonly Particle[], random: Randomness): readonly Choice[] {
  const logw = Float64Array.from(particles, (p) => p.logw)
  return choicesOf(particles[drawFrom(logw, random)]!.trace)
}

function drawFrom(logw: Float64Array, random: Randomness): number {
  return random.index(normalise(logw), drawing)
}

/** Which share of a path was drawn anew: what it has in common with the retained one are its first choices, which copies share. */
function renewedShare(path: Trace | null, retained: Trace | null): number {
  const kept = new Set<Trace>()
  for (let at = retained; at; at = at.before) kept.add(at)
  let at = path
  while (at && !kept.has(at)) at = at.before
  return path ? 1 - (at?.length ?? 0) / path.length : 0
}

/** The populations of all sweeps as one, whose normalised weights are the mean of theirs, and whose mean weight is Z-hat. */
export function pooled({ first, sweeps, partial, tokens }: GibbsRun): Population {
  if (sweeps.length === 0) return { ...first, partial, tokens }
  const logZ = logMeanExp(Float64Array.from(first.particles, (p) => p.logw))
  for (const { particles, told } of sweeps) for (const p of particles) p.logw += logZ - told.logZ
  return {
    ...first,
    particles: sweeps.flatMap(({ particles }) => particles),
    asked: sweeps.length * first.asked,
    partial,
    tokens,
  }
}

/**
 * The effective sample size of the pooled populations. A path that is retained over several sweeps counts once, with all the weight that it
 * has had: otherwise a chain that never moves would look like many samples.
 * @param weights normalised, of the pooled population
 */
export function pooledEss(sweeps: readonly Swept[], weights: ArrayLike<number>): number {
  const shares = Float64Array.from(weights)
  let offset = 0
  /** Where the path that is retained in the present sweep has its weight. */
  let home = -1
  for (const { particles, drawn } of sweeps) {
    const kept = offset + particles.findIndex(({ forced }) => forced)
    if (home >= 0) {
      shares[home]! += shares[kept]!
      shares[kept] = 0
    }
    const isKept = particles[drawn]!.trace === particles[kept - offset]!.trace
    if (!isKept) home = offset + drawn
    else if (home < 0) home = kept
    offset += particles.length
  }
  const squares = shares.reduce((sum, share) => sum + share * share, 0)
  return squares > 0 ? 1 / squares : 0
}

import { SmcError } from '../../diagnostics/diagnostic.js'
import type { Graph } from '../../graph/ir.js'
import { Unlistable, Unrepeatable } from '../enumerate.js'
import { type Opened, type Openers, type Prepared, prepare, withModels } from '../open.js'
import { philoxRandomness } from '../philox.js'
import type { Json, Settings } from '../result.js'
import type { Choice } from '../trace.js'
import { originOf } from '../traces-file.js'
import { compare, compareLaw, together } from './compare.js'
import { conditionalListed, conditionalSampled } from './conditional.js'
import { featuresOf } from './features.js'
import { keptLaw } from './kept-law.js'
import { lawsFor, type Way } from './laws.js'
import {
  answersOf,
  type Feature,
  listed,
  listedTarget,
  type Measured,
  orElse,
  runOnce,
  type Sampler,
  sampled,
} from './measure.js'
import { noisyTwists } from './noisy-twists.js'
import type { Comparison, LawResult, SelfTestFound, SelfTestOptions } from './result.js'
import { listLengths, withShortLists } from './short-lists.js'
import { standIns } from './stand-ins.js'

/**
 * Tries the laws of the language on a program of the user's own (`smcc check --statistics`). Its models are replaced by small tables, and its
 * spans shortened, so that all of its runs can be listed: the target, Z and every answer with them, come from single particles that draw from
 * the program as it is written, without twists, proposals, fused draws or resampling. Then each law runs the sampler in several ways, lists
 * all that it may draw where that is little, else takes the mean over many seeds, and compares.
 *
 * Classifiers and extern functions stay what they are: functions of what they are given.
 */

/** Spans are cut to this: to less where even that gives too many runs, to more where no run of it has any weight. */
const longestSpan = 2
const spanLengths = [longestSpan, 1, 3, 4, 5, 6]
/** Texts of the program that become tokens: more where no run of it has any weight. */
const tokenCounts = [2, 4]
/** Runs of the program that are listed, and paths of a sampler. */
const mostRuns = 5000
const mostPaths = 1200
/** Ms for one listing. */
const patience = 2000
/** Seeds of a mean that stands for a listing, and of the target where that cannot be listed. */
const seeds = 1000
/** Seeds where so many leave it unsettled. */
const moreSeeds = 4 * seeds
const targetSeeds = 4000
/** Of a self-test, in GB: tables are small. */
const maxMemory = 1

/** The program that is tested. */
export interface Tested {
  /** As it was before the passes. */
  readonly built: Graph
  /** As it runs with spans of a length, fused or not. */
  readonly graph: (fuse: boolean, longest: number) => Graph
  /** The texts that it writes out. */
  readonly literals: readonly string[]
}

/** @throws SmcError where the program itself fails: its notes say that tables stood for the models */
export async function selfTest(
  tested: Tested,
  params: Readonly<Record<string, unknown>>,
  defaults: Settings,
  options: SelfTestOptions,
  openers: Openers,
): Promise<SelfTestFound> {
  const { built } = tested
  const given = Object.values(params).filter((value): value is string => typeof value === 'string')
  const literals = [...given, ...tested.literals]
  const started = performance.now()
  let found = await withParams(params, null)
  for (const most of listLengths) {
    if (found.verdict !== 'unsettled' || options.signal?.aborted) break
    const short = withShortLists(found.values, most)
    if (!short) continue
    try {
      const shorter = await withParams({ ...params, ...short }, most)
      if (shorter.verdict !== 'unsettled') found = shorter
    } catch (error) {
      // A program that reads an element of its own choice need not run with fewer of them.
      if (!(error instanceof SmcError)) throw error
    }
  }
  const { values, ...told } = found
  return { ...told, timing: { seconds: (performance.now() - started) / 1000 } }

  async function withParams(params: Readonly<Record<string, unknown>>, lists: number | null): Promise<Tried> {
    let tried: Tried | null = null
    for (const texts of tokenCounts) {
      tried = await withTables(params, lists, texts)
      if (tried.reference.Z > 0 || options.signal?.aborted) break
    }
    return tried!
  }

  async function withTables(params: Readonly<Record<string, unknown>>, lists: number | null, texts: number): Promise<Tried> {
    const { models, tokens } = standIns(tested.graph(false, 1), literals, texts, defaults.seed)
    const replacements = options.models ?? {}
    // What was learned, was learned for the program's own models.
    const untrained: Openers = { model: openers.model, classifier: openers.classifier }
    try {
      return await withModels(built, { models: { ...models, ...replacements } }, maxMemory, untrained, async (open) => {
        const tester = new SelfTester(tested, params, defaults, options, open)
        const told = await tester.run()
        const replaced = built.models.map(({ name, id }) => [
          name,
          {
            replaced: id,
            by: replacements[name] ?? null,
            tokens: replacements[name] === undefined ? [...tokens, 'end of text'] : [],
          },
        ])
        return { seed: defaults.seed, models: Object.fromEntries(replaced), lists, values: await tester.values(), ...told }
      })
    } catch (error) {
      if (!(error instanceof SmcError) || built.models.every(({ name }) => name in replacements)) throw error
      const shown = tokens.map((token) => JSON.stringify(token)).join(', ')
      const note = { message: `in the self-test, where the models are small tables over ${shown}` }
      throw new SmcError(
        error.diagnostics.map((d) => ({ ...d, notes: [...d.notes, note] })),
        error.blame,
      )
    }
  }
}

/** What was found with some tables and params, whose values `values` are, defaults among them. */
interface Tried extends Omit<SelfTestFound, 'timing'> {
  readonly values: Readonly<Record<string, Json>>
}

interface Target {
  readonly features: readonly Feature[]
  readonly measured: Measured
  /** The runs of the target, where they were listed. */
  readonly runs: readonly { readonly choices: readonly Choice[]; readonly mass: number }[] | null
  /** Most tokens of a span. */
  readonly longest: number
}

class SelfTester {
  private longest = longestSpan
  private readonly notes: string[] = []
  private readonly prepared = new Map<string, Promise<Prepared>>()
  private readonly heaviest = new Map<string, Promise<number | null>>()
  /** `repeat` of the next seeds. */
  private next = 0

  constructor(
    private readonly tested: Tested,
    private readonly params: Readonly<Record<string, unknown>>,
    private readonly defaults: Settings,
    private readonly options: SelfTestOptions,
    private readonly open: Opened,
  ) {}

  async values(): Promise<Readonly<Record<string, Json>>> {
    const { host } = await this.prepare(false, false)
    return originOf(this.open.identities, this.tested.built, host).params
  }

  async run(): Promise<Omit<SelfTestFound, 'seed' | 'models' | 'lists' | 'timing'>> {
    const target = await this.target()
    const hasSpans = this.tested.built.functions.some((f) => f.nodes.some(({ op }) => op === 'Span'))
    const reference = {
      by: target.runs ? ('listing' as const) : ('seeds' as const),
      runs: target.measured.runs,
      Z: target.measured.means[0]!,
      error: target.measured.errors?.[0] ?? 0,
    }
    const laws: LawResult[] = []
    if (reference.Z === 0)
      this.notes.push(
        'no run has any weight, so there is nothing to compare: what the program requires cannot come true with these tokens',
      )
    else {
      for (const { law, states, ways } of lawsFor(this.tested.built)) {
        this.options.onLaw?.(law)
        const tried: (Comparison & { readonly name: string })[] = []
        for (const way of ways) {
          if (this.options.signal?.aborted) break
          const found = await this.tryWay(way, target).catch(brokenBy)
          if (found) tried.push({ name: way.name, ...found })
        }
        if (tried.length > 0) laws.push({ law, states, verdict: together(tried.map(({ verdict }) => verdict)), ways: tried })
      }
    }
    if (this.options.signal?.aborted) this.notes.push('interrupted: what is not listed was not tried')
    const verdict = laws.length === 0 ? 'unsettled' : together(laws.map((law) => law.verdict))
    return { verdict, longest: hasSpans ? this.longest : null, reference, laws, notes: this.notes }
  }

  /** The target, listed where that can be, with spans as long as possible. */
  private async target(): Promise<Target> {
    let why = ''
    let found: Target | null = null
    for (const longest of spanLengths) {
      // Longer ones are for programs that nothing shorter can satisfy.
      if (found && found.measured.means[0]! > 0) break
      if (longest > longestSpan && !found) break
      this.longest = longest
      try {
        found = await this.listTarget()
      } catch (error) {
        if (!(error instanceof Unlistable || error instanceof Unrepeatable)) throw error
        why = error.message
        if (found) break
      }
    }
    if (found) {
      this.longest = found.longest
      return found
    }
    this.note(`the target was estimated from seeds and not listed: ${why}`)
    this.longest = longestSpan
    const direct = await this.direct()
    const first = philoxRandomness(this.defaults.seed, this.take(1))
    const tried = answersOf({ particles: await runOnce(this.many(direct, 500), first), asked: 500 }, direct.prepared)
    const features = tried.length > 0 ? featuresOf(tried) : featuresOf([{ answer: null, weight: 1 }])
    const measured = await sampled(this.many(direct, 8), features, targetSeeds, this.defaults.seed, this.take(targetSeeds))
    return { features, measured, runs: null, longest: this.longest }
  }

  private async listTarget(): Promise<Target> {
    const { runs, heaviest } = await listedTarget(await this.direct(), mostRuns, patience)
    const features = featuresOf(runs.map(({ answer, mass }) => ({ answer, weight: mass })))
    const means = Float64Array.from(features, (f) => runs.reduce((sum, { answer, mass }) => sum + mass * f.of(answer), 0))
    const listed = { errors: null, particles: 1, runs: runs.length, effective: Number.POSITIVE_INFINITY, dead: 0 }
    const measured = { means, heaviest, ...listed }
    return { features, measured, runs, longest: this.longest }
  }

  private many(direct: Sampler, particles: number): Sampler {
    return { ...direct, settings: { ...direct.settings, particles } }
  }

  private async direct(): Promise<Sampler> {
    const settings = { ...this.defaults, particles: 1, method: 'importance', twist: false } as const
    return { prepared: await this.prepare(false, false), settings, options: { direct: true, record: true } }
  }

  private async tryWay(way: Way, target: Target): Promise<Comparison | null> {
    if (way.conditional && !target.runs) {
      this.note('with an exact sample kept: exact samples come from the list of all runs, which there is not')
      return null
    }
    if (way.conditional === 'resampling') {
      const { resample } = { ...this.defaults, ...way.settings }
      return compareLaw(
        await keptLaw(
          resample,
          target.runs!.map(({ mass }) => mass),
        ),
      )
    }
    const told = await this.compared(way, target, seeds)
    return told.verdict === 'unsettled' && !this.options.signal?.aborted ? this.compared(way, target, moreSeeds) : told
  }

  private async compared(way: Way, target: Target, seeds: number): Promise<Comparison> {
    const settings: Settings = { ...this.defaults, ...way.settings }
    const contrary = way.twists === 'contrary'
    const sampler = { prepared: await this.prepare(settings.fuse, contrary), settings, options: { contrary } }
    const { features, measured, runs } = target
    const plain = await this.measure(sampler, features, seeds)
    if (!way.conditional) return compare(plain, measured, null, features, await this.mostOf(sampler))
    const found = await orElse(
      () => conditionalListed(sampler, runs!, mostPaths, patience),
      () => conditionalSampled(sampler, runs!, seeds, this.defaults.seed, this.take(seeds + 1)),
    )
    return compare(found, plain, measured.means[0]!)
  }

  private measure(sampler: Sampler, features: readonly Feature[], seeds: number): Promise<Measured> {
    const { particles } = sampler.settings
    return orElse(
      () => (particles > 2 ? null : listed(sampler, features, mostPaths, patience)),
      () => sampled(sampler, features, seeds, this.defaults.seed, this.take(seeds)),
    )
  }

  /**
   * The largest weight of one particle, where that can be listed. Drawn as the program is written, it is the target's; null where nothing is
   * known of it: draws that look ahead, and twists in the contrary, may draw next to never what counts.
   */
  private mostOf(sampler: Sampler): Promise<number | null> {
    const { settings, options } = sampler
    const key = `${settings.fuse} ${settings.twist} ${options?.contrary}`
    let found = this.heaviest.get(key)
    if (!found) {
      const alone = { ...sampler, settings: { ...settings, particles: 1, method: 'importance' as const } }
      const isPlain = !options?.contrary && !(settings.fuse && this.open.models.length > 0)
      found = listed(alone, [], mostPaths, patience).then(
        ({ heaviest }) => heaviest!,
        (error: unknown) => {
          if (!(error instanceof Unlistable)) throw error
          return isPlain ? 0 : null
        },
      )
      this.heaviest.set(key, found)
    }
    return found
  }

  private prepare(fuse: boolean, noise: boolean): Promise<Prepared> {
    const key = `${this.longest} ${fuse} ${noise}`
    let found = this.prepared.get(key)
    if (!found) {
      const graph = this.tested.graph(fuse, this.longest)
      found = prepare(graph, noise ? this.noisy() : this.open, this.params, this.options.allowExtern === true)
      this.prepared.set(key, found)
    }
    return found
  }

  /** Learned twists that say what chance has made of them. */
  private noisy(): Opened {
    const [model, ...others] = this.open.models
    if (this.open.twists.length === 0 || !model) return this.open
    if (others.length > 0) {
      this.note('learned twists stay 1 everywhere: with several models it is not known which of them they judge')
      return this.open
    }
    const random = () => philoxRandomness(this.defaults.seed, this.take(1))
    return { ...this.open, twists: noisyTwists(this.open.twists, model.model, random) }
  }

  private note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  private take(count: number): number {
    this.next += count
    return this.next - count
  }
}

/** What the target does without, the sampler must not run into. */
function brokenBy(error: unknown): Comparison {
  if (!(error instanceof SmcError || error instanceof Unrepeatable)) throw error
  return { by: 'listing', runs: 0, worst: Number.MAX_VALUE, of: error.message, most: 0, verdict: 'fails' }
}

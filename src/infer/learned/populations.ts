import type { Budget } from '../../models/budget.js'
import type { Exact } from '../exact.js'
import type { ExactSource } from '../exact-source.js'
import { executeIslands } from '../executor.js'
import type { IslandSetup } from '../island.js'
import type { Prepared } from '../open.js'
import type { Particle } from '../particle.js'
import { philoxRandomness } from '../philox.js'
import type { Settings } from '../result.js'
import { noExactSamples } from './errors.js'

/** What one round draws for the same observed values. */
export interface Group {
  /** By the twisted proposal, without resampling: weights are target / proposal. */
  readonly proposed: readonly Particle[]
  /** Of the target, by SMC; their weights add up to Z-hat. */
  readonly target: readonly Particle[]
  /** By the model itself. */
  readonly free: readonly Particle[]
  /** Exact samples of the target, forced through the twisted proposal: weights are target / proposal. */
  readonly exact: readonly Particle[]
}

export interface Drawn {
  /** One for each of the drawn data; a single one where the program's own are observed. */
  readonly groups: readonly Group[]
  /** Where the exact samples come from. */
  readonly exact: Exact | null
}

/** What the losses of a round learn from. */
export interface Needs {
  /** Samples of the twisted proposal. */
  readonly proposal: boolean
  readonly target: boolean
  readonly model: boolean
}

export interface PopulationOptions {
  /** `particles`: N of each population. */
  readonly settings: Settings
  readonly budget: Budget
  readonly signal?: AbortSignal | undefined
  /** null: samples of the target come from SMC. */
  readonly exact: ExactSource | null
}

const kinds = ['proposal', 'target', 'model', 'exact'] as const
type Kind = (typeof kinds)[number]

/** With drawn data: free particles beside each exact sample, and the share of N that the data are; fewer where nothing learns from them. */
const shares = { many: { beside: 4, portion: 0.5 }, few: { beside: 2, portion: 1 } }
/** Islands of one population, at most, and the `repeat` of the first population: above those of exact samples (exact.ts). */
const mostIslands = 2 ** 20
const firstRepeat = 2 ** 43

/** Draws the populations that are learned from. A round draws the same whenever its twists are the same: it has random numbers of its own. */
export class Populations {
  constructor(
    private readonly fused: Prepared,
    /** The same program without fused draws. */
    private readonly plain: Prepared,
    private readonly options: PopulationOptions,
  ) {}

  /** @throws SmcError R034 where exact samples are asked for and cannot be had */
  async draw(round: number, needs: Needs): Promise<Drawn> {
    const { target, model } = needs
    const { particles } = this.options.settings
    const exact = await this.exact(round)
    if (exact?.data) return this.byData(round, exact, needs)
    const alone = [{ forced: null }]
    const [proposed] = await this.islands('proposal', round, particles, alone)
    const smc = target && !exact ? await this.islands('target', round, particles, alone) : [[]]
    const free = model ? await this.islands('model', round, particles, alone) : [[]]
    const forced = exact
      ? await this.islands(
          'exact',
          round,
          1,
          exact.traces.map((trace) => ({ forced: trace })),
        )
      : []
    return { groups: [{ proposed: proposed!, target: smc[0]!, free: free[0]!, exact: forced.flat() }], exact }
  }

  /** A population of the model itself, for a look at what the program asks of its twists. */
  async look(): Promise<readonly Particle[]> {
    return (await this.islands('model', -1, this.options.settings.particles, [{ forced: null }]))[0]!
  }

  /** Each of the drawn data has a population of its own, with its exact sample in it. */
  private async byData(round: number, exact: Exact, { proposal, model }: Needs): Promise<Drawn> {
    const { beside, portion } = proposal || model ? shares.many : shares.few
    const count = Math.ceil(exact.traces.length * portion)
    const setups = exact.traces.slice(0, count).map((forced, i) => ({ forced, data: exact.data![i]! }))
    const islands = await this.islands('exact', round, beside + 1, setups)
    const free = model
      ? await this.islands(
          'model',
          round,
          beside,
          setups.map(({ data }) => ({ forced: null, data })),
        )
      : []
    const groups = islands.map((island, i) => ({
      proposed: island.filter((p) => !p.forced),
      target: [],
      free: free[i] ?? [],
      exact: island.filter((p) => p.forced),
    }))
    return { groups, exact }
  }

  private async exact(round: number): Promise<Exact | null> {
    const { exact: source, signal, settings } = this.options
    if (!source) return null
    const { exact, refusals } = await source.draw(settings.particles, round + 1)
    if (!exact && !signal?.aborted) throw noExactSamples(refusals)
    return exact
  }

  private async islands(
    kind: Kind,
    round: number,
    particles: number,
    setups: readonly Omit<IslandSetup, 'random'>[],
  ): Promise<(readonly Particle[])[]> {
    const { host, externs, program } = kind === 'model' ? this.plain : this.fused
    const { settings, budget, signal } = this.options
    const method = kind === 'target' ? ('smc' as const) : ('importance' as const)
    const first = firstRepeat + ((round + 1) * kinds.length + kinds.indexOf(kind)) * mostIslands
    const asked = {
      settings: { ...settings, particles, method, twist: kind !== 'model' },
      host,
      externs,
      budget,
      signal,
      records: true,
    }
    const seeded = setups.map((setup, i) => ({ ...setup, random: philoxRandomness(settings.seed, first + i) }))
    const { islands } = await executeIslands(program, asked, seeded)
    return islands.map((island) => island.particles)
  }
}

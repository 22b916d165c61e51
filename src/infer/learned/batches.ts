import type { Randomness } from '../../models/randomness.js'
import { needsRollouts, type Samples } from './losses.js'
import { chosen, type Odds } from './picks.js'
import { type Path, Rows } from './pupil.js'
import type { TrainSettings } from './settings.js'

/** What there is to learn from for the same observed values. */
export interface Lot {
  readonly positives: readonly Weighted[]
  readonly rollouts: readonly Path[]
  /** What positives are picked by where a batch does not hold all; left out where all count alike. */
  readonly byWeight?: Odds<Weighted>
  /** What the half of a batch that is where the target is is picked by; left out where all rollouts count alike. */
  readonly there?: Odds<Path> | null
  readonly floors?: Float64Array | undefined
}

export interface Weighted {
  readonly path: Path
  readonly weight: number
}

/** Rows of the network, and what a loss is of. */
export interface Batch {
  readonly rows: Rows
  readonly samples: readonly Samples[]
}

/** Most numbers of one batch of rows of log weights. */
const mostNumbers = 1 << 22
/** Batches that stand for a set that is only looked at, at most. */
const mostLooked = 4

/** Picks what one step learns from. */
export class Batches {
  /** Rows of one batch, at most. */
  private readonly most: number

  constructor(
    private readonly settings: TrainSettings,
    vocabulary: number,
    private readonly random: Randomness,
  ) {
    this.most = Math.max(256, Math.floor(mostNumbers / vocabulary))
  }

  /** For one step: all, or as many as fit into the rows of a batch, chosen anew each time. */
  of(lots: readonly Lot[], level: number, step: number): Batch {
    return this.picked(lots, level, step, 0)
  }

  /** For looking at a set, without learning from it: one where that holds all; else some. */
  looked(lots: readonly Lot[], level: number, step: number): Batch[] {
    const draws = lots.reduce((sum, lot) => sum + sizeOf(lot), 0)
    const count = Math.min(mostLooked, Math.ceil(draws / this.most))
    return Array.from({ length: count }, (_, i) => this.picked(lots, level, step, 1 + i))
  }

  private picked(lots: readonly Lot[], level: number, step: number, purpose: number): Batch {
    const draw = (use: number) => (index: number) =>
      this.random.uniform({ slot: step, generation: 4 * purpose + use, draw: index }, 0)
    const rows = new Rows()
    const withRollouts = needsRollouts(this.settings.loss) || this.settings.valueHead
    const sequences = ({ positives, rollouts, floors }: Lot): Samples => {
      const total = positives.reduce((sum, { weight }) => sum + weight, 0)
      return {
        positives: positives.map(({ path, weight }) => rows.sequence(path, weight / total)),
        rollouts: withRollouts ? rollouts.map((path) => rows.sequence(path, 1 / rollouts.length)) : [],
        level,
        floors,
      }
    }
    if (lots.length > 1) return { rows, samples: chosen(lots, sizeOf, this.most, draw(2)).map(sequences) }
    const lot = lots[0]!
    const half = lot.positives.length > 0 ? Math.floor(this.most / 2) : 0
    const whole = lengthOf(lot.positives.map(({ path }) => path)) <= half
    const picked = whole ? undefined : lot.byWeight?.pick(half, draw(0))
    const positives = picked?.map(({ path }) => ({ path, weight: 1 })) ?? lot.positives
    const share = lot.there ? Math.min(lengthOf(lot.rollouts), Math.floor(this.most / 2)) : 0
    const anywhere = chosen(lot.rollouts, ({ draws }) => draws.length, this.most - half - share, draw(1))
    const rollouts = lot.there ? [...anywhere, ...lot.there.pick(share, draw(3))] : anywhere
    return { rows, samples: [sequences({ ...lot, positives, rollouts })] }
  }
}

function sizeOf({ positives, rollouts }: Lot): number {
  return lengthOf(positives.map(({ path }) => path)) + lengthOf(rollouts)
}

/** Draws of all of them together. */
function lengthOf(paths: readonly Path[]): number {
  return paths.reduce((sum, { draws }) => sum + draws.length, 0)
}

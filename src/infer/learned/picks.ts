import { Cumulative } from '../resample.js'

/*
 * What a batch is made of. How many are picked hangs on their mean length alone, never on which are picked: a batch that ends where the next one does
 * not fit has fewer long ones than there are.
 */

/** All of them, or about as many as have together so many draws, picked by one random number each: every one is as likely. */
export function chosen<P>(
  all: readonly P[],
  draws: (each: P) => number,
  most: number,
  random: (index: number) => number,
): readonly P[] {
  const total = all.reduce((sum, each) => sum + draws(each), 0)
  if (total <= most) return all
  // A shuffle that ends when there are enough.
  const count = Math.max(1, Math.floor((most * all.length) / total))
  const rest = [...all]
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(random(at) * (rest.length - at))
    const each = rest[other]!
    rest[other] = rest[at]!
    rest[at] = each
  }
  return rest.slice(0, count)
}

/** Picks by weights, with replacement: on average each counts for its weight, however few are picked. */
export class Odds<P> {
  private readonly steps: Cumulative
  /** Draws of one that is picked, on average. */
  private readonly length: number

  /** @param weights one of them above 0 at least */
  constructor(
    private readonly all: readonly P[],
    weights: Float64Array,
    draws: (each: P) => number,
  ) {
    this.steps = new Cumulative(weights)
    this.length = all.reduce((sum, each, i) => sum + weights[i]! * draws(each), 0) / this.steps.total
  }

  /** About as many as have together so many draws, one at least. */
  pick(most: number, random: (index: number) => number): readonly P[] {
    const count = Math.max(1, Math.floor(most / Math.max(1, this.length)))
    return Array.from({ length: count }, (_, i) => this.all[this.steps.find(random(i))]!)
  }
}

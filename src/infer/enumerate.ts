import type { DrawKey, Randomness } from '../models/randomness.js'

/**
 * Exact enumeration of a sampler's own random choices, for exact samples, for the self-test and for the tests: the sampler runs once for every path of outcomes, each with its probability,
 * so that an expectation over runs is a finite sum.
 *
 * Each key stands for one uniform number, of which only an interval is known. A question narrows it: an index asks which of the
 * intervals of the cumulative weights it lies in, a resampling which of those between its breaks. Asking the same key again narrows
 * the same number further, as a counter-based generator would answer, so that a key used twice shows as the bias that it causes.
 */

export interface EnumerationOptions {
  /** Give up after so many paths; 1,000,000 by default. */
  readonly limit?: number
  /** The points of (0, 1) where the use of a plain uniform changes; without it `uniform` throws. */
  readonly breaks?: (key: DrawKey, attempt: number) => readonly number[]
}

/** There are too many outcomes to be listed. */
export class Unlistable extends Error {
  override readonly name = 'Unlistable'
}

/** The same choices do not lead to the same questions. */
export class Unrepeatable extends Error {
  override readonly name = 'Unrepeatable'
}

/** Choices of one run. */
const deepest = 1000

export interface Path<T> {
  readonly probability: number
  readonly result: T
}

/** Every path of `run` with its probability; the probabilities sum to 1. `run` must take all its chance from its argument. */
export async function* enumerate<T>(
  run: (random: Randomness) => T | Promise<T>,
  options: EnumerationOptions = {},
): AsyncGenerator<Path<T>> {
  const limit = options.limit ?? 1_000_000
  let script: readonly Choice[] = []
  for (let paths = 1; ; paths++) {
    if (paths > limit) throw new Unlistable(`the enumeration has more than ${limit} paths`)
    const random = new ScriptedRandomness(script, options)
    const result = await run(random)
    yield { probability: random.probability, result }
    const next = [...random.taken]
    while (next.length > 0 && next.at(-1)!.branch + 1 === next.at(-1)!.branches) next.pop()
    const last = next.pop()
    if (last === undefined) return
    script = [...next, { ...last, branch: last.branch + 1 }]
  }
}

interface Choice {
  readonly key: string
  readonly branch: number
  readonly branches: number
}

/** The part [low, high) of (0, 1) that a number is known to lie in. */
interface Interval {
  readonly low: number
  readonly high: number
}

/** Parts of an interval below this share of it are rounding. */
const NEGLIGIBLE = 1e-11

class ScriptedRandomness implements Randomness {
  probability = 1
  readonly taken: Choice[] = []
  private readonly known = new Map<string, Interval>()

  constructor(
    private readonly script: readonly Choice[],
    private readonly options: EnumerationOptions,
  ) {}

  index(weights: ArrayLike<number>, key: DrawKey, attempt = 0): number {
    const indices: number[] = []
    const sums: number[] = []
    let total = 0
    for (let i = 0; i < weights.length; i++) {
      if (!(weights[i]! >= 0 && weights[i]! < Infinity)) throw new Error(`weight ${i} is ${weights[i]}`)
      if (weights[i] === 0) continue
      total += weights[i]!
      indices.push(i)
      sums.push(total)
    }
    if (indices.length === 0) throw new Error('an index is drawn from weights that are all 0')
    const bounds = sums.map((sum) => sum / total)
    return indices[this.narrow(drawName(key, attempt), bounds).part]!
  }

  uniform(key: DrawKey, attempt: number): number {
    if (this.options.breaks === undefined)
      throw new Unlistable('a draw has too many outcomes to list: of a real number, or of a token of a large vocabulary')
    return this.point(drawName(key, attempt), this.options.breaks(key, attempt))
  }

  resampling(generation: number, count: number, breaks: (k: number) => readonly number[]): Float64Array {
    return Float64Array.from({ length: count }, (_, k) => this.point(`resampling ${generation} ${k}`, breaks(k)))
  }

  private point(name: string, breaks: readonly number[]): number {
    const bounds = breaks.filter((at) => at > 0 && at < 1).sort((a, b) => a - b)
    const { low, high } = this.narrow(name, [...bounds, 1]).interval
    return (low + high) / 2
  }

  /**
   * Chooses among the parts of (0, 1) that end at the bounds, the last of which is 1, with the probability of each given what is
   * known of the number.
   */
  private narrow(name: string, bounds: readonly number[]): { part: number; interval: Interval } {
    const known = this.known.get(name) ?? { low: 0, high: 1 }
    const width = known.high - known.low
    const parts: { part: number; interval: Interval }[] = []
    let low = known.low
    bounds.forEach((bound, part) => {
      const high = Math.min(bound, known.high)
      if (high - low <= NEGLIGIBLE * width) return
      parts.push({ part, interval: { low, high } })
      low = high
    })
    const branch = this.take(name, parts.length)
    const chosen = parts[branch]!
    const covered = low - known.low
    this.probability *= (chosen.interval.high - chosen.interval.low) / covered
    this.known.set(name, chosen.interval)
    return chosen
  }

  private take(key: string, branches: number): number {
    if (this.taken.length === deepest) throw new Unlistable(`a run may take more than ${deepest} draws`)
    const planned = this.script[this.taken.length]
    if (planned !== undefined && (planned.key !== key || planned.branches !== branches))
      throw new Unrepeatable(`the run does not repeat: ${planned.key} of ${planned.branches} is now ${key} of ${branches}`)
    const branch = planned?.branch ?? 0
    this.taken.push({ key, branch, branches })
    return branch
  }
}

function drawName(key: DrawKey, attempt: number): string {
  return `draw ${key.slot} ${key.generation} ${key.draw} ${attempt}`
}

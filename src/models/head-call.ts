import { type Head, type HeadAnswers, type HeadDraw, type HeadRow, type HeadTargets, type HeadView, pick } from './head.js'
import { blockSize } from './head-graph.js'
import { logAddExp, logSumExp } from './log-sum.js'
import { nothing } from './model.js'
import { complement, listOf, type TokenSet } from './token-set.js'

/** A set of at most so many tokens is reached through their logits rather than a view of its own, which is a pass over the vocabulary. */
const mostListed = 512
/** So is what a set lacks, beside a view of the set; few, because it is done for nearly every draw. */
const fewTokens = 8

/** What is known once the head has run. */
export type Later<A = number> = (answers: HeadAnswers) => A

/** A draw, and the view that it is from: the tokens of a set by the logits of a row, with something added to each. */
export type Drawing = HeadView & Omit<HeadDraw, 'view'>

export interface Drawn {
  /** log of the sum of exp over all that may be drawn; -Infinity when nothing is left. */
  readonly logSum: number
  /** `nothing` or of no meaning when nothing is left. */
  readonly token: number
  /** The logit of the token with what was added. */
  readonly value: number
  /** The logit of the token in the row beside. */
  readonly beside: number
}

/**
 * One call of the head under construction: equal rows, views and targets are asked once, and what is asked comes back as a function of the
 * answers.
 */
export class HeadCall {
  readonly rows: HeadRow[] = []
  readonly views: HeadView[] = []
  readonly #draws: HeadDraw[] = []
  readonly #targets: HeadTargets[] = []
  #logits = 0
  readonly #rowOf = new Map<string, number>()
  readonly #viewOf = new Map<string, number>()
  readonly #targetOf = new Map<string, number>()
  readonly #objects = new Map<object, number>()

  constructor(private readonly vocabulary: number) {}

  get size(): number {
    return this.rows.length + this.views.length
  }

  /** `key`: equal for equal rows. */
  row(key: string, make: () => HeadRow): number {
    let row = this.#rowOf.get(key)
    if (row === undefined) this.#rowOf.set(key, (row = this.rows.push(make()) - 1))
    return row
  }

  view(row: number, set: TokenSet | null, potential: Float64Array | null): number {
    const key = `${row} ${this.number(set)} ${this.number(potential)}`
    let view = this.#viewOf.get(key)
    if (view === undefined) this.#viewOf.set(key, (view = this.views.push({ row, set, potential }) - 1))
    return view
  }

  logSum(view: number): Later {
    return ({ logSums }) => logSums[view]!
  }

  logit(row: number, token: number): Later {
    const place = this.#place(`${row} ${token}`, row, [token])
    return ({ logits }) => logits[place]!
  }

  /** The same draw whether the set is listed or a view: blocks first, then a token of the block. */
  draw({ row, set, potential, beside, first, second }: Drawing): Later<Drawn> {
    if (!set || set.count > mostListed) {
      const view = this.view(row, set, potential)
      const draw = this.#draws.push({ view, beside, first, second }) - 1
      return ({ logSums, drawn, values, besides }) => ({
        logSum: logSums[view]!,
        token: drawn[draw]!,
        value: values[draw]!,
        beside: besides[draw]!,
      })
    }
    const tokens = listOf(set)
    const place = this.#listed(row, set)
    const other = this.#listed(beside, set)
    return ({ logits }) => {
      const values = added(logits.subarray(place, place + tokens.length), tokens, potential)
      const logSum = logSumExp(values)
      if (logSum === -Infinity) return { logSum, token: nothing, value: -Infinity, beside: -Infinity }
      const masses = values.map((value) => Math.exp(value - logSum))
      const index = indexOf(masses, tokens, first, second)
      return { logSum, token: tokens[index]!, value: values[index]!, beside: logits[other + index]! }
    }
  }

  /**
   * log of the sum of exp of the logits over all tokens. `beside`: a set whose view is there anyway; where it hides only a few tokens, no other
   * view is needed. What is computed depends on the question alone, not on what else the call holds.
   */
  logTotal(row: number, beside: TokenSet | null): Later {
    if (!beside || this.vocabulary - beside.count > fewTokens) return this.logSum(this.view(row, null, null))
    const rest = this.logSum(this.view(row, beside, null))
    const hidden = this.#listedMass(row, complement(beside, this.vocabulary), null)
    return (answers) => logAddExp(rest(answers), hidden(answers))
  }

  /** log of the sum of exp of the logits, and of a potential, over a set. */
  logMass(row: number, set: TokenSet | null, potential: Float64Array | null): Later {
    if (set && set.count <= mostListed) return this.#listedMass(row, set, potential)
    return this.logSum(this.view(row, set, potential))
  }

  async run(head: Head, wantsLines = false): Promise<HeadAnswers | null> {
    // A call that only asks for logits still needs a view.
    if (this.views.length === 0) this.view(0, null, null)
    return head.run(this.rows, this.views, this.#draws, this.#targets, wantsLines)
  }

  #listedMass(row: number, set: TokenSet, potential: Float64Array | null): Later {
    const tokens = listOf(set)
    const place = this.#listed(row, set)
    return ({ logits }) => logSumExp(added(logits.subarray(place, place + tokens.length), tokens, potential))
  }

  /** Where the logits of the tokens of a set begin among the answers. */
  #listed(row: number, set: TokenSet): number {
    return this.#place(`${row} of ${this.number(set)}`, row, listOf(set))
  }

  /** Where the logits of these tokens begin among the answers; `key`: equal for the same question. */
  #place(key: string, row: number, tokens: ArrayLike<number>): number {
    let place = this.#targetOf.get(key)
    if (place === undefined) {
      this.#targetOf.set(key, (place = this.#logits))
      this.#targets.push({ row, tokens })
      this.#logits += tokens.length
    }
    return place
  }

  /** Equal for the same object, within this call. */
  number(object: object | null): number {
    if (!object) return -1
    let number = this.#objects.get(object)
    if (number === undefined) this.#objects.set(object, (number = this.#objects.size))
    return number
  }
}

function added(logits: Float64Array, tokens: Int32Array, potential: Float64Array | null): Float64Array {
  return potential ? logits.map((logit, i) => logit + potential[tokens[i]!]!) : logits
}

/** `masses` of ascending tokens: which of them a draw in two levels, as in `head-graph.ts`, falls on. */
function indexOf(masses: Float64Array, tokens: Int32Array, first: number, second: number): number {
  const begins: number[] = []
  const sums: number[] = []
  let block = -1
  for (let i = 0; i < tokens.length; i++) {
    const its = Math.floor(tokens[i]! / blockSize)
    if (its !== block) {
      begins.push(i)
      sums.push(0)
      block = its
    }
    sums[sums.length - 1]! += masses[i]!
  }
  const chosen = pick(Float64Array.from(sums), first)
  const begin = begins[chosen]!
  return begin + pick(masses.subarray(begin, begins[chosen + 1]), second)
}

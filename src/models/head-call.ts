import type { Head, HeadAnswers, HeadDraw, HeadRow, HeadTarget, HeadView } from './head.js'
import { logAddExp, logSumExp } from './log-sum.js'
import { complement, type TokenSet, tokensOf } from './token-set.js'

/** A set that lacks, or has, no more tokens than this is reached through single logits rather than a view of its own. */
const fewTokens = 8

/** A number that is known once the head has run. */
export type Later = (answers: HeadAnswers) => number

/**
 * One call of the head under construction: equal rows, views and targets are asked once, and what is asked comes back as a function of the
 * answers.
 */
export class HeadCall {
  readonly rows: HeadRow[] = []
  readonly views: HeadView[] = []
  readonly draws: HeadDraw[] = []
  readonly #targets: HeadTarget[] = []
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
    const key = `${row} ${this.#number(set)} ${this.#number(potential)}`
    let view = this.#viewOf.get(key)
    if (view === undefined) this.#viewOf.set(key, (view = this.views.push({ row, set, potential }) - 1))
    return view
  }

  logSum(view: number): Later {
    return ({ logSums }) => logSums[view]!
  }

  logit(row: number, token: number): Later {
    const key = `${row} ${token}`
    let target = this.#targetOf.get(key)
    if (target === undefined) this.#targetOf.set(key, (target = this.#targets.push({ row, token }) - 1))
    return ({ logits }) => logits[target]!
  }

  /** Index of the draw. */
  draw(draw: HeadDraw): number {
    return this.draws.push(draw) - 1
  }

  /**
   * log of the sum of exp of the logits over all tokens. `beside`: a set whose view is there anyway; where it hides only a few tokens, no other
   * view is needed. What is computed depends on the question alone, not on what else the call holds.
   */
  logTotal(row: number, beside: TokenSet | null): Later {
    if (!beside || this.vocabulary - beside.count > fewTokens) return this.logSum(this.view(row, null, null))
    const rest = this.logSum(this.view(row, beside, null))
    const hidden = this.#few(row, complement(beside, this.vocabulary))
    return (answers) => logAddExp(rest(answers), hidden(answers))
  }

  /** log of the sum of exp of the logits, and of a potential, over a set. */
  logMass(row: number, set: TokenSet | null, potential: Float64Array | null): Later {
    if (set && set.count <= fewTokens) return this.#few(row, set, potential)
    return this.logSum(this.view(row, set, potential))
  }

  async run(head: Head, wantsLines = false): Promise<HeadAnswers | null> {
    // A call that only asks for logits still needs a view.
    if (this.views.length === 0) this.view(0, null, null)
    return head.run(this.rows, this.views, this.draws, this.#targets, wantsLines)
  }

  #few(row: number, set: TokenSet, potential: Float64Array | null = null): Later {
    const parts = [...tokensOf(set)].map((token) => {
      const logit = this.logit(row, token)
      return (answers: HeadAnswers) => logit(answers) + (potential ? potential[token]! : 0)
    })
    return (answers) => logSumExp(parts.map((part) => part(answers)))
  }

  #number(object: object | null): number {
    if (!object) return -1
    let number = this.#objects.get(object)
    if (number === undefined) this.#objects.set(object, (number = this.#objects.size))
    return number
  }
}

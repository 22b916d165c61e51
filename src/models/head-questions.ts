import { drawDense, logMassOf, logWeights, urnDense } from './dense.js'
import { type Head, type HeadAnswers, nothingLeft } from './head.js'
import { HeadCall, type Later } from './head-call.js'
import { logAddExp } from './log-sum.js'
import { type DrawReply, type DrawRequest, nothing, type Posterior, stopped } from './model.js'
import type { Path } from './path.js'
import { has, intersection, type TokenSet } from './token-set.js'
import { TokenUrn } from './token-urn.js'

/** An expert whose hidden state is known. */
export interface Known {
  readonly path: Path
  readonly temperature: number
  readonly power: number
}

export interface KnownPosterior extends Posterior {
  readonly known: readonly Known[]
}

/** Where logits are capped, a shift of the hidden state would be capped too: what it adds to each token is computed beforehand. */
interface Shifted {
  readonly line?: Float64Array | null
}

/** A weighted product of experts as one row of the head, and what its logits are to be corrected by. */
interface Product {
  readonly row: number
  /** sum_i power_i · log(sum of exp of the logits of expert i): log g(v) = logit(v) - this + potential(v). */
  readonly normaliser: Later
}

/**
 * Answers questions about local posteriors through the head. The output product is linear, so a product of powers of one model's contexts is
 * *one* row: the weighted sum of their hidden states; a row for each context gives its normaliser. Where logits are capped that does not
 * hold: products are then formed from whole rows (`dense.ts`), and a shift becomes a potential, by a product of its own.
 */
export class HeadQuestions {
  constructor(
    private readonly head: Head,
    private readonly vocabulary: number,
    /** What to throw when a logit is not a number. */
    private readonly notFinite: () => Error,
  ) {}

  async draw(requests: readonly (DrawRequest & KnownPosterior)[], rows: number): Promise<DrawReply[]> {
    return this.#each(
      await this.#withLines(requests, rows),
      rows,
      (call, request) => this.#draw(call, request),
      async (request) => drawDense(withIdentity(request), await this.#logs(request, rows)),
    )
  }

  async measure(posteriors: readonly KnownPosterior[], rows: number): Promise<number[]> {
    return this.#each(
      posteriors,
      rows,
      (call, posterior) => {
        const product = this.#product(call, posterior.known)
        return this.#leaving(call, posterior, product)
      },
      async (posterior) => logMassOf(logWeights(posterior, await this.#logs(posterior, rows)), posterior.leaving),
    )
  }

  async urns(posteriors: readonly KnownPosterior[], rows: number): Promise<TokenUrn[]> {
    return this.#each(
      await this.#withLines(posteriors, rows),
      rows,
      (call, posterior) => {
        const { within, allowed, potential, stop, line = null } = posterior
        const product = this.#product(call, posterior.known)
        const row = line ? product.row : this.#shiftedRow(call, product.row, posterior.shift)
        const view = call.view(row, intersection(within, allowed), sumOf(potential, line))
        const normaliser = product.normaliser
        const leaving = stop === null ? null : this.#leaving(call, posterior, product)
        return (answers) => {
          const total = answers.logSums[view]!
          const scale = total === -Infinity ? 0 : total
          // In doubles: what is rare beside the rest may be all that a requirement allows.
          const masses = Float64Array.from(answers.lines![view]!, (value) => (value <= nothingLeft ? 0 : Math.exp(value - scale)))
          return new TokenUrn(masses, scale - normaliser(answers), leaving ? leaving(answers) + stop! : -Infinity)
        }
      },
      async (posterior) => urnDense(withIdentity(posterior), await this.#logs(posterior, rows)),
      true,
    )
  }

  /** power · log p of every token, for each. */
  async logProbs(experts: readonly Known[], rows: number): Promise<Float64Array[]> {
    const call = (expert: Known) => [expert]
    return this.#chunks(
      experts,
      rows,
      call,
      (plan, expert) => {
        const row = this.#row(plan, expert)
        const view = plan.view(row, null, null)
        return ({ lines, logSums }) => {
          const total = logSums[view]!
          return Float64Array.from(lines![view]!, (value) => expert.power * (value - total))
        }
      },
      true,
    )
  }

  /** log p(target | history) of one expert each. */
  async score(asked: readonly (Known & { readonly target: number })[], rows: number): Promise<number[]> {
    return this.#chunks(
      asked,
      rows,
      (each) => [each],
      (call, each) => {
        const row = this.#row(call, each)
        const logit = call.logit(row, each.target)
        const total = call.logTotal(row, null)
        return (answers) => logit(answers) - total(answers)
      },
    )
  }

  /** e_token · shift, for each. */
  async pick(asked: readonly { readonly shift: Float32Array; readonly token: number }[], rows: number): Promise<number[]> {
    return this.#chunks(
      asked,
      rows,
      () => [],
      (call, { shift, token }) => call.logit(shiftRow(call, shift), token),
    )
  }

  /** e_v · shift of every token, for each. */
  async shiftRows(shifts: readonly Float32Array[], rows: number): Promise<Float64Array[]> {
    return this.#chunks(
      shifts,
      rows,
      () => [],
      (call, shift) => {
        const view = call.view(shiftRow(call, shift), null, null)
        return ({ lines }) => Float64Array.from(lines![view]!)
      },
      true,
    )
  }

  #draw(call: HeadCall, request: DrawRequest & KnownPosterior & Shifted): (answers: HeadAnswers) => DrawReply {
    const { within, allowed, potential, lookahead, shift, line = null, stop, random, key, forced } = request
    const set = intersection(within, allowed)
    const row = this.#productRow(call, request.known)
    const shifted = line ? row : this.#shiftedRow(call, row, shift)
    const added = sumOf(potential, lookahead)
    const draw = call.draw({
      row: shifted,
      set,
      potential: sumOf(added, line),
      beside: row,
      first: random.uniform(key, 0),
      second: random.uniform(key, 1),
    })
    const product = { row, normaliser: this.#normaliser(call, request.known, added || shift ? null : set) }
    const leaving = this.#leaving(call, request, product)
    const weighed = { ...request, potential: sumOf(potential, line) }
    const shiftedLeaving = shift && stop !== null ? this.#leaving(call, weighed, { ...product, row: shifted }) : leaving
    const { normaliser } = product
    const logForced = forced === undefined || forced === stopped ? null : this.#logOf(call, row, forced, set, potential)
    const shiftedForced = shift && !line && logForced ? call.logit(shiftRow(call, shift), forced!) : null
    const shiftOf = (token: number, above: number) => (line ? line[token]! : shift ? above : 0)
    return (answers) => {
      const offset = -normaliser(answers)
      const { logSum, token, value, beside } = draw(answers)
      const logTokens = logSum + offset
      const logLeaving = leaving(answers)
      const logShifted = shiftedLeaving(answers)
      const logStop = stop === null ? -Infinity : logShifted + stop
      const logMass = isFree(request) ? 0 : logAddExp(logTokens, logStop)
      if (logMass === -Infinity) return { token: nothing, logProb: -Infinity, logMass, logLeaving, logShift: 0 }
      if (forced !== undefined) {
        const logProb = logForced ? logForced(answers) + offset : logLeaving
        const logShift = forced === stopped ? logShifted - logLeaving : shiftOf(forced, shiftedForced?.(answers) ?? 0)
        return { token: logProb === -Infinity ? nothing : forced, logProb, logMass, logLeaving, logShift }
      }
      if (logStop > -Infinity && (logTokens === -Infinity || random.uniform(key, 2) < Math.exp(logStop - logMass))) {
        return { token: stopped, logProb: logLeaving, logMass, logLeaving, logShift: logShifted - logLeaving }
      }
      const logShift = shiftOf(token, value - (added ? added[token]! : 0) - beside)
      return { token, logProb: value + offset - (lookahead ? lookahead[token]! : 0) - logShift, logMass, logLeaving, logShift }
    }
  }

  /** Those of equal shifts are computed once. */
  async #withLines<P extends Posterior>(posteriors: readonly P[], rows: number): Promise<readonly (P & Shifted)[]> {
    const shifts = [...new Set(posteriors.flatMap(({ shift }) => shift ?? []))]
    if (this.head.isLinear || shifts.length === 0) return posteriors
    const lines = await this.shiftRows(shifts, rows)
    return posteriors.map((posterior) => ({
      ...posterior,
      line: posterior.shift && lines[shifts.indexOf(posterior.shift)]!,
    }))
  }

  /** The logit of one token with its potential; -Infinity outside the set. */
  #logOf(call: HeadCall, row: number, token: number, set: TokenSet | null, potential: Float64Array | null): Later {
    if (set && !has(set, token)) return () => -Infinity
    const logit = call.logit(row, token)
    return (answers) => logit(answers) + (potential ? potential[token]! : 0)
  }

  /** log of the g-mass of `leaving`. */
  #leaving(call: HeadCall, { within, leaving, potential }: Posterior, { row, normaliser }: Product): Later {
    if (!leaving) return () => -Infinity
    const mass = call.logMass(row, intersection(within, leaving), potential)
    return (answers) => mass(answers) - normaliser(answers)
  }

  #product(call: HeadCall, known: readonly Known[]): Product {
    const row = this.#productRow(call, known)
    return { row, normaliser: this.#normaliser(call, known, null) }
  }

  #productRow(call: HeadCall, known: readonly Known[]): number {
    const [first] = known
    if (known.length === 1 && first!.power === 1) return this.#row(call, first!)
    const key = known.map(({ path, temperature, power }) => `${path.id} ${temperature} ${power}`).join(' ')
    return call.row(key, () => ({ hidden: weightedSum(known), temperature: 1 }))
  }

  /** The row with a vector added to its hidden state. */
  #shiftedRow(call: HeadCall, row: number, shift: Float32Array | null): number {
    if (!shift) return row
    return call.row(`${row} + ${call.number(shift)}`, () => {
      const { hidden, temperature } = call.rows[row]!
      return { hidden: hidden.map((h, i) => h / temperature + shift[i]!), temperature: 1 }
    })
  }

  /** `drawn`: the set of the view of a single expert, if that is what is drawn from. */
  #normaliser(call: HeadCall, known: readonly Known[], drawn: TokenSet | null): Later {
    const beside = known.length === 1 && known[0]!.power === 1 ? drawn : null
    const totals = known.map((expert) => ({ power: expert.power, total: call.logTotal(this.#row(call, expert), beside) }))
    return (answers) => totals.reduce((sum, { power, total }) => sum + power * total(answers), 0)
  }

  #row(call: HeadCall, { path, temperature }: Known): number {
    return call.row(`${path.id} ${temperature}`, () => ({ hidden: path.hidden!, temperature }))
  }

  #logs(posterior: KnownPosterior, rows: number): Promise<Float64Array[]> {
    return this.logProbs(posterior.known, rows)
  }

  async #each<Q extends KnownPosterior, A>(
    questions: readonly Q[],
    rows: number,
    plan: (call: HeadCall, question: Q) => (answers: HeadAnswers) => A,
    densely: (question: Q) => Promise<A>,
    wantsLines = false,
  ): Promise<A[]> {
    const isLinear = ({ known }: Q) => this.head.isLinear || (known.length === 1 && known[0]!.power === 1)
    const linear = questions.filter(isLinear)
    const answers = await this.#chunks(linear, rows, ({ known }) => known, plan, wantsLines)
    if (linear.length === questions.length) return answers
    let at = 0
    const all: A[] = []
    for (const question of questions) all.push(isLinear(question) ? answers[at++]! : await densely(question))
    return all
  }

  /** Asks in calls of at most so many questions, and no more rows and views than the head takes. */
  async #chunks<Q, A>(
    questions: readonly Q[],
    rows: number,
    experts: (question: Q) => readonly unknown[],
    plan: (call: HeadCall, question: Q) => (answers: HeadAnswers) => A,
    wantsLines = false,
  ): Promise<A[]> {
    const results: A[] = []
    for (let at = 0; at < questions.length; ) {
      const call = new HeadCall(this.vocabulary)
      const pending: ((answers: HeadAnswers) => A)[] = []
      // A question adds a row and a view for each expert, and two rows and three views of its own.
      const room = (question: Q) => call.size + 2 * experts(question).length + 5 <= this.head.most
      while (at < questions.length && (pending.length === 0 || (call.rows.length < rows && room(questions[at]!)))) {
        pending.push(plan(call, questions[at]!))
        at++
      }
      const answers = await call.run(this.head, wantsLines)
      if (!answers) throw this.notFinite()
      for (const resolve of pending) results.push(resolve(answers))
    }
    return results
  }
}

/** Whether the draw is from the model itself, whose mass is 1. */
function isFree({ experts, potential, within, allowed, lookahead, shift, stop }: Posterior): boolean {
  const isModel = experts.length === 1 && experts[0]!.power === 1
  return isModel && !potential && !within && !allowed && !lookahead && !shift && stop === null
}

/** A vector as a row of its own: its logits are e_v · shift. */
function shiftRow(call: HeadCall, shift: Float32Array): number {
  return call.row(`shift ${call.number(shift)}`, () => ({ hidden: shift, temperature: 1, plain: true }))
}

/** For `dense.ts`, to which a shift is what it adds to each token. */
function withIdentity<P extends Posterior & Shifted>(posterior: P): P {
  return posterior.line ? { ...posterior, shift: Float32Array.from(posterior.line) } : posterior
}

function weightedSum(known: readonly Known[]): Float32Array {
  const sum = new Float64Array(known[0]!.path.hidden!.length)
  for (const { path, temperature, power } of known) {
    const { hidden } = path
    for (let i = 0; i < sum.length; i++) sum[i]! += (power / temperature) * hidden![i]!
  }
  return Float32Array.from(sum)
}

function sumOf(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (!a || !b) return a ?? b
  return a.map((value, i) => value + b[i]!)
}

import { SmcError } from '../diagnostics/diagnostic.js'
import { drawDense, logMassOf, logWeights } from '../models/dense.js'
import { type DrawReply, type LanguageModel, nothing, type Posterior, type ServeOptions, stopped } from '../models/model.js'
import type { Randomness } from '../models/randomness.js'
import { has, intersection } from '../models/token-set.js'
import { expectations, livingOf, withChance } from './expectations.js'
import { askGuides, lessonOf, shiftsOf } from './learned/guides.js'
import type { Machine } from './machine.js'
import type { Particle } from './particle.js'
import { isWhere, type Plan, planOfDraw, planOfStop, posteriorOf } from './plan.js'
import { byModel, placed } from './questions.js'
import { type Asked, rejectAll } from './rejection.js'
import type { Trials } from './trial.js'
import type { Factor } from './values.js'

/** Vocabularies of at most so many tokens are looked through token by token (language.md §6 "Fusion"). */
const smallVocabulary = 512

/** Serves draws of tokens: from local posteriors (inference.md §1), with looking ahead or rejection where that is asked for. */
export class Draws {
  /** Calls of `where` for candidates that rejection has tried. */
  evaluations = 0
  private readonly trials: Trials

  constructor(
    private readonly machine: Machine,
    private readonly random: Randomness,
    private readonly options: ServeOptions,
    private readonly answer: (particles: readonly Particle[]) => Promise<void>,
  ) {
    this.trials = machine.trials
  }

  async serve(particles: readonly Particle[]): Promise<void> {
    await askGuides(particles, this.machine, this.options, smallVocabulary)
    for (const [model, plans] of byModel(
      particles.map((p) => planOfDraw(p, this.machine)),
      (plan) => plan.model,
    )) {
      const { ahead, apart, rejected, plain } = this.sorted(model, plans)
      const asking = await this.lookAhead(ahead)
      await this.drawApart(apart)
      await this.reject(model, [...rejected, ...asking])
      await this.draw(model, plain)
    }
  }

  /** By how they are drawn. */
  private sorted(model: LanguageModel, plans: readonly Plan[]) {
    const sorted = { ahead: [] as Plan[], apart: [] as Plan[], rejected: [] as Plan[], plain: [] as Plan[] }
    const small = model.vocabulary.size <= smallVocabulary
    const { lookahead } = this.machine.options
    for (const plan of plans) {
      const isProduct = plan.drawn.length > 1 || plan.drawn[0]!.power !== 1
      if (lookahead && small && plan.p.request!.later.length === 0) sorted.ahead.push(plan)
      else if (!lookahead && isProduct) sorted.apart.push(plan)
      else if (isWhere(plan)) sorted.rejected.push(plan)
      else sorted.plain.push(plan)
    }
    return sorted
  }

  /** Small vocabularies: every token is tried before one is drawn. Gives back those whose `where` has to wait for answers. */
  private async lookAhead(plans: readonly Plan[]): Promise<Plan[]> {
    const asking: Plan[] = []
    const rows = await this.rows(plans)
    plans.forEach((plan, i) => {
      const { p, within, allowed, leaving, key, forced, guidance } = plan
      const posterior = { ...posteriorOf(plan, this.machine), within, allowed, leaving, shift: null }
      const g = this.located(p, () => logWeights(posterior, rows[i]!))
      const tries = new Map<number, Particle>()
      const lookahead = new Float64Array(g.length).fill(Number.NEGATIVE_INFINITY)
      for (let v = 0; v < g.length; v++) {
        if (g[v] === Number.NEGATIVE_INFINITY || (allowed && !has(allowed, v))) continue
        const trial = this.trials.token(p, v)
        tries.set(v, trial)
        this.trials.walk(trial, guidance)
      }
      const waits = (trial: Particle) => trial.status !== 'dead' && trial.step === p.step.where
      if (isWhere(plan) && [...tries.values()].some(waits)) {
        asking.push(plan)
        return
      }
      const stop = leaving ? this.tryStop(plan, logMassOf(g, leaving)) : null
      if (stop) tries.set(stopped, stop)
      const worth = new Map([...tries].map(([token, trial]) => [token, trial.logw - p.logw]))
      const expected = guidance ? expectations(p, tries, worth, guidance) : worth
      const shown = withChance(expected, (token) => (token === stopped ? logMassOf(g, leaving) : g[token]!))
      for (const [token, log] of shown) if (token !== stopped) lookahead[token] = log
      const request = { ...posterior, lookahead, stop: shown.get(stopped) ?? null, random: this.random, key, forced }
      const reply = drawDense(request, rows[i]!)
      // A token that was shown more kindly than it is worth weighs as much less.
      const logShown = shown.get(reply.token) ?? 0
      const excess = logShown - (worth.get(reply.token) ?? 0)
      const learns = this.machine.options.records && p.request!.guide ? { ...plan, allowed: livingOf(plan, worth) } : plan
      this.take(learns, { ...reply, logMass: reply.logMass - excess }, tries, reply.logMass - logShown)
    })
    return asking
  }

  /** The particle that has stopped, as far as it can go; null when a stop has no mass. */
  private tryStop(plan: Plan, logLeaving: number): Particle | null {
    if (logLeaving === Number.NEGATIVE_INFINITY) return null
    const trial = this.stop(plan, logLeaving)
    this.trials.walk(trial)
    return trial
  }

  /** Large vocabularies: the models draw. */
  private async draw(model: LanguageModel, plans: readonly Plan[]): Promise<void> {
    if (plans.length === 0) return
    const posteriors = await this.posteriors(model, plans)
    const requests = plans.map(({ key, guidance, forced }, i) => {
      const lookahead = guidance && !guidance.linear ? guidance.rows : null
      return { ...posteriors[i]!, lookahead, random: this.random, key, forced }
    })
    const replies = await placed(requests, particlesOf(plans), (some) => model.draw(some, this.options))
    replies.forEach((reply, i) => {
      const { token, logMass } = reply
      const logShift = reply.logShift + (token >= 0 ? (requests[i]!.lookahead?.[token] ?? 0) : 0)
      if (token >= 0 && plans[i]!.guidance?.linear) plans[i]!.guidance.values.set(token, logShift)
      this.take(plans[i]!, { ...reply, logMass: logMass - logShift }, null)
    })
  }

  /** Unfused products: drawn from one factor and weighed by the others. */
  private async drawApart(plans: readonly Plan[]): Promise<void> {
    const rows = await this.rows(plans)
    plans.forEach((plan, i) => {
      const { p, experts, within, leaving, key } = plan
      const whole = { ...posteriorOf(plan, this.machine), within, allowed: null, leaving }
      const g = this.located(p, () => logWeights(whole, rows[i]!))
      const first = Math.max(
        0,
        experts.findIndex(({ power }) => power > 0),
      )
      const alone = rows[i]![first]!.map((log) => (experts[first]!.power > 0 ? log / experts[first]!.power : 0))
      const { proposal } = p.request!
      const forced = plan.forced === stopped && !proposal ? this.stopToken(plan, g) : plan.forced
      const drawn = drawDense({ ...whole, lookahead: null, stop: null, random: this.random, key, forced }, [alone])
      const { token } = drawn
      if (proposal || token === nothing) {
        this.take(plan, drawn, null)
        return
      }
      // Weighed by g(v) / q(v), q the normalised factor.
      const logMass = g[token]! - (alone[token]! - drawn.logMass)
      this.take(plan, { token, logProb: g[token]!, logMass, logLeaving: logMassOf(g, leaving), logShift: 0 }, null)
    })
  }

  /** `where` over large vocabularies, or with questions: weighted rejection (`rejection.ts`). */
  private async reject(model: LanguageModel, plans: readonly Plan[]): Promise<void> {
    if (plans.length === 0) return
    const posteriors = await this.posteriors(model, plans)
    const urns = await placed(posteriors, particlesOf(plans), (some) => model.urns(some, this.options))
    const masses = await placed(posteriors, particlesOf(plans), async (some) => [...(await model.measure(some, this.options))])
    const asked: Asked[] = plans.map((plan, i) => ({
      urn: urns[i]!,
      key: plan.key,
      where: plan.p.step.where!,
      forced: plan.forced,
      trial: (token) => (token === stopped ? this.stop(plan, masses[i]!) : this.trials.token(plan.p, token)),
    }))
    const found = await rejectAll(asked, this.random, this.trials, this.answer)
    const shifts = await shiftsOf(
      plans,
      found.map(({ token }) => token),
      this.options,
    )
    found.forEach(({ token, logMass, logWeight, trial, evaluations }, i) => {
      this.evaluations += evaluations
      const { p } = plans[i]!
      if (!trial) {
        this.machine.kill(p)
        return
      }
      this.adopt(plans[i]!, trial, logWeight - shifts[i]! - (p.request!.proposal ? logMass - shifts[i]! : 0), token)
    })
  }

  /** log of the mass that the targets of these particles give to what they have stopped at: their proposals drew the stop. */
  async stopMasses(particles: readonly Particle[]): Promise<ReadonlyMap<Particle, number>> {
    const masses = new Map<Particle, number>()
    const plans = particles.map((p) => planOfStop(p, this.machine))
    for (const [model, group] of byModel(plans, (plan) => plan.model)) {
      const posteriors = await this.posteriors(model, group)
      const found = await placed(posteriors, particlesOf(group), async (some) => [...(await model.measure(some, this.options))])
      found.forEach((mass, i) => {
        masses.set(group[i]!.p, mass)
      })
    }
    return masses
  }

  /** A drawn token, a stop, or death. `tries`: what each token would become, where that was looked at. */
  private take(
    plan: Plan,
    { token, logProb, logMass, logLeaving }: DrawReply,
    tries: ReadonlyMap<number, Particle> | null,
    /** log (g / q) of what was drawn. */
    logRatio = logMass,
  ): void {
    const { p, pattern, leaving } = plan
    if (token === nothing || logMass === Number.NEGATIVE_INFINITY) {
      this.die(p, tries)
      return
    }
    // Unfused, a pattern is held against the token that was drawn freely.
    const leaves = !tries && pattern !== null && token !== stopped && !has(pattern.allowed, token)
    const weight = p.request!.proposal ? logMass - (leaves ? logLeaving : logProb) : logMass
    if (tries) {
      this.adopt(plan, tries.get(token)!, weight, token, logRatio)
      return
    }
    if (leaves && !leaving) {
      this.machine.kill(p)
      return
    }
    const stops = token === stopped || leaves
    this.adopt(plan, stops ? this.stop(plan, logLeaving) : this.trials.token(p, token), weight, stops ? stopped : token, logRatio)
  }

  /** The particle becomes the copy that has the token; its weight is multiplied once, by the whole. */
  private adopt(plan: Plan, trial: Particle, weight: number, token: number, logRatio = weight): void {
    const { p, offset } = plan
    const before = p.logw
    const lesson = this.machine.options.records ? lessonOf(plan, token, logRatio) : null
    const { later, target } = p.request!
    const { step } = p
    p.adopt(trial)
    p.logw = before
    p.request = null
    if (lesson) p.lesson = lesson
    if (this.machine.options.record) p.record({ token })
    if (!this.machine.weigh(p, weight + offset) || token === stopped || later.length === 0) return
    if (target.some(({ stream }) => p.streams[stream]!.ended)) {
      this.machine.kill(p)
      return
    }
    p.step = step
    p.request = { target: later[0]!, proposal: null, beside: [], tokens: [token], draw: -1, later: later.slice(1) }
    p.status = 'scoring'
  }

  private stop(plan: Plan, logLeaving: number): Particle {
    const { p, within, leaving } = plan
    const { node } = p.step
    if (node.op !== 'Draw' || !node.pattern || !leaving) throw new Error('a stop without a pattern')
    const set = intersection(within, leaving)!
    const { target, proposal } = p.request!
    const bearer = Math.max(
      0,
      target.findIndex(({ power }) => power !== 0),
    )
    // What was paid is divided out by one of the factors; a proposal's target is settled later.
    const logMass = (factor: Factor, i: number) => (proposal ? Number.NaN : i === bearer ? logLeaving / (factor.power || 1) : 0)
    return this.trials.stop(p, node.pattern.stopped, (factor, i) => ({ set, logMass: logMass(factor, i) }))
  }

  /** Unfused, a stop is a token that leaves the pattern; which one it was is forgotten, so it is drawn anew, from the target. */
  private stopToken({ leaving, key }: Plan, g: Float64Array): number {
    const log = logMassOf(g, leaving)
    if (!leaving || log === Number.NEGATIVE_INFINITY) return nothing
    return this.random.index(
      g.map((each, v) => (has(leaving, v) ? Math.exp(each - log) : 0)),
      key,
    )
  }

  /** Nothing can be drawn: told with the text and the statement that one of the tries has died of. */
  private die(p: Particle, tries: ReadonlyMap<number, Particle> | null): void {
    const [trial] = tries?.values() ?? []
    const before = p.logw
    if (trial) p.adopt(trial)
    p.request = null
    this.machine.kill(p, before)
  }

  /** Factors of other models than the first become potentials. */
  private async posteriors(model: LanguageModel, plans: readonly Plan[]): Promise<Posterior[]> {
    const foreign = await this.rows(plans, (expert) => expert.model !== model)
    return plans.map((plan, i) => {
      const own = plan.experts.filter((expert) => expert.model === model)
      return { ...posteriorOf(plan, this.machine), experts: own, potential: sumOf(foreign[i]!) }
    })
  }

  /** power · log p of every token, for the factors of each plan. */
  private async rows(
    plans: readonly Plan[],
    wanted: (expert: Plan['experts'][number]) => boolean = () => true,
  ): Promise<Float64Array[][]> {
    const rows = plans.map((): Float64Array[] => [])
    const asked = plans.flatMap(({ p, experts }, plan) => experts.filter(wanted).map((expert, at) => ({ p, plan, at, expert })))
    for (const [model, group] of byModel(asked, ({ expert }) => expert.model)) {
      const experts = group.map(({ expert }) => expert)
      const found = await placed(experts, particlesOf(group), (some) => model.logProbs(some, this.options))
      found.forEach((row, i) => {
        rows[group[i]!.plan]![group[i]!.at] = row
      })
    }
    return rows
  }

  /** Errors of a product know no place in the program. */
  private located<T>(p: Particle, compute: () => T): T {
    try {
      return compute()
    } catch (thrown) {
      if (!(thrown instanceof SmcError)) throw thrown
      throw new SmcError(
        thrown.diagnostics.map((d) => ({ ...d, span: p.step.span })),
        thrown.blame,
      )
    }
  }
}

function particlesOf(items: readonly { readonly p: Particle }[]): Particle[] {
  return items.map(({ p }) => p)
}

function sumOf(rows: readonly Float64Array[]): Float64Array | null {
  const [first, ...others] = rows
  if (!first) return null
  // A factor of 0 makes a product 0, whatever the others are.
  return first.map((log, v) => {
    const isZero = log === Number.NEGATIVE_INFINITY || others.some((row) => row[v] === Number.NEGATIVE_INFINITY)
    return isZero ? Number.NEGATIVE_INFINITY : others.reduce((sum, row) => sum + row[v]!, log)
  })
}

import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawDense, logMassOf, logWeights, urnDense } from '../../src/models/dense.js'
import {
  type DrawRequest,
  type Expert,
  freely,
  type History,
  type LanguageModel,
  nothing,
  stopped,
} from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import { setOf, type TokenSet } from '../../src/models/token-set.js'
import { hashed, key } from './fixed-randomness.js'

/*
 * Questions about local posteriors, answered by the head of a transformer in few products, against the same in plain JavaScript
 * (`dense.ts`) from rows that `score` gives token by token. Log masses agree to 1e-5 for each unit of power; a drawn token is the inverse of
 * the cumulative distribution in two levels; nothing depends on what else is asked.
 */

const block = 64
const temperatures = [1, 0.7, 1.6]
const powers = [1, 1, 1, 0.5, 2, -0.5, 0]

/** What a posterior is made of: indices into the pools of a model, and seeds of the sets. */
interface Recipe {
  readonly experts: readonly { readonly history: number; readonly temperature: number; readonly power: number }[]
  readonly within: Sized | null
  readonly allowed: Sized | null
  readonly leaving: Sized | null
  readonly stop: number | null
  readonly potential: number | null
  readonly lookahead: number | null
}
interface Sized {
  readonly seed: number
  /** Share of the vocabulary; a whole number is a count, a negative one what is left out. */
  readonly size: number
}

const sized = fc.record({ seed: fc.nat(1000), size: fc.constantFrom(0.5, 0.9, 1, 5, 40, 500, 520, -1, -7) })
const recipes = fc.record<Recipe>({
  experts: fc.array(
    fc.record({ history: fc.nat(3), temperature: fc.constantFrom(...temperatures), power: fc.constantFrom(...powers) }),
    { minLength: 1, maxLength: 3 },
  ),
  within: fc.option(sized, { freq: 1 }),
  allowed: fc.option(sized, { freq: 1 }),
  leaving: fc.option(sized, { freq: 1 }),
  stop: fc.constantFrom(null, null, 0, -0.4),
  potential: fc.option(fc.nat(1000), { freq: 1 }),
  lookahead: fc.option(fc.nat(1000), { freq: 1 }),
})

/** Numbers between 0 and 1 that look random. */
const noise = (seed: number, i: number) => {
  const x = Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453
  return x - Math.floor(x)
}

function setFrom({ seed, size }: Sized, vocabulary: number): TokenSet {
  const all = [...Array(vocabulary).keys()]
  if (size > 0 && size < 1)
    return setOf(
      all.filter((v) => noise(seed, v) < size),
      vocabulary,
    )
  const shuffled = all.sort((a, b) => noise(seed, a) - noise(seed, b))
  return setOf(size < 0 ? shuffled.slice(-size) : shuffled.slice(0, size), vocabulary)
}

/** Log factors, a tenth of which are 0. */
const factors = (seed: number, vocabulary: number) =>
  Float64Array.from({ length: vocabulary }, (_, v) => (noise(seed + 1, v) < 0.1 ? -Infinity : 3 * noise(seed, v) - 1.5))

/** A model with some histories, and log p of every token after each at each temperature, from `score` alone. */
class Subject {
  private readonly rows = new Map<string, Float64Array>()

  private constructor(
    readonly model: LanguageModel,
    readonly histories: readonly History[],
  ) {}

  static async of(model: LanguageModel, prompts: readonly (readonly number[])[]): Promise<Subject> {
    const subject = new Subject(
      model,
      prompts.map((tokens) => tokens.slice(2).reduce((h, t) => model.extend(h, t), model.start(tokens.slice(0, 2)))),
    )
    for (const [i, history] of subject.histories.entries())
      for (const temperature of temperatures) {
        const asked = Array.from({ length: model.vocabulary.size }, (_, token) => ({
          history,
          temperature,
          tokens: [token],
          keep: false,
        }))
        const scores = await model.score(asked, { rows: 1024, live: () => [] })
        subject.rows.set(
          `${i} ${temperature}`,
          Float64Array.from(scores, ([log]) => log!),
        )
      }
    return subject
  }

  request(recipe: Recipe, slot: number): DrawRequest {
    const { size } = this.model.vocabulary
    const set = (each: Sized | null) => each && setFrom(each, size)
    const leaving = set(recipe.leaving)
    return {
      experts: recipe.experts.map((e): Expert => ({ ...e, history: this.histories[e.history]! })),
      within: set(recipe.within),
      allowed: set(recipe.allowed),
      leaving,
      stop: leaving ? recipe.stop : null,
      potential: recipe.potential === null ? null : factors(recipe.potential, size),
      lookahead: recipe.lookahead === null ? null : factors(recipe.lookahead, size),
      shift: null,
      random: hashed,
      key: key(slot),
    }
  }

  /** power · log p, by expert. */
  logs({ experts }: Recipe): Float64Array[] {
    return experts.map(({ history, temperature, power }) => this.rows.get(`${history} ${temperature}`)!.map((log) => power * log))
  }
}

const options = { rows: 64, live: () => [] }
const tolerance = ({ experts }: Recipe) => 1e-5 * experts.reduce((sum, { power }) => sum + Math.abs(power), 1)

function close(found: number, exact: number, within: number): void {
  if (exact === -Infinity) expect(found).toBe(-Infinity)
  else expect(Math.abs(found - exact)).toBeLessThan(within)
}

/** The token that two numbers choose among these masses, and how near the choice was to another. */
function twoLevels(masses: Float64Array, first: number, second: number): { token: number; margin: number } {
  const sums = Array.from({ length: Math.ceil(masses.length / block) }, (_, b) =>
    masses.subarray(b * block, (b + 1) * block).reduce((x, y) => x + y, 0),
  )
  const outer = chosen(sums, first)
  const inner = chosen([...masses.subarray(outer.index * block, (outer.index + 1) * block)], second)
  return { token: outer.index * block + inner.index, margin: Math.min(outer.margin, inner.margin) }
}

function chosen(masses: readonly number[], u: number): { index: number; margin: number } {
  const total = masses.reduce((a, b) => a + b, 0)
  let before = 0
  for (const [index, mass] of masses.entries()) {
    const after = before + mass / total
    if (after > u) return { index, margin: Math.min(u - before, after - u) }
    before = after
  }
  return { index: masses.length - 1, margin: 0 }
}

async function agrees(subject: Subject, recipe: Recipe, slot: number, byHead: boolean): Promise<void> {
  const { model } = subject
  const request = subject.request(recipe, slot)
  const logs = subject.logs(recipe)
  const near = tolerance(recipe)
  const [reply] = await model.draw([request], options)
  const exact = drawDense(request, logs)
  close(reply!.logMass, exact.logMass, near)
  close(reply!.logLeaving, exact.logLeaving, near)
  close((await model.measure([request], options))[0]!, logMassOf(logWeights(request, logs), request.leaving), near)
  const [urn] = await model.urns([request], options)
  close(urn!.logMass, urnDense(request, logs).logMass, near)
  if (reply!.token === nothing) return
  if (reply!.token === stopped) close(reply!.logProb, exact.logLeaving, near)
  else close(reply!.logProb, logWeights(request, logs)[reply!.token]!, near)
  if (!byHead) return
  const g = logWeights({ ...request, within: null }, logs)
  const masses = g.map((log, v) => {
    const set = [request.within, request.allowed].every((s) => !s || ((s.words[v >>> 5]! >>> (v & 31)) & 1) === 1)
    return set ? Math.exp(log + (request.lookahead?.[v] ?? 0) - exact.logMass) : 0
  })
  const stays = masses.reduce((a, b) => a + b, 0)
  const u = hashed.uniform(request.key, 2)
  if (request.stop !== null && Math.abs(u - (1 - stays)) < 1e-4) return
  if (request.stop !== null && u < 1 - stays) expect(reply!.token).toBe(stopped)
  else {
    const { token, margin } = twoLevels(masses, hashed.uniform(request.key, 0), hashed.uniform(request.key, 1))
    if (margin > 1e-4) expect(reply!.token).toBe(token)
  }
}

describe.each([
  ['tiny', '.', true],
  ['gemma2, whose logits are capped', fileURLToPath(new URL('../conformance/fixtures', import.meta.url)), false],
])('%s', (name, base, linear) => {
  let subject: Subject
  beforeAll(async () => {
    const model = await openModel(name.split(',')[0]!, { base })
    const { size } = model.vocabulary
    const prompts = [0, 1, 2, 3].map((seed) =>
      Array.from({ length: 3 + seed }, (_, i) => 2 + Math.floor(noise(seed + 7, i) * (size - 2))),
    )
    subject = await Subject.of(model, prompts)
  })
  afterAll(() => subject.model.dispose())

  test('agrees with plain JavaScript', async () => {
    await fc.assert(
      fc.asyncProperty(recipes, fc.nat(10_000), (recipe, slot) => {
        const [first, ...others] = recipe.experts
        return agrees(subject, recipe, slot, linear || (others.length === 0 && first!.power === 1))
      }),
      { numRuns: linear ? 80 : 150, seed: 5 },
    )
  })

  test('does not change a bit with what else is asked', async () => {
    const asked = fc.sample(recipes, { numRuns: 24, seed: 9 }).map((recipe, slot) => subject.request(recipe, slot))
    const all = await subject.model.draw(asked, options)
    const masses = await subject.model.measure(asked, options)
    const rows = await subject.model.logProbs(
      asked.flatMap(({ experts }) => experts),
      options,
    )
    let at = 0
    for (const [i, request] of asked.entries()) {
      expect((await subject.model.draw([request], { ...options, rows: 1 }))[0]).toEqual(all[i])
      expect((await subject.model.measure([request], { ...options, rows: 1 }))[0]).toBe(masses[i])
      for (const expert of request.experts)
        expect((await subject.model.logProbs([expert], { ...options, rows: 1 }))[0]).toEqual(rows[at++])
    }
  })

  test('an urn still holds what is rarer than 32-bit floats can tell', async () => {
    const [history] = subject.histories
    const [row] = await subject.model.logProbs([{ history: history!, temperature: 0.04, power: 1 }], options)
    const rare = row!.reduce(
      (best, log, v) => (log < -120 && log > -700 && log > row![best]! ? v : best),
      row!.findIndex((log) => log < -120 && log > -700),
    )
    if (!linear) return
    expect(rare).toBeGreaterThanOrEqual(0)
    const posterior = { ...freely(history!, 0.04), allowed: setOf([rare], subject.model.vocabulary.size) }
    const [urn] = await subject.model.urns([posterior], options)
    close(urn!.logMass, row![rare]!, 1e-3)
    const [open] = await subject.model.urns([freely(history!, 0.04)], options)
    let taken = open!.take(hashed, key(0))
    for (let i = 0; i < subject.model.vocabulary.size && taken.token !== rare; i++) taken = open!.take(hashed, key(0))
    expect(taken.token).toBe(rare)
    close(taken.logMass, row![rare]!, 1e-3)
  })

  test('a row of log probabilities is finite, however cold, and 0 at the power 0', async () => {
    const history = subject.histories[0]!
    const [cold] = await subject.model.logProbs([{ history, temperature: 0.02, power: 1 }], options)
    expect(cold!.every(Number.isFinite)).toBe(true)
    const [none] = await subject.model.logProbs([{ history, temperature: 0.02, power: 0 }], options)
    expect(none!.every((log) => log === 0)).toBe(true)
  })
})

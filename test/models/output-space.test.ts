import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freely, type History, type LanguageModel, nothing, type ServeOptions, stopped } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import { complement, setOf, withoutEnd } from '../../src/models/token-set.js'
import type { Transformer } from '../../src/models/transformer.js'
import { hashed, key } from './fixed-randomness.js'

/* The output space of models: shifts of the logits agree with whole rows, and draws with both. */

let lm: LanguageModel
const options: ServeOptions = { rows: 64, live: () => [] }
beforeAll(async () => {
  lm = await openModel('tiny', { base: '.' })
})
afterAll(() => lm.dispose())

/** A vector of the output space that means something: a hidden state, scaled down. */
async function shift(text: string): Promise<Float32Array> {
  const [hidden] = await lm.output!.hidden([lm.start(lm.vocabulary.encodePrompt(text))], options)
  return hidden!.map((h) => h / 10)
}

test('the matrix of the files gives the rows of the head', async () => {
  const matrix = (await lm.output!.matrix())!
  const g = await shift('Lily saw a dog')
  const [row] = await lm.output!.rows([g], options)
  const { shiftWidth } = lm.output!
  expect(matrix.length).toBe(lm.vocabulary.size * shiftWidth)
  for (const token of [0, 5, 77, 4000]) {
    const sum = g.reduce((total, value, i) => total + value * matrix[token * shiftWidth + i]!, 0)
    expect(row![token]!).toBeCloseTo(sum, 4)
  }
  const some = [77, 5, 77, 4000]
  const rows = await lm.output!.embeddings(some)
  for (const [i, token] of some.entries()) {
    expect([...rows[i]!]).toEqual([...matrix.subarray(token * shiftWidth, (token + 1) * shiftWidth)])
  }
  const picked = await lm.output!.pick(
    [5, 4000].map((token) => ({ shift: g, token })),
    options,
  )
  expect([...picked].map((log) => log.toFixed(3))).toEqual([row![5]!, row![4000]!].map((log) => log.toFixed(3)))
})

test('the hidden states of all prefixes of a text cost its tokens once, also when some of them are known', async () => {
  const model = lm as Transformer
  const texts = [
    [40, 41, 42, 43, 44, 45, 46, 47],
    [40, 41, 99],
  ].map((tokens) => {
    let at = lm.start(lm.vocabulary.encodePrompt('Ben had a boat.'))
    return tokens.map((token) => (at = lm.extend(at, token)))
  })
  const [long, short] = texts as [History[], History[]]
  const options: ServeOptions = { rows: 64, live: () => texts.flat() }
  const apart: Float32Array[] = []
  for (const history of long) apart.push(...(await lm.output!.hidden([history], options)))
  model.forget()
  await lm.output!.hidden([lm.start(lm.vocabulary.encodePrompt('Ben had a boat.'))], options)
  const before = model.tokensRun
  const together = await lm.output!.hidden([...long].reverse(), options)
  expect(model.tokensRun - before).toBe(8)
  for (const [i, hidden] of together.reverse().entries()) {
    hidden.forEach((x, k) => {
      expect(x).toBeCloseTo(apart[i]![k]!, 4)
    })
  }
  await lm.output!.hidden([...short, ...long], options)
  expect(model.tokensRun - before).toBe(9)
})

interface How {
  readonly temperature?: number
  readonly masked?: boolean
  readonly potential?: boolean
  readonly stops?: boolean
}
const ways: readonly (readonly [string, How])[] = [
  ['freely', {}],
  ['at a temperature', { temperature: 0.7 }],
  ['without the end', { masked: true }],
  ['with a potential', { potential: true }],
  ['that may stop', { stops: true }],
]

describe.each(ways)('a shifted draw %s', (_, { temperature = 1, masked = false, potential = false, stops = false }) => {
  test('has the mass, the probability and the shift of the rows', async () => {
    const history = lm.start(lm.vocabulary.encodePrompt('Once upon a time'))
    const g = await shift('Tom had a red ball')
    const [logs] = await lm.logProbs([{ history, temperature, power: 1 }], options)
    const [row] = await lm.output!.rows([g], options)
    const allowed = masked || stops ? withoutEnd(lm.vocabulary) : null
    const added = potential ? Float64Array.from({ length: lm.vocabulary.size }, (_, v) => Math.sin(v)) : null
    const leaving = stops ? complement(allowed!, lm.vocabulary.size) : null
    const end = lm.vocabulary.end[0]!
    const seen = new Set<number>()
    for (let slot = 0; slot < 40; slot++) {
      const request = { ...freely(history, temperature), allowed, potential: added, shift: g, leaving, stop: stops ? 12 : null }
      const [reply] = await lm.draw([{ ...request, random: hashed, key: key(slot) }], options)
      const { token, logProb, logMass, logShift, logLeaving } = reply!
      seen.add(token)
      const base = logs!.map((log, v) => log + (added ? added[v]! : 0))
      const drawn = base.map((log, v) => (allowed && v === end ? (stops ? log + row![v]! + 12 : -Infinity) : log + row![v]!))
      expect(logMass).toBeCloseTo(Math.log(drawn.reduce((sum, log) => sum + Math.exp(log), 0)), 3)
      if (stops) expect(logLeaving).toBeCloseTo(base[end]!, 3)
      const at = token === stopped ? end : token
      expect(logShift).toBeCloseTo(row![at]!, 3)
      expect(logProb).toBeCloseTo(base[at]!, 3)
    }
    if (stops) expect(seen.has(stopped)).toBe(true)
  })
})

describe('capped logits', () => {
  let gemma: LanguageModel
  let shift: Float32Array
  beforeAll(async () => {
    gemma = await openModel('gemma2', { base: fileURLToPath(new URL('../conformance/fixtures', import.meta.url)) })
    const [hidden] = await gemma.output!.hidden([gemma.start([2, 9, 4])], options)
    // Long enough that a cap would show.
    shift = hidden!.map((h) => 20 * h)
  })
  afterAll(() => gemma.dispose())

  test('do not cap what a shift adds', async () => {
    const output = gemma.output!
    expect(output.isLogits).toBe(false)
    const matrix = (await output.matrix())!
    const [row] = await output.rows([shift], options)
    const exact = row!.map((_, token) =>
      shift.reduce((total, value, i) => total + value * matrix[token * output.shiftWidth + i]!, 0),
    )
    const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(largest).toBeGreaterThan(30)
    for (const [token, value] of exact.entries()) expect(Math.abs(row![token]! - value)).toBeLessThan(1e-5 * largest)
    const picked = await output.pick([{ shift, token: 7 }], options)
    expect(Math.abs(picked[0]! - exact[7]!)).toBeLessThan(1e-5 * largest)
  })

  test.each([
    ['one context', [1]],
    ['a product', [1, -0.5]],
  ] as const)('%s: draws, stops, forced draws and urns have the masses of the rows', async (_, powers) => {
    const experts = powers.map((power, i) => ({ history: gemma.start([3 + i, 5, 8]), temperature: 0.8, power }))
    const logs = await gemma.logProbs(experts, options)
    const small = shift.map((x) => x / 10)
    const [row] = await gemma.output!.rows([small], options)
    const { size } = gemma.vocabulary
    const all = [...Array(size).keys()]
    const allowed = setOf(
      all.filter((v) => v % 5 > 0),
      size,
    )
    const potential = Float64Array.from(all, Math.sin)
    const base = all.map((v) => logs.reduce((sum, log) => sum + log[v]!, 0) + potential[v]!)
    const mass = (keep: (v: number) => boolean, shifted: boolean) =>
      Math.log(all.reduce((sum, v) => sum + (keep(v) ? Math.exp(base[v]! + (shifted ? row![v]! : 0)) : 0), 0))
    const stays = (v: number) => v % 5 > 0
    const leaves = (v: number) => v % 5 === 0
    const posterior = { ...freely(experts[0]!.history, 0.8), experts, allowed, potential, shift: small }
    const request = { ...posterior, leaving: complement(allowed, size), stop: 0, random: hashed }
    const seen = new Set<boolean>()
    for (let slot = 0; slot < 30; slot++) {
      const forced = slot % 3 === 2 ? (slot % 2 === 0 ? stopped : 11) : undefined
      const [reply] = await gemma.draw([{ ...request, key: key(slot), ...(forced !== undefined && { forced }) }], options)
      const { token, logProb, logMass, logShift, logLeaving } = reply!
      seen.add(token === stopped)
      expect(token).not.toBe(nothing)
      expect(logMass).toBeCloseTo(Math.log(Math.exp(mass(stays, true)) + Math.exp(mass(leaves, true))), 4)
      expect(logLeaving).toBeCloseTo(mass(leaves, false), 4)
      expect(logProb).toBeCloseTo(token === stopped ? mass(leaves, false) : base[token]!, 4)
      expect(logShift).toBeCloseTo(token === stopped ? mass(leaves, true) - mass(leaves, false) : row![token]!, 4)
    }
    expect(seen.size).toBe(2)
    const [urn] = await gemma.urns([posterior], options)
    expect(urn!.logMass).toBeCloseTo(mass(stays, true), 4)
  })
})

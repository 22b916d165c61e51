import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freely, type LanguageModel, type ServeOptions, stopped } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import { complement, withoutEnd } from '../../src/models/token-set.js'
import { hashed, key } from './fixed-randomness.js'

/* The output space of the built-in model: shifts of the logits agree with whole rows, and draws with both. */

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
  const picked = await lm.output!.pick(
    [5, 4000].map((token) => ({ shift: g, token })),
    options,
  )
  expect([...picked].map((log) => log.toFixed(3))).toEqual([row![5]!, row![4000]!].map((log) => log.toFixed(3)))
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

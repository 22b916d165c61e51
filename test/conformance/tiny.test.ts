import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LanguageModel } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'

interface Case {
  readonly text: string
  readonly ids: number[]
  readonly top: [number, number][]
  readonly continuation: string
  readonly continuationIds: number[]
  readonly continuationLogProbs: number[]
}

const { cases } = JSON.parse(readFileSync(new URL('./reference-tiny.json', import.meta.url), 'utf8')) as { cases: Case[] }
const options = { rows: 64, live: () => [] }

describe('tiny agrees with PyTorch', () => {
  let model: LanguageModel
  beforeAll(async () => {
    model = await openModel('tiny', { base: '.' })
  })
  afterAll(() => model.dispose())

  it('has cases', () => expect(cases.length).toBeGreaterThanOrEqual(6))

  for (const reference of cases) {
    const name = JSON.stringify(reference.text.slice(0, 30))

    it(`cuts ${name} into the same tokens`, () => {
      expect(model.vocabulary.encodePrompt(reference.text)).toEqual(reference.ids)
      expect(model.vocabulary.encodeContinuation(reference.continuation)).toEqual(reference.continuationIds)
    })

    it(`gives the same next-token probabilities after ${name}`, async () => {
      const history = model.start(reference.ids)
      const requests = reference.top.map(([token]) => ({ history, temperature: 1, tokens: [token], keep: false }))
      const scores = await model.score(requests, options)
      reference.top.forEach(([, logProb], i) => {
        expect(scores[i]![0]).toBeCloseTo(logProb, 3)
      })
    })

    it(`gives the same probabilities to the continuation of ${name}`, async () => {
      const history = model.start(reference.ids)
      const [scores] = await model.score([{ history, temperature: 1, tokens: reference.continuationIds, keep: true }], options)
      expect(scores).toHaveLength(reference.continuationLogProbs.length)
      reference.continuationLogProbs.forEach((logProb, i) => {
        expect(Math.abs(scores![i]! - logProb)).toBeLessThan(1e-3)
      })
    })
  }
})

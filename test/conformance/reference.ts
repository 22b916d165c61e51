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

const options = { rows: 64, live: () => [] }

/** Tests that a model cuts texts and gives probabilities as a reference file says, which PyTorch computed. */
export function agreesWith(file: string, id: string): void {
  const { cases } = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { cases: Case[] }
  let model: LanguageModel
  beforeAll(async () => {
    model = await openModel(id, { base: '.' })
  }, 120_000)
  afterAll(() => model.dispose())

  it('has cases', () => expect(cases.length).toBeGreaterThanOrEqual(6))

  describe.each(cases)('after $text', (reference) => {
    it('cuts the same tokens', () => {
      expect(model.vocabulary.encodePrompt(reference.text)).toEqual(reference.ids)
      expect(model.vocabulary.encodeContinuation(reference.continuation)).toEqual(reference.continuationIds)
    })

    it('gives the same next-token probabilities', async () => {
      const history = model.start(reference.ids)
      const requests = reference.top.map(([token]) => ({ history, temperature: 1, tokens: [token], keep: false }))
      const scores = await model.score(requests, options)
      reference.top.forEach(([, logProb], i) => {
        expect(Math.abs(scores[i]![0]! - logProb)).toBeLessThan(1e-3)
      })
    })

    it('gives the same probabilities to a continuation', async () => {
      const history = model.start(reference.ids)
      const [scores] = await model.score([{ history, temperature: 1, tokens: reference.continuationIds, keep: true }], options)
      expect(scores).toHaveLength(reference.continuationLogProbs.length)
      reference.continuationLogProbs.forEach((logProb, i) => {
        expect(Math.abs(scores![i]! - logProb)).toBeLessThan(1e-3)
      })
    })
  })
}

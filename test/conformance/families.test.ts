import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openModel, showModel } from '../../src/models/registry.js'
import { key } from '../models/fixed-randomness.js'
import { drawing } from '../models/requests.js'

/**
 * Random models that make_fixtures.py wrote (grouped and single key heads, biases, tied or not, three number formats, shards), and
 * those of every family from make_family_fixtures.py: their texts are longer than the attention windows.
 */
const families = {
  grouped: 'llama',
  biased: 'llama',
  shared: 'llama',
  'llama3-scaled': 'llama',
  'llama-linear': 'llama',
  mistral: 'mistral',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gemma2: 'gemma2',
  gemma3: 'gemma3',
  'gemma3-before5': 'gemma3',
  phi3: 'phi3',
  gpt2: 'gpt2',
  'gpt2-bare': 'gpt2',
  'gpt2-scores': 'gpt2',
  'gpt-neo': 'gpt_neo',
  'gpt-neox': 'gpt_neox',
  'gpt-neox-sequential': 'gpt_neox',
  'gpt-neox-odd': 'gpt_neox',
  'llama-relu': 'llama',
  'gpt2-quick': 'gpt2',
  'qwen2-yarn': 'qwen2',
  'phi3-longrope': 'phi3',
}
const folder = fileURLToPath(new URL('./fixtures', import.meta.url))
const alone = { rows: 8, live: () => [] }

for (const [name, family] of Object.entries(families)) {
  describe(`the ${name} fixture agrees with PyTorch`, () => {
    const expected = JSON.parse(readFileSync(`${folder}/${name}/expected.json`, 'utf8')) as {
      ids: number[]
      logProbs: number[]
      next: number[]
      'temperature1.7'?: number[]
    }
    const { ids, logProbs, next } = expected

    for (const prompt of [1, 2, 17, 39]) {
      it(`with a prompt of ${prompt} tokens, in one pass and token by token`, async () => {
        const model = await openModel(name, { base: folder })
        const start = model.start(ids.slice(0, prompt))
        const [whole] = await model.score([{ history: start, temperature: 1, tokens: ids.slice(prompt), keep: false }], alone)
        whole!.forEach((score, i) => {
          expect(Math.abs(score - logProbs[prompt - 1 + i]!)).toBeLessThan(1e-4)
        })
        let history = start
        for (let at = prompt; at < ids.length; at++) {
          const [scores] = await model.score([{ history, temperature: 1, tokens: [ids[at]!], keep: true }], {
            rows: 8,
            live: () => [history],
          })
          expect(Math.abs(scores![0]! - logProbs[at - 1]!)).toBeLessThan(1e-4)
          history = model.extend(history, ids[at]!)
        }
        const last = next.map((_, token) => ({ history, temperature: 1, tokens: [token], keep: false }))
        const scores = await model.score(last, alone)
        next.forEach((logProb, token) => {
          expect(Math.abs(scores[token]![0]! - logProb)).toBeLessThan(1e-4)
        })
        await model.dispose()
      })
    }

    it('at another temperature', async () => {
      const warm = expected['temperature1.7']
      if (!warm) return
      const model = await openModel(name, { base: folder })
      const history = model.start(ids)
      const asked = warm.map((_, token) => ({ history, temperature: 1.7, tokens: [token], keep: false }))
      const scores = await model.score(asked, alone)
      warm.forEach((logProb, token) => {
        expect(Math.abs(scores[token]![0]! - logProb)).toBeLessThan(1e-4)
      })
      const [reply] = await model.draw([drawing(model, history, 'notEnd', { temperature: 1.7, at: key(1) })], alone)
      expect(reply!.logProb).toBeCloseTo(warm[reply!.token]!, 4)
      expect(reply!.logMass).toBeCloseTo(Math.log1p(-Math.exp(warm[1]!)), 4)
      await model.dispose()
    })

    it('never draws a token beyond the vocabulary, which is padded to whole blocks', async () => {
      const model = await openModel(name, { base: folder })
      const requests = Array.from({ length: 500 }, (_, slot) =>
        drawing(model, model.start(ids), slot % 2 ? 'all' : 'notEnd', { temperature: 3, at: key(slot) }),
      )
      const replies = await model.draw(requests, alone)
      for (const { token, logProb } of replies) {
        expect(token).toBeLessThan(next.length)
        expect(Number.isFinite(logProb)).toBe(true)
      }
      expect(new Set(replies.map(({ token }) => token)).size).toBeGreaterThan(5)
      await model.dispose()
    })

    it('does not change a bit with the batch size', async () => {
      const runs = []
      for (const rows of [1, 2, 64]) {
        const model = await openModel(name, { base: folder })
        const histories = Array.from({ length: 9 }, (_, i) =>
          [3, 5, i].reduce((at, token) => model.extend(at, token), model.start(ids.slice(0, 9))),
        )
        const options = { rows, live: () => histories }
        const draws = histories.map((history, slot) => drawing(model, history, 'all', { at: key(slot) }))
        const first = await model.draw(draws, options)
        const second = await model.draw(
          histories.map((history, slot) => drawing(model, model.extend(history, first[slot]!.token), 'all', { at: key(slot) })),
          options,
        )
        runs.push([first, second])
        await model.dispose()
      }
      expect(runs[1]).toEqual(runs[0])
      expect(runs[2]).toEqual(runs[0])
    })

    it('is described', async () => {
      const shown = await showModel(name, folder)
      expect(shown.family).toBe(family)
      expect(shown.vocabulary).toBe(next.length)
      expect(shown.end).toEqual([1])
      expect(shown.hash).toMatch(/^[0-9a-f]{64}$/)
      const model = await openModel(name, { base: folder })
      expect(model.hash).toBe(shown.hash)
      await model.dispose()
    })
  })
}

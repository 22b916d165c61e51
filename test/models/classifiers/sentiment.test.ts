import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Classifier } from '../../../src/models/classifiers/classifier.js'
import { openClassifier } from '../../../src/models/registry.js'

/** What models/train_sentiment.py computes for these texts, in doubles and feature by feature. */
const reference: readonly { text: string; positive: number }[] = JSON.parse(
  readFileSync(new URL('sentiment.json', import.meta.url), 'utf8'),
)

let sentiment: Classifier
beforeAll(async () => {
  sentiment = await openClassifier('tiny-sentiment', '.')
})
afterAll(() => sentiment.dispose())

const positive = async (...texts: string[]) =>
  (await sentiment.classify(texts, 256)).map(({ logProbs }) => Math.exp(logProbs[1]!))

describe('the built-in classifier', () => {
  test('computes what its training script computes', async () => {
    const found = await positive(...reference.map(({ text }) => text))
    expect(reference.length).toBeGreaterThan(15)
    reference.forEach(({ text, positive }, i) => {
      expect(Math.abs(found[i]! - positive), text).toBeLessThan(1e-9)
    })
  })

  test('gives probabilities that sum to 1, also for one that is nearly certain', async () => {
    const texts = reference.map(({ text }) => text)
    for (const { logProbs, cut } of await sentiment.classify([...texts, 'awful, dull, boring, worst, waste '.repeat(500)], 1)) {
      expect(Math.exp(logProbs[0]!) + Math.exp(logProbs[1]!)).toBeCloseTo(1, 12)
      expect(cut).toBe(false)
    }
  })

  test('tells praise from blame, and partial texts by degrees', async () => {
    const [praise, blame, start, nothing] = await positive(
      'A wonderful film: I loved it.',
      'A dull film, a waste of time.',
      'This film',
      '',
    )
    expect(praise).toBeGreaterThan(0.85)
    expect(blame).toBeLessThan(0.15)
    expect(start).toBeGreaterThan(0.4)
    expect(start).toBeLessThan(0.6)
    expect(nothing).toBeGreaterThan(0.4)
    expect(nothing).toBeLessThan(0.6)
  })

  test('reads half a character as it reads U+FFFD', async () => {
    const [half, replaced] = await positive('good \ud83d', 'good \ufffd')
    expect(half).toBe(replaced)
  })
})

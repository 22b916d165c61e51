import { describe, expect, test } from 'vitest'
import type { Classifier } from '../../src/models/classifiers/classifier.js'
import { distance, expected, measureOf, sampler, schemes, table, totalOf } from './measure.js'

/*
 * Programs that ask a classifier: E[Z-hat posterior], summed over all that the sampler may draw, is the target written out by hand,
 * with the classifier in a factor, an observe, a draw and twists, for any scheme, threshold and number of particles.
 */

const next: Readonly<Record<string, readonly [number, number]>> = { '': [0.7, 0.3], a: [0.8, 0.2], b: [0.4, 0.6] }
const lm = table({ tokens: ['a', 'b'], next })

/** P("good" | text), by the share of "b". */
function good(text: string): number {
  return 0.1 + (0.8 * [...text].filter((c) => c === 'b').length) / Math.max(1, text.length)
}

const tone: Classifier = {
  id: 'tone',
  hash: 'tone',
  labels: ['bad', 'good'],
  exclusive: true,
  window: Number.POSITIVE_INFINITY,
  classify: async (texts) =>
    texts.map((text) => ({ logProbs: Float64Array.of(Math.log(1 - good(text)), Math.log(good(text))), cut: false })),
  dispose: async () => {},
}

/** All texts of three tokens with their probability under the table. */
const texts = ['a', 'b'].flatMap((x) =>
  ['a', 'b'].flatMap((y) =>
    ['a', 'b'].map((z) => {
      const p = (from: string, to: string) => next[from]![to === 'a' ? 0 : 1]
      return { text: x + y + z, first: x, p: p('', x) * p(x, y) * p(y, z) }
    }),
  ),
)

const head = 'classifier tone = "tone"\nmodel lm = "table"\nlet s = lm("")\n'
const programs: Readonly<Record<string, { source: string; target: ReadonlyMap<string, number> }>> = {
  'a factor, with a twist': {
    source: `${head}sample x ~ s for 3 tokens twisted by tone(x).prob("good") ^ 3
factor tone(x).prob("good") ^ 2
return x`,
    target: measureOf(texts.map(({ text, p }) => [text, p * good(text) ** 2])),
  },
  'an observe, with a twist that misleads': {
    source: `${head}sample x ~ s for 3 tokens twisted by tone(x).prob("bad") ^ 2
observe "good" ~ tone(x)
return x`,
    target: measureOf(texts.map(({ text, p }) => [text, p * good(text)])),
  },
  'a draw that the program goes on from': {
    source: `${head}sample t ~ s
sample label ~ tone(t)
twist if label == "good" { 3 } else { 0.5 }
sample rest ~ s for 2 tokens
if label == "good" { observe "good" ~ tone(t + rest) }
return label + t + rest`,
    target: measureOf(
      texts.flatMap(({ text, first, p }) => [
        [`good${text}`, p * good(first) * good(text)] as const,
        [`bad${text}`, p * (1 - good(first))] as const,
      ]),
    ),
  },
}

describe.each(Object.entries(programs))('%s', (_, { source, target }) => {
  test.each(schemes)('%s', async (resample) => {
    const program = await sampler(source, { lm }, { classifiers: { tone } })
    for (const particles of [1, 2])
      for (const threshold of [0, 0.7, 1]) {
        const found = await expected(program, { particles, resample, threshold })
        expect(found.paths).toBeGreaterThan(7)
        expect(distance(target, found.measure), `N = ${particles}, threshold ${threshold}`).toBeLessThan(1e-9)
        expect(found.estimate / totalOf(target)).toBeCloseTo(1, 9)
      }
  })
})

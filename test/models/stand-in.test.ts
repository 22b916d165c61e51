import { expect, test } from 'vitest'
import { philoxRandomness } from '../../src/infer/philox.js'
import { textOf } from '../../src/models/model.js'
import { standIn } from '../../src/models/stand-in.js'

const model = standIn('a table for lm', ['.', ' box', ' a'], philoxRandomness(1), 0)
const { vocabulary } = model

test('any text has a path of tokens: what it holds of them, or one that is always the same', () => {
  expect(vocabulary.encodeContinuation(' a box.')).toEqual([2, 1, 0])
  expect(textOf(vocabulary, vocabulary.encodeContinuation('see the box, and a.'))).toBe(' box a a.')
  expect(vocabulary.encodeContinuation('')).toEqual([])
  const strange = vocabulary.encodePrompt('strange')
  expect(strange).toHaveLength(1)
  expect(vocabulary.encodePrompt('strange')).toEqual(strange)
  expect(vocabulary.encodeChat([{ role: 'user', content: 'Hi.' }])).toEqual([0])
})

test('every token may follow every other, with chances of its own', () => {
  const other = standIn('a table for lm', ['.', ' box', ' a'], philoxRandomness(1), 1)
  for (const prompt of [[], [0], [1], [2], [3]]) {
    const row = model.probabilities(model.start(prompt))
    expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
    expect(Math.min(...row)).toBeGreaterThan(0.02)
    expect(other.probabilities(other.start(prompt))).not.toEqual(row)
  }
})

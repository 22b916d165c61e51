import { describe, expect, test } from 'vitest'
import { editDistance, suggest } from '../../src/diagnostics/suggest.js'

describe('suggest', () => {
  test.each([
    ['partcles', ['seed', 'particles'], 'particles'],
    ['Particles', ['particles'], 'particles'],
    ['lenght', ['length', 'text'], 'length'],
    ['temprature', ['chat', 'temperature'], 'temperature'],
    ['foo', ['bar', 'bazaar'], undefined],
    ['x', ['y', 'z'], undefined],
    ['story', ['story'], undefined],
    ['ab', ['cd'], undefined],
  ])('%s of %j', (name, candidates, expected) => expect(suggest(name, candidates)).toBe(expected))
  test('distance counts a swap of neighbours once', () => {
    expect(editDistance([...'abcd'], [...'acbd'])).toBe(1)
    expect(editDistance([...''], [...'abc'])).toBe(3)
    expect(editDistance([...'kitten'], [...'sitting'])).toBe(3)
  })
})

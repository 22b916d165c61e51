import { expect, test } from 'vitest'
import { distOf, float, functionOf, int, listOf, recordOf, string, token, unknown } from '../../src/check/relations.js'
import { describe, show } from '../../src/check/show.js'

test.each([
  [listOf(listOf(int)), '[[Int]]'],
  [recordOf({ text: string, 'd e': float }), '{text: String, "d e": Float}'],
  [recordOf({}), '{}'],
  [distOf(token), 'Dist<Token>'],
  [functionOf([int, unknown], string), '(Int, _) => String'],
])('%j is written %s', (type, written) => {
  expect(show(type)).toBe(written)
})

test('messages name types with their article', () => {
  expect(describe(int)).toBe('an Int')
  expect(describe(string)).toBe('a String')
  expect(describe(listOf(float))).toBe('a list [Float]')
})

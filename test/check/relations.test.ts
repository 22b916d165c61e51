import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as relations from '../../src/check/relations.js'
import { show } from '../../src/check/show.js'
import type { Type } from '../../src/check/types.js'

const { bool, fits, float, int, join, listOf, nothing, recordOf, same, string, token, unknown, weight } = relations

const { type: types } = fc.letrec<{ type: Type }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(int, float, bool, string, token, weight, unknown, nothing, relations.context),
    tie('type').map(listOf),
    tie('type').map(relations.distOf),
    fc.dictionary(fc.constantFrom('a', 'b'), tie('type'), { maxKeys: 2 }).map(recordOf),
    fc.tuple(tie('type'), tie('type')).map(([from, to]) => relations.functionOf([from], to)),
  ),
}))

describe('fits', () => {
  test.each([
    [int, float, true],
    [float, int, false],
    [token, string, true],
    [string, token, false],
    [weight, float, true],
    [weight, int, false],
    [int, weight, true],
    [bool, int, false],
    [listOf(int), listOf(float), true],
    [recordOf({ a: int }), recordOf({ a: float }), true],
    [recordOf({ a: int }), recordOf({ a: int, b: int }), false],
    [unknown, int, true],
    [listOf(nothing), listOf(string), true],
  ])('%j in %j: %s', (found, expected, does) => {
    expect(fits(found, expected)).toBe(does)
  })

  test('every type fits itself', () => {
    fc.assert(fc.property(types, (type) => fits(type, type)))
  })
})

describe('join', () => {
  test('both sides fit what they join to', () => {
    fc.assert(
      fc.property(types, types, (a, b) => {
        const joined = join(a, b)
        return joined === undefined || (fits(a, joined) && fits(b, joined))
      }),
    )
  })

  test('the order does not matter, and a type joined with itself stays', () => {
    fc.assert(
      fc.property(types, types, (a, b) => {
        const [one, other] = [join(a, b), join(b, a)]
        return one && other ? show(one) === show(other) : one === other
      }),
    )
    fc.assert(fc.property(types, (type) => same(join(type, type) ?? bool, type)))
  })

  test('nothing gives way and unknown does not', () => {
    expect(join(nothing, int)).toBe(int)
    expect(join(unknown, int)).toBe(unknown)
    expect(join(int, weight)).toBe(weight)
    expect(join(int, string)).toBeUndefined()
  })
})

import { expect, test } from 'vitest'
import { choice, numberWithin, oneOf, pairs, wholeNumber } from '../../src/cli/flags.js'

test('whole numbers are written in digits and lie within limits', () => {
  expect(wholeNumber('--particles', '64', 1, 100)).toBe(64)
  for (const text of ['0', '101', '-3', '1.5', '1e2', '', ' 4', '0x10', 'many', '99999999999999999999'])
    expect(() => wholeNumber('--particles', text, 1, 100), text).toThrow(
      `X005: expected a whole number from 1 to 100 after \`--particles\`, found \`${text}\``,
    )
})

test('numbers lie within limits', () => {
  expect(['0', '1', '0.5', '.25', '1e-3'].map((text) => numberWithin('--threshold', text, 0, 1))).toEqual([
    0, 1, 0.5, 0.25, 0.001,
  ])
  for (const text of ['1.01', '-0.1', 'NaN', 'Infinity', '', '1/2'])
    expect(() => numberWithin('--threshold', text, 0, 1), text).toThrow('X005')
})

test('a word of a list, or the nearest one as a hint', () => {
  expect(choice('--resample', 'residual', ['systematic', 'residual'])).toBe('residual')
  expect(() => choice('--resample', 'sistematic', ['systematic', 'residual'])).toThrow(
    expect.objectContaining({
      diagnostics: [
        expect.objectContaining({
          code: 'X006',
          message: 'expected `systematic` or `residual` after `--resample`, found `sistematic`',
          hint: 'did you mean `systematic`?',
        }),
      ],
    }),
  )
})

test('pairs are cut at the first equals sign', () => {
  expect([...pairs('-D', ['a=1=2', 'b='])]).toEqual([
    ['a', '1=2'],
    ['b', ''],
  ])
  expect(() => pairs('-D', ['gap'])).toThrow('X008')
  expect(() => pairs('-D', ['=3'])).toThrow('X008')
  expect(() => pairs('-D', ['gap=3', 'gap=3'])).toThrow('X019')
})

test('oneOf reads as a person would say it', () => {
  expect([['a'], ['a', 'b'], ['a', 'b', 'c']].map(oneOf)).toEqual(['`a`', '`a` or `b`', '`a`, `b` or `c`'])
})

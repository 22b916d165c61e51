import { describe, expect, test } from 'vitest'
import { cells, showFixed, showNumber, showProbabilities, showValue, truncate, visible } from '../../src/report/value.js'

describe('visible', () => {
  test('leaves ordinary text of any script alone', () => {
    expect(visible('Größe 猫 👩‍👩‍👧 \\n')).toBe('Größe 猫 👩‍👩‍👧 \\n')
  })
  test('names what moves the cursor, colours or hides', () => {
    expect(visible('a\nb\r\nc\td\u001b[31m\u0000\u009b\u202e\ufeff')).toBe('a⏎b⏎c⇥d\\u{1b}[31m\\u{0}\\u{9b}\\u{202e}\\u{feff}')
    expect(visible('\ud800!')).toBe('\\u{d800}!')
  })
})

test('showValue: text as it is, all else as compact JSON, the empty text by name', () => {
  expect(showValue(' She ran.')).toBe(' She ran.')
  expect(showValue('')).toBe('(empty text)')
  expect(showValue({ reply: 'a\nb', n: [1, true] })).toBe('{"reply":"a\\nb","n":[1,true]}')
})

describe('truncate', () => {
  test('keeps what fits and ends what does not with an ellipsis', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef')
    expect(truncate('abcdefg', 6)).toBe('abcde…')
  })
  test('counts wide characters twice and never cuts a grapheme', () => {
    expect(cells('猫a')).toBe(3)
    expect(truncate('猫猫猫', 6)).toBe('猫猫猫')
    expect(truncate('猫猫猫猫', 6)).toBe('猫猫…')
    expect(truncate('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…')
  })
})

test('numbers have four digits and no negative zero', () => {
  expect([0.123456, 1234567, -0, 1.5e-9].map(showNumber)).toEqual(['0.1235', '1235000', '0', '1.5e-9'])
  expect(showFixed(-0.001, 2)).toBe('0.00')
  expect(showFixed(-0.006, 2)).toBe('-0.01')
})

test('probabilities of one column share their digits', () => {
  expect(showProbabilities([0.31, 0.22])).toEqual(['0.31', '0.22'])
  expect(showProbabilities([0.9, 0.016])).toEqual(['0.900', '0.016'])
  expect(showProbabilities([0.99999, 0.00001])).toEqual(['1.0000', '<0.0001'])
})

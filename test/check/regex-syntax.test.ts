import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstFault } from '../../src/check/regex-syntax.js'

test.each([
  '[a-z]+',
  '(a|b)*c?',
  'a{2,3}',
  '\\d+\\.\\d*',
  '(?:ab)+',
  '(?<year>\\d{4})',
  '[^\\]]',
  '\\/',
  '^a$',
  '\\bword\\b',
  '\\u{1F600}',
  '\\p{L}+',
  '.',
])('%s can be read', (pattern) => {
  expect(firstFault(pattern, '')).toBeUndefined()
})

test.each([
  ['(ab', 'syntax', 0, 1],
  ['ab)', 'syntax', 2, 3],
  ['a[bc', 'syntax', 1, 2],
  ['a**', 'syntax', 2, 3],
  ['+a', 'syntax', 0, 1],
  ['a|*', 'syntax', 2, 3],
  ['a]', 'syntax', 1, 2],
  ['a{', 'syntax', 1, 2],
  ['a\\q', 'syntax', 1, 3],
  ['a(?=b)', 'unsupported', 1, 4],
  ['a(?!b)', 'unsupported', 1, 4],
  ['(?<=a)b', 'unsupported', 0, 4],
  ['(?<!a)b', 'unsupported', 0, 4],
  ['(a)\\1', 'unsupported', 3, 5],
  ['(?<n>a)\\k<n>', 'unsupported', 7, 12],
  ['[z-a]', 'syntax', 0, 5],
  ['a(?i:b)', 'syntax', 1, 4],
  ['(?P<n>a)', 'syntax', 0, 3],
  ['(?>a)', 'syntax', 0, 2],
])('%s: %s at %i to %i', (pattern, kind, start, end) => {
  expect(firstFault(pattern, '')).toMatchObject({ kind, start, end })
})

test('groups of other dialects are named, with what to write', () => {
  expect(firstFault('(?i)a', '')).toMatchObject({
    message: expect.stringContaining('`(?i`'),
    hint: expect.stringContaining('`/a/i`'),
  })
  expect(firstFault('(?P<n>a)', '')).toMatchObject({ hint: expect.stringContaining('`(?<name>...)`') })
})

test('what passes can be compiled, and places lie inside the pattern', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', '(', ')', '[', ']', '*', '+', '?', '{', '}', '|', '\\', '1', '.', '^', ':', '-')),
      (signs) => {
        const pattern = signs.join('')
        const fault = firstFault(pattern, '')
        if (!fault) return Boolean(new RegExp(pattern, 'u'))
        return fault.start >= 0 && fault.start <= fault.end && fault.end <= pattern.length
      },
    ),
  )
})

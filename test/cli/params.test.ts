import { describe, expect, test } from 'vitest'
import { paramValues } from '../../src/cli/params.js'

const shapes = [
  { name: 'before', type: 'String', default: '' },
  { name: 'gap', type: 'Int', default: 12 },
  { name: 'rate', type: 'Float', default: 1 },
  { name: 'strict', type: 'Bool', default: false },
  { name: 'words', type: '[String]', default: [] },
  { name: 'ys', type: '[[Float]]', default: [] },
  { name: 'who', type: '{name: String}', default: { name: 'x' } },
]
const define = (text: string) => new Map([[text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]])
const values = (text: string) => paramValues(shapes, define(text), undefined)

describe('-D', () => {
  test('gives a String the text as it stands', () => {
    for (const text of ['12', '"quoted"', '', 'a=b', '{', 'line\nbreak'])
      expect(values(`before=${text}`)).toEqual({ before: text })
  })
  test('reads anything else as JSON', () => {
    expect(values('gap=8')).toEqual({ gap: 8 })
    expect(values('rate=2')).toEqual({ rate: 2 })
    expect(values('strict=true')).toEqual({ strict: true })
    expect(values('words=["a","b"]')).toEqual({ words: ['a', 'b'] })
    expect(values('ys=[[1,2.5],[]]')).toEqual({ ys: [[1, 2.5], []] })
    expect(values('who={"name":"Lily"}')).toEqual({ who: { name: 'Lily' } })
  })
  test('says what it expected of text that is not JSON', () => {
    expect(() => values('gap=eight')).toThrow('X010: expected an Int as JSON for `gap`, found `eight`')
    expect(() => values('words=a,b')).toThrow(
      expect.objectContaining({
        diagnostics: [expect.objectContaining({ hint: expect.stringContaining(`-D 'words=["a", "b"]'`) })],
      }),
    )
  })
  test('refuses JSON of another type', () => {
    for (const text of [
      'gap=1.5',
      'gap="8"',
      'gap=null',
      'gap=1e999',
      'rate=1e999',
      'rate=true',
      'strict=1',
      'words="a"',
      'words=[1]',
      'ys=[1]',
      'who=[]',
    ])
      expect(() => values(text), text).toThrow('X010')
  })
  test('refuses names that the program lacks, with the nearest one', () => {
    expect(() => values('gpa=8')).toThrow(
      expect.objectContaining({ diagnostics: [expect.objectContaining({ code: 'X009', hint: 'did you mean `gap`?' })] }),
    )
    expect(() => values('constructor=8')).toThrow('X009')
    expect(() => values('__proto__=8')).toThrow('X009')
  })
})

describe('--params', () => {
  test('holds JSON of the right types, and -D wins', () => {
    expect(paramValues(shapes, define('gap=8'), { gap: 4, before: 'x' })).toEqual({ gap: 8, before: 'x' })
    expect(() => paramValues(shapes, new Map(), { before: 3 })).toThrow('X010')
    expect(() => paramValues(shapes, new Map(), { gpa: 3 })).toThrow('X009')
  })
  test('is an object', () => {
    for (const file of [null, 3, 'text', [1]]) expect(() => paramValues(shapes, new Map(), file)).toThrow('X011')
  })
})

test('a param without a default must be given', () => {
  const required = [{ name: 'text', type: 'String' }]
  expect(() => paramValues(required, new Map(), undefined)).toThrow('X018: the program needs a value for `text`')
  expect(paramValues(required, define('text=hello'), undefined)).toEqual({ text: 'hello' })
})

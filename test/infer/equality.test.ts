import { describe, expect, it } from 'vitest'
import { equal } from '../../src/infer/equality.js'

class Word {
  constructor(readonly text: string) {}
  equals(other: unknown): boolean {
    return other instanceof Word ? other.text === this.text : other === this.text
  }
}

describe('equal', () => {
  it('compares lists and records part by part', () => {
    expect(equal([1, ['a', true]], [1, ['a', true]])).toBe(true)
    expect(equal([1, 2], [1, 2, 3])).toBe(false)
    expect(equal({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true)
    expect(equal({ a: 1 }, { a: 1, b: 2 })).toBe(false)
    expect(equal({ a: 1 }, { b: 1 })).toBe(false)
    expect(equal(Object.assign(Object.create(null), { a: 1 }), { a: 1 })).toBe(true)
  })

  it('keeps kinds apart', () => {
    for (const [a, b] of [
      [1, '1'],
      [0, false],
      ['', []],
      [[], {}],
      [null, undefined],
      [{}, null],
    ])
      expect([equal(a, b), equal(b, a)]).toEqual([false, false])
    expect(equal(0, -0)).toBe(true)
  })

  it('asks a value that knows, on either side and inside', () => {
    const word = new Word('cat')
    expect([equal(word, 'cat'), equal('cat', word), equal(word, new Word('cat'))]).toEqual([true, true, true])
    expect([equal(word, 'dog'), equal(1, word)]).toEqual([false, false])
    expect(equal([{ w: word }], [{ w: 'cat' }])).toBe(true)
  })

  it('takes others as equal only to themselves, and fields for data', () => {
    const opaque = new Map()
    expect([equal(opaque, opaque), equal(opaque, new Map())]).toEqual([true, false])
    const record = { equals: () => true }
    expect(equal(record, { equals: 1 })).toBe(false)
  })
})

import { expect, test } from 'vitest'
import { Block } from '../../src/models/block.js'

test('grows and shrinks where it stands', () => {
  const block = new Block()
  block.resize(4)
  block.data.set([1, 2, 3, 4])
  const { buffer } = block.data
  block.resize(1000)
  expect(block.data.buffer).toBe(buffer)
  expect([...block.data.subarray(0, 6)]).toEqual([1, 2, 3, 4, 0, 0])
  block.resize(2)
  expect(block.data.buffer).toBe(buffer)
  expect([...block.data]).toEqual([1, 2])
  block.resize(3)
  expect([...block.data]).toEqual([1, 2, 0])
})

test('moves when its addresses are used up, and keeps what it holds', () => {
  const block = new Block()
  block.resize(1)
  block.data[0] = 7
  const { buffer } = block.data
  block.resize((1 << 22) + 1)
  expect(block.data.buffer).not.toBe(buffer)
  expect([block.data.length, block.data[0], block.data.at(-1)]).toEqual([(1 << 22) + 1, 7, 0])
})

test('holds nothing after it was cleared, and grows again', () => {
  const block = new Block()
  block.resize(8)
  block.clear()
  expect(block.data.length).toBe(0)
  block.resize(2)
  expect([...block.data]).toEqual([0, 0])
})

test('more than there is throws a RangeError and keeps what was there', () => {
  const block = new Block()
  block.resize(2)
  block.data.set([5, 6])
  expect(() => block.resize(2 ** 50)).toThrow(RangeError)
  expect([...block.data]).toEqual([5, 6])
})

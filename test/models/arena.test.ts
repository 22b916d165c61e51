import { describe, expect, test } from 'vitest'
import type { DecoderShape } from '../../src/models/architectures/shape.js'
import { Arena, type Row } from '../../src/models/arena.js'
import type { Path } from '../../src/models/path.js'

const [layers, H, D] = [2, 3, 4]
const shape = { layers, keyValueHeads: H, headWidth: D } as DecoderShape

/** A number for every place of every layer, row and token, so that what is moved wrongly is seen. */
const number = (name: number, layer: number, head: number, token: number, i: number) =>
  (((name * layers + layer) * H + head) * 64 + token) * D + i

/** A row of `count` tokens whose numbers say that they belong to `name`. */
function fill(arena: Arena, name: number, count: number): Row {
  const row = arena.place(arena.free(), null, 0)
  for (let layer = 0; layer < layers; layer++) {
    const key = new Float32Array(count * H * D)
    for (let token = 0; token < count; token++)
      for (let head = 0; head < H; head++)
        for (let i = 0; i < D; i++) key[(token * H + head) * D + i] = number(name, layer, head, token, i)
    const value = key.map((x) => -x)
    arena.write(layer, [{ row, at: 0, tokens: new Array(count) }], key, value, 0, count)
  }
  for (let i = 0; i < count; i++) row.path.push({} as Path)
  return row
}

function expectRow(arena: Arena, row: Row, name: number): void {
  expect(arena.rows[row.index]).toBe(row)
  for (let layer = 0; layer < layers; layer++) {
    const keys = arena.keys(layer, row.index, 1).data
    const values = arena.values(layer, row.index, 1).data
    for (let token = 0; token < row.path.length; token++)
      for (let head = 0; head < H; head++)
        for (let i = 0; i < D; i++) {
          const at = (head * arena.length + token) * D + i
          expect(keys[at]).toBe(number(name, layer, head, token, i))
          expect(values[at]).toBe(-number(name, layer, head, token, i))
        }
  }
}

describe('rows stay what they are', () => {
  test('when the arena gets more rows and longer ones', () => {
    const arena = new Arena(shape)
    arena.grow(4, 5)
    const rows = [5, 0, 3, 4].map((count, name) => fill(arena, name, count))
    for (const [capacity, length] of [
      [6, 5],
      [6, 9],
      [40, 30],
      [41, 60],
    ] as const) {
      arena.grow(capacity, length)
      expect([arena.capacity, arena.length]).toEqual([capacity, length])
      for (const [name, row] of rows.entries()) expectRow(arena, row, name)
    }
    expect(arena.bytes).toBe(4 * 2 * layers * 41 * H * 60 * D)
  })

  test('when most rows are free and the arena shrinks', () => {
    const arena = new Arena(shape)
    arena.grow(20, 7)
    const rows = Array.from({ length: 20 }, (_, name) => fill(arena, name, 1 + (name % 7)))
    for (const row of rows) if (row.index % 6 !== 5) arena.rows[row.index] = null
    arena.shrink(4)
    const left = rows.filter((row) => arena.rows.includes(row))
    expect(left.map((row) => rows.indexOf(row))).toEqual([5, 11, 17])
    for (const row of left) expectRow(arena, row, rows.indexOf(row))
    expect([arena.capacity, arena.rows.length, arena.bytes]).toEqual([4, 4, 4 * 2 * layers * 4 * H * 7 * D])
    const next = fill(arena, 50, 7)
    expectRow(arena, next, 50)
  })
})

test('an input stays the same object until something changes', () => {
  const arena = new Arena(shape)
  arena.grow(4, 5)
  const before = arena.keys(0, 1, 2)
  expect(arena.keys(0, 1, 2)).toBe(before)
  arena.grow(5, 5)
  expect(arena.keys(0, 1, 2)).not.toBe(before)
})

test.each([4, 3])('keys and values keep every bit, with heads of %i numbers', (width) => {
  const arena = new Arena({ ...shape, headWidth: width } as DecoderShape)
  arena.grow(3, 4)
  const odd = [-0, 5e-324, 1.4e-45, -1.4e-45, Infinity, -Infinity, 3.4028234663852886e38, 1.1754942e-38, 0.1, -7]
  const [rows, steps] = [2, 2]
  const key = Float32Array.from({ length: rows * steps * H * width }, (_, i) => odd[i % odd.length]!)
  const value = key.toReversed()
  const held = [arena.place(0, null, 0), arena.place(2, null, 0)]
  arena.write(
    1,
    held.map((row) => ({ row, at: 1, tokens: new Array(steps) })),
    key,
    value,
    0,
    steps,
  )
  const bits = (data: Float32Array) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)]
  held.forEach((row, i) => {
    for (let step = 0; step < steps; step++)
      for (let head = 0; head < H; head++) {
        const from = ((i * steps + step) * H + head) * width
        const at = (head * arena.length + 1 + step) * width
        for (const [stored, given] of [
          [arena.keys(1, row.index, 1).data, key],
          [arena.values(1, row.index, 1).data, value],
        ] as const)
          expect(bits(stored.subarray(at, at + width))).toEqual(bits(given.subarray(from, from + width)))
      }
  })
})

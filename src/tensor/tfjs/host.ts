/**
 * Arrays that stay in JavaScript, because tfjs has neither 64-bit integers nor doubles: shapes, indices, and sums in double precision. Numbers are
 * doubles, so integers are exact up to 2^53. They are few: what a model computes with is 32-bit floats.
 */
export interface Host {
  readonly type: 'int64' | 'float64' | 'bool'
  readonly data: Float64Array
  readonly shape: readonly number[]
}

export const host = (type: Host['type'], data: Float64Array, shape: readonly number[]): Host => ({ type, data, shape })
export const integers = (values: readonly number[]): Host => host('int64', Float64Array.from(values), [values.length])

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

/** The axis counted from the front. */
export const axisOf = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis)

/** The shape to which both are repeated. Throws when they do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1
    const y = b[i - rank + b.length] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw new Error(`shapes [${a}] and [${b}] do not fit`)
    return x === 1 ? y : x
  })
}

/** Elements from one index to the next, on each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!
  return strides
}

/** For every element of `shape` in order: where it lies in an array with these strides. */
export function places(shape: readonly number[], strides: readonly number[]): Int32Array {
  const result = new Int32Array(sizeOf(shape))
  const index = shape.map(() => 0)
  let place = 0
  for (let i = 0; i < result.length; i++) {
    result[i] = place
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      place -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return result
}

function taken({ type, data }: Host, from: Int32Array, shape: readonly number[]): Host {
  return host(
    type,
    Float64Array.from(from, (place) => data[place]!),
    shape,
  )
}

export function expand(x: Host, shape: readonly number[]): Host {
  const own = stridesOf(x.shape)
  const missing = shape.length - x.shape.length
  const strides = shape.map((_, axis) => (axis < missing || x.shape[axis - missing] === 1 ? 0 : own[axis - missing]!))
  return taken(x, places(shape, strides), shape)
}

export function transpose(x: Host, order: readonly number[]): Host {
  const own = stridesOf(x.shape)
  const shape = order.map((axis) => x.shape[axis]!)
  return taken(x, places(shape, order.map((axis) => own[axis]!)), shape) // biome-ignore format: one line
}

/** a and b, element by element, repeated to one shape. */
export function combine(type: Host['type'], a: Host, b: Host, of: (a: number, b: number) => number): Host {
  const shape = broadcastShape(a.shape, b.shape)
  const [left, right] = [expand(a, shape).data, expand(b, shape).data]
  return host(
    type,
    left.map((value, i) => of(value, right[i]!)),
    shape,
  )
}

/** Sizes before the axis, on it and behind it. */
export function around(shape: readonly number[], axis: number): readonly [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis] ?? 1, sizeOf(shape.slice(axis + 1))]
}

export function concatenate(parts: readonly Host[], axis: number): Host {
  const first = parts[0]!
  const at = axisOf(axis, first.shape.length)
  const total = parts.reduce((sum, part) => sum + part.shape[at]!, 0)
  const shape = first.shape.map((size, i) => (i === at ? total : size))
  const [before, , behind] = around(shape, at)
  const data = new Float64Array(sizeOf(shape))
  let offset = 0
  for (const part of parts) {
    const length = part.shape[at]! * behind
    for (let i = 0; i < before; i++) data.set(part.data.subarray(i * length, (i + 1) * length), i * total * behind + offset)
    offset += length
  }
  return host(first.type, data, shape)
}

/** Folds one axis. */
export function reduce(x: Host, axis: number, keep: boolean, start: number, of: (a: number, b: number) => number): Host {
  const at = axisOf(axis, x.shape.length)
  const [before, size, behind] = around(x.shape, at)
  const data = new Float64Array(before * behind).fill(start)
  for (let i = 0; i < before; i++) {
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < behind; k++) data[i * behind + k] = of(data[i * behind + k]!, x.data[(i * size + j) * behind + k]!)
    }
  }
  return host(x.type, data, keep ? x.shape.with(at, 1) : x.shape.toSpliced(at, 1))
}

export function cumulativeSum(x: Host, axis: number, reverse: boolean): Host {
  const at = axisOf(axis, x.shape.length)
  const [before, size, behind] = around(x.shape, at)
  const data = new Float64Array(x.data.length)
  for (let i = 0; i < before; i++) {
    for (let k = 0; k < behind; k++) {
      let sum = 0
      for (let j = 0; j < size; j++) {
        const place = (i * size + (reverse ? size - 1 - j : j)) * behind + k
        data[place] = sum += x.data[place]!
      }
    }
  }
  return host(x.type, data, x.shape)
}

/** For each element of `indices`: its place in an array of `shape`, where the index stands for the one along `axis`. Negative ones count from the end. */
export function elementPlaces(shape: readonly number[], indices: Host, axis: number): Int32Array {
  const at = axisOf(axis, shape.length)
  const strides = stridesOf(shape)
  const base = places(indices.shape, strides.with(at, 0))
  return base.map((place, i) => place + checkedIndex(indices.data[i]!, shape[at]!) * strides[at]!)
}

/** The places of whole slices along the first axis. */
export function gatherRows(table: Host, indices: Host): Host {
  const [, size, width] = around(table.shape, 0)
  const from = new Int32Array(indices.data.length * width)
  indices.data.forEach((index, i) => {
    const row = checkedIndex(index, size)
    for (let k = 0; k < width; k++) from[i * width + k] = row * width + k
  })
  return taken(table, from, [...indices.shape, ...table.shape.slice(1)])
}

export function gatherElements(x: Host, indices: Host, axis: number): Host {
  return taken(x, elementPlaces(x.shape, indices, axis), indices.shape)
}

/** An index from 0 on. Throws when there is no such element: tfjs would read zeros. */
export function checkedIndex(index: number, size: number): number {
  const place = index < 0 ? index + size : index
  if (!(place >= 0 && place < size)) throw new Error(`index ${index} of ${size} elements`)
  return place
}

import {
  axisOf,
  checkedIndex,
  concatenate as concatenateHosts,
  elementPlaces,
  gatherElements as gatherHostElements,
  gatherRows,
  type Host,
  host,
  sizeOf,
  transpose as transposeHost,
} from './host.js'
import { type Call, isHost, type Kernel, type TfValue, toIndices } from './kernel.js'

/** The same numbers in another shape. */
function reshaped(x: TfValue, shape: readonly number[]): TfValue {
  return isHost(x) ? host(x.type, x.data, shape) : x.reshape([...shape])
}

const reshape: Kernel = (call) => {
  const x = call.inputs[0]!
  const copies = call.int('allowzero', 0) === 0
  const wanted = call.numbers(1).map((size, axis) => (size === 0 && copies ? x.shape[axis]! : size))
  const known = wanted.reduce((product, size) => (size === -1 ? product : product * size), 1)
  return [reshaped(x, wanted.map((size) => (size === -1 ? sizeOf(x.shape) / known : size)))] // biome-ignore format: one line
}

const transpose: Kernel = (call) => {
  const x = call.inputs[0]!
  const order = call.ints('perm')
  return [isHost(x) ? transposeHost(x, order) : call.tf.transpose(x, [...order])]
}

const concatenate: Kernel = (call) => {
  const axis = call.int('axis', 0)
  const which = call.inputs.map((_, i) => i)
  if (call.hosted(...which)) return [concatenateHosts(call.inputs as readonly Host[], axis)]
  return [call.tf.concat(which.map((i) => call.tensor(i)), axis)] // biome-ignore format: one line
}

const split: Kernel = (call) => {
  const x = call.tensor(0)
  const axis = axisOf(call.int('axis', 0), x.shape.length)
  const { length } = call.operation.outputs
  const sizes = call.inputs.length > 1 ? call.numbers(1) : new Array<number>(length).fill(x.shape[axis]! / length)
  let at = 0
  return sizes.map((size) => {
    const begin = x.shape.map((_, i) => (i === axis ? at : 0))
    at += size
    return call.tf.slice(x, begin, x.shape.with(axis, size))
  })
}

const squeeze: Kernel = (call) => {
  const x = call.inputs[0]!
  const axes = call.numbers(1).map((axis) => axisOf(axis, x.shape.length))
  return [reshaped(x, x.shape.filter((_, axis) => !axes.includes(axis)))] // biome-ignore format: one line
}

const unsqueeze: Kernel = (call) => {
  const x = call.inputs[0]!
  const given = call.numbers(1)
  const axes = given.map((axis) => axisOf(axis, x.shape.length + given.length))
  const rest = [...x.shape]
  return [reshaped(x, Array.from({ length: rest.length + given.length }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)))] // biome-ignore format: one line
}

const gather: Kernel = (call) => {
  const table = call.inputs[0]!
  const indices = call.host(1)
  if (call.int('axis', 0) !== 0) throw new Error('the tfjs backend looks up slices along the first axis only')
  if (isHost(table)) return [gatherRows(table, indices)]
  const rows = indices.data.map((index) => checkedIndex(index, table.shape[0]!))
  return [call.tf.gather(table, toIndices(call.tf, rows), 0).reshape([...indices.shape, ...table.shape.slice(1)])]
}

/** The elements of `x` at these places of its row-major order. */
function taken(call: Call, x: number, places: Int32Array, shape: readonly number[]): TfValue {
  return call.tf.gather(call.tensor(x).reshape([-1]), toIndices(call.tf, places), 0).reshape([...shape])
}

const gatherElements: Kernel = (call) => {
  const x = call.inputs[0]!
  const indices = call.host(1)
  const axis = call.int('axis', 0)
  if (isHost(x)) return [gatherHostElements(x, indices, axis)]
  return [taken(call, 0, elementPlaces(x.shape, indices, axis), indices.shape)]
}

const scatterElements: Kernel = (call) => {
  const { tf } = call
  const [x, indices, updates] = [call.tensor(0), call.host(1), call.tensor(2)]
  if (call.text('reduction') !== 'add') throw new Error('the tfjs backend scatters sums only')
  if (updates.size === 0) return [x]
  const places = toIndices(tf, elementPlaces(x.shape, indices, call.int('axis', 0)))
  return [x.add(tf.scatterND(places.reshape([-1, 1]), updates.reshape([-1]), [x.size]).reshape(x.shape))]
}

export const movement: Readonly<Record<string, Kernel>> = {
  Reshape: reshape,
  Transpose: transpose,
  Concat: concatenate,
  Split: split,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: scatterElements,
}

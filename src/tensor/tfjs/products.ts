import { repeated } from './elementwise.js'
import { broadcastShape, sizeOf } from './host.js'
import { type Call, type Kernel, type Tensor, toIndices } from './kernel.js'

/** Products over the last two axes, batches repeated to fit. A matrix that a whole batch shares is multiplied once, with all rows below each other. */
function product({ tf }: Call, a: Tensor, b: Tensor, transA: boolean, transB: boolean): Tensor {
  const rows = a.shape.at(transA ? -1 : -2)!
  const inner = a.shape.at(transA ? -2 : -1)!
  const columns = b.shape.at(transB ? -2 : -1)!
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const shape = [...batch, rows, columns]
  if (sizeOf(shape) === 0 || inner === 0) return tf.zeros(shape)
  if (b.rank === 2 && !transA) return tf.matMul(a.reshape([-1, inner]), b as never, false, transB).reshape(shape)
  const whole = (x: Tensor) => repeated(tf, x, [...batch, ...x.shape.slice(-2)]).reshape([-1, ...x.shape.slice(-2)])
  return tf.matMul(whole(a), whole(b), transA, transB).reshape(shape)
}

const fused: Kernel = (call) => {
  const result = product(call, call.tensor(0), call.tensor(1), call.int('transA', 0) !== 0, call.int('transB', 0) !== 0)
  const scale = call.float('alpha', 1)
  return [scale === 1 ? result : result.mul(scale)]
}

const affine: Kernel = (call) => {
  const [a, b, bias] = [call.tensor(0), call.tensor(1), call.tensor(2)]
  return [product(call, a, b, false, call.int('transB', 0) !== 0).add(bias)]
}

/** x · wᵀ with w ≈ scale · (q - 128) in blocks along its rows; rows of x are rounded to 127ths of the largest of each block, as ONNX Runtime does. */
const inBlocks: Kernel = (call) => {
  const { tf } = call
  const [x, blocks, scales] = [call.tensor(0), call.tensor(1), call.tensor(2)]
  const [from, to] = [call.int('K', 0), call.int('N', 0)]
  const [, count, size] = blocks.shape as [number, number, number]
  const weights = blocks
    .sub(128)
    .mul(scales.reshape([to, count, 1]))
    .reshape([to, count * size])
  const rows = x.reshape([-1, from])
  const padded = tf.pad(rows as never, [
    [0, 0],
    [0, count * size - from],
  ]) as Tensor
  const parts = padded.reshape([-1, count, size])
  const step = parts.abs().max(-1, true).div(127)
  const rounded = tf
    .divNoNan(parts, step)
    .round()
    .mul(step)
    .reshape([-1, count * size])
  return [product(call, rounded, weights, false, true).reshape([...x.shape.slice(0, -1), to])]
}

/** Pairs (i, i + r) of every head are turned by the angles of their position; what lies behind 2 r stays. */
const rotary: Kernel = (call) => {
  const { tf } = call
  const x = call.tensor(0)
  const [rows, steps, width] = x.shape as [number, number, number]
  const heads = call.int('num_heads', 0)
  const each = x.reshape([rows, steps, heads, width / heads])
  const places = toIndices(tf, call.host(1).data)
  const pairs = call.inputs[2]!.shape[1]!
  const angles = (i: number) => tf.gather(call.tensor(i), places).reshape([rows, steps, 1, pairs])
  const [cos, sin] = [angles(2), angles(3)]
  const part = (begin: number, size: number) => each.slice([0, 0, 0, begin], [rows, steps, heads, size])
  const [a, b] = [part(0, pairs), part(pairs, pairs)]
  const turned = [a.mul(cos).sub(b.mul(sin)), a.mul(sin).add(b.mul(cos))]
  const rest = width / heads - 2 * pairs
  return [tf.concat(rest > 0 ? [...turned, part(2 * pairs, rest)] : turned, 3).reshape(x.shape)]
}

export const products: Readonly<Record<string, Kernel>> = {
  MatMul: (call) => [product(call, call.tensor(0), call.tensor(1), false, false)],
  FusedMatMul: fused,
  Gemm: affine,
  MatMulNBits: inBlocks,
  RotaryEmbedding: rotary,
}

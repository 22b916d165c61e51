import { castTargets } from '../graph.js'
import { broadcastShape, combine, expand, type Host, host } from './host.js'
import { type Call, isHost, type Kernel, type Tensor, type Tf, type TfValue, toHost, toTensor } from './kernel.js'

/** Functions of two numbers, on the device and in JavaScript. */
function binary(
  onDevice: (tf: Tf, a: Tensor, b: Tensor) => Tensor,
  inJavaScript: (a: number, b: number) => number,
  compares = false,
): Kernel {
  return (call) => {
    if (!call.hosted(0, 1)) return [onDevice(call.tf, call.tensor(0), call.tensor(1))]
    const [a, b] = [call.host(0), call.host(1)]
    return [combine(compares ? 'bool' : a.type, a, b, (x, y) => (a.type === 'int64' ? Math.trunc : Number)(inJavaScript(x, y)))]
  }
}

const unary =
  (onDevice: (tf: Tf, x: Tensor, call: Call) => Tensor): Kernel =>
  (call) => [onDevice(call.tf, call.tensor(0), call)]

/** Functions that both sides need. */
const either =
  (onDevice: (tf: Tf, x: Tensor) => Tensor, inJavaScript: (x: number) => number): Kernel =>
  (call) => {
    if (!call.hosted(0)) return [onDevice(call.tf, call.tensor(0))]
    const { type, data, shape } = call.host(0)
    return [host(type, data.map(inJavaScript), shape)]
  }

const where: Kernel = (call) => {
  if (call.hosted(1, 2)) {
    const [condition, a, b] = [call.host(0), call.host(1), call.host(2)]
    const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape))
    const [choice, yes, no] = [condition, a, b].map((each) => expand(each, shape).data) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    return [host(a.type, choice.map((chosen, i) => (chosen ? yes[i]! : no[i]!)), shape)] // biome-ignore format: one line
  }
  const [condition, a, b] = [call.tensor(0), call.tensor(1), call.tensor(2)]
  const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape))
  const chosen = repeated(call.tf, condition.cast('float32'), shape).cast('bool')
  return [call.tf.where(chosen, repeated(call.tf, a, shape), repeated(call.tf, b, shape))]
}

/** A tensor repeated to a shape. By a sum, whose gradient tfjs knows for any rank; that of its own `tile` ends at rank 4. */
export function repeated(tf: Tf, x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.length === shape.length && x.shape.every((size, axis) => size === shape[axis])) return x
  return tf.add(x, tf.zeros([...shape]))
}

const expandTo: Kernel = (call) => {
  const x = call.inputs[0]!
  const shape = broadcastShape(x.shape, call.numbers(1))
  return [isHost(x) ? expand(x, shape) : repeated(call.tf, x, shape)]
}

/** The types that 8-bit products read are tensors of floats here: integers of 8 bits and their differences are exact. */
function castTo(tf: Tf, x: TfValue, target: number): TfValue {
  switch (target) {
    case castTargets.float32:
      return isHost(x) ? toTensor(tf, x).cast('float32') : x.cast('float32')
    case castTargets.float64: {
      const { data, shape } = toHost(x)
      return host('float64', data, shape)
    }
    case castTargets.int64: {
      const { data, shape } = toHost(x)
      return host('int64', data.map(Math.trunc), shape)
    }
    case castTargets.uint8:
      // By way of integers, which have no NaN: a row of zeros divides by zero and is multiplied by zero later.
      return toTensor(tf, x).cast('int32').cast('float32')
    default:
      throw new Error(`the tfjs backend has no numbers of element type ${target}`)
  }
}

const castLike: Kernel = (call) => {
  const like = call.inputs[1]!
  if (!isHost(like)) return [castTo(call.tf, call.inputs[0]!, castTargets.float32)]
  return [castTo(call.tf, call.inputs[0]!, like.type === 'float64' ? castTargets.float64 : castTargets.int64)]
}

const gelu: Kernel = (call) => {
  const { tf } = call
  const x = call.tensor(0)
  if (call.text('approximate') === 'tanh') {
    const u = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI))
    return [x.mul(u.tanh().add(1)).mul(0.5)]
  }
  return [x.mul(tf.erf(x.mul(Math.SQRT1_2)).add(1)).mul(0.5)]
}

const zeros: Kernel = (call) => [call.tf.zeros(call.numbers(0))]

const nonZero: Kernel = (call) => {
  const { data, shape } = call.host(0)
  if (shape.length !== 1) throw new Error('the tfjs backend finds the non-zero places of lists only')
  const found = [...data.keys()].filter((i) => data[i] !== 0)
  return [host('int64', Float64Array.from(found), [1, found.length])]
}

const sizes: Kernel = (call) => {
  const { shape } = call.inputs[0]!
  const from = call.int('start', 0)
  const part: Host = host('int64', Float64Array.from(shape.slice(from, call.int('end', shape.length))), [])
  return [{ ...part, shape: [part.data.length] }]
}

const count: Kernel = (call) => [host('int64', Float64Array.of(call.inputs[0]!.shape.reduce((a, b) => a * b, 1)), [])]

export const elementwise: Readonly<Record<string, Kernel>> = {
  Add: binary((tf, a, b) => tf.add(a, b), (a, b) => a + b), // biome-ignore format: a table
  Sub: binary((tf, a, b) => tf.sub(a, b), (a, b) => a - b), // biome-ignore format: a table
  Mul: binary((tf, a, b) => tf.mul(a, b), (a, b) => a * b), // biome-ignore format: a table
  Div: binary((tf, a, b) => tf.div(a, b), (a, b) => a / b), // biome-ignore format: a table
  LessOrEqual: binary((tf, a, b) => tf.lessEqual(a, b), (a, b) => Number(a <= b), true), // biome-ignore format: a table
  Equal: binary((tf, a, b) => tf.equal(a, b), (a, b) => Number(a === b), true), // biome-ignore format: a table
  Abs: either((tf, x) => tf.abs(x), Math.abs),
  Neg: either((tf, x) => tf.neg(x), (x) => -x), // biome-ignore format: a table
  Exp: either((tf, x) => tf.exp(x), Math.exp),
  Log: either((tf, x) => tf.log(x), Math.log),
  Sqrt: either((tf, x) => tf.sqrt(x), Math.sqrt),
  Sign: either((tf, x) => tf.sign(x), Math.sign),
  Erf: unary((tf, x) => tf.erf(x)),
  Sigmoid: unary((tf, x) => tf.sigmoid(x)),
  Tanh: unary((tf, x) => tf.tanh(x)),
  Relu: unary((tf, x) => tf.relu(x)),
  Softplus: unary((tf, x) => tf.softplus(x)),
  Gelu: gelu,
  Where: where,
  Expand: expandTo,
  Cast: (call) => [castTo(call.tf, call.inputs[0]!, call.int('to', 0))],
  CastLike: castLike,
  Identity: (call) => [call.inputs[0]!],
  ConstantOfShape: zeros,
  NonZero: nonZero,
  Shape: sizes,
  Size: count,
}

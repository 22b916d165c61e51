import { axisOf, cumulativeSum, type Host, reduce } from './host.js'
import { type Call, isHost, type Kernel, type Tensor, type Tf } from './kernel.js'

type Reduce = (tf: Tf, x: Tensor, axes: number[], keep: boolean) => Tensor

/** A reduction over the axes of the second input; no axes at all leave the value as it is where the operation says so. */
function reduction(onDevice: Reduce, inJavaScript?: (x: Host, axis: number, keep: boolean) => Host): Kernel {
  return (call) => {
    const x = call.inputs[0]!
    const axes = call.numbers(1).map((axis) => axisOf(axis, x.shape.length))
    const keep = call.int('keepdims', 1) !== 0
    if (axes.length === 0 && call.int('noop_with_empty_axes', 0) !== 0) return [x]
    if (!isHost(x)) return [onDevice(call.tf, x, axes, keep)]
    if (!inJavaScript || axes.length !== 1) {
      throw new Error(`the tfjs backend runs ${call.operation.operator} of doubles and integers for some axes only`)
    }
    return [inJavaScript(x, axes[0]!, keep)]
  }
}

const running: Kernel = (call) => {
  const x = call.inputs[0]!
  const axis = call.numbers(1)[0]!
  const reverse = call.int('reverse', 0) !== 0
  if (isHost(x)) return [cumulativeSum(x, axis, reverse)]
  // Along the last axis: the gradient of tfjs 4.22 has its axes in another order along others. Swapping two axes twice changes nothing.
  const at = axisOf(axis, x.shape.length)
  const last = x.shape.length - 1
  const swap = x.shape.map((_, i) => (i === at ? last : i === last ? at : i))
  return [call.tf.transpose(call.tf.cumsum(call.tf.transpose(x, swap), last, false, reverse), swap)]
}

const lastAxis = (call: Call, x: Tensor) => {
  if (axisOf(call.int('axis', -1), x.shape.length) !== x.shape.length - 1) throw new Error('softmax runs over the last axis')
  return x
}

const softmax: Kernel = (call) => [call.tf.softmax(lastAxis(call, call.tensor(0)))]
const logSoftmax: Kernel = (call) => [call.tf.logSoftmax(lastAxis(call, call.tensor(0)))]

/** x / sqrt(mean(x²) + epsilon) · scale. */
const rootMeanSquare: Kernel = (call) => {
  const [x, scale] = [call.tensor(0), call.tensor(1)]
  return [x.mul(inverse(call, x)).mul(scale)]
}

const layer: Kernel = (call) => {
  const [x, scale, bias] = [call.tensor(0), call.tensor(1), call.tensor(2)]
  const centred = x.sub(x.mean(-1, true))
  return [centred.mul(inverse(call, centred)).mul(scale).add(bias)]
}

const inverse = (call: Call, x: Tensor) => x.square().mean(-1, true).add(call.float('epsilon', 1e-5)).rsqrt()

export const reductions: Readonly<Record<string, Kernel>> = {
  ReduceSum: reduction(
    (tf, x, axes, keep) => tf.sum(x, axes, keep),
    (x, axis, keep) => reduce(x, axis, keep, 0, (a, b) => a + b),
  ),
  ReduceMax: reduction(
    (tf, x, axes, keep) => tf.max(x, axes, keep),
    (x, axis, keep) => reduce(x, axis, keep, -Infinity, (a, b) => (b <= a ? a : b)),
  ),
  ReduceMean: reduction((tf, x, axes, keep) => tf.mean(x, axes, keep)),
  ReduceLogSumExp: reduction((tf, x, axes, keep) => tf.logSumExp(x, axes, keep)),
  CumSum: running,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  SimplifiedLayerNormalization: rootMeanSquare,
  LayerNormalization: layer,
}

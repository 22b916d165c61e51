import { int, ints, string, type Value } from '../graph.js'
import type { Rule, Step } from './rule.js'

/** Operations that move numbers and leave them as they are: the gradient moves back. */

const reshape: Rule = (step) => [() => step.reshapeLike(step.gradient, step.x[0]!), null]

/** What was repeated gets the sum of what its copies get. */
const expand: Rule = (step) => [() => step.sumLike(step.gradient, step.x[0]!), null]

const transpose: Rule = (step) => {
  const attribute = step.operation.attributes.perm
  const order = attribute?.kind === 'ints' ? attribute.value : []
  const inverse = order.map((_, axis) => order.indexOf(axis))
  return [() => step.graph.apply('Transpose', [step.gradient], { perm: ints(inverse) })[0]!]
}

const concatenate: Rule = (step) => {
  const { graph, x } = step
  const axis = step.int('axis', 0)
  let parts: Value[] | undefined
  const split = () => {
    const sizes = graph.concatenate(
      x.map((part) => step.size(part, axis)),
      0,
    )
    parts ??= graph.apply('Split', [step.gradient, sizes], { axis: int(axis) }, '', x.length)
    return parts
  }
  return x.map((_, i) => () => (parts ?? split())[i]!)
}

const split: Rule = (step) => {
  const join = () =>
    step.graph.concatenate(
      step.y.map((_, i) => step.gradientOf(i)),
      step.int('axis', 0),
    )
  return [join, null].slice(0, step.x.length)
}

/**
 * Adds `updates` up in zeros shaped as `x`, at `indices` along one axis. ScatterElements and not ScatterND: ONNX Runtime runs it in one thread, so the
 * sums have one order, and an index that comes twice is no race.
 */
function scattered(step: Step, x: Value, indices: Value, updates: Value, axis: number): Value {
  const attributes = { axis: int(axis), reduction: string('add') }
  return step.graph.apply('ScatterElements', [step.zerosLike(x), indices, updates], attributes)[0]!
}

/** Slices that were looked up several times get the sum of their gradients. */
const gather: Rule = (step) => {
  const { graph, gradient } = step
  const [table, indices] = step.x as [Value, Value]
  if (step.int('axis', 0) !== 0) throw new Error('a gradient flows through slices along the first axis only')
  const inTable = () => {
    const rows = graph.reshape(table, [0, -1]) // [V, w]
    const one = graph.reshape(indices, [-1, 1]) // [N, 1]
    const shape = graph.concatenate([step.size(one, 0), step.size(rows, 1)], 0)
    const updates = graph.reshapeTo(gradient, shape) // [N, w]
    return step.reshapeLike(scattered(step, rows, graph.apply('Expand', [one, shape])[0]!, updates, 0), table)
  }
  return [inTable, null]
}

const gatherElements: Rule = (step) => {
  const [x, indices] = step.x as [Value, Value]
  return [() => scattered(step, x, indices, step.gradient, step.int('axis', 0)), null]
}

/** Turns back: the rotation by the opposite angles. The angles are constants. */
const rotary: Rule = (step) => {
  const { graph, operation } = step
  const [, positions, cos, sin] = step.x as [Value, Value, Value, Value]
  const opposite = () => [step.gradient, positions, cos, graph.negate(sin)]
  const constant = () => {
    throw new Error('a gradient does not flow into the angles of rotary positions')
  }
  const back = () => graph.apply('RotaryEmbedding', opposite(), operation.attributes, 'com.microsoft')[0]!
  return [back, null, constant, constant]
}

export const movement: Readonly<Record<string, Rule>> = {
  Reshape: reshape,
  Expand: expand,
  Transpose: transpose,
  Concat: concatenate,
  Split: split,
  Gather: gather,
  GatherElements: gatherElements,
  RotaryEmbedding: rotary,
  // The sizes of a value do not depend on its numbers.
  Shape: () => [null],
}

import { float, int, type Value } from '../graph.js'
import type { Rule, Step } from './rule.js'

/** scale · a · b over the last two axes, with either one transposed. */
function product(step: Step, a: Value, b: Value, scale: number, transA: boolean, transB: boolean): Value {
  const attributes = { transA: int(transA ? 1 : 0), transB: int(transB ? 1 : 0), alpha: float(scale) }
  return step.graph.apply('FusedMatMul', [a, b], attributes, 'com.microsoft')[0]!
}

/** All rows of a batch below each other: [.., k] -> [rows, k]. */
function stacked(step: Step, x: Value): Value {
  const { graph } = step
  return graph.reshapeTo(x, graph.concatenate([graph.integers([-1]), step.size(x, -1)], 0))
}

/** y = scale · a · b, or scale · a · bᵀ: da = scale · g · bᵀ (or b), db = scale · aᵀ · g (or gᵀ · a), summed where a batch was broadcast. */
function productRule(step: Step, scale: number, transposed: boolean) {
  const [a, b] = step.x as [Value, Value]
  const g = step.gradient
  const lists = [a, b].filter((x) => step.shape(x)?.length === 1)
  if (lists.length > 0) throw new Error(`a gradient flows through products of matrices: reshape ${lists[0]!.name} to one`)
  const matrix = step.shape(b)?.length === 2
  const ofB = (rows: Value, gradients: Value) =>
    transposed ? product(step, gradients, rows, scale, true, false) : product(step, rows, gradients, scale, true, false)
  return [
    () => {
      const ofA = product(step, g, b, scale, false, !transposed)
      return matrix ? ofA : step.sumLike(ofA, a)
    },
    // The gradient of a matrix that a whole batch shares is one product, not the sum of one for each.
    () => (matrix ? ofB(stacked(step, a), stacked(step, g)) : step.sumLike(ofB(a, g), b)),
  ] as const
}

const fused: Rule = (step) => {
  if (step.int('transA', 0) !== 0) throw new Error('a gradient does not flow through a product whose first factor is transposed')
  return productRule(step, step.float('alpha', 1), step.int('transB', 0) !== 0)
}

/** a · bᵀ + bias. */
const affine: Rule = (step) => {
  const bias = step.x[2]!
  return [...productRule(step, 1, step.int('transB', 0) !== 0), () => step.sumLike(step.gradient, bias)]
}

export const products: Readonly<Record<string, Rule>> = {
  MatMul: (step) => productRule(step, 1, false),
  FusedMatMul: fused,
  Gemm: affine,
}

import { int, type Value } from '../graph.js'
import type { Rule, Step } from './rule.js'

/** A value that a reduction has made, with the axes that it has dropped put back as 1. */
function kept(step: Step, value: Value): Value {
  return step.int('keepdims', 1) !== 0 ? value : step.graph.apply('Unsqueeze', [value, step.x[1]!])[0]!
}

const sum: Rule = (step) => [() => step.expandLike(kept(step, step.gradient), step.x[0]!), null]

/** The sum over as many numbers as x has for one of y. */
const mean: Rule = (step) => {
  const { graph } = step
  const [x] = step.x as [Value]
  const count = (value: Value) => graph.apply('Size', [value])[0]!
  const share = () => {
    const numbers = step.castLike(graph.divide(count(x), count(step.gradient)), step.gradient)
    return step.expandLike(kept(step, graph.divide(step.gradient, numbers)), x)
  }
  return [share, null]
}

/** Elements that are equal to the maximum share its gradient. */
const maximum: Rule = (step) => {
  const { graph } = step
  const [x, axes] = step.x as [Value, Value]
  const share = () => {
    const largest = step.indicator(graph.equal(x, kept(step, step.y[0]!)), x)
    const count = graph.apply('ReduceSum', [largest, axes], { keepdims: int(1) })[0]!
    return graph.multiply(largest, graph.divide(kept(step, step.gradient), count))
  }
  return [share, null]
}

/** g exp(x - y). */
const logSumExp: Rule = (step) => {
  const { graph } = step
  const [x] = step.x as [Value]
  const shares = () => graph.exponential(graph.subtract(x, kept(step, step.y[0]!)))
  return [() => graph.multiply(kept(step, step.gradient), shares()), null]
}

/** An element reaches the sums behind it, so its gradient is the sum of theirs. */
const cumulativeSum: Rule = (step) => {
  const [, axis] = step.x as [Value, Value]
  return [() => step.graph.apply('CumSum', [step.gradient, axis], { reverse: int(1) })[0]!, null]
}

/** y (g - Σ g y) */
const softmax: Rule = (step) => {
  const { graph, gradient } = step
  const y = step.y[0]!
  const inner = () => graph.sum(graph.multiply(gradient, y), step.int('axis', -1), true)
  return [() => graph.multiply(y, graph.subtract(gradient, inner()))]
}

/** g - exp(y) Σ g */
const logSoftmax: Rule = (step) => {
  const { graph, gradient } = step
  const total = () => graph.sum(gradient, step.int('axis', -1), true)
  return [() => graph.subtract(gradient, graph.multiply(graph.exponential(step.y[0]!), total()))]
}

export const reductions: Readonly<Record<string, Rule>> = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: maximum,
  ReduceLogSumExp: logSumExp,
  CumSum: cumulativeSum,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
}

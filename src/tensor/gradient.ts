import { elementwise } from './gradients/elementwise.js'
import { movement } from './gradients/movement.js'
import { norms } from './gradients/norms.js'
import { products } from './gradients/products.js'
import { reductions } from './gradients/reductions.js'
import { type Rule, Step } from './gradients/rule.js'
import type { GraphBuilder, Value } from './graph.js'

/** One rule for each operator through which a gradient flows. */
const rules: ReadonlyMap<string, Rule> = new Map(
  Object.entries({ ...elementwise, ...products, ...movement, ...reductions, ...norms }),
)

/**
 * Reverse-mode differentiation: appends the backward pass to a graph and returns d loss / d value for each of `values`, in their order.
 *
 *     loss     one number, float32; of a larger value the sum is differentiated
 *     values   inputs, weights or computed values, each float; a gradient has the shape of its value
 *
 * The operations stand in the order of execution, so one pass from the last to the first meets every operation after all that read it;
 * gradients that come from several readers are added (Griewank and Walther, Evaluating Derivatives, 2nd ed., chapter 3). Only what
 * lies between `values` and the loss is written down. Everything holds for free dimensions too: shapes are taken when the graph runs.
 * Throws when a value is not of 32- or 64-bit floats, when the loss does not depend on it, and at an operator through which no gradient flows (integers, comparisons).
 */
export function gradients(graph: GraphBuilder, loss: Value, values: readonly Value[]): Value[] {
  const names = values.map((value) => graph.nameOf(value))
  const forward = [...graph.operations]
  const moving = new Set(names)
  for (const { inputs, outputs } of forward)
    if (inputs.some((name) => moving.has(name))) for (const name of outputs) moving.add(name)

  const given = [...graph.inputs, ...graph.weights]
  for (const { name, type } of given) {
    if (names.includes(name) && type !== 'float32' && type !== 'float64')
      throw new Error(`there is no gradient for ${name}: it holds ${type}`)
  }
  const declared = new Map(given.map(({ name, shape }) => [name, shape]))
  const found = new Map<string, Value>()
  const give = (name: string, gradient: Value) => {
    const known = found.get(name)
    found.set(name, known ? graph.add(known, gradient) : gradient)
  }
  give(graph.nameOf(loss), graph.apply('Expand', [graph.scalar(1), graph.shapeOf(loss)])[0]!)
  for (const operation of forward.reverse()) {
    const { operator, inputs, outputs } = operation
    if (!inputs.some((name) => moving.has(name)) || !outputs.some((name) => found.has(name))) continue
    const rule = rules.get(operator)
    if (!rule) throw new Error(`a gradient does not flow through ${operator}`)
    const step = new Step(
      graph,
      operation,
      outputs.map((name) => found.get(name)),
      declared,
    )
    const flows = rule(step)
    inputs.forEach((name, i) => {
      const flow = moving.has(name) ? flows[i] : null
      if (flow) give(name, flow())
    })
  }
  return names.map((name) => {
    const gradient = found.get(name)
    if (!gradient) throw new Error(`the loss does not depend on ${name}`)
    return gradient
  })
}

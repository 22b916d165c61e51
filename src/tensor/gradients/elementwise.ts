import { castTargets, type Value } from '../graph.js'
import type { Rule, Step } from './rule.js'

/** dy/dx of functions of one number, times the gradient g of y = f(x). */
const unary =
  (derivative: (step: Step, g: Value, x: Value, y: Value) => Value): Rule =>
  (step) => [() => derivative(step, step.gradient, step.x[0]!, step.y[0]!)]

const add: Rule = (step) => {
  const [a, b] = step.x as [Value, Value]
  return [() => step.sumLike(step.gradient, a, [b]), () => step.sumLike(step.gradient, b, [a])]
}

const subtract: Rule = (step) => {
  const [a, b] = step.x as [Value, Value]
  return [() => step.sumLike(step.gradient, a, [b]), () => step.sumLike(step.graph.negate(step.gradient), b, [a])]
}

const multiply: Rule = (step) => {
  const [a, b] = step.x as [Value, Value]
  const { graph, gradient } = step
  return [() => step.sumLike(graph.multiply(gradient, b), a, [b]), () => step.sumLike(graph.multiply(gradient, a), b, [a])]
}

/** y = a / b: da = g / b, db = -g y / b. */
const divide: Rule = (step) => {
  const [a, b] = step.x as [Value, Value]
  const { graph, gradient } = step
  return [
    () => step.sumLike(graph.divide(gradient, b), a, [b]),
    () => step.sumLike(graph.negate(graph.divide(graph.multiply(gradient, step.y[0]!), b)), b, [a]),
  ]
}

/** The branch that is taken gets the gradient, the other one zeros, whatever numbers it holds. */
const where: Rule = (step) => {
  const [condition, a, b] = step.x as [Value, Value, Value]
  const { graph, gradient } = step
  const zero = () => step.castLike(graph.scalar(0), gradient)
  return [
    null,
    () => step.sumLike(graph.where(condition, gradient, zero()), a),
    () => step.sumLike(graph.where(condition, zero(), gradient), b),
  ]
}

const floats = new Set([castTargets.float32, castTargets.float64, castTargets.float16, castTargets.bfloat16])

const cast: Rule = (step) => {
  if (!floats.has(step.int('to', 0))) throw new Error('a gradient does not flow through a cast to integers')
  return [() => step.castLike(step.gradient, step.x[0]!)]
}

/** Φ(x) + x φ(x), or the derivative of the approximation x (1 + tanh u) / 2, u = √(2/π) (x + 0.044715 x³). */
const gelu = unary((step, g, x) => {
  const { graph } = step
  const number = (value: number) => graph.scalar(value)
  const approximate = step.operation.attributes.approximate
  if (approximate?.kind === 'string' && approximate.value === 'tanh') {
    const root = Math.sqrt(2 / Math.PI)
    const squares = graph.multiply(x, x)
    const u = graph.multiply(x, graph.add(graph.multiply(squares, number(0.044715 * root)), number(root)))
    const t = graph.tanh(u)
    const slope = graph.add(graph.multiply(squares, number(3 * 0.044715 * root)), number(root)) // du/dx
    const bend = graph.multiply(graph.multiply(x, slope), graph.subtract(number(1), graph.multiply(t, t)))
    return graph.multiply(g, graph.multiply(graph.add(graph.add(t, number(1)), bend), number(0.5)))
  }
  const error = graph.apply('Erf', [graph.multiply(x, number(Math.SQRT1_2))])[0]!
  const mass = graph.multiply(graph.add(error, number(1)), number(0.5))
  const density = graph.exponential(graph.multiply(graph.multiply(x, x), number(-0.5)))
  return graph.multiply(g, graph.add(mass, graph.multiply(graph.multiply(x, density), number(1 / Math.sqrt(2 * Math.PI)))))
})

const sign = (step: Step, x: Value) => step.graph.apply('Sign', [x])[0]!

/** At a kink the gradient is 0. */
export const elementwise: Readonly<Record<string, Rule>> = {
  Add: add,
  Sub: subtract,
  Mul: multiply,
  Div: divide,
  Where: where,
  Cast: cast,
  Identity: unary((_, g) => g),
  Neg: unary(({ graph }, g) => graph.negate(g)),
  Abs: unary((step, g, x) => step.graph.multiply(g, sign(step, x))),
  Exp: unary(({ graph }, g, _, y) => graph.multiply(g, y)),
  Log: unary(({ graph }, g, x) => graph.divide(g, x)),
  Sqrt: unary(({ graph }, g, _, y) => graph.divide(g, graph.add(y, y))),
  Sigmoid: unary(({ graph }, g, _, y) => graph.multiply(g, graph.subtract(y, graph.multiply(y, y)))),
  Tanh: unary(({ graph }, g, _, y) => graph.subtract(g, graph.multiply(g, graph.multiply(y, y)))),
  Relu: unary((step, g, _, y) => step.graph.multiply(g, sign(step, y))),
  Softplus: unary(({ graph }, g, x) => graph.multiply(g, graph.sigmoid(x))),
  Gelu: gelu,
}

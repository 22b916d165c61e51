import type { Value } from '../graph.js'
import type { Rule, Step } from './rule.js'

const mean = (step: Step, x: Value) => step.graph.mean(x, -1, true)

/** 1 / sqrt(mean(x²) + epsilon) over the last axis. */
function inverseScale(step: Step, x: Value): Value {
  const { graph } = step
  const squares = graph.add(mean(step, graph.multiply(x, x)), graph.scalar(step.float('epsilon', 1e-5)))
  return graph.divide(graph.scalar(1), graph.squareRoot(squares))
}

/** With n = x r, r = 1 / sqrt(mean(x²) + epsilon), y = n s, and h = g s: dx = r (h - n mean(h n)), ds = Σ g n. */
const rootMeanSquare: Rule = (step) => {
  const { graph, gradient } = step
  const [x, scale] = step.x as [Value, Value]
  const r = inverseScale(step, x)
  const n = graph.multiply(x, r)
  const inX = () => {
    const h = graph.multiply(gradient, scale)
    return graph.multiply(r, graph.subtract(h, graph.multiply(n, mean(step, graph.multiply(h, n)))))
  }
  return [inX, () => step.sumLike(graph.multiply(gradient, n), scale)]
}

/** The same of x - mean(x), and the mean of h goes: dx = r (h - mean(h) - n mean(h n)). */
const layer: Rule = (step) => {
  const { graph, gradient } = step
  const [x, scale, bias] = step.x as [Value, Value, Value]
  const centred = graph.subtract(x, mean(step, x))
  const r = inverseScale(step, centred)
  const n = graph.multiply(centred, r)
  const inX = () => {
    const h = graph.multiply(gradient, scale)
    const level = graph.subtract(h, mean(step, h))
    return graph.multiply(r, graph.subtract(level, graph.multiply(n, mean(step, graph.multiply(h, n)))))
  }
  return [inX, () => step.sumLike(graph.multiply(gradient, n), scale), () => step.sumLike(gradient, bias)]
}

export const norms: Readonly<Record<string, Rule>> = {
  SimplifiedLayerNormalization: rootMeanSquare,
  LayerNormalization: layer,
}

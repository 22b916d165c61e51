import { type Dimension, type GraphBuilder, int, type Operation, type Value } from '../graph.js'

/**
 * The gradient of one operation: for each input what it adds to that input's gradient, made only when it is wanted; null where no
 * gradient flows (indices, shapes, conditions). The gradient of a value has the shape of the value.
 */
export type Rule = (step: Step) => readonly (Flow | null)[]
export type Flow = () => Value

/** One operation of the forward pass, met on the way back, and how its gradients are written down. */
export class Step {
  readonly x: readonly Value[]
  readonly y: readonly Value[]

  constructor(
    readonly graph: GraphBuilder,
    readonly operation: Operation,
    /** Gradients of the outputs, where they have one. */
    private readonly gradients: readonly (Value | undefined)[],
    /** Shapes of the inputs and weights of the graph. */
    private readonly declared: ReadonlyMap<string, readonly Dimension[]>,
  ) {
    this.x = operation.inputs.map((name) => ({ name }))
    this.y = operation.outputs.map((name) => ({ name }))
  }

  /** The gradient of the first output: rules of operations with one output are called only when it has one. */
  get gradient(): Value {
    return this.gradients[0]!
  }

  /** The gradient of output `i`, zeros when the loss does not read that output. */
  gradientOf(i: number): Value {
    return this.gradients[i] ?? this.zerosLike(this.y[i]!)
  }

  /** The declared shape of an input or a weight of the graph, undefined for a computed value. */
  shape(x: Value): readonly Dimension[] | undefined {
    return this.declared.get(x.name)
  }

  int(name: string, otherwise: number): number {
    const attribute = this.operation.attributes[name]
    return attribute?.kind === 'int' ? attribute.value : otherwise
  }

  float(name: string, otherwise: number): number {
    const attribute = this.operation.attributes[name]
    return attribute?.kind === 'float' ? attribute.value : otherwise
  }

  /** Size of `x` along one axis, as a list of one integer. */
  size(x: Value, axis: number): Value {
    const end = axis === -1 ? {} : { end: int(axis + 1) }
    return this.graph.apply('Shape', [x], { start: int(axis), ...end })[0]!
  }

  reshapeLike(value: Value, x: Value): Value {
    return this.graph.reshapeTo(value, this.graph.shapeOf(x))
  }

  /** Repeats `value` until it has the shape of `x`. */
  expandLike(value: Value, x: Value): Value {
    return this.graph.apply('Expand', [value, this.graph.shapeOf(x)])[0]!
  }

  castLike(value: Value, x: Value): Value {
    return this.graph.apply('CastLike', [value, x])[0]!
  }

  zerosLike(x: Value): Value {
    return this.castLike(this.graph.apply('ConstantOfShape', [this.graph.shapeOf(x)])[0]!, x)
  }

  /** 1 or 0 for true or false, in the type of `x`. */
  indicator(condition: Value, x: Value): Value {
    return this.castLike(condition, x)
  }

  /**
   * Sums over what broadcasting has repeated: `value` has the shape of a result for which `x` was broadcast, and gets the shape of `x`. Which
   * dimensions those are is found when the graph runs, because a free dimension may be 1: put 1 before the shape of `x` until it is as
   * long as that of `value`, and sum over every 1. `beside`: the other operands; when all are single numbers nothing was repeated.
   */
  sumLike(value: Value, x: Value, beside: readonly Value[] = []): Value {
    const { graph } = this
    if (beside.length > 0 && beside.every((other) => this.shape(other)?.length === 0)) return value
    const fixed = this.shape(x)
    if (fixed?.every((size) => typeof size === 'number' && size > 1)) {
      // Only whole repetitions in front, as of a bias or the scale of a norm.
      return graph.sum(graph.reshape(value, [-1, ...(fixed as number[])]), 0)
    }
    const rank = (of: Value) => graph.shapeOf(graph.shapeOf(of))
    const missing = graph.subtract(rank(value), rank(x))
    const leading = graph.apply('Expand', [graph.integers([1]), missing])[0]!
    const shape = graph.concatenate([leading, graph.shapeOf(x)], 0)
    const places = graph.apply('NonZero', [graph.equal(shape, graph.integers([1]))])[0]!
    const axes = graph.apply('Squeeze', [places, graph.integers([0])])[0]!
    const summed = graph.apply('ReduceSum', [value, axes], { keepdims: int(1), noop_with_empty_axes: int(1) })[0]!
    return this.reshapeLike(summed, x)
  }
}

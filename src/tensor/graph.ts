/**
 * A tensor graph under construction: named inputs, constant weights, operations in the order of execution, named outputs.
 * Operators are those of ONNX (opset 21), and of `com.microsoft` where the CPU has a faster kernel for the same product.
 * The graph is plain data; `onnx.ts` writes it down and `session.ts` runs it.
 */
export type ElementType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int8' | 'uint8'

export type TensorData = Float32Array | Float64Array | Uint16Array | BigInt64Array | Int32Array | Int8Array | Uint8Array

/** A value inside one graph. */
export interface Value {
  readonly name: string
}

/** A named dimension ("rows") is free; a number is fixed. */
export type Dimension = string | number

export interface Port {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly Dimension[]
}

export interface Weight {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: TensorData
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }

export interface Operation {
  readonly operator: string
  readonly domain: '' | 'com.microsoft'
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

export interface Graph {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly weights: readonly Weight[]
  readonly operations: readonly Operation[]
}

export const int = (value: number): Attribute => ({ kind: 'int', value })
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
export const float = (value: number): Attribute => ({ kind: 'float', value })
export const string = (value: string): Attribute => ({ kind: 'string', value })

/** ONNX element types by name; the numbers are those of TensorProto.DataType. */
export const castTargets: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  float16: 10,
  float64: 11,
  bfloat16: 16,
}

export class GraphBuilder implements Graph {
  readonly inputs: Port[] = []
  readonly outputs: Port[] = []
  readonly weights: Weight[] = []
  readonly operations: Operation[] = []
  #values = 0
  readonly #integers = new Map<string, Value>()
  /** Names that outputs have given to values. */
  readonly #names = new Map<string, string>()

  input(name: string, type: ElementType, shape: readonly Dimension[]): Value {
    this.inputs.push({ name, type, shape })
    return { name }
  }

  /** Makes a value an output; a computed one takes the name of its first output, which saves a copy. */
  output(name: string, value: Value, type: ElementType, shape: readonly Dimension[]): void {
    const made = this.nameOf(value)
    const computed = this.operations.some(({ outputs }) => outputs.includes(made))
    if (computed && !this.outputs.some((port) => port.name === made)) this.#rename(made, name)
    else this.operations.push({ operator: 'Identity', domain: '', inputs: [made], outputs: [name], attributes: {} })
    this.outputs.push({ name, type, shape })
  }

  weight(name: string, type: ElementType, shape: readonly number[], data: TensorData): Value {
    this.weights.push({ name, type, shape, data })
    return { name }
  }

  /** A constant list of integers (axes, shapes). */
  integers(values: readonly number[]): Value {
    const key = values.join()
    let value = this.#integers.get(key)
    if (!value) {
      value = this.weight(`integers:${key}`, 'int64', [values.length], BigInt64Array.from(values, BigInt))
      this.#integers.set(key, value)
    }
    return value
  }

  scalar(value: number): Value {
    return this.weight(`scalar:${this.#values++}`, 'float32', [], new Float32Array([value]))
  }

  integer(value: number): Value {
    return this.weight(`integer:${this.#values++}`, 'int64', [], BigInt64Array.of(BigInt(value)))
  }

  add = (a: Value, b: Value): Value => this.#one('Add', [a, b])
  subtract = (a: Value, b: Value): Value => this.#one('Sub', [a, b])
  multiply = (a: Value, b: Value): Value => this.#one('Mul', [a, b])
  divide = (a: Value, b: Value): Value => this.#one('Div', [a, b])
  absolute = (x: Value): Value => this.#one('Abs', [x])
  exponential = (x: Value): Value => this.#one('Exp', [x])
  logarithm = (x: Value): Value => this.#one('Log', [x])
  squareRoot = (x: Value): Value => this.#one('Sqrt', [x])
  negate = (x: Value): Value => this.#one('Neg', [x])
  sigmoid = (x: Value): Value => this.#one('Sigmoid', [x])
  tanh = (x: Value): Value => this.#one('Tanh', [x])
  /** max(x, 0) */
  relu = (x: Value): Value => this.#one('Relu', [x])
  /** log(1 + exp(x)), without overflow. */
  softplus = (x: Value): Value => this.#one('Softplus', [x])
  lessOrEqual = (a: Value, b: Value): Value => this.#one('LessOrEqual', [a, b])
  equal = (a: Value, b: Value): Value => this.#one('Equal', [a, b])
  /** Elements of `a` where the condition holds, of `b` elsewhere; all three are broadcast. */
  where = (condition: Value, a: Value, b: Value): Value => this.#one('Where', [condition, a, b])
  softmax = (x: Value): Value => this.#one('Softmax', [x], { axis: int(-1) })
  /** log(softmax(x)), without underflow. */
  logSoftmax = (x: Value): Value => this.#one('LogSoftmax', [x], { axis: int(-1) })
  cast = (x: Value, type: ElementType): Value => this.#one('Cast', [x], { to: int(castTargets[type]) })
  matrixProduct = (a: Value, b: Value): Value => this.#one('MatMul', [a, b])

  /** scale · a · bᵀ over the last two axes. */
  productWithTransposed(a: Value, b: Value, scale = 1): Value {
    return this.#one('FusedMatMul', [a, b], { transB: int(1), alpha: float(scale) }, 'com.microsoft')
  }

  /**
   * x · wᵀ in 8-bit integers, for x [.., from] and w [to, from] ≈ scale · (q - 128): blocks [to, from / size, size] of q, a scale [to · from / size] for each
   * block, rows of zeros behind `from` where the last block is not full. Rows of x are rounded block by block when the graph runs.
   */
  blockProduct(x: Value, blocks: Value, scales: Value, from: number, to: number, size: number): Value {
    const shape = { K: int(from), N: int(to), bits: int(8), block_size: int(size), accuracy_level: int(4) }
    return this.#one('MatMulNBits', [x, blocks, scales], shape, 'com.microsoft')
  }

  /** a · bᵀ + bias for a [m, k], b [n, k], bias broadcast to [m, n]. */
  affineWithTransposed(a: Value, b: Value, bias: Value): Value {
    return this.#one('Gemm', [a, b, bias], { transB: int(1) })
  }

  /** Whole slices of `table` along its first axis. */
  gather(table: Value, indices: Value): Value {
    return this.#one('Gather', [table, indices], { axis: int(0) })
  }

  /** Repeats along axes of size 1 until the shape is reached. */
  expand(x: Value, shape: readonly number[]): Value {
    return this.#one('Expand', [x, this.integers(shape)])
  }

  /** One element of each row: x [m, n], indices [m, k] -> [m, k]. */
  gatherElements(x: Value, indices: Value): Value {
    return this.#one('GatherElements', [x, indices], { axis: int(1) })
  }

  /** A 0 in `shape` copies the dimension at its place; one -1 is inferred. */
  reshape(x: Value, shape: readonly number[]): Value {
    return this.#one('Reshape', [x, this.integers(shape)])
  }

  /** Reshape to a shape known only when the graph runs; a 0 in it means an empty dimension. */
  reshapeTo(x: Value, shape: Value): Value {
    return this.#one('Reshape', [x, shape], { allowzero: int(1) })
  }

  transpose(x: Value, order: readonly number[]): Value {
    return this.#one('Transpose', [x], { perm: ints(order) })
  }

  concatenate(parts: readonly Value[], axis: number): Value {
    return this.#one('Concat', parts, { axis: int(axis) })
  }

  /** Two halves along the last axis. */
  halves(x: Value): readonly [Value, Value] {
    const [first, second] = this.apply('Split', [x], { axis: int(-1), num_outputs: int(2) }, '', 2)
    return [first!, second!]
  }

  /** The sizes of a value, as integers. */
  shapeOf = (x: Value): Value => this.#one('Shape', [x])

  /** Parts along the last axis whose sizes the `sizes` input gives when the graph runs. */
  split(x: Value, sizes: Value, count: number): readonly Value[] {
    return this.apply('Split', [x, sizes], { axis: int(-1) }, '', count)
  }

  sum(x: Value, axis: number, keep = false): Value {
    return this.#one('ReduceSum', [x, this.integers([axis])], { keepdims: int(keep ? 1 : 0) })
  }

  mean(x: Value, axis: number, keep = false): Value {
    return this.#one('ReduceMean', [x, this.integers([axis])], { keepdims: int(keep ? 1 : 0) })
  }

  /** log Σ exp(x) along an axis, without overflow. */
  logSumExp(x: Value, axis: number, keep = false): Value {
    return this.#one('ReduceLogSumExp', [x, this.integers([axis])], { keepdims: int(keep ? 1 : 0) })
  }

  maximum(x: Value, axis: number): Value {
    return this.#one('ReduceMax', [x, this.integers([axis])], { keepdims: int(1) })
  }

  cumulativeSum(x: Value, axis: number): Value {
    return this.#one('CumSum', [x, this.integer(axis)])
  }

  /** x / sqrt(mean(x²) + epsilon) · scale over the last axis. */
  rootMeanSquareNorm(x: Value, scale: Value, epsilon: number): Value {
    return this.#one('SimplifiedLayerNormalization', [x, scale], { axis: int(-1), epsilon: float(epsilon) })
  }

  /**
   * Turns pairs (i, i + r) of every head by the angle of its position: x [n, s, heads · width], positions [n, s], cos and sin [positions, r].
   * `turned`: the first 2 r elements of a head, when the others stay.
   */
  rotaryEmbedding(x: Value, positions: Value, [cos, sin]: readonly [Value, Value], heads: number, turned: number | null): Value {
    const partly = turned === null ? {} : { rotary_embedding_dim: int(turned) }
    return this.#one('RotaryEmbedding', [x, positions, cos, sin], { num_heads: int(heads), ...partly }, 'com.microsoft')
  }

  /** (x - mean(x)) / sqrt(variance(x) + epsilon) · scale + bias over the last axis. */
  layerNorm(x: Value, scale: Value, bias: Value, epsilon: number): Value {
    return this.#one('LayerNormalization', [x, scale, bias], { axis: int(-1), epsilon: float(epsilon) })
  }

  /** x · Φ(x), or its approximation by tanh. */
  gelu(x: Value, approximate: 'none' | 'tanh'): Value {
    return this.#one('Gelu', [x], { approximate: string(approximate) })
  }

  /** cap · tanh(x): stays between -cap and cap. */
  cap(x: Value, cap: number): Value {
    return this.multiply(this.tanh(x), this.scalar(cap))
  }

  /** x · sigmoid(x) */
  silu(x: Value): Value {
    return this.multiply(x, this.sigmoid(x))
  }

  /** log(sigmoid(x)) = -softplus(-x), without underflow. */
  logSigmoid(x: Value): Value {
    return this.negate(this.softplus(this.negate(x)))
  }

  /** The name that a value goes by now: an output that it became may have renamed it. */
  nameOf(value: Value): string {
    return this.#names.get(value.name) ?? value.name
  }

  #one(
    operator: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: Operation['domain'] = '',
  ): Value {
    return this.apply(operator, inputs, attributes, domain)[0]!
  }

  /** An operation that has no method of its own here. `count`: its outputs. */
  apply(
    operator: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: Operation['domain'] = '',
    count = 1,
  ): Value[] {
    const outputs = Array.from({ length: count }, () => ({ name: `value:${this.#values++}` }))
    this.operations.push({
      operator,
      domain,
      inputs: inputs.map((value) => this.nameOf(value)),
      outputs: outputs.map((value) => value.name),
      attributes,
    })
    return outputs
  }

  #rename(from: string, to: string): void {
    this.#names.set(from, to)
    const renamed = (names: readonly string[]) => names.map((name) => (name === from ? to : name))
    this.operations.forEach((operation, i) => {
      const { inputs, outputs } = operation
      if (!inputs.includes(from) && !outputs.includes(from)) return
      this.operations[i] = { ...operation, inputs: renamed(inputs), outputs: renamed(outputs) }
    })
  }
}

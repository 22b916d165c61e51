import type { GraphBuilder, Value } from '../../src/tensor/graph.js'
import type { DenseTensor } from '../../src/tensor/session.js'

/** An input of a case; float32 ones are differentiated unless they are constant. */
export interface CaseInput {
  readonly constant?: boolean
  readonly shape: readonly number[]
  readonly type?: 'float32' | 'float64' | 'int64'
  readonly data: readonly number[]
}

/** One operator, or a few, on inputs of random shape. */
export interface Case {
  readonly inputs: Readonly<Record<string, CaseInput>>
  readonly build: (graph: GraphBuilder, inputs: Readonly<Record<string, Value>>) => Value
  /** The shape of the result. */
  readonly shape: readonly number[]
}

/** Numbers in [0, 1) that a seed determines (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/** Makes the inputs of cases. */
export class Numbers {
  constructor(readonly next: () => number) {}

  size(most = 4): number {
    return 1 + Math.floor(this.next() * most)
  }

  index(count: number): number {
    return Math.floor(this.next() * count)
  }

  /** Between low and high, either sign when low is positive and `signed`. */
  floats(shape: readonly number[], low = -1.5, high = 1.5): CaseInput {
    return { shape, data: Array.from({ length: sizeOf(shape) }, () => Math.fround(low + (high - low) * this.next())) }
  }

  /** At least 0.2 away from 0, where a function has a kink or a pole. */
  apart(shape: readonly number[]): CaseInput {
    const { data } = this.floats(shape, 0.2, 2)
    return { shape, data: data.map((value) => (this.next() < 0.5 ? value : -value)) }
  }

  /** All at least 0.1 apart from each other. */
  distinct(shape: readonly number[]): CaseInput {
    const data = Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(0.15 * i - 1))
    for (let i = data.length - 1; i > 0; i--) {
      const j = this.index(i + 1)
      ;[data[i], data[j]] = [data[j]!, data[i]!]
    }
    return { shape, data }
  }

  indices(shape: readonly number[], count: number): CaseInput {
    return { shape, type: 'int64', data: Array.from({ length: sizeOf(shape) }, () => this.index(count)) }
  }

  /** A shape that broadcasting repeats to `shape`: some sizes are 1, some leading ones are left out. */
  repeatable(shape: readonly number[]): number[] {
    return shape.map((size) => (this.next() < 0.4 ? 1 : size)).slice(this.index(shape.length + 1))
  }
}

const unary =
  (of: (graph: GraphBuilder, x: Value) => Value, kind: 'any' | 'apart' | 'positive' = 'any') =>
  (numbers: Numbers): Case => {
    const shape = [numbers.size(), numbers.size()]
    const x =
      kind === 'any' ? numbers.floats(shape, -4, 4) : kind === 'apart' ? numbers.apart(shape) : numbers.floats(shape, 0.2, 3)
    return { inputs: { x }, shape, build: (graph, { x }) => of(graph, x!) }
  }

const binary =
  (of: (graph: GraphBuilder, a: Value, b: Value) => Value) =>
  (numbers: Numbers): Case => {
    const shape = [numbers.size(), numbers.size(), numbers.size()]
    const repeated = numbers.repeatable(shape)
    // Either side may be the one that is repeated, or both on different axes.
    const one = numbers.next() < 0.3 ? shape.map((size, axis) => (repeated[axis] === 1 ? size : 1)) : shape
    const both = one === shape ? repeated : shape.map((size, axis) => (one[axis] === 1 ? size : (repeated[axis] ?? size)))
    const full = both.length === 3 ? both.map((size, axis) => Math.max(size, one[axis]!)) : shape
    const [a, b] = numbers.next() < 0.5 ? [one, both] : [both, one]
    return { inputs: { a: numbers.apart(a), b: numbers.apart(b) }, shape: full, build: (graph, { a, b }) => of(graph, a!, b!) }
  }

const reduced =
  (of: (graph: GraphBuilder, x: Value, axis: number, keep: boolean) => Value) =>
  (numbers: Numbers): Case => {
    const shape = [numbers.size(), numbers.size(), numbers.size()]
    const axis = numbers.index(3)
    const keep = numbers.next() < 0.5
    return {
      inputs: { x: numbers.distinct(shape) },
      shape: keep ? shape.with(axis, 1) : shape.toSpliced(axis, 1),
      build: (graph, { x }) => of(graph, x!, numbers.next() < 0.5 ? axis : axis - 3, keep),
    }
  }

/** Every operator through which a gradient flows. */
export const differentiable: Readonly<Record<string, (numbers: Numbers) => Case>> = {
  add: binary((graph, a, b) => graph.add(a, b)),
  subtract: binary((graph, a, b) => graph.subtract(a, b)),
  multiply: binary((graph, a, b) => graph.multiply(a, b)),
  divide: binary((graph, a, b) => graph.divide(a, b)),
  'a value with itself': unary((graph, x) => graph.multiply(graph.subtract(x, graph.scalar(0.5)), x)),
  absolute: unary((graph, x) => graph.absolute(x), 'apart'),
  exponential: unary((graph, x) => graph.exponential(x)),
  logarithm: unary((graph, x) => graph.logarithm(x), 'positive'),
  squareRoot: unary((graph, x) => graph.squareRoot(x), 'positive'),
  negate: unary((graph, x) => graph.negate(x)),
  sigmoid: unary((graph, x) => graph.sigmoid(x)),
  tanh: unary((graph, x) => graph.tanh(x)),
  cap: unary((graph, x) => graph.cap(x, 3)),
  relu: unary((graph, x) => graph.relu(x), 'apart'),
  silu: unary((graph, x) => graph.silu(x)),
  softplus: unary((graph, x) => graph.softplus(x)),
  logSigmoid: unary((graph, x) => graph.logSigmoid(x)),
  gelu: unary((graph, x) => graph.gelu(x, 'none')),
  geluTanh: unary((graph, x) => graph.gelu(x, 'tanh')),
  softmax: unary((graph, x) => graph.softmax(x)),
  logSoftmax: unary((graph, x) => graph.logSoftmax(x)),
  cast: unary((graph, x) => graph.cast(graph.cast(x, 'float64'), 'float32')),
  reshape: unary((graph, x) => graph.reshapeTo(graph.reshape(x, [-1, 1, 1]), graph.shapeOf(x))),
  expand: (numbers) => {
    const shape = [numbers.size(), numbers.size(), numbers.size()]
    const x = numbers.floats(numbers.repeatable(shape))
    return { inputs: { x }, shape, build: (graph, { x }) => graph.expand(x!, shape) }
  },
  sum: reduced((graph, x, axis, keep) => graph.sum(x, axis, keep)),
  mean: reduced((graph, x, axis, keep) => graph.mean(x, axis, keep)),
  logSumExp: reduced((graph, x, axis, keep) => graph.logSumExp(x, axis, keep)),
  maximum: (numbers) => {
    const shape = [numbers.size(), numbers.size(), numbers.size()]
    const axis = numbers.index(3)
    const build: Case['build'] = (graph, { x }) => graph.maximum(x!, axis)
    return { inputs: { x: numbers.distinct(shape) }, shape: shape.with(axis, 1), build }
  },
  cumulativeSum: (numbers) => {
    const shape = [numbers.size(), numbers.size(), numbers.size()]
    const build: Case['build'] = (graph, { x }) => graph.cumulativeSum(x!, numbers.index(3) - 3)
    return { inputs: { x: numbers.floats(shape) }, shape, build }
  },
  where: (numbers) => {
    const shape = [numbers.size(), numbers.size(), numbers.size()]
    const inputs = {
      x: { ...numbers.apart(numbers.repeatable(shape)), constant: true },
      a: numbers.floats(numbers.repeatable(shape)),
      b: numbers.floats(shape),
    }
    return { inputs, shape, build: (graph, { x, a, b }) => graph.where(graph.lessOrEqual(x!, graph.scalar(0)), a!, b!) }
  },
  transpose: (numbers) => {
    const shape = [numbers.size(), numbers.size(), numbers.size(), numbers.size()]
    const order = [2, 0, 3, 1]
    const build: Case['build'] = (graph, { x }) => graph.transpose(x!, order)
    return { inputs: { x: numbers.floats(shape) }, shape: order.map((axis) => shape[axis]!), build }
  },
  concatenate: (numbers) => {
    const [m, n, k, l] = [numbers.size(), numbers.size(), numbers.size(), numbers.size()]
    const inputs = { a: numbers.floats([m, k, l]), b: numbers.floats([m, n, l]) }
    // One part twice: its gradient comes from two places.
    return {
      inputs,
      shape: [m, 2 * k + n, l],
      build: (graph, { a, b }) => graph.concatenate([a!, b!, a!], numbers.next() < 0.5 ? 1 : -2),
    }
  },
  halves: (numbers) => {
    const [m, n] = [numbers.size(), numbers.size()]
    const build: Case['build'] = (graph, { x }) => {
      const [first, second] = graph.halves(x!)
      return graph.multiply(graph.exponential(first), second)
    }
    return { inputs: { x: numbers.floats([m, 2 * n]) }, shape: [m, n], build }
  },
  'split, one part not read': (numbers) => {
    const [m, n, k, l] = [numbers.size(), numbers.size(), numbers.size(), numbers.size()]
    const build: Case['build'] = (graph, { x }) => {
      const [first, , third] = graph.split(x!, graph.integers([k, l, n]), 3)
      return graph.concatenate([graph.exponential(third!), first!], 1)
    }
    return { inputs: { x: numbers.floats([m, n + k + l]) }, shape: [m, n + k], build }
  },
  gather: (numbers) => {
    const [rows, width, m, n] = [numbers.size(), numbers.size(), numbers.size(), numbers.size()]
    const inputs = { table: numbers.floats([rows, width, 2]), indices: numbers.indices([m, n], rows) }
    return { inputs, shape: [m, n, width, 2], build: (graph, { table, indices }) => graph.gather(table!, indices!) }
  },
  'gather one': (numbers) => {
    const [rows, width] = [numbers.size(), numbers.size()]
    const build: Case['build'] = (graph, { table }) => graph.gather(graph.transpose(table!, [1, 0]), graph.integer(width - 1))
    return { inputs: { table: numbers.floats([rows, width]) }, shape: [rows], build }
  },
  gatherElements: (numbers) => {
    const [m, n, k] = [numbers.size(), numbers.size(), numbers.size()]
    const inputs = { x: numbers.floats([m, n]), indices: numbers.indices([m, k], n) }
    return { inputs, shape: [m, k], build: (graph, { x, indices }) => graph.gatherElements(x!, indices!) }
  },
  matrixProduct: (numbers) => {
    const [p, q, m, n, k] = [numbers.size(), numbers.size(), numbers.size(), numbers.size(), numbers.size()]
    const batch = numbers.repeatable([p, q])
    const [a, b] = [numbers.floats([p, q, m, k]), numbers.floats([...batch, k, n])]
    // A product with a computed matrix cannot see that it is one, and sums over the batch.
    const hidden = numbers.next() < 0.5
    const build: Case['build'] = (graph, { a, b }) => graph.matrixProduct(a!, hidden ? graph.tanh(b!) : b!)
    return { inputs: { a, b }, shape: [p, q, m, n], build }
  },
  'matrixProduct, first factor repeated': (numbers) => {
    const [p, q, m, n, k] = [numbers.size(), numbers.size(), numbers.size(), numbers.size(), numbers.size()]
    const inputs = { a: numbers.floats([1, q, m, k]), b: numbers.floats([p, 1, k, n]) }
    return { inputs, shape: [p, q, m, n], build: (graph, { a, b }) => graph.matrixProduct(a!, b!) }
  },
  productWithTransposed: (numbers) => {
    const [p, q, m, n, k] = [numbers.size(), numbers.size(), numbers.size(), numbers.size(), numbers.size()]
    const inputs = { a: numbers.floats([p, q, m, k]), b: numbers.floats([...numbers.repeatable([p, q]), n, k]) }
    return { inputs, shape: [p, q, m, n], build: (graph, { a, b }) => graph.productWithTransposed(a!, b!, 0.7) }
  },
  affineWithTransposed: (numbers) => {
    const [m, n, k] = [numbers.size(), numbers.size(), numbers.size()]
    const inputs = { a: numbers.floats([m, k]), b: numbers.floats([n, k]), bias: numbers.floats(numbers.repeatable([m, n])) }
    return { inputs, shape: [m, n], build: (graph, { a, b, bias }) => graph.affineWithTransposed(a!, b!, bias!) }
  },
  rootMeanSquareNorm: (numbers) => {
    const [m, n, k] = [numbers.size(), numbers.size(), 1 + numbers.size()]
    const inputs = { x: numbers.apart([m, n, k]), scale: numbers.floats([k]) }
    return { inputs, shape: [m, n, k], build: (graph, { x, scale }) => graph.rootMeanSquareNorm(x!, scale!, 0.01) }
  },
  layerNorm: (numbers) => {
    const [m, n, k] = [numbers.size(), numbers.size(), 1 + numbers.size()]
    const inputs = { x: numbers.distinct([m, n, k]), scale: numbers.floats([k]), bias: numbers.floats([k]) }
    return { inputs, shape: [m, n, k], build: (graph, { x, scale, bias }) => graph.layerNorm(x!, scale!, bias!, 0.01) }
  },
  rotaryEmbedding: (numbers) => {
    const [rows, steps, heads, pairs, rest] = [numbers.size(), numbers.size(), numbers.size(), 4, 8 * numbers.index(2)]
    const width = heads * (2 * pairs + rest)
    const angles = Array.from({ length: 6 * pairs }, (_, i) => Math.floor(i / pairs) / (1 + (i % pairs)))
    const table = (of: (angle: number) => number) => Float32Array.from(angles, of)
    const build: Case['build'] = (graph, { x, positions }) => {
      const cos = graph.weight('cos', 'float32', [6, pairs], table(Math.cos))
      const sin = graph.weight('sin', 'float32', [6, pairs], table(Math.sin))
      return graph.rotaryEmbedding(x!, positions!, [cos, sin], heads, rest > 0 ? 2 * pairs : null)
    }
    const inputs = { x: numbers.floats([rows, steps, width]), positions: numbers.indices([rows, steps], 6) }
    return { inputs, shape: [rows, steps, width], build }
  },
}

/** A graph with the inputs of a case: the dimensions of some are free, of others fixed. */
export function inputsOf(graph: GraphBuilder, { inputs }: Case): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, type = 'float32' }]) => {
      const free = shape.map((_, axis) => `${name}${axis}`)
      return [name, graph.input(name, type, sizeOf(shape) % 2 === 0 ? shape : free)]
    }),
  )
}

export function feedsOf({ inputs }: Case): Record<string, DenseTensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, type = 'float32', data }]) => {
      if (type === 'int64') return [name, { shape, data: BigInt64Array.from(data, BigInt) }]
      return [name, { shape, data: type === 'float64' ? Float64Array.from(data) : Float32Array.from(data) }]
    }),
  )
}

import type { Attribute, Graph, Operation, Weight } from './graph.js'

/**
 * The same graph without the operators that only some devices have: FusedMatMul, scale · a · bᵀ, becomes Transpose and MatMul. A weight is
 * transposed here; of two computed values the one that is named in `left` goes to the left: (b · aᵀ)ᵀ moves fewer numbers when b is large.
 */
export function portable(graph: Graph, left: (name: string) => boolean = () => false): Graph {
  const uses = new Map<string, number>()
  for (const { inputs } of graph.operations) for (const name of inputs) uses.set(name, (uses.get(name) ?? 0) + 1)
  const weights = new Map(graph.weights.map((weight) => [weight.name, weight]))
  const ranks = new Map(graph.inputs.map(({ name, shape }) => [name, shape.length]))
  const operations: Operation[] = []
  const apply = (operator: string, inputs: string[], output: string, attributes: Operation['attributes'] = {}) =>
    operations.push({ operator, domain: '', inputs, outputs: [output], attributes })
  for (const operation of graph.operations) {
    const [output] = operation.outputs as readonly [string]
    const order = operation.attributes.perm
    if (order?.kind === 'ints') ranks.set(output, order.value.length)
    if (operation.operator !== 'FusedMatMul') {
      operations.push(operation)
      continue
    }
    let [a, b] = operation.inputs as readonly [string, string]
    const scale = scaleOf(operation)
    if (scale !== 1) {
      weights.set(`${output}:scale`, { name: `${output}:scale`, type: 'float32', shape: [], data: Float32Array.of(scale) })
      apply('Mul', [a, `${output}:scale`], `${output}:scaled`)
      a = `${output}:scaled`
    }
    const weight = weights.get(b)
    const last = lastTwo(weight ? weight.shape.length : ranks.get(b), b)
    if (weight) {
      const turned = `${b}:turned`
      if (!weights.has(turned)) weights.set(turned, transposed(weight, turned))
      uses.set(b, uses.get(b)! - 1)
      if (uses.get(b) === 0) weights.delete(b)
      apply('MatMul', [a, turned], output)
    } else if (left(b)) {
      apply('Transpose', [a], `${output}:left`, last)
      apply('MatMul', [b, `${output}:left`], `${output}:turned`)
      apply('Transpose', [`${output}:turned`], output, last)
    } else {
      apply('Transpose', [b], `${output}:right`, last)
      apply('MatMul', [a, `${output}:right`], output)
    }
  }
  return { inputs: graph.inputs, outputs: graph.outputs, weights: [...weights.values()], operations }
}

function scaleOf({ attributes, outputs }: Operation): number {
  const { transB, alpha, ...others } = attributes
  if (transB?.kind !== 'int' || transB.value !== 1 || (alpha && alpha.kind !== 'float') || Object.keys(others).length > 0)
    throw new Error(`the product ${outputs[0]} is of a form that portable.ts does not know`)
  return alpha?.value ?? 1
}

/** Exchanges the last two of `rank` axes. */
function lastTwo(rank: number | undefined, name: string): { readonly perm: Attribute } {
  if (rank === undefined) throw new Error(`the number of axes of ${name} is not known`)
  return { perm: { kind: 'ints', value: [...Array.from({ length: rank - 2 }, (_, axis) => axis), rank - 1, rank - 2] } }
}

/** [n, k] -> [k, n], in tiles, so that neither side is walked with long strides. */
function transposed({ type, shape, data }: Weight, name: string): Weight {
  const [n, k] = shape as readonly [number, number]
  if (type !== 'float32' || shape.length !== 2) throw new Error(`${name} is not a matrix of 32-bit floats`)
  const from = data as Float32Array
  const to = new Float32Array(from.length)
  const tile = 64
  for (let i = 0; i < n; i += tile) {
    for (let j = 0; j < k; j += tile) {
      for (let row = i; row < Math.min(i + tile, n); row++) {
        for (let column = j; column < Math.min(j + tile, k); column++) to[column * n + row] = from[row * k + column]!
      }
    }
  }
  return { name, type, shape: [k, n], data: to }
}

import { widenHalves } from '../tensor/floats.js'
import type { Attribute, Graph, Operation, Port, Weight } from '../tensor/graph.js'
import { portable } from '../tensor/portable.js'
import type { DecoderShape } from './architectures/shape.js'

/**
 * The trunk for a device that keeps the attention state: the graph of `trunk-graph.ts` between a gather and a concatenation. Each layer has
 * one pool for keys and one for values. A token has a slot in all of them, H rows of D numbers, one for each key-value head; what texts
 * share is stored once, as in the tree of histories. M = slots, otherwise letters as in `trunk-graph.ts`. In the place of its state it takes
 *
 *     promptSlots               [1, P]           slots of the prompt's tokens
 *     pastSlots                 [n, 1, 1, T]     of each row's own tokens; any slot where pastMask hides it
 *     keys.i, values.i          [M · H, D]
 *
 * None of them may be empty: devices crash on tensors without elements. So P and T are at least 1, and promptMask.w is an input for every window:
 * it hides the one slot that stands for no prompt. In the place of the new keys and values it gives the pools with the new tokens behind the old ones, row after row:
 *
 *     nextKeys.i, nextValues.i  [(M + n · s) · H, D]
 */
export function deviceTrunkGraph(trunk: Graph, shape: DecoderShape): Graph {
  const { layers, keyValueHeads: H, headWidth: D } = shape
  const before: Operation[] = []
  const after: Operation[] = []
  const rows = headRows(H)
  const inputs: Port[] = [port('promptSlots', 'int32', [1, 'P']), port('pastSlots', 'int32', ['n', 1, 1, 'T'])]
  const outputs: Port[] = []
  before.push(...rows.of('promptSlots', 'promptRows'), ...rows.of('pastSlots', 'pastRows'))
  for (const [pools, part] of pairs) {
    for (let layer = 0; layer < layers; layer++) {
      const pool = `${pools}.${layer}`
      inputs.push(port(pool, 'float32', ['rows', D]))
      before.push(
        operation('Gather', [pool, 'promptRows'], `prompt${part}.${layer}`, { axis: int(0) }),
        operation('Gather', [pool, 'pastRows'], `past${part}.${layer}`, { axis: int(0) }),
      )
      const fresh = `${part.toLowerCase()}.${layer}`
      after.push(
        operation('Reshape', [fresh, 'poolShape'], `${fresh}:rows`),
        operation('Concat', [pool, `${fresh}:rows`], nextPool(pool), { axis: int(0) }),
      )
      outputs.push(port(nextPool(pool), 'float32', ['nextRows', D]))
    }
  }
  const replaced = new Set(before.flatMap((each) => each.outputs))
  const stored = new Set(after.flatMap((each) => each.inputs))
  // Keys of the own past are many more numbers than the queries.
  const inner = portable(trunk, (name) => name.startsWith('pastKey.'))
  return {
    inputs: [...inner.inputs.filter(({ name }) => !replaced.has(name)), ...inputs],
    outputs: [...inner.outputs.filter(({ name }) => !stored.has(name)), ...outputs],
    weights: [
      ...inner.weights.map(widened),
      ...rows.weights,
      integers('poolShape', 'int64', [2], BigInt64Array.of(-1n, BigInt(D))),
    ],
    operations: [...before, ...inner.operations, ...after],
  }
}

/** Many devices have no 16-bit floats, and the runtime finds out only when it runs; bfloat16 goes to the CPU by itself. */
function widened(weight: Weight): Weight {
  return weight.type === 'float16' ? { ...weight, type: 'float32', data: widenHalves(weight.data as Uint16Array) } : weight
}

/** Moves what is still needed together: slots [M, 1] and all pools -> pools that hold just these slots, in their order. */
export function compactionGraph({ layers, keyValueHeads: H, headWidth: D }: DecoderShape): Graph {
  const rows = headRows(H)
  const pools = poolNames(layers)
  return {
    inputs: [port('slots', 'int32', ['M', 1]), ...pools.map((pool) => port(pool, 'float32', ['rows', D]))],
    outputs: pools.map((pool) => port(nextPool(pool), 'float32', ['nextRows', D])),
    weights: [...rows.weights, integers('flat', 'int64', [1], BigInt64Array.of(-1n))],
    operations: [
      operation('Mul', ['slots', 'headCount'], 'firstRows'),
      operation('Add', ['firstRows', 'headsBeside'], 'allRows'),
      operation('Reshape', ['allRows', 'flat'], 'flatRows'),
      ...pools.map((pool) => operation('Gather', [pool, 'flatRows'], nextPool(pool), { axis: int(0) })),
    ],
  }
}

const pairs = [
  ['keys', 'Key'],
  ['values', 'Value'],
] as const

/** Names of the inputs that hold attention state. */
export function poolNames(layers: number): string[] {
  return pairs.flatMap(([pools]) => Array.from({ length: layers }, (_, layer) => `${pools}.${layer}`))
}

/** The output that takes the place of a pool. */
export function nextPool(pool: string): string {
  return `next${pool[0]!.toUpperCase()}${pool.slice(1)}`
}

/** Slots -> rows of a pool: slot t has the rows t · H up to t · H + H - 1. */
function headRows(H: number) {
  const heads = Int32Array.from({ length: H }, (_, head) => head)
  return {
    weights: [
      integers('headCount', 'int32', [1], Int32Array.of(H)),
      integers('headsBelow', 'int32', [H, 1], heads),
      integers('headsBeside', 'int32', [1, H], heads),
    ] as const,
    /** [.., 1, T] -> [.., H, T]. */
    of: (slots: string, rows: string): Operation[] => [
      operation('Mul', [slots, 'headCount'], `${rows}:first`),
      operation('Add', [`${rows}:first`, 'headsBelow'], rows),
    ],
  }
}

const int = (value: number): Attribute => ({ kind: 'int', value })

function port(name: string, type: Port['type'], shape: Port['shape']): Port {
  return { name, type, shape }
}

function integers(name: string, type: Weight['type'], shape: readonly number[], data: Weight['data']): Weight {
  return { name, type, shape, data }
}

function operation(operator: string, inputs: readonly string[], output: string, attributes: Operation['attributes'] = {}) {
  return { operator, domain: '' as const, inputs, outputs: [output], attributes }
}

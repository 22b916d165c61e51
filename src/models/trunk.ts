import { GraphBuilder, type Value } from '../tensor/graph.js'
import { type DenseTensor, Session } from '../tensor/session.js'
import type { DecoderShape, Family, LinearName } from './architectures.js'
import type { StoredType, Weights } from './safetensors.js'

/** Where the graphs take their weights from: a file, or numbers made up for a benchmark. */
export type WeightSource = Pick<Weights, 'read' | 'readStored'>

/**
 * The trunk: token ids and attention state -> the last hidden state of every token, and its keys and values.
 *
 * A call runs `rows` histories that share one prompt, each over `steps` new tokens. n = rows, s = steps, H = key-value heads,
 * g = heads / H, D = head width, P = prompt length, T = capacity of a row's own state:
 *
 *     ids            [n, s]            cos, sin       [n, 1, s, D/2]
 *     promptKey.i    [1, H, P, D]      promptValue.i  the same; read once for all rows
 *     pastKey.i      [n, H, T, D]      pastValue.i    the same; pastMask [n, 1, 1, T] hides what a row does not fill
 *     newMask        [1, 1, g·s, s]    0 where a query may look at a new token, else a very negative number
 *     hidden         [n, s, width]     after the final norm
 *     key.i, value.i [n, H, s, D]      to be stored by the caller
 *
 * The three parts of the attention (prompt, own past, new tokens) are three products and one softmax. Queries of all rows stand
 * below each other in the product with the prompt, so a row costs little more when the prompt is long.
 */
export class Trunk {
  private constructor(
    readonly shape: DecoderShape,
    readonly session: Session,
  ) {}

  static async open(family: Family, shape: DecoderShape, source: WeightSource): Promise<Trunk> {
    return new Trunk(shape, await Session.open(await trunkGraph(family, shape, source)))
  }

  run(feeds: Readonly<Record<string, DenseTensor>>): Promise<Readonly<Record<string, DenseTensor>>> {
    return this.session.run(feeds)
  }
}

/** Hides a position: exp of it is 0, and unlike -Infinity it never gives NaN. */
export const hiddenScore = -3e38

const onnxType: Readonly<Record<StoredType, 'float32' | 'float16' | 'bfloat16'>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
}

async function trunkGraph(family: Family, shape: DecoderShape, source: WeightSource): Promise<GraphBuilder> {
  const { width, heads, keyValueHeads: H, headWidth: D, inner, attentionBias, mlpBias } = shape
  const graph = new GraphBuilder()
  const ids = graph.input('ids', 'int64', ['n', 's'])
  const cos = graph.input('cos', 'float32', ['n', 1, 's', D / 2])
  const sin = graph.input('sin', 'float32', ['n', 1, 's', D / 2])
  const pastMask = graph.input('pastMask', 'float32', ['n', 1, 1, 'T'])
  const newMask = graph.input('newMask', 'float32', [1, 1, 'gs', 's'])
  // Shapes with dimensions that may be empty (no prompt) cannot be inferred, so the caller states them.
  const scoreShape = graph.input('scoreShape', 'int64', [4]) // [H, n, g·s, P]
  const flatScoreShape = graph.input('flatScoreShape', 'int64', [4]) // [1, H, n·g·s, P]
  const mixedShape = graph.input('mixedShape', 'int64', [4]) // [H, n, g·s, D]
  const parts = graph.input('parts', 'int64', [3]) // P, T, s

  const vector = async (name: string, size: number) => graph.weight(name, 'float32', [size], await source.read(name, [size]))
  const linear = async (x: Value, name: LinearName, from: number, to: number, bias: boolean) => {
    const weight = graph.weight(name.weight, 'float32', [to, from], await source.read(name.weight, [to, from]))
    const product = graph.productWithTransposed(x, weight)
    return bias ? graph.add(product, await vector(name.bias, to)) : product
  }
  const norm = async (x: Value, name: string) => graph.rootMeanSquareNorm(x, await vector(name, width), shape.epsilon)
  const splitHeads = (x: Value, count: number) => graph.transpose(graph.reshape(x, [0, 0, count, D]), [0, 2, 1, 3])
  const rotate = (x: Value) => {
    const [a, b] = graph.halves(x)
    const first = graph.subtract(graph.multiply(a, cos), graph.multiply(b, sin))
    const second = graph.add(graph.multiply(b, cos), graph.multiply(a, sin))
    return graph.concatenate([first, second], -1)
  }

  // The embedding keeps its stored type: the few rows that are looked up are widened afterwards.
  const stored = await source.readStored(family.embedding, [shape.vocabulary, width])
  const type = onnxType[stored.type]
  const { buffer, byteOffset, byteLength } = stored.data
  const data =
    type === 'float32'
      ? new Float32Array(buffer, byteOffset, byteLength / 4)
      : new Uint16Array(buffer, byteOffset, byteLength / 2)
  const embedding = graph.weight(family.embedding, type, [shape.vocabulary, width], data)
  const looked = graph.gather(embedding, ids)
  let x = type === 'float32' ? looked : graph.cast(looked, 'float32')

  for (let i = 0; i < shape.layers; i++) {
    const names = family.layer(i)
    const promptKey = graph.input(`promptKey.${i}`, 'float32', [1, H, 'P', D])
    const promptValue = graph.input(`promptValue.${i}`, 'float32', [1, H, 'P', D])
    const pastKey = graph.input(`pastKey.${i}`, 'float32', ['n', H, 'T', D])
    const pastValue = graph.input(`pastValue.${i}`, 'float32', ['n', H, 'T', D])

    const normed = await norm(x, names.attentionNorm)
    const query = rotate(splitHeads(await linear(normed, names.query, width, heads * D, attentionBias), heads))
    const key = rotate(splitHeads(await linear(normed, names.key, width, H * D, attentionBias), H))
    const value = splitHeads(await linear(normed, names.value, width, H * D, attentionBias), H)
    graph.output(`key.${i}`, key, 'float32', ['n', H, 's', D])
    graph.output(`value.${i}`, value, 'float32', ['n', H, 's', D])

    const scale = 1 / Math.sqrt(D)
    const grouped = graph.reshape(query, [0, H, -1, D]) // [n, H, g·s, D]
    const stacked = graph.reshape(graph.transpose(grouped, [1, 0, 2, 3]), [1, H, -1, D]) // [1, H, n·g·s, D]
    const promptScores = graph.transpose(
      graph.reshapeTo(graph.productWithTransposed(stacked, promptKey, scale), scoreShape),
      [1, 0, 2, 3],
    )
    const pastScores = graph.add(graph.productWithTransposed(grouped, pastKey, scale), pastMask)
    const newScores = graph.add(graph.productWithTransposed(grouped, key, scale), newMask)
    const attention = graph.softmax(graph.concatenate([promptScores, pastScores, newScores], 3))
    const [toPrompt, toPast, toNew] = graph.split(attention, parts, 3)
    const flat = graph.reshapeTo(graph.transpose(toPrompt!, [1, 0, 2, 3]), flatScoreShape)
    const fromPrompt = graph.transpose(graph.reshapeTo(graph.matrixProduct(flat, promptValue), mixedShape), [1, 0, 2, 3])
    const fromPast = graph.matrixProduct(toPast!, pastValue)
    const mixed = graph.add(graph.add(fromPrompt, fromPast), graph.matrixProduct(toNew!, value)) // [n, H, g·s, D]
    const merged = graph.reshape(graph.transpose(graph.reshape(mixed, [0, heads, -1, D]), [0, 2, 1, 3]), [0, 0, heads * D])
    x = graph.add(x, await linear(merged, names.attentionOutput, heads * D, width, attentionBias))

    const inside = await norm(x, names.mlpNorm)
    const gate = await linear(inside, names.gate, width, inner, mlpBias)
    const up = await linear(inside, names.up, width, inner, mlpBias)
    const gated = graph.multiply(graph.multiply(gate, graph.sigmoid(gate)), up)
    x = graph.add(x, await linear(gated, names.down, inner, width, mlpBias))
  }
  graph.output('hidden', await norm(x, family.finalNorm), 'float32', ['n', 's', width])
  return graph
}

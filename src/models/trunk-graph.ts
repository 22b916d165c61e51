import { GraphBuilder, type Value } from '../tensor/graph.js'
import type { DecoderShape, DecoderTensors, LayerTensors, LinearTensors, NormTensors } from './architectures/shape.js'
import { windowsOf } from './architectures/windows.js'
import { type Products, type ProductType, productsOf } from './products.js'
import { LinearReader, type LinearWeights, type StoredType, type WeightSource } from './weight-source.js'

/**
 * The trunk: token ids and attention state -> the last hidden state of every token, and its keys and values.
 *
 * A call runs `rows` histories that share one prompt, each over `steps` new tokens. n = rows, s = steps, H = key-value heads,
 * g = heads / H, D = head width, P = prompt length, T = capacity of a row's own state:
 *
 *     ids            [n, s]
 *     positions      [n, s]
 *     cos.k, sin.k   [m, r]            with rotary positions: table k turns r pairs of every head, for the first m positions
 *     promptKey.i    [H, P, D]         promptValue.i  the same; read once for all rows
 *     pastKey.i      [n, 1, H, T, D]   pastValue.i    the same
 *     pastMask.w     [n, 1 | s, 1, 1, T]      hides what a row does not fill; for window w (an index of `windowsOf`)
 *     newMask.w      [1, s, 1, 1, s]          0 where a query may look at a new token, else a very negative number
 *     promptMask.w   [1 | n, 1 | s, 1, 1, P]  hides what has left the window; only for a finite one, or with `masksPrompt`
 *     hidden         [n, s, width]     after the final norm
 *     key.i, value.i [n, s, H · D]     to be stored by the caller
 *
 * The three parts of the attention (prompt, own past, new tokens) are three products and one softmax over [n, s, H, g, P + T + s].
 * Queries of all rows stand below each other in the product with the prompt, so a row costs little more when the prompt is long.
 * Everything else keeps tokens in front, so that a step of one token moves no numbers to and fro.
 */
export async function trunkGraph(
  shape: DecoderShape,
  tensors: DecoderTensors,
  source: WeightSource,
  type: ProductType,
  masksPrompt = false,
): Promise<GraphBuilder> {
  const build = new TrunkBuilder(shape, source, type, masksPrompt)
  const { graph } = build
  let x = await build.embed(tensors)
  for (let layer = 0; layer < shape.layers; layer++) {
    const names = tensors.layer(layer)
    const before = x
    x = graph.add(x, await build.attend(layer, names, await build.norm(before, names.attentionNorm)))
    const read = shape.residual === 'parallel' ? before : x
    x = graph.add(x, await build.transform(layer, names, await build.norm(read, names.mlpNorm)))
  }
  graph.output('hidden', await build.norm(x, tensors.finalNorm), 'float32', ['n', 's', shape.width])
  return graph
}

const onnxType: Readonly<Record<StoredType, 'float32' | 'float16' | 'bfloat16'>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
}

/** [n, s, H, g, x] -> [H, n, s, g, x] and back. */
const headsFirst = [2, 0, 1, 3, 4]
const headsThird = [1, 2, 0, 3, 4]

/** Inputs that hold the masks of one window. */
interface Masks {
  readonly prompt: Value | null
  readonly past: Value
  readonly fresh: Value
}

class TrunkBuilder {
  readonly graph = new GraphBuilder()
  readonly #linears: LinearReader
  readonly #products: Products
  readonly #ids = this.graph.input('ids', 'int64', ['n', 's'])
  readonly #positions = this.graph.input('positions', 'int64', ['n', 's'])
  readonly #angles: readonly (readonly [Value, Value])[]
  readonly #masks: ReadonlyMap<number, Masks>
  // Shapes with dimensions that may be empty (no prompt) cannot be inferred, so the caller states them.
  readonly #scoreShape = this.graph.input('scoreShape', 'int64', [5]) // [H, n, s, g, P]
  readonly #flatScoreShape = this.graph.input('flatScoreShape', 'int64', [3]) // [H, n·s·g, P]
  readonly #mixedShape = this.graph.input('mixedShape', 'int64', [5]) // [H, n, s, g, D]
  readonly #parts = this.graph.input('parts', 'int64', [3]) // P, T, s

  constructor(
    private readonly shape: DecoderShape,
    private readonly source: WeightSource,
    type: ProductType,
    masksPrompt: boolean,
  ) {
    const { graph } = this
    this.#linears = new LinearReader(source)
    this.#products = productsOf(type, graph)
    this.#angles = shape.rotary.map(({ frequencies }, k) => [
      graph.input(`cos.${k}`, 'float32', [`m${k}`, frequencies.length]),
      graph.input(`sin.${k}`, 'float32', [`m${k}`, frequencies.length]),
    ])
    this.#masks = new Map(
      windowsOf(shape).map((window, w) => [
        window,
        {
          prompt:
            masksPrompt || Number.isFinite(window)
              ? graph.input(`promptMask.${w}`, 'float32', [`pn${w}`, `ps${w}`, 1, 1, 'P'])
              : null,
          past: graph.input(`pastMask.${w}`, 'float32', ['n', `q${w}`, 1, 1, 'T']),
          fresh: graph.input(`newMask.${w}`, 'float32', [1, 's', 1, 1, 's']),
        },
      ]),
    )
  }

  /** The sum of what each token and its place bring: [n, s, width]. */
  async embed({ embedding, positionEmbedding }: DecoderTensors): Promise<Value> {
    const { graph, shape } = this
    let x = await this.#look(embedding, shape.vocabulary, this.#ids)
    if (shape.embeddingScale !== 1) x = graph.multiply(x, graph.scalar(shape.embeddingScale))
    if (positionEmbedding === null) return x
    return graph.add(x, await this.#look(positionEmbedding, shape.context, this.#positions))
  }

  /** What the attention of a layer adds to the stream; `x` is normed. */
  async attend(layer: number, names: LayerTensors, x: Value): Promise<Value> {
    const { graph, shape } = this
    const { width, heads, keyValueHeads: H, headWidth: D } = shape
    const promptKey = graph.input(`promptKey.${layer}`, 'float32', [H, 'P', D])
    const promptValue = graph.input(`promptValue.${layer}`, 'float32', [H, 'P', D])
    const pastKey = graph.input(`pastKey.${layer}`, 'float32', ['n', 1, H, 'T', D])
    const pastValue = graph.input(`pastValue.${layer}`, 'float32', ['n', 1, H, 'T', D])

    const [flatQuery, flatKey, flatValue] = await this.#queryKeyValue(layer, names, x)
    graph.output(`key.${layer}`, flatKey, 'float32', ['n', 's', H * D])
    graph.output(`value.${layer}`, flatValue, 'float32', ['n', 's', H * D])
    const query = graph.reshape(flatQuery, [0, 0, H, -1, D]) // [n, s, H, g, D]
    const key = graph.transpose(graph.reshape(flatKey, [0, 0, 1, H, D]), [0, 2, 3, 1, 4]) // [n, 1, H, s, D]
    const value = graph.transpose(graph.reshape(flatValue, [0, 0, 1, H, D]), [0, 2, 3, 1, 4])

    const masks = this.#masks.get(shape.attention[layer]!.window)!
    const stacked = graph.reshape(graph.transpose(query, headsFirst), [0, -1, D]) // [H, n·s·g, D]
    const allPrompt = graph.transpose(graph.reshapeTo(this.#scores(layer, stacked, promptKey), this.#scoreShape), headsThird)
    const promptScores = masks.prompt ? graph.add(allPrompt, masks.prompt) : allPrompt
    const pastScores = graph.add(this.#scores(layer, query, pastKey), masks.past)
    const newScores = graph.add(this.#scores(layer, query, key), masks.fresh)
    const attention = graph.softmax(graph.concatenate([promptScores, pastScores, newScores], 4))
    const [toPrompt, toPast, toNew] = graph.split(attention, this.#parts, 3)
    const flat = graph.reshapeTo(graph.transpose(toPrompt!, headsFirst), this.#flatScoreShape)
    const fromPrompt = graph.transpose(graph.reshapeTo(graph.matrixProduct(flat, promptValue), this.#mixedShape), headsThird)
    const fromPast = graph.matrixProduct(toPast!, pastValue)
    const mixed = graph.add(graph.add(fromPrompt, fromPast), graph.matrixProduct(toNew!, value)) // [n, s, H, g, D]
    const merged = graph.reshape(mixed, [0, 0, heads * D])
    const out = await this.#linear(`attentionOutput.${layer}`, merged, names.attentionOutput, heads * D, width)
    return names.afterAttentionNorm ? this.norm(out, names.afterAttentionNorm) : out
  }

  /** What the MLP of a layer adds to the stream; `x` is normed. */
  async transform(layer: number, names: LayerTensors, x: Value): Promise<Value> {
    const { graph } = this
    const { width, inner } = this.shape
    let inside: Value
    if (names.gate) {
      const gate = this.#activate(await this.#linear(`gate.${layer}`, x, names.gate, width, inner))
      inside = graph.multiply(gate, await this.#linear(`up.${layer}`, x, names.up, width, inner))
    } else {
      inside = this.#activate(await this.#linear(`up.${layer}`, x, names.up, width, inner))
    }
    const out = await this.#linear(`down.${layer}`, inside, names.down, inner, width)
    return names.afterMlpNorm ? this.norm(out, names.afterMlpNorm) : out
  }

  /** Over the last axis, of `size` numbers. */
  async norm(x: Value, names: NormTensors, size = this.shape.width): Promise<Value> {
    const { kind, epsilon, offset } = this.shape.norm
    const stored = await this.source.read(names.weight, [size])
    const weight = this.graph.weight(names.weight, 'float32', [size], offset === 0 ? stored : stored.map((w) => w + offset))
    if (kind === 'rootMeanSquare') return this.graph.rootMeanSquareNorm(x, weight, epsilon)
    const bias = names.bias === null ? new Float32Array(size) : await this.source.read(names.bias, [size])
    return this.graph.layerNorm(x, weight, this.graph.weight(`${names.weight}.bias`, 'float32', [size], bias), epsilon)
  }

  /** One product gives all three, and where heads have no norms of their own one operation turns queries and keys. */
  async #queryKeyValue(layer: number, names: LayerTensors, x: Value): Promise<readonly [Value, Value, Value]> {
    const { graph, shape } = this
    const { width, heads, keyValueHeads: H, headWidth: D } = shape
    const parts: LinearWeights[] = []
    for (const [tensors, count] of [
      [names.query, heads],
      [names.key, H],
      [names.value, H],
    ] as const) {
      parts.push(await this.#linears.read(tensors, width, count * D))
    }
    const all = this.#products.linear(`queryKeyValue.${layer}`, x, stacked(parts, width), width)
    if (!names.queryNorm && !names.keyNorm) {
      const [turning, value] = graph.split(all, graph.integers([(heads + H) * D, H * D]), 2)
      const turned = this.#rotate(layer, turning!, heads + H)
      const [query, key] = graph.split(turned, graph.integers([heads * D, H * D]), 2)
      return [query!, key!, value!]
    }
    const [query, key, value] = graph.split(all, graph.integers([heads * D, H * D, H * D]), 3)
    const normed = async (part: Value, norm: NormTensors | null, count: number) => {
      if (!norm) return part
      return graph.reshape(await this.norm(graph.reshape(part, [0, 0, count, D]), norm, D), [0, 0, count * D])
    }
    return [
      this.#rotate(layer, await normed(query!, names.queryNorm, heads), heads),
      this.#rotate(layer, await normed(key!, names.keyNorm, H), H),
      value!,
    ]
  }

  async #linear(name: string, x: Value, tensors: LinearTensors, from: number, to: number): Promise<Value> {
    return this.#products.linear(name, x, await this.#linears.read(tensors, from, to), from)
  }

  /** Rows of a table. It keeps its stored type: the few rows that are looked up are widened afterwards. */
  async #look(name: string, rows: number, indices: Value): Promise<Value> {
    const { width } = this.shape
    const stored = await this.source.readStored(name, [rows, width])
    const type = onnxType[stored.type]
    const { buffer, byteOffset, byteLength } = stored.data
    const data =
      type === 'float32'
        ? new Float32Array(buffer, byteOffset, byteLength / 4)
        : new Uint16Array(buffer, byteOffset, byteLength / 2)
    const found = this.graph.gather(this.graph.weight(name, type, [rows, width], data), indices)
    return type === 'float32' ? found : this.graph.cast(found, 'float32')
  }

  #scores(layer: number, query: Value, key: Value): Value {
    const { attentionScale, attentionCap, attention } = this.shape
    const { graph } = this
    const scale = attentionScale * (attention[layer]!.scale ?? 1)
    if (attentionCap === null) return graph.productWithTransposed(query, key, scale)
    return graph.cap(graph.productWithTransposed(query, key, scale / attentionCap), attentionCap)
  }

  /** Turns the pairs of `count` heads by their positions; x is [n, s, count · D]. */
  #rotate(layer: number, x: Value, count: number): Value {
    const table = this.shape.attention[layer]!.rotary
    const angles = this.#angles[table]
    if (!angles) return x
    const turned = 2 * this.shape.rotary[table]!.frequencies.length
    return this.graph.rotaryEmbedding(x, this.#positions, angles, count, turned === this.shape.headWidth ? null : turned)
  }

  #activate(x: Value): Value {
    const { graph } = this
    switch (this.shape.activation) {
      case 'silu':
        return graph.multiply(x, graph.sigmoid(x))
      case 'gelu':
        return graph.gelu(x, 'none')
      case 'geluTanh':
        return graph.gelu(x, 'tanh')
      case 'geluQuick':
        return graph.multiply(x, graph.sigmoid(graph.multiply(x, graph.scalar(1.702))))
      case 'relu':
        return graph.relu(x)
    }
  }
}

/** Matrices of the same inputs below each other. */
function stacked(parts: readonly LinearWeights[], from: number): LinearWeights {
  const joined = (pieces: readonly Float32Array[]) => {
    const result = new Float32Array(pieces.reduce((total, { length }) => total + length, 0))
    let at = 0
    for (const piece of pieces) {
      result.set(piece, at)
      at += piece.length
    }
    return result
  }
  return {
    weight: joined(parts.map(({ weight }) => weight)),
    bias: parts.some(({ bias }) => bias)
      ? joined(parts.map((part) => part.bias ?? new Float32Array(part.weight.length / from)))
      : null,
  }
}

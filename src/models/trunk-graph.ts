import { GraphBuilder, type Value } from '../tensor/graph.js'
import type { DecoderShape, DecoderTensors, LayerTensors, LinearTensors, NormTensors } from './architectures/shape.js'
import { windowsOf } from './architectures/windows.js'
import { LinearReader, type StoredType, type WeightSource } from './weight-source.js'

/**
 * The trunk: token ids and attention state -> the last hidden state of every token, and its keys and values.
 *
 * A call runs `rows` histories that share one prompt, each over `steps` new tokens. n = rows, s = steps, H = key-value heads,
 * g = heads / H, D = head width, P = prompt length, T = capacity of a row's own state:
 *
 *     ids            [n, s]
 *     positions      [n, s]            with learned positions
 *     cos.k, sin.k   [n, 1, s, r]      with rotary ones: table k turns r pairs of every head
 *     promptKey.i    [1, H, P, D]      promptValue.i  the same; read once for all rows
 *     pastKey.i      [n, H, T, D]      pastValue.i    the same
 *     pastMask.w     [n, 1, 1 | g·s, T]      hides what a row does not fill; for window w (an index of `windowsOf`)
 *     newMask.w      [1, 1, g·s, s]          0 where a query may look at a new token, else a very negative number
 *     promptMask.w   [1 | n, 1, 1 | g·s, P]  hides what has left the window; only for a finite one
 *     hidden         [n, s, width]     after the final norm
 *     key.i, value.i [n, H, s, D]      to be stored by the caller
 *
 * The three parts of the attention (prompt, own past, new tokens) are three products and one softmax. Queries of all rows stand
 * below each other in the product with the prompt, so a row costs little more when the prompt is long.
 */
export async function trunkGraph(shape: DecoderShape, tensors: DecoderTensors, source: WeightSource): Promise<GraphBuilder> {
  const build = new TrunkBuilder(shape, source)
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

/** Inputs that hold the masks of one window. */
interface Masks {
  readonly prompt: Value | null
  readonly past: Value
  readonly fresh: Value
}

class TrunkBuilder {
  readonly graph = new GraphBuilder()
  readonly #linears: LinearReader
  readonly #ids = this.graph.input('ids', 'int64', ['n', 's'])
  readonly #angles: readonly (readonly [Value, Value])[]
  readonly #masks: ReadonlyMap<number, Masks>
  // Shapes with dimensions that may be empty (no prompt) cannot be inferred, so the caller states them.
  readonly #scoreShape = this.graph.input('scoreShape', 'int64', [4]) // [H, n, g·s, P]
  readonly #flatScoreShape = this.graph.input('flatScoreShape', 'int64', [4]) // [1, H, n·g·s, P]
  readonly #mixedShape = this.graph.input('mixedShape', 'int64', [4]) // [H, n, g·s, D]
  readonly #parts = this.graph.input('parts', 'int64', [3]) // P, T, s

  constructor(
    private readonly shape: DecoderShape,
    private readonly source: WeightSource,
  ) {
    const { graph } = this
    this.#linears = new LinearReader(source)
    this.#angles = shape.rotary.map(({ length }, k) => [
      graph.input(`cos.${k}`, 'float32', ['n', 1, 's', length]),
      graph.input(`sin.${k}`, 'float32', ['n', 1, 's', length]),
    ])
    this.#masks = new Map(
      windowsOf(shape).map((window, w) => [
        window,
        {
          prompt: Number.isFinite(window) ? graph.input(`promptMask.${w}`, 'float32', [`pn${w}`, 1, `pq${w}`, 'P']) : null,
          past: graph.input(`pastMask.${w}`, 'float32', ['n', 1, `q${w}`, 'T']),
          fresh: graph.input(`newMask.${w}`, 'float32', [1, 1, 'gs', 's']),
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
    return graph.add(x, await this.#look(positionEmbedding, shape.context, graph.input('positions', 'int64', ['n', 's'])))
  }

  /** What the attention of a layer adds to the stream; `x` is normed. */
  async attend(layer: number, names: LayerTensors, x: Value): Promise<Value> {
    const { graph, shape } = this
    const { width, heads, keyValueHeads: H, headWidth: D } = shape
    const promptKey = graph.input(`promptKey.${layer}`, 'float32', [1, H, 'P', D])
    const promptValue = graph.input(`promptValue.${layer}`, 'float32', [1, H, 'P', D])
    const pastKey = graph.input(`pastKey.${layer}`, 'float32', ['n', H, 'T', D])
    const pastValue = graph.input(`pastValue.${layer}`, 'float32', ['n', H, 'T', D])

    const queries = this.#splitHeads(await this.#linear(`query.${layer}`, x, names.query, width, heads * D), heads)
    const keys = this.#splitHeads(await this.#linear(`key.${layer}`, x, names.key, width, H * D), H)
    const value = this.#splitHeads(await this.#linear(`value.${layer}`, x, names.value, width, H * D), H)
    const query = this.#rotate(layer, names.queryNorm ? await this.norm(queries, names.queryNorm, D) : queries)
    const key = this.#rotate(layer, names.keyNorm ? await this.norm(keys, names.keyNorm, D) : keys)
    graph.output(`key.${layer}`, key, 'float32', ['n', H, 's', D])
    graph.output(`value.${layer}`, value, 'float32', ['n', H, 's', D])

    const masks = this.#masks.get(shape.attention[layer]!.window)!
    const grouped = graph.reshape(query, [0, H, -1, D]) // [n, H, g·s, D]
    const stacked = graph.reshape(graph.transpose(grouped, [1, 0, 2, 3]), [1, H, -1, D]) // [1, H, n·g·s, D]
    const flatScores = graph.reshapeTo(this.#scores(stacked, promptKey), this.#scoreShape)
    const allPrompt = graph.transpose(flatScores, [1, 0, 2, 3])
    const promptScores = masks.prompt ? graph.add(allPrompt, masks.prompt) : allPrompt
    const pastScores = graph.add(this.#scores(grouped, pastKey), masks.past)
    const newScores = graph.add(this.#scores(grouped, key), masks.fresh)
    const attention = graph.softmax(graph.concatenate([promptScores, pastScores, newScores], 3))
    const [toPrompt, toPast, toNew] = graph.split(attention, this.#parts, 3)
    const flat = graph.reshapeTo(graph.transpose(toPrompt!, [1, 0, 2, 3]), this.#flatScoreShape)
    const fromPrompt = graph.transpose(graph.reshapeTo(graph.matrixProduct(flat, promptValue), this.#mixedShape), [1, 0, 2, 3])
    const fromPast = graph.matrixProduct(toPast!, pastValue)
    const mixed = graph.add(graph.add(fromPrompt, fromPast), graph.matrixProduct(toNew!, value)) // [n, H, g·s, D]
    const merged = graph.reshape(graph.transpose(graph.reshape(mixed, [0, heads, -1, D]), [0, 2, 1, 3]), [0, 0, heads * D])
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

  async #linear(name: string, x: Value, tensors: LinearTensors, from: number, to: number): Promise<Value> {
    const { weight, bias } = await this.#linears.read(tensors, from, to)
    const product = this.graph.productWithTransposed(x, this.graph.weight(`${name}.weight`, 'float32', [to, from], weight))
    return bias ? this.graph.add(product, this.graph.weight(`${name}.bias`, 'float32', [to], bias)) : product
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

  #scores(query: Value, key: Value): Value {
    const { attentionScale, attentionCap } = this.shape
    const { graph } = this
    if (attentionCap === null) return graph.productWithTransposed(query, key, attentionScale)
    return graph.cap(graph.productWithTransposed(query, key, attentionScale / attentionCap), attentionCap)
  }

  #splitHeads(x: Value, count: number): Value {
    return this.graph.transpose(this.graph.reshape(x, [0, 0, count, this.shape.headWidth]), [0, 2, 1, 3])
  }

  #rotate(layer: number, x: Value): Value {
    const { graph, shape } = this
    const table = shape.attention[layer]!.rotary
    const angles = this.#angles[table]
    if (!angles) return x
    const [cos, sin] = angles
    const pairs = shape.rotary[table]!.length
    const rest = shape.headWidth - 2 * pairs
    const parts = rest > 0 ? graph.split(x, graph.integers([2 * pairs, rest]), 2) : [x]
    const [a, b] = graph.halves(parts[0]!)
    const first = graph.subtract(graph.multiply(a, cos), graph.multiply(b, sin))
    const second = graph.add(graph.multiply(b, cos), graph.multiply(a, sin))
    return graph.concatenate([first, second, ...parts.slice(1)], -1)
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
    }
  }
}

import type { Randomness } from '../../models/randomness.js'

/**
 * A twist head (inference.md §3): log psi(v | s) = e_v · g(x) + c(x), e_v the row of the model's output embedding for the next token v, and g and
 * c the outputs of a small MLP whose last layer starts at zero, so that an untrained psi is 1 everywhere:
 *
 *     x = [h(s), b(s), l(s), position(s), conditions]      h(s) the model's last hidden state behind s; b(s) the mean of the e_v of the
 *                                                          tokens since the prompt, and l(s) that of the last of them
 *     [g(x) / scale, c(x)] = W_k silu(... silu(W_0 x + b_0) ...) + b_k
 *
 * c, the *level*, tells what is the same for every token: how good the text is so far. No g can say that, for no vector has the same product
 * with every row of an embedding; it moves no draw, but resampling, and what earlier tokens learn from later ones.
 *
 * h(s) is what the model needs to know for the next token; that something was told earlier and counts later is seen in b(s).
 *
 * Hidden states of transformers, the embeddings of texts and tokens among them, are scaled to a root mean square of 1: models differ in their scale.
 * The feature of the position is as large as half of such a state, so that it can turn units of the network on and off: what a
 * token is worth right before an observation has little to do with what it is worth in the middle.
 */
export interface HeadShape {
  /** Numbers in a hidden state of the model. */
  readonly hidden: number
  /** Numbers in g: the width of the output embedding. */
  readonly shift: number
  /** What conditions it, in the order of its arguments. */
  readonly conditions: readonly ConditionKind[]
  /** 1 / the mean of sum_i |e_vi|: a step of the optimiser then moves log psi by as much whatever the embedding is. */
  readonly scale: number
  /** Units of each inner layer, and how many such layers there are. */
  readonly width: number
  readonly depth: number
}

/** A text is embedded by the model (its last hidden state); a number enters as asinh of it. */
export type ConditionKind = 'text' | 'number'

/** Weights [in, out] row-major, and biases [out]. */
export interface Layer {
  readonly weight: Float32Array
  readonly bias: Float32Array
}

/** Positions that have a feature of their own; all later ones share the last. */
const positions = 32

/** Numbers in x. */
export function featureCount({ hidden, shift, conditions }: HeadShape): number {
  return conditions.reduce((sum, kind) => sum + (kind === 'text' ? hidden : 1), hidden + 2 * shift + positions + 1)
}

/** Sizes of the layers: inputs and outputs of each. */
export function layerSizes(shape: HeadShape): { readonly inputs: number; readonly outputs: number }[] {
  const { width, depth, shift } = shape
  const sizes = [featureCount(shape), ...new Array<number>(depth).fill(width), shift + 1]
  return sizes.slice(1).map((outputs, i) => ({ inputs: sizes[i]!, outputs }))
}

/** Layers of an untrained head: uniform of variance 2 / inputs (He et al. 2015), and zero in the last one. */
export function untrainedLayers(shape: HeadShape, random: Randomness): Layer[] {
  const sizes = layerSizes(shape)
  return sizes.map(({ inputs, outputs }, slot) => {
    const weight = new Float32Array(inputs * outputs)
    const spread = slot === sizes.length - 1 ? 0 : Math.sqrt(6 / inputs)
    if (spread > 0)
      for (let draw = 0; draw < weight.length; draw++)
        weight[draw] = spread * (2 * random.uniform({ slot, generation: 0, draw }, 0) - 1)
    return { weight, bias: new Float32Array(outputs) }
  })
}

/** What a text is to the network. */
export interface TextFeatures {
  /** h(s), [hidden] */
  readonly hidden: Float32Array
  /** e_v of the tokens since the prompt, `scaled`, the first one first, [shift] each. */
  readonly tokens: readonly Float32Array[]
  /** Of the arguments, one after the other. */
  readonly conditions: Float32Array
}

/** x, as the network reads it. Nothing is written to what it is given. */
export function featuresOf({ hidden, tokens, conditions }: TextFeatures, shift: number): Float32Array {
  const { length: width } = hidden
  const { length: position } = tokens
  const x = new Float32Array(width + 2 * shift + positions + 1 + conditions.length)
  const state = scaled(hidden)
  x.set(state)
  for (const token of tokens) for (let k = 0; k < shift; k++) x[width + k]! += token[k]! / position
  x.set(tokens.at(-1) ?? [], width + shift)
  const rest = width + 2 * shift
  x.set(positionFeatures(position, width, state === hidden), rest)
  x.set(conditions, rest + positions + 1)
  return x
}

/** @param width of the hidden state beside it, and whether that is one-hot */
function positionFeatures(position: number, width: number, oneHot: boolean): Float32Array {
  const features = new Float32Array(positions + 1)
  features[Math.min(position, positions - 1)] = oneHot ? 1 : Math.sqrt(width) / 2
  features[positions] = position / positions
  return features
}

/** A hidden state with a root mean square of 1; of a one-hot state it is the state itself. */
export function scaled(hidden: Float32Array): Float32Array {
  let squares = 0
  for (const value of hidden) squares += value * value
  if (squares === 0 || squares === 1) return hidden
  const factor = Math.sqrt(hidden.length / squares)
  return hidden.map((value) => value * factor)
}

/** The scale of a head over an output embedding [vocabulary, width]; null stands for the identity. */
export function scaleOf(matrix: Float32Array | null, vocabulary: number): number {
  if (!matrix) return 1
  let sum = 0
  for (const value of matrix) sum += Math.abs(value)
  return sum > 0 ? vocabulary / sum : 1
}

/**
 * g(x) and c(x), in plain JavaScript: an MLP of this size takes less than what a call of the runtime costs.
 * @param sums what the first layer makes of x, before its activation (`FirstLayer`)
 */
export function headOf(
  { scale, shift: width }: HeadShape,
  layers: readonly Layer[],
  sums: Float64Array,
): { readonly shift: Float32Array; readonly level: number } {
  let x = new Float32Array(0)
  layers.forEach(({ weight, bias }, k) => {
    const all = k === 0 ? sums : Float64Array.from(bias)
    if (k > 0) addProduct(all, x, weight, 0)
    x = Float32Array.from(all, (sum) => (k === layers.length - 1 ? sum : sum / (1 + Math.exp(-sum))))
  })
  return { shift: x.subarray(0, width).map((value) => scale * value), level: x[width]! }
}

/** What a token adds to the sums of the first layer: as one of those since the prompt, where it is divided by their number, and as the last. */
export interface TokenSums {
  readonly among: Float64Array
  readonly last: Float64Array
}

/** The first layer of a head, by the parts of x: what they add is the same for every text that has them, so it is computed once. */
export class FirstLayer {
  constructor(
    private readonly shape: HeadShape,
    private readonly layer: Layer,
  ) {}

  /** What no token adds. */
  nothing(): Float64Array {
    return new Float64Array(this.layer.bias.length)
  }

  /** Biases, and what the conditions, the last features of x, add to them. */
  start(conditions: Float32Array): Float64Array {
    const sums = Float64Array.from(this.layer.bias)
    addProduct(sums, conditions, this.layer.weight, featureCount(this.shape) - conditions.length)
    return sums
  }

  /** @param embedding e_v, `scaled`, [shift] */
  token(embedding: Float32Array): TokenSums {
    const { hidden, shift } = this.shape
    const from = (first: number) => {
      const sums = this.nothing()
      addProduct(sums, embedding, this.layer.weight, first)
      return sums
    }
    return { among: from(hidden), last: from(hidden + shift) }
  }

  /**
   * The sums for a text.
   * @param start of its conditions
   * @param among of all tokens since the prompt together
   * @param last null where there is none
   */
  sums(hidden: Float32Array, position: number, start: Float64Array, among: Float64Array, last: TokenSums | null): Float64Array {
    const sums = start.slice()
    if (last) for (let o = 0; o < sums.length; o++) sums[o]! += among[o]! / position + last.last[o]!
    const state = scaled(hidden)
    addProduct(sums, state, this.layer.weight, 0)
    const at = positionFeatures(position, hidden.length, state === hidden)
    addProduct(sums, at, this.layer.weight, this.shape.hidden + 2 * this.shape.shift)
    return sums
  }
}

/** sums += x · the rows of `weight` from `first` on. Four at a time: the sums are read and written a quarter as often. */
function addProduct(sums: Float64Array, x: Float32Array, weight: Float32Array, first: number): void {
  const outputs = sums.length
  const whole = x.length - (x.length % 4)
  for (let i = 0; i < whole; i += 4) {
    const [a, b, c, d] = [x[i]!, x[i + 1]!, x[i + 2]!, x[i + 3]!]
    if (a === 0 && b === 0 && c === 0 && d === 0) continue
    const row = (first + i) * outputs
    for (let o = 0, at = row; o < outputs; o++, at++) {
      sums[o]! += a * weight[at]! + b * weight[at + outputs]! + c * weight[at + 2 * outputs]! + d * weight[at + 3 * outputs]!
    }
  }
  for (let i = whole; i < x.length; i++) {
    const row = (first + i) * outputs
    for (let o = 0; o < outputs; o++) sums[o]! += x[i]! * weight[row + o]!
  }
}

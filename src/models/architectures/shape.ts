/**
 * What a decoder-only transformer computes: its sizes, and the choices in which families differ. `trunk.ts` and `head.ts` build one
 * graph for all of them from this description; `DecoderTensors` says where the weights lie.
 */
export interface DecoderShape {
  readonly family: string
  readonly layers: number
  /** Width of the residual stream. */
  readonly width: number
  readonly heads: number
  /** Key and value heads; `heads` is a multiple. */
  readonly keyValueHeads: number
  readonly headWidth: number
  /** Width inside the MLP. */
  readonly inner: number
  readonly vocabulary: number
  readonly context: number
  readonly norm: NormShape
  /** Learned positions are added to the embedding; rotary ones turn queries and keys. */
  readonly positions: 'learned' | 'rotary'
  /** Tables of rotary positions; empty with learned positions. */
  readonly rotary: readonly RotaryShape[]
  /** One for each layer. */
  readonly attention: readonly LayerAttention[]
  /** Multiplies query · key. */
  readonly attentionScale: number
  /** Scores s become cap · tanh(s / cap); null leaves them. */
  readonly attentionCap: number | null
  readonly activation: Activation
  /** Whether the MLP reads what the attention has added, or the same stream beside it. */
  readonly residual: 'sequential' | 'parallel'
  /** Multiplies the embedding. */
  readonly embeddingScale: number
  /** Logits l become cap · tanh(l / cap), before the temperature; null leaves them. */
  readonly logitCap: number | null
  /** Whether the output embedding is the input embedding. */
  readonly tied: boolean
}

/**
 * Rotary positions: at position t pair i turns by t · frequencies[i]. Pair i of a head is made of its elements i and i + n, n the number of
 * frequencies; elements from 2n on are not turned.
 */
export interface RotaryShape {
  readonly frequencies: readonly number[]
  /** Multiplies what is turned; 1 but for scalings that sharpen the attention over long texts. */
  readonly scale: number
  /** Positions up to which these frequencies are the model's; Infinity but for scalings that have others for longer texts. */
  readonly context: number
}

export interface NormShape {
  /** x / sqrt(mean(x²) + epsilon) · weight, or (x - mean(x)) / sqrt(variance(x) + epsilon) · weight + bias. */
  readonly kind: 'rootMeanSquare' | 'layer'
  readonly epsilon: number
  /** Added to the stored weight. */
  readonly offset: number
}

export interface LayerAttention {
  /** A query at position t sees the keys at positions t - window + 1 .. t; Infinity sees all. */
  readonly window: number
  /** Index of the table in `rotary`. */
  readonly rotary: number
  /** Multiplies `attentionScale` in this layer; 1 when left out. */
  readonly scale?: number
}

/**
 * silu(x) = x · sigmoid(x); gelu(x) = x · Φ(x), exactly or by the approximations with tanh and with x · sigmoid(1.702 x) (Hendrycks and
 * Gimpel 2016); relu(x) = max(x, 0).
 */
export type Activation = 'silu' | 'gelu' | 'geluTanh' | 'geluQuick' | 'relu'

/** Where the weights of a model lie, by the names of the stored tensors. */
export interface DecoderTensors {
  /** [vocabulary, width] */
  readonly embedding: string
  /** [context, width]; null with rotary positions. */
  readonly positionEmbedding: string | null
  readonly finalNorm: NormTensors
  /** [vocabulary, width]; mostly the embedding when tied. */
  readonly output: string
  layer(index: number): LayerTensors
}

export interface NormTensors {
  readonly weight: string
  /** null when there is none, as in root mean square norms. */
  readonly bias: string | null
}

/** A matrix [out, in] and its bias [out]. */
export interface LinearTensors {
  readonly weight: string
  readonly bias: string | null
  /** Whether the tensor is stored as [in, out]. */
  readonly transposed?: boolean
  /** Which rows of the stored tensor (and entries of its bias) make up the matrix; all in their order when left out. */
  readonly rows?: RowChoice
}

export interface RowChoice {
  /** Rows of the stored tensor. */
  readonly of: number
  /** The stored row that is row `row` of the matrix. */
  at(row: number): number
}

export interface LayerTensors {
  readonly attentionNorm: NormTensors
  readonly query: LinearTensors
  readonly key: LinearTensors
  readonly value: LinearTensors
  /** Norms of each head's query and key, before they are turned. */
  readonly queryNorm: NormTensors | null
  readonly keyNorm: NormTensors | null
  readonly attentionOutput: LinearTensors
  /** Norm of what the attention adds to the stream. */
  readonly afterAttentionNorm: NormTensors | null
  readonly mlpNorm: NormTensors
  /** down(activation(gate(x)) · up(x)); without a gate down(activation(up(x))). */
  readonly gate: LinearTensors | null
  readonly up: LinearTensors
  readonly down: LinearTensors
  /** Norm of what the MLP adds to the stream. */
  readonly afterMlpNorm: NormTensors | null
}

/** A model as its config.json describes it. `has`: whether the weights hold a tensor of that name. */
export interface Architecture {
  readonly shape: DecoderShape
  tensors(has: (name: string) => boolean): DecoderTensors
}

/** Rows `begin` .. `begin + ...` of a tensor of `of` rows. */
export function rowsFrom(begin: number, of: number): RowChoice {
  return { of, at: (row) => begin + row }
}

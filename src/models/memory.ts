import type { DecoderShape } from './architectures/shape.js'
import type { ProductType } from './products.js'

/** Most new tokens of one call, and most attention scores per layer: what bounds its memory. */
export const mostTokens = 4096
export const mostScores = 1 << 24

/** What a model takes of the memory, in bytes. */
export interface ModelMemory {
  /** Weights, as they are held when products are computed in these numbers; for a model that knows one kind, the same. */
  weights(type: ProductType): number
  /** Attention state of one token of one text. */
  readonly statePerToken: number
  /** What the largest buffers of one call take for one text of `steps` new tokens that look back on `keys` tokens. */
  call(steps: number, keys: number): number
  /** What the largest call takes where nothing bounds it. */
  readonly largestCall: number
}

/** Of the files of a model: numbers in all tensors, and bytes. */
export interface StoredSize {
  readonly parameters: number
  readonly bytes: number
}

/**
 * Sizes of a transformer. Matrices are 32-bit floats, or 8 bits a number; an embedding keeps the two or four bytes that it is stored in, and
 * where it is the output too, that is a matrix more. Only what is sure to be held: a lower bound.
 */
export function transformerMemory(shape: DecoderShape, stored: StoredSize): ModelMemory {
  const { layers, keyValueHeads: H, headWidth: D, heads, width, inner, vocabulary, tied } = shape
  const table = vocabulary * width
  const tableBytes = stored.bytes < 3 * stored.parameters ? 2 : 4
  const matrices = stored.parameters - (tied ? 0 : table)
  // The stream before and after a norm, what goes into the MLP and out of it, queries, keys and values, new state of all layers, and
  // scores: as they come, masked, together, as probabilities, and split.
  const call = (steps: number, keys: number) =>
    4 * steps * (4 * width + 3 * inner + 3 * (heads + 2 * H) * D + 2 * layers * H * D + 5 * heads * keys)
  return {
    weights: (type) => tableBytes * table + (type === 'int8' ? 1 : 4) * matrices,
    statePerToken: 8 * layers * H * D,
    call,
    largestCall: call(mostTokens, mostScores / (heads * mostTokens)),
  }
}

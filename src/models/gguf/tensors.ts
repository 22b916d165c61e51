import {
  type DecoderShape,
  type DecoderTensors,
  type LayerTensors,
  type LinearTensors,
  type NormTensors,
  type RowChoice,
  rowsFrom,
} from '../architectures/shape.js'

/**
 * Where the weights lie in a GGUF file. All families share one set of names; which parts a model has is seen from the tensors.
 * `pairedRows`: queries and keys are stored for rotation of neighbouring numbers, not of halves of a head, as llama.cpp does for its
 * "llama" architecture.
 */
export function ggufTensors(shape: DecoderShape, has: (name: string) => boolean, pairedRows: boolean): DecoderTensors {
  const { heads, keyValueHeads, headWidth, inner } = shape
  const norm = (name: string): NormTensors => ({
    weight: `${name}.weight`,
    bias: has(`${name}.bias`) ? `${name}.bias` : null,
  })
  const optionalNorm = (name: string) => (has(`${name}.weight`) ? norm(name) : null)
  const part = (name: string, begin: number, of: number): LinearTensors => ({ ...norm(name), rows: rowsFrom(begin, of) })
  const turned = (name: string, count: number): LinearTensors =>
    pairedRows ? { ...norm(name), rows: halvesOfPairs(count, headWidth) } : norm(name)
  const queries = heads * headWidth
  const keys = keyValueHeads * headWidth

  const layer = (index: number): LayerTensors => {
    const at = `blk.${index}`
    const fused = has(`${at}.attn_qkv.weight`)
    const all = queries + 2 * keys
    // Phi-3 keeps gate and up in one matrix.
    const gated = has(`${at}.ffn_gate.weight`)
    const together = shape.family === 'phi3' && !gated
    const gate = gated ? norm(`${at}.ffn_gate`) : together ? part(`${at}.ffn_up`, 0, 2 * inner) : null
    return {
      attentionNorm: norm(`${at}.attn_norm`),
      query: fused ? part(`${at}.attn_qkv`, 0, all) : turned(`${at}.attn_q`, heads),
      key: fused ? part(`${at}.attn_qkv`, queries, all) : turned(`${at}.attn_k`, keyValueHeads),
      value: fused ? part(`${at}.attn_qkv`, queries + keys, all) : norm(`${at}.attn_v`),
      queryNorm: optionalNorm(`${at}.attn_q_norm`),
      keyNorm: optionalNorm(`${at}.attn_k_norm`),
      attentionOutput: norm(`${at}.attn_output`),
      afterAttentionNorm: optionalNorm(`${at}.post_attention_norm`),
      mlpNorm: norm(`${at}.ffn_norm`),
      gate,
      up: together ? part(`${at}.ffn_up`, inner, 2 * inner) : norm(`${at}.ffn_up`),
      down: norm(`${at}.ffn_down`),
      afterMlpNorm: optionalNorm(`${at}.post_ffw_norm`),
    }
  }
  return {
    embedding: 'token_embd.weight',
    positionEmbedding: shape.positions === 'learned' ? 'position_embd.weight' : null,
    finalNorm: norm('output_norm'),
    output: shape.tied ? 'token_embd.weight' : 'output.weight',
    layer,
  }
}

/** Row i of a head's first half is stored at 2i, of its second half at 2i + 1. */
function halvesOfPairs(heads: number, width: number): RowChoice {
  const half = width / 2
  return {
    of: heads * width,
    at: (row) => {
      const inside = row % width
      return row - inside + 2 * (inside % half) + Math.floor(inside / half)
    },
  }
}

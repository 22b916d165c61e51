import type { ConfigReader } from './config.js'
import { llamaPrefix, llamaShape, llamaTensors } from './llama.js'
import { type Architecture, type LayerTensors, type LinearTensors, rowsFrom } from './shape.js'

/**
 * Phi-3 (Abdin et al. 2024, arXiv 2404.14219): llama with query, key and value in one matrix, and gate and up in another. The versions with a context of 128 K
 * scale their positions by the length of the text (longrope): they are run up to 4,096 tokens.
 */
export function phi3(given: ConfigReader): Architecture {
  const config = given.over({ rms_norm_eps: 1e-5, max_position_embeddings: 4096, original_max_position_embeddings: 4096 })
  const shape = llamaShape('phi3', config, () => true)
  const { heads, keyValueHeads, headWidth, inner } = shape
  const parts = { inputBias: false, outputBias: false, mlpBias: false, headNorms: false }
  const queries = heads * headWidth
  const keys = keyValueHeads * headWidth
  return {
    shape,
    tensors: (has) => {
      const prefix = llamaPrefix(has)
      const plain = llamaTensors(parts, prefix)
      const layer = (index: number): LayerTensors => {
        const part = (name: string, begin: number, of: number): LinearTensors => ({
          weight: `${prefix}layers.${index}.${name}.weight`,
          bias: null,
          rows: rowsFrom(begin, of),
        })
        return {
          ...plain.layer(index),
          query: part('self_attn.qkv_proj', 0, queries + 2 * keys),
          key: part('self_attn.qkv_proj', queries, queries + 2 * keys),
          value: part('self_attn.qkv_proj', queries + keys, queries + 2 * keys),
          gate: part('mlp.gate_up_proj', 0, 2 * inner),
          up: part('mlp.gate_up_proj', inner, 2 * inner),
        }
      }
      return { ...plain, layer }
    },
  }
}

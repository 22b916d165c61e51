import type { ConfigReader } from './config.js'
import { llamaPrefix, llamaShape, llamaTensors } from './llama.js'
import type { Architecture } from './shape.js'

/** Mistral (Jiang et al. 2023, arXiv 2310.06825): llama without biases, and in its first version a window of 4,096 tokens in every layer. */
export function mistral(given: ConfigReader): Architecture {
  const config = given.over({ num_key_value_heads: 8, sliding_window: 4096, max_position_embeddings: 131072 })
  const parts = { inputBias: false, outputBias: false, mlpBias: false, headNorms: false }
  return { shape: llamaShape('mistral', config, () => true), tensors: (has) => llamaTensors(parts, llamaPrefix(has)) }
}

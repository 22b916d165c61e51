import type { ConfigReader } from './config.js'
import { llamaPrefix, llamaShape, llamaTensors } from './llama.js'
import type { Architecture } from './shape.js'

/** Qwen2 and Qwen2.5 (Yang et al. 2024, arXiv 2407.10671): llama with biases on query, key and value. */
export function qwen2(given: ConfigReader): Architecture {
  const config = given.over({ sliding_window: 4096, max_position_embeddings: 32768 })
  const parts = { inputBias: true, outputBias: false, mlpBias: false, headNorms: false }
  return { shape: llamaShape('qwen2', config, upperLayers(config)), tensors: (has) => llamaTensors(parts, llamaPrefix(has)) }
}

/** Qwen3 (Yang et al. 2025, arXiv 2505.09388): llama with norms on each head's query and key. */
export function qwen3(given: ConfigReader): Architecture {
  const config = given.over({ head_dim: 128, sliding_window: 4096, max_position_embeddings: 32768 })
  const bias = config.flag('attention_bias', false)
  const parts = { inputBias: bias, outputBias: bias, mlpBias: false, headNorms: true }
  const shape = llamaShape('qwen3', config, upperLayers(config))
  return { shape, tensors: (has) => llamaTensors(parts, llamaPrefix(has)) }
}

/** With `use_sliding_window`, layers from `max_window_layers` on are local. */
function upperLayers(config: ConfigReader): (layer: number) => boolean {
  if (!config.flag('use_sliding_window', false)) return () => false
  const first = config.get('max_window_layers') === 0 ? 0 : config.count('max_window_layers', 28)
  return (layer) => layer >= first
}

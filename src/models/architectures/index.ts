import { modelError } from '../errors.js'
import type { JsonObject } from '../json.js'
import { ConfigReader } from './config.js'
import { gemma, gemma2, gemma3, gemma3WithVision } from './gemma.js'
import { gptNeo } from './gpt-neo.js'
import { gptNeox } from './gpt-neox.js'
import { gpt2 } from './gpt2.js'
import { llama } from './llama.js'
import { mistral } from './mistral.js'
import { phi3 } from './phi3.js'
import { qwen2, qwen3 } from './qwen.js'
import type { Architecture } from './shape.js'

/** A family of models: how its config.json gives the shape, and what its tensors are called. */
export type Family = (config: ConfigReader) => Architecture

/** `model_type` of config.json -> family. A family with blocks of the same kinds is one more description here. */
export const families = {
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma,
  gemma2,
  gemma3: gemma3WithVision,
  gemma3_text: gemma3,
  phi3,
  gpt2,
  gpt_neo: gptNeo,
  gpt_neox: gptNeox,
} satisfies Readonly<Record<string, Family>>

/** The architecture that a config.json describes. Throws M005, M006. */
export function describe(config: JsonObject, path: string): Architecture {
  const type = config.model_type
  const family = typeof type === 'string' && Object.hasOwn(families, type) ? families[type as keyof typeof families] : undefined
  if (!family) {
    throw modelError(
      'M005',
      `${path}: models of type ${typeof type === 'string' ? `"${type}"` : 'unknown'} are not supported`,
      `this version runs the families ${Object.keys(families).join(', ')}`,
    )
  }
  const reader = new ConfigReader(config, path)
  const quantised = reader.within('quantization_config')
  if (quantised) {
    throw modelError(
      'M006',
      `${path}: the weights are quantised by the method ${JSON.stringify(quantised.get('quant_method'))}, which is not read`,
      'take the model as it was before, in 16 or 32 bits, or a GGUF file of it',
    )
  }
  return withTies(family(reader))
}

/**
 * Where the output embedding is the input embedding, files hold it under either name. Where they hold both, the output reads its own, as in
 * Hugging Face's library: mostly the two are equal.
 */
function withTies({ shape, tensors }: Architecture): Architecture {
  if (!shape.tied) return { shape, tensors }
  return {
    shape,
    tensors: (has) => {
      const named = tensors(has)
      const { embedding, output } = named
      if (!has(output)) return { ...named, output: embedding }
      return has(embedding) ? named : { ...named, embedding: output }
    },
  }
}

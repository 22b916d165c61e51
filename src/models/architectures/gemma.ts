import type { ConfigReader } from './config.js'
import { llamaPrefix, llamaShape, llamaTensors } from './llama.js'
import { rotaryPositions } from './rotary.js'
import type { Architecture, DecoderShape, LayerTensors } from './shape.js'

/**
 * Gemma (arXiv 2403.08295): llama with a gate of GELU, norms whose stored weight lacks its 1, an embedding scaled by the square root
 * of the width, and a tied output.
 */
export function gemma(config: ConfigReader): Architecture {
  const shape = gemmaShape('gemma', config.over({ head_dim: 256, max_position_embeddings: 8192 }), () => false)
  return { shape, tensors: (has) => llamaTensors(withoutBias, llamaPrefix(has)) }
}

/** Gemma 2 (arXiv 2408.00118): local layers alternate with global ones, scores and logits are capped, each block ends in a norm. */
export function gemma2(given: ConfigReader): Architecture {
  const config = given.over({
    ...secondDefaults,
    max_position_embeddings: 8192,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  })
  const shape = gemmaShape('gemma2', config, (layer) => layer % 2 === 0)
  return {
    shape: { ...shape, ...scores(config) },
    tensors: (has) => {
      const prefix = llamaPrefix(has)
      return { ...llamaTensors(withoutBias, prefix), layer: (index) => sandwiched(index, false, prefix) }
    },
  }
}

/** Gemma 3, text (arXiv 2503.19786): five local layers to each global one, each kind with its own rotary base, and norms of queries and keys. */
export function gemma3(given: ConfigReader): Architecture {
  const config = given.over({ ...secondDefaults, vocab_size: 262208, max_position_embeddings: 131072 })
  const pattern = config.count('sliding_window_pattern', 6)
  const shape = gemmaShape('gemma3', config, (layer) => (layer + 1) % pattern !== 0)
  const { headWidth } = shape
  // Which table a layer reads goes by its kind, also where the window holds the whole context.
  const types = config.get('layer_types')
  const local = (layer: number) => (Array.isArray(types) ? types[layer] === 'sliding_attention' : (layer + 1) % pattern !== 0)
  const rotary = [
    rotaryPositions(config, headWidth, { theta: 1e6, kind: 'full_attention' }),
    rotaryPositions(config, headWidth, { key: 'rope_local_base_freq', kind: 'sliding_attention', scaled: false }),
  ]
  return {
    shape: {
      ...shape,
      ...scores(config),
      // Its files may name a cap of the scores; Hugging Face's model does not apply it.
      attentionCap: null,
      context: Math.min(shape.context, ...rotary.map(({ context }) => context)),
      rotary,
      attention: shape.attention.map(({ window }, layer) => ({ window, rotary: local(layer) ? 1 : 0 })),
    },
    tensors: (has) => {
      const prefix = prefixes.find((name) => has(`${name}norm.weight`)) ?? 'model.'
      return { ...llamaTensors(withoutBias, prefix), layer: (index) => sandwiched(index, true, prefix) }
    },
  }
}

/** The text part of a Gemma 3 that also sees; its tower of vision is left alone. */
export function gemma3WithVision(config: ConfigReader): Architecture {
  const text = config.within('text_config')
  config.require(text !== null, 'text_config is missing')
  return gemma3(text!)
}

/** What precedes the names of the text part: alone, without its head, and in the two layouts of models that also see. */
const prefixes = ['model.', '', 'language_model.model.', 'model.language_model.']

const secondDefaults = { num_attention_heads: 8, num_key_value_heads: 4, head_dim: 256, sliding_window: 4096 }

const withoutBias = { inputBias: false, outputBias: false, mlpBias: false, headNorms: false }

function gemmaShape(family: string, config: ConfigReader, isLocal: (layer: number) => boolean): DecoderShape {
  config.only('attention_bias', false)
  config.only('use_bidirectional_attention', null, false)
  const shape = llamaShape(family, config, isLocal)
  return {
    ...shape,
    norm: { ...shape.norm, offset: 1 },
    activation: config.activation('hidden_activation', firstActivation(config)),
    embeddingScale: Math.sqrt(shape.width),
    tied: config.flag('tie_word_embeddings', true),
  }
}

/** The first gemma files name the exact GELU in `hidden_act`; all were trained with the approximation. Other functions that the newest name there are meant. */
function firstActivation(config: ConfigReader): string {
  const named = config.get('model_type') === 'gemma' ? config.get('hidden_act') : null
  return typeof named === 'string' && named !== 'gelu' ? named : 'gelu_pytorch_tanh'
}

function scores(config: ConfigReader) {
  return {
    attentionScale: config.positive('query_pre_attn_scalar', 256) ** -0.5,
    attentionCap: config.optional('attn_logit_softcapping'),
    logitCap: config.optional('final_logit_softcapping'),
  }
}

/** Norms before and after each block. */
function sandwiched(index: number, headNorms: boolean, prefix: string): LayerTensors {
  const norm = (name: string) => ({ weight: `${prefix}layers.${index}.${name}.weight`, bias: null })
  return {
    ...llamaTensors({ ...withoutBias, headNorms }, prefix).layer(index),
    afterAttentionNorm: norm('post_attention_layernorm'),
    mlpNorm: norm('pre_feedforward_layernorm'),
    afterMlpNorm: norm('post_feedforward_layernorm'),
  }
}

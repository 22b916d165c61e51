import type { ConfigReader, DecoderShape, Family, LayerNames, LinearName } from './architectures.js'
import { isObject } from './json.js'

/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971) and what shares its blocks, as Hugging Face lays it out: pre-norm with root mean
 * square, rotary positions over the halves of a head, grouped-query attention, SiLU-gated MLP.
 */
export const llama: Family = {
  name: 'llama',
  embedding: 'model.embed_tokens.weight',
  finalNorm: 'model.norm.weight',
  output: 'lm_head.weight',
  shape,
  layer,
}

function shape(config: ConfigReader): DecoderShape {
  config.only('hidden_act', 'silu', 'swish')
  config.only('quantization_config', null)
  const width = config.count('hidden_size')
  const heads = config.count('num_attention_heads')
  const keyValueHeads = config.count('num_key_value_heads', heads)
  config.require(
    heads % keyValueHeads === 0,
    `num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${keyValueHeads})`,
  )
  const headWidth = config.count('head_dim', width / heads)
  config.require(headWidth % 2 === 0, `head_dim (${headWidth}) is odd, and rotary positions need pairs`)
  return {
    family: 'llama',
    layers: config.count('num_hidden_layers'),
    width,
    heads,
    keyValueHeads,
    headWidth,
    inner: config.count('intermediate_size'),
    vocabulary: config.count('vocab_size'),
    context: config.count('max_position_embeddings', 2048),
    epsilon: config.positive('rms_norm_eps', 1e-6),
    inverseFrequencies: inverseFrequencies(config, headWidth),
    tied: config.flag('tie_word_embeddings', false),
    attentionBias: config.flag('attention_bias', false),
    mlpBias: config.flag('mlp_bias', false),
  }
}

/** theta^(-2i / headWidth), i = 0 .. headWidth / 2 - 1. Newer files keep theta under `rope_parameters`. */
function inverseFrequencies(config: ConfigReader, headWidth: number): number[] {
  const parameters = config.get('rope_parameters')
  let theta = config.positive('rope_theta', 10000)
  if (isObject(parameters)) {
    const { rope_type: type = 'default', rope_theta: own = theta } = parameters
    config.require(type === 'default', `rope_parameters of type ${JSON.stringify(type)} are not supported, only "default"`)
    config.require(typeof own === 'number' && own > 0, 'rope_parameters.rope_theta is not a positive number')
    theta = own as number
  }
  // Frequency scaling for longer contexts (linear, yarn, llama3) would change the list below.
  const scaling = config.get('rope_scaling')
  const scales = isObject(scaling) && (scaling.rope_type ?? scaling.type) !== 'default'
  config.require(!scales && (scaling == null || isObject(scaling)), 'rope_scaling is not supported')
  config.only('partial_rotary_factor', 1)
  return Array.from({ length: headWidth / 2 }, (_, i) => theta ** ((-2 * i) / headWidth))
}

function layer(index: number): LayerNames {
  const linear = (name: string): LinearName => ({
    weight: `model.layers.${index}.${name}.weight`,
    bias: `model.layers.${index}.${name}.bias`,
  })
  return {
    attentionNorm: `model.layers.${index}.input_layernorm.weight`,
    query: linear('self_attn.q_proj'),
    key: linear('self_attn.k_proj'),
    value: linear('self_attn.v_proj'),
    attentionOutput: linear('self_attn.o_proj'),
    mlpNorm: `model.layers.${index}.post_attention_layernorm.weight`,
    gate: linear('mlp.gate_proj'),
    up: linear('mlp.up_proj'),
    down: linear('mlp.down_proj'),
  }
}

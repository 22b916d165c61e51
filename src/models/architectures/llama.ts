import type { ConfigReader } from './config.js'
import { rotaryPositions } from './rotary.js'
import type { Architecture, DecoderShape, DecoderTensors, LayerTensors, LinearTensors } from './shape.js'
import { attentionWindows } from './windows.js'

/** In which parts a llama-like model has biases, and which norms it has beside the usual two. */
export interface LlamaParts {
  readonly inputBias: boolean
  readonly outputBias: boolean
  readonly mlpBias: boolean
  readonly headNorms: boolean
}

/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971; Llama 3: arXiv 2407.21783): pre-norm with root mean square, rotary positions over the
 * halves of a head, grouped-query attention, SiLU-gated MLP.
 */
export function llama(config: ConfigReader): Architecture {
  const bias = config.flag('attention_bias', false)
  const parts = { inputBias: bias, outputBias: bias, mlpBias: config.flag('mlp_bias', false), headNorms: false }
  return { shape: llamaShape('llama', config), tensors: (has) => llamaTensors(parts, llamaPrefix(has)) }
}

/** The shape of a model whose blocks are llama's. `isLocal`: which layers look through `sliding_window`, if the file has one. */
export function llamaShape(
  family: string,
  config: ConfigReader,
  isLocal: (layer: number) => boolean = () => false,
): DecoderShape {
  const width = config.count('hidden_size')
  const heads = config.count('num_attention_heads')
  const keyValueHeads = config.count('num_key_value_heads', heads)
  config.require(
    heads % keyValueHeads === 0,
    `num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${keyValueHeads})`,
  )
  const headWidth = config.count('head_dim', width / heads)
  const rotary = rotaryPositions(config, headWidth)
  const context = Math.min(config.count('max_position_embeddings', 2048), rotary.context)
  const windows = attentionWindows(config, config.optional('sliding_window'), context, isLocal)
  return {
    family,
    layers: windows.length,
    width,
    heads,
    keyValueHeads,
    headWidth,
    inner: config.count('intermediate_size'),
    vocabulary: config.listed('vocab_size'),
    context,
    norm: { kind: 'rootMeanSquare', epsilon: config.positive('rms_norm_eps', 1e-6), offset: 0 },
    positions: 'rotary',
    rotary: [rotary],
    attention: windows.map((window) => ({ window, rotary: 0 })),
    attentionScale: 1 / Math.sqrt(headWidth),
    attentionCap: null,
    activation: config.activation('hidden_act', 'silu'),
    residual: 'sequential',
    embeddingScale: 1,
    logitCap: null,
    tied: config.flag('tie_word_embeddings', false),
  }
}

/** What precedes the names of llama-like models: nothing where the model was saved without its head. */
export function llamaPrefix(has: (name: string) => boolean): string {
  return has('norm.weight') ? '' : 'model.'
}

/** The names that llama-like models share in the Hugging Face layout. */
export function llamaTensors(parts: LlamaParts, prefix: string): DecoderTensors {
  return {
    embedding: `${prefix}embed_tokens.weight`,
    positionEmbedding: null,
    finalNorm: { weight: `${prefix}norm.weight`, bias: null },
    output: 'lm_head.weight',
    layer: (index) => llamaLayer(`${prefix}layers.${index}`, parts),
  }
}

function llamaLayer(at: string, parts: LlamaParts): LayerTensors {
  const norm = (name: string) => ({ weight: `${at}.${name}.weight`, bias: null })
  const linear = (name: string, bias: boolean): LinearTensors => ({
    weight: `${at}.${name}.weight`,
    bias: bias ? `${at}.${name}.bias` : null,
  })
  return {
    attentionNorm: norm('input_layernorm'),
    query: linear('self_attn.q_proj', parts.inputBias),
    key: linear('self_attn.k_proj', parts.inputBias),
    value: linear('self_attn.v_proj', parts.inputBias),
    queryNorm: parts.headNorms ? norm('self_attn.q_norm') : null,
    keyNorm: parts.headNorms ? norm('self_attn.k_norm') : null,
    attentionOutput: linear('self_attn.o_proj', parts.outputBias),
    afterAttentionNorm: null,
    mlpNorm: norm('post_attention_layernorm'),
    gate: linear('mlp.gate_proj', parts.mlpBias),
    up: linear('mlp.up_proj', parts.mlpBias),
    down: linear('mlp.down_proj', parts.mlpBias),
    afterMlpNorm: null,
  }
}

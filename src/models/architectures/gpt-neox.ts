import type { ConfigReader } from './config.js'
import { rotaryPositions } from './rotary.js'
import type { Architecture, DecoderShape, DecoderTensors, LinearTensors } from './shape.js'

/**
 * GPT-NeoX (Black et al. 2022, arXiv 2204.06745) and Pythia: rotary positions over a part of each head, attention and MLP beside each
 * other, and a matrix that holds query, key and value of one head after the other.
 */
export function gptNeox(config: ConfigReader): Architecture {
  const width = config.count('hidden_size')
  const heads = config.count('num_attention_heads')
  config.require(width % heads === 0, `hidden_size (${width}) is not a multiple of num_attention_heads (${heads})`)
  const headWidth = width / heads
  const layers = config.listed('num_hidden_layers')
  const rotary = rotaryPositions(config, headWidth, { key: 'rotary_emb_base', share: config.positive('rotary_pct', 0.25) })
  const shape: DecoderShape = {
    family: 'gpt_neox',
    layers,
    width,
    heads,
    keyValueHeads: heads,
    headWidth,
    inner: config.count('intermediate_size', 4 * width),
    vocabulary: config.listed('vocab_size'),
    context: Math.min(config.count('max_position_embeddings', 2048), rotary.context),
    norm: { kind: 'layer', epsilon: config.positive('layer_norm_eps', 1e-5), offset: 0 },
    positions: 'rotary',
    rotary: [rotary],
    attention: Array.from({ length: layers }, () => ({ window: Infinity, rotary: 0 })),
    attentionScale: 1 / Math.sqrt(headWidth),
    attentionCap: null,
    activation: config.activation('hidden_act', 'gelu'),
    residual: config.flag('use_parallel_residual', true) ? 'parallel' : 'sequential',
    embeddingScale: 1,
    logitCap: null,
    tied: config.flag('tie_word_embeddings', false),
  }
  const bias = config.flag('attention_bias', true)
  return { shape, tensors: (has) => tensors(shape, bias, has('embed_in.weight') ? '' : 'gpt_neox.') }
}

function tensors({ width, headWidth }: DecoderShape, attentionBias: boolean, prefix: string): DecoderTensors {
  const named = (name: string) => ({ weight: `${prefix}${name}.weight`, bias: `${prefix}${name}.bias` })
  return {
    embedding: `${prefix}embed_in.weight`,
    positionEmbedding: null,
    finalNorm: named('final_layer_norm'),
    output: 'embed_out.weight',
    layer: (index) => {
      const attention = (name: string): LinearTensors => {
        const both = named(`layers.${index}.attention.${name}`)
        return attentionBias ? both : { ...both, bias: null }
      }
      const part = (number: number): LinearTensors => ({
        ...attention('query_key_value'),
        rows: { of: 3 * width, at: (row) => (3 * Math.floor(row / headWidth) + number) * headWidth + (row % headWidth) },
      })
      return {
        attentionNorm: named(`layers.${index}.input_layernorm`),
        query: part(0),
        key: part(1),
        value: part(2),
        queryNorm: null,
        keyNorm: null,
        attentionOutput: attention('dense'),
        afterAttentionNorm: null,
        mlpNorm: named(`layers.${index}.post_attention_layernorm`),
        gate: null,
        up: named(`layers.${index}.mlp.dense_h_to_4h`),
        down: named(`layers.${index}.mlp.dense_4h_to_h`),
        afterMlpNorm: null,
      }
    },
  }
}

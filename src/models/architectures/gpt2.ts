import type { ConfigReader } from './config.js'
import { type Architecture, type DecoderShape, type DecoderTensors, type LinearTensors, rowsFrom } from './shape.js'

/** GPT-2 (Radford et al. 2019): learned positions, norms with bias, query, key and value in one matrix, matrices stored as [in, out]. */
export function gpt2(config: ConfigReader): Architecture {
  config.only('add_cross_attention', false)
  const width = config.count('n_embd', 768)
  const layers = config.listed('n_layer', 12)
  const plain = learnedPositions(config, width, config.count('n_head', 12))
  const lower = config.flag('scale_attn_by_inverse_layer_idx', false)
  const shape: DecoderShape = {
    ...plain,
    family: 'gpt2',
    layers,
    inner: config.count('n_inner', 4 * width),
    context: config.count('n_positions', 1024),
    attention: Array.from({ length: layers }, (_, layer) => ({
      window: Infinity,
      rotary: 0,
      scale: lower ? 1 / (layer + 1) : 1,
    })),
    attentionScale: config.flag('scale_attn_weights', true) ? plain.attentionScale : 1,
  }
  return { shape, tensors: (has) => gpt2Tensors(shape, has('wte.weight') ? '' : 'transformer.') }
}

/** What models with learned positions share. */
export function learnedPositions(config: ConfigReader, width: number, heads: number) {
  config.require(width % heads === 0, `the width ${width} is not a multiple of the number of heads, ${heads}`)
  return {
    width,
    heads,
    keyValueHeads: heads,
    headWidth: width / heads,
    vocabulary: config.listed('vocab_size', 50257),
    norm: { kind: 'layer', epsilon: config.positive('layer_norm_epsilon', 1e-5), offset: 0 },
    positions: 'learned',
    rotary: [],
    attentionScale: 1 / Math.sqrt(width / heads),
    attentionCap: null,
    activation: config.activation('activation_function', 'gelu_new'),
    residual: 'sequential',
    embeddingScale: 1,
    logitCap: null,
    tied: config.flag('tie_word_embeddings', true),
  } as const
}

/** The file of the first GPT-2 has names without the prefix, as every model that was saved without its head. */
function gpt2Tensors({ width }: DecoderShape, prefix: string): DecoderTensors {
  const norm = (name: string) => ({ weight: `${prefix}${name}.weight`, bias: `${prefix}${name}.bias` })
  return {
    embedding: `${prefix}wte.weight`,
    positionEmbedding: `${prefix}wpe.weight`,
    finalNorm: norm('ln_f'),
    output: 'lm_head.weight',
    layer: (index) => {
      const linear = (name: string): LinearTensors => ({ ...norm(`h.${index}.${name}`), transposed: true })
      const part = (number: number) => ({ ...linear('attn.c_attn'), rows: rowsFrom(number * width, 3 * width) })
      return {
        attentionNorm: norm(`h.${index}.ln_1`),
        query: part(0),
        key: part(1),
        value: part(2),
        queryNorm: null,
        keyNorm: null,
        attentionOutput: linear('attn.c_proj'),
        afterAttentionNorm: null,
        mlpNorm: norm(`h.${index}.ln_2`),
        gate: null,
        up: linear('mlp.c_fc'),
        down: linear('mlp.c_proj'),
        afterMlpNorm: null,
      }
    },
  }
}

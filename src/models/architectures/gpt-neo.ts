import type { ConfigReader } from './config.js'
import { learnedPositions } from './gpt2.js'
import type { Architecture, DecoderShape, DecoderTensors } from './shape.js'
import { attentionWindows } from './windows.js'

/** GPT-Neo (Black et al. 2021), also the TinyStories models: GPT-2 with local layers between global ones, and scores that are not divided by the root of the head's width. */
export function gptNeo(config: ConfigReader): Architecture {
  const kinds = layerKinds(config)
  const width = config.count('hidden_size', 2048)
  const layers = config.listed('num_layers', 24)
  config.require(kinds.length === layers, `attention_types describes ${kinds.length} layers, and num_layers is ${layers}`)
  const context = config.count('max_position_embeddings', 2048)
  const windows = attentionWindows(config, config.count('window_size', 256), context, (layer) => kinds[layer] === 'local')
  const shape: DecoderShape = {
    ...learnedPositions(config, width, config.count('num_heads', 16)),
    family: 'gpt_neo',
    layers,
    inner: config.count('intermediate_size', 4 * width),
    context,
    attention: windows.map((window) => ({ window, rotary: 0 })),
    attentionScale: 1,
  }
  return { shape, tensors: (has) => tensors(has('wte.weight') ? '' : 'transformer.') }
}

/** attention_types: [[["global", "local"], 12]] stands for 24 layers. */
function layerKinds(config: ConfigReader): string[] {
  const types = config.get('attention_types') ?? [[['global', 'local'], 12]]
  const kinds = (Array.isArray(types) ? types : []).flatMap((entry) => {
    const [pattern, times] = Array.isArray(entry) ? entry : []
    if (!Array.isArray(pattern) || !Number.isSafeInteger(times) || times < 0 || times > 10_000) return ['unknown']
    return Array.from({ length: times as number }, () => pattern as string[]).flat()
  })
  config.require(
    kinds.length > 0 && kinds.every((kind) => kind === 'global' || kind === 'local'),
    'attention_types does not list global and local layers',
  )
  return kinds
}

function tensors(prefix: string): DecoderTensors {
  const norm = (name: string) => ({ weight: `${prefix}${name}.weight`, bias: `${prefix}${name}.bias` })
  return {
    embedding: `${prefix}wte.weight`,
    positionEmbedding: `${prefix}wpe.weight`,
    finalNorm: norm('ln_f'),
    output: 'lm_head.weight',
    layer: (index) => {
      const at = `h.${index}`
      const unbiased = (name: string) => ({ ...norm(`${at}.attn.attention.${name}`), bias: null })
      return {
        attentionNorm: norm(`${at}.ln_1`),
        query: unbiased('q_proj'),
        key: unbiased('k_proj'),
        value: unbiased('v_proj'),
        queryNorm: null,
        keyNorm: null,
        attentionOutput: norm(`${at}.attn.attention.out_proj`),
        afterAttentionNorm: null,
        mlpNorm: norm(`${at}.ln_2`),
        gate: null,
        up: norm(`${at}.mlp.c_fc`),
        down: norm(`${at}.mlp.c_proj`),
        afterMlpNorm: null,
      }
    },
  }
}

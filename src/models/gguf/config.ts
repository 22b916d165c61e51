import { mostListed } from '../architectures/config.js'
import type { JsonObject } from '../json.js'
import type { GgufHeader, GgufValue } from './header.js'

/** `general.architecture` -> `model_type` of a config.json. */
export const modelTypes: Readonly<Record<string, string>> = {
  llama: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gemma: 'gemma',
  gemma2: 'gemma2',
  gemma3: 'gemma3_text',
  phi3: 'phi3',
  gpt2: 'gpt2',
  gptneox: 'gpt_neox',
}

/**
 * The metadata of a GGUF file as the config.json that it was made from. An architecture that is not known keeps its name, so that
 * the error for families that are not supported tells it.
 */
export function configOf(header: GgufHeader, shortFactors: readonly number[] | null = null): JsonObject {
  // What the file leaves out takes the family's own defaults.
  return Object.fromEntries(Object.entries(translated(header, shortFactors)).filter(([, value]) => value !== null))
}

function translated({ metadata, tensors }: GgufHeader, shortFactors: readonly number[] | null): JsonObject {
  const architecture = metadata.get('general.architecture')
  const value = (key: string): GgufValue | null => metadata.get(`${String(architecture)}.${key}`) ?? null
  const number = (key: string) => (typeof value(key) === 'number' ? Number(value(key)) : null)
  const known = typeof architecture === 'string' ? (modelTypes[architecture] ?? architecture) : null
  // Mixtral calls itself llama.
  const type = known && number('expert_count') ? `${known} with experts` : known
  const width = number('embedding_length')
  const heads = number('attention.head_count')
  const layers = number('block_count')
  const headWidth = number('attention.key_length') ?? (width && heads && width / heads)
  const shared = {
    model_type: type,
    vocab_size: tensors.get('token_embd.weight')?.shape[0] ?? null,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: number('feed_forward_length'),
    max_position_embeddings: number('context_length'),
    tie_word_embeddings: !tensors.has('output.weight'),
  }
  if (type === 'gpt2') {
    return {
      ...shared,
      n_embd: width,
      n_layer: layers,
      n_head: heads,
      n_inner: shared.intermediate_size,
      n_positions: shared.max_position_embeddings,
      layer_norm_epsilon: exact(number('attention.layer_norm_epsilon')),
    }
  }
  const turned = number('rope.dimension_count')
  const share = turned && headWidth ? turned / headWidth : null
  // Older files have a key for the one kind of scaling that there was.
  const factor = number('rope.scaling.factor') ?? number('rope.scale_linear')
  const scaling = shortFactors ? 'longrope' : (value('rope.scaling.type') ?? (factor ? 'linear' : null))
  const rotary = {
    rope_theta: number('rope.freq_base'),
    rope_scaling:
      scaling === null || scaling === 'none'
        ? null
        : {
            rope_type: scaling,
            factor,
            short_factor: shortFactors,
            attention_factor: number(shortFactors ? 'rope.scaling.attn_factor' : 'rope.scaling.yarn_attn_factor'),
            beta_fast: number('rope.scaling.yarn_beta_fast'),
            beta_slow: number('rope.scaling.yarn_beta_slow'),
          },
    partial_rotary_factor: share,
    original_max_position_embeddings: number('rope.scaling.original_context_length'),
  }
  if (type === 'gpt_neox') {
    return {
      ...shared,
      ...rotary,
      rotary_emb_base: rotary.rope_theta,
      layer_norm_eps: exact(number('attention.layer_norm_epsilon')),
      use_parallel_residual: value('use_parallel_residual'),
    }
  }
  return {
    ...shared,
    ...rotary,
    num_key_value_heads: number('attention.head_count_kv'),
    head_dim: headWidth,
    rms_norm_eps: exact(number('attention.layer_norm_rms_epsilon')),
    sliding_window: number('attention.sliding_window'),
    ...(type?.startsWith('gemma') && gemma(type, value, { width, heads, headWidth, layers })),
  }
}

interface Sizes {
  readonly width: number | null
  readonly heads: number | null
  readonly headWidth: number | null
  readonly layers: number | null
}

/** What gemma's metadata leave to the reader: the scale of the scores, which only the largest models (46 and 62 layers) have otherwise, and the local base. */
function gemma(type: string, value: (key: string) => GgufValue | null, { width, heads, headWidth, layers }: Sizes): JsonObject {
  if (type === 'gemma') return {}
  const largest = layers === (type === 'gemma2' ? 46 : 62)
  return {
    query_pre_attn_scalar: largest && width && heads ? width / heads : headWidth,
    attn_logit_softcapping: type === 'gemma2' ? value('attn_logit_softcapping') : null,
    final_logit_softcapping: value('final_logit_softcapping'),
    // A gemma 3 without a window has no local layers.
    layer_types: layerTypes(
      type === 'gemma3_text' && !value('attention.sliding_window') ? 1 : value('attention.sliding_window_pattern'),
      layers,
    ),
    ...(type === 'gemma3_text' && {
      rope_local_base_freq: value('rope.freq_base_swa') ?? 10000,
      rope_theta: value('rope.freq_base') ?? 1e6,
    }),
  }
}

/** Which layers are local, where the file says so: a flag for each, or the number n of a pattern whose every n-th layer is global. */
function layerTypes(pattern: GgufValue | null, layers: number | null): string[] | null {
  // Of more layers than there is room for, `describe` tells.
  if (pattern === null || !layers || layers > mostListed) return null
  const isLocal = (layer: number) =>
    Array.isArray(pattern) ? pattern[layer] === true : pattern === 0 || (layer + 1) % Number(pattern) !== 0
  return Array.from({ length: layers }, (_, layer) => (isLocal(layer) ? 'sliding_attention' : 'full_attention'))
}

/** The shortest decimal number that a 32-bit float stands for: 9.99999974e-6 was written as 1e-5. */
function exact(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(7))
}

import { describe as about, expect, it } from 'vitest'
import { describe } from '../../../src/models/architectures/index.js'
import { configOf } from '../../../src/models/gguf/config.js'
import type { GgufValue } from '../../../src/models/gguf/header.js'
import type { JsonObject } from '../../../src/models/json.js'

/** What the same model says in config.json and in the metadata of a GGUF file. */
const sizes = { hidden_size: 32, num_hidden_layers: 4, num_attention_heads: 2, num_key_value_heads: 2, head_dim: 16 }
const others = { intermediate_size: 24, max_position_embeddings: 256, rms_norm_eps: 1e-5, vocab_size: 50 }
const metadata = {
  embedding_length: 32,
  block_count: 4,
  'attention.head_count': 2,
  'attention.head_count_kv': 2,
  'attention.key_length': 16,
  feed_forward_length: 24,
  context_length: 256,
  'attention.layer_norm_rms_epsilon': Math.fround(1e-5),
}

function fromGguf(architecture: string, entries: Readonly<Record<string, GgufValue>>) {
  const pairs = Object.entries({ ...metadata, ...entries }).map(([key, value]) => [`${architecture}.${key}`, value] as const)
  const tensors = new Map(['token_embd.weight', 'output.weight'].map((name) => [name, { shape: [50, 32], type: 0, begin: 0 }]))
  const all = new Map<string, GgufValue>([['general.architecture', architecture], ...pairs])
  return describe(configOf({ metadata: all, tensors }), 'm.gguf').shape
}

const fromJson = (type: string, entries: JsonObject) =>
  describe({ model_type: type, ...sizes, ...others, ...entries }, 'config.json').shape

about('rotary positions for longer texts', () => {
  const linear = fromJson('llama', { rope_scaling: { rope_type: 'linear', factor: 4 } })

  it('are linear where only a factor stands, under its old key too', () => {
    expect(linear.rotary[0]!.frequencies[0]).toBe(0.25)
    expect(fromGguf('llama', { 'rope.scaling.type': 'linear', 'rope.scaling.factor': 4 })).toEqual(linear)
    expect(fromGguf('llama', { 'rope.scaling.factor': 4 })).toEqual(linear)
    expect(fromGguf('llama', { 'rope.scale_linear': 4 })).toEqual(linear)
    expect(fromGguf('llama', { 'rope.scaling.type': 'none', 'rope.scaling.factor': 4 })).toEqual(fromGguf('llama', {}))
  })

  it('have the settings of YaRN', () => {
    const entries = { 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4, 'rope.scaling.original_context_length': 64 }
    const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 }
    expect(fromGguf('llama', entries)).toEqual(fromJson('llama', { rope_scaling: yarn }))
    const sharp = {
      'rope.scaling.yarn_beta_fast': 8,
      'rope.scaling.yarn_beta_slow': 0.5,
      'rope.scaling.yarn_attn_factor': 1.5,
    }
    const sharper = fromJson('llama', { rope_scaling: { ...yarn, beta_fast: 8, beta_slow: 0.5, attention_factor: 1.5 } })
    expect(fromGguf('llama', { ...entries, ...sharp })).toEqual(sharper)
    expect(sharper.rotary).not.toEqual(fromJson('llama', { rope_scaling: yarn }).rotary)
  })
})

it('a file may say which layers of gemma are local', () => {
  const windows = (pattern: GgufValue) =>
    fromGguf('gemma3', { 'attention.sliding_window': 8, 'attention.sliding_window_pattern': pattern }).attention.map(
      ({ window }) => window,
    )
  expect(windows(2)).toEqual([8, Infinity, 8, Infinity])
  expect(windows(3)).toEqual([8, 8, Infinity, 8])
  expect(windows([true, false, false, true])).toEqual([8, Infinity, Infinity, 8])
})

it('a damaged file may tell of more layers than there is room for', () => {
  const entries = { block_count: 2 ** 31, 'attention.sliding_window': 8, 'attention.sliding_window_pattern': 2 }
  expect(() => fromGguf('gemma3', entries)).toThrow(/M006: .*num_hidden_layers: expected at most/)
})

it('a gemma 3 without a window has no local layers, and may cap its logits', () => {
  const { attention, rotary, logitCap } = fromGguf('gemma3', { 'rope.freq_base': 500, final_logit_softcapping: 30 })
  expect(attention).toEqual(Array.from({ length: 4 }, () => ({ window: Infinity, rotary: 0 })))
  expect(rotary[0]).toEqual(fromJson('llama', { rope_theta: 500 }).rotary[0])
  expect(logitCap).toBe(30)
})

it('a mixture of experts is another family, though it calls itself llama', () => {
  expect(() => fromGguf('llama', { expert_count: 8 })).toThrow(/M005: .*"llama with experts" are not supported/)
  expect(fromGguf('llama', { expert_count: 0 }).family).toBe('llama')
})

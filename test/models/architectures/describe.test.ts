import { expect, describe as group, it } from 'vitest'
import { describe, families } from '../../../src/models/architectures/index.js'

const base = {
  hidden_size: 24,
  intermediate_size: 20,
  num_hidden_layers: 6,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 50,
  max_position_embeddings: 64,
}
const of = (model_type: string, more: Readonly<Record<string, unknown>> = {}) =>
  describe({ ...base, model_type, ...more }, 'config.json')
const windows = (model_type: string, more: Readonly<Record<string, unknown>> = {}) =>
  of(model_type, more).shape.attention.map(({ window }) => window)

group('the activation of the first gemma', () => {
  const activation = (more: object) => of('gemma', more as Record<string, unknown>).shape.activation

  it('is the approximation of GELU, also where the file names the exact one', () => {
    expect(activation({})).toBe('geluTanh')
    expect(activation({ hidden_act: 'gelu' })).toBe('geluTanh')
    expect(activation({ hidden_act: 'gelu', hidden_activation: null })).toBe('geluTanh')
  })

  it('is another one where the file names that', () => {
    expect(activation({ hidden_act: 'silu' })).toBe('silu')
    expect(activation({ hidden_act: 'silu', hidden_activation: 'gelu_pytorch_tanh' })).toBe('geluTanh')
    expect(of('gemma2', { hidden_act: 'silu' }).shape.activation).toBe('geluTanh')
  })
})

it('the pattern of local layers is that of a key that the library of Hugging Face reads', () => {
  const local = (more: object) => windows('gemma3_text', { sliding_window: 8, ...more }).filter(Number.isFinite).length
  expect(local({ sliding_window_pattern: 3 })).toBe(4)
  expect(local({ _sliding_window_pattern: 3 })).toBe(5)
})

group('rotary positions', () => {
  const rotary = of('llama', { head_dim: 8 }).shape.rotary.map(({ frequencies }) => frequencies)
  const scaled = (rope_scaling: object) => of('llama', { head_dim: 8, rope_scaling }).shape.rotary[0]!.frequencies

  it('have the frequencies of the paper', () => {
    expect(rotary).toHaveLength(1)
    rotary[0]!.forEach((frequency, i) => {
      expect(frequency / 10000 ** (-i / 4)).toBeCloseTo(1, 7)
    })
  })

  it('are stretched evenly, or by wavelength', () => {
    expect(scaled({ type: 'linear', factor: 4 })).toEqual(rotary[0]!.map((frequency) => frequency / 4))
    const llama3 = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    }
    const [first, second, third, last] = scaled(llama3)
    expect(first).toBe(1)
    // 64 positions hold 1.019 waves of the second frequency: between one and four of them it is blended.
    const kept = ((64 * 0.1) / (2 * Math.PI) - 1) / 3
    expect(second).toBeCloseTo(0.1 * (kept + (1 - kept) / 8), 7)
    expect(third).toBeCloseTo(0.01 / 8, 9)
    expect(last).toBeCloseTo(0.001 / 8, 9)
  })

  const longrope = { short_factor: [1, 2, 4, 8], long_factor: [9, 9, 9, 9] }
  it.each(['longrope', 'su', 'yarn'])('of Phi-3, called %s, hold for texts as long as those of the first training', (type) => {
    const config = { head_dim: 8, max_position_embeddings: 64, original_max_position_embeddings: 16 }
    const { rotary: tables, context } = of('phi3', { ...config, rope_scaling: { type, ...longrope } }).shape
    expect(context).toBe(16)
    expect(tables[0]!.frequencies).toEqual(rotary[0]!.map((frequency, i) => frequency / 2 ** i))
    expect(tables[0]!.scale).toBeCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(16)), 12)
  })

  it.each(['proportional', 'constructor', 3])('of the kind %s are refused', (type) => {
    expect(() => of('phi3', { rope_scaling: { type, factor: 4 } })).toThrow(/M006.*are not supported/)
  })

  it('of longrope without its factors are refused', () => {
    expect(() => of('phi3', { rope_scaling: { type: 'longrope', short_factor: [1, 2] } })).toThrow(/M006.*short_factor/)
    expect(() => of('phi3', { rope_scaling: { type: 'longrope' } })).toThrow(/M006.*short_factor/)
  })
})

group('windows', () => {
  it('follow the rule of each family', () => {
    expect(windows('llama', { sliding_window: 8 })).toEqual(Array(6).fill(Infinity))
    expect(windows('mistral', { sliding_window: 8 })).toEqual(Array(6).fill(8))
    expect(windows('mistral', { sliding_window: null })).toEqual(Array(6).fill(Infinity))
    expect(windows('qwen2', { use_sliding_window: true, sliding_window: 8, max_window_layers: 4 })).toEqual([
      Infinity,
      Infinity,
      Infinity,
      Infinity,
      8,
      8,
    ])
    expect(windows('qwen2', { use_sliding_window: false, sliding_window: 8 })).toEqual(Array(6).fill(Infinity))
    expect(windows('gemma2', { sliding_window: 8 })).toEqual([8, Infinity, 8, Infinity, 8, Infinity])
    expect(windows('gemma3_text', { sliding_window: 8 })).toEqual([8, 8, 8, 8, 8, Infinity])
    // As Hugging Face computes it: the cap of the logits applies, a cap of the scores does not.
    const caps = { attn_logit_softcapping: 2, final_logit_softcapping: 3 }
    expect(of('gemma3_text', caps).shape).toMatchObject({ attentionCap: null, logitCap: 3 })
  })

  it('that hold the whole context are none', () => {
    expect(windows('mistral', { sliding_window: 64 })).toEqual(Array(6).fill(Infinity))
  })

  it('are listed rightly or refused', () => {
    expect(() => windows('gemma2', { layer_types: ['full_attention'] })).toThrow(/M006.*layer_types/)
  })
})

group('gemma 3 that also sees', () => {
  it('is read by its text part, whatever its tensors are called', () => {
    const { shape, tensors } = describe({ model_type: 'gemma3', text_config: { ...base, sliding_window: 8 } }, 'config.json')
    expect(shape).toMatchObject({ family: 'gemma3', headWidth: 256, layers: 6 })
    for (const prefix of ['model.', 'language_model.model.', 'model.language_model.']) {
      const names = tensors((name) => name === `${prefix}norm.weight`)
      expect(names.embedding).toBe(`${prefix}embed_tokens.weight`)
      expect(names.layer(3).afterMlpNorm?.weight).toBe(`${prefix}layers.3.post_feedforward_layernorm.weight`)
    }
  })
})

group('what would be computed wrongly', () => {
  it.each([
    ['gpt2', { add_cross_attention: true, n_embd: 24 }, 'add_cross_attention'],
    ['gpt_neo', { num_layers: 3, attention_types: [[['global'], 2]] }, 'attention_types'],
    ['gpt_neo', { attention_types: [[['sparse'], 24]] }, 'attention_types'],
    ['gpt_neox', { hidden_size: 25 }, 'hidden_size'],
    ['llama', { hidden_act: 'mish' }, 'hidden_act'],
    ['llama', { num_key_value_heads: 3 }, 'num_key_value_heads'],
    ['gemma2', { attention_bias: true }, 'attention_bias'],
    ['qwen3', { quantization_config: { bits: 4, quant_method: 'gptq' } }, 'by the method "gptq", which is not read'],
    ['qwen3', { quantization_config: 4 }, 'quantization_config'],
    ['llama', { num_hidden_layers: 2 ** 31 }, 'num_hidden_layers: expected at most'],
    ['gpt2', { n_embd: 24, n_layer: 2 ** 31 }, 'n_layer: expected at most'],
    ['gpt_neo', { hidden_size: 32, num_layers: 2 ** 31 }, 'num_layers: expected at most'],
    ['gpt_neox', { num_hidden_layers: 2 ** 31 }, 'num_hidden_layers: expected at most'],
    ['llama', { vocab_size: 2 ** 31 }, 'vocab_size: expected at most'],
    ['llama', { head_dim: 2 ** 31 }, 'rotary positions turn'],
    ['llama', { rms_norm_eps: 1e300 }, 'rms_norm_eps: expected a positive number'],
  ])('%s with %j is refused', (type, more, key) => {
    expect(() => of(type, more)).toThrow(new RegExp(`M006.*${key}`))
  })

  it('an unknown family is named with those that are known', () => {
    expect(() => of('mamba')).toThrow(/M005.*"mamba"/)
    expect(() => of('toString')).toThrow('M005')
    expect(Object.keys(families)).toContain('gpt_neox')
  })
})

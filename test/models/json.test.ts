import { expect, it } from 'vitest'
import { describe } from '../../src/models/architectures/index.js'
import { parseObject } from '../../src/models/json.js'

it('numbers that Python writes and JSON does not have are numbers', () => {
  const text = '{"a": NaN, "b": [Infinity, -Infinity, 1], "say \\"NaN\\"": "-Infinity NaN", "n": {"NaN": 2}}'
  expect(parseObject(text, 'x')).toEqual({
    a: Number.NaN,
    b: [Infinity, -Infinity, 1],
    'say "NaN"': '-Infinity NaN',
    n: { NaN: 2 },
  })
  expect(parseObject('{"-Infinity": Infinity}', 'x')).toEqual({ '-Infinity': Infinity })
  for (const wrong of ['{"a": nan}', '{"a": NaNs}', '{"a": +Infinity}', '{"a": NaN', '{NaN: 1}', '{"a": 1NaN}']) {
    expect(() => parseObject(wrong, 'x')).toThrow('M004')
  }
})

it('a mark of the byte order before the text is passed over', () => {
  expect(parseObject('\ufeff{"a": 1}', 'x')).toEqual({ a: 1 })
  expect(() => parseObject('\ufeff\ufeff{"a": 1}', 'x')).toThrow('M004')
})

it('such a number is harmless where nobody reads it, and refused where it counts', () => {
  const sizes = '"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 4, "vocab_size": 9'
  const read = (more: string) => describe(parseObject(`{"model_type": "llama", ${sizes}, ${more}}`, 'config.json'), 'config.json')
  expect(read('"time_step_limit": [0.0, Infinity], "router": NaN').shape.layers).toBe(1)
  expect(() => read('"rms_norm_eps": NaN')).toThrow('M006')
  expect(() => read('"rope_theta": Infinity')).toThrow('M006')
  expect(() => read('"max_position_embeddings": Infinity')).toThrow('M006')
})

import { describe } from '../src/models/architectures/index.js'
import type { Device } from '../src/models/device.js'
import { DeviceTrunk } from '../src/models/device-trunk.js'
import { Head } from '../src/models/head.js'
import type { Vocabulary } from '../src/models/model.js'
import type { ProductType } from '../src/models/products.js'
import { Transformer } from '../src/models/transformer.js'
import { Trunk } from '../src/models/trunk.js'
import type { WeightSource } from '../src/models/weight-source.js'
import { generator } from '../test/xorshift.js'

/** The shape of a 135 M llama. */
export const architecture = describe(
  {
    model_type: 'llama',
    num_hidden_layers: 30,
    hidden_size: 576,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    intermediate_size: 1536,
    vocab_size: 49152,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  },
  'the benchmark',
)

/** `count` numbers around 0, small enough for a deep model to stay finite. */
export function randomNumbers(random: () => number, count: number): Float32Array {
  const data = new Float32Array(count)
  for (let i = 0; i < count; i++) data[i] = (random() - 0.5) * 0.08
  return data
}

function randomWeights(): WeightSource {
  const random = generator(1)
  const read = async (name: string, dimensions: readonly number[]) => {
    const count = dimensions.reduce((a, b) => a * b, 1)
    return name.includes('norm') ? new Float32Array(count).fill(1) : randomNumbers(random, count)
  }
  return {
    read,
    readStored: async (name, dimensions) => ({
      type: 'F32',
      data: new Uint8Array((await read(name, dimensions)).buffer as ArrayBuffer),
    }),
  }
}

/** One token a byte; what the tokens of a random model say matters to nobody. */
const vocabulary: Vocabulary = {
  size: architecture.shape.vocabulary,
  identity: 'bytes',
  end: [0],
  encodePrompt: (text) => [...new TextEncoder().encode(text)],
  encodeContinuation: (text) => [...new TextEncoder().encode(text)],
  encodeChat: () => [1],
  bytes: (token) => Uint8Array.of(token % 256),
}

/** The 135 M shape with random weights. */
export async function randomModel(type: ProductType, device: Device = 'cpu'): Promise<Transformer> {
  const { shape } = architecture
  const weights = randomWeights()
  // The names of a file with one embedding, for input and output.
  const tensors = architecture.tensors(() => false)
  const trunk =
    device === 'webgpu'
      ? await DeviceTrunk.open(shape, tensors, weights, device)
      : await Trunk.open(shape, tensors, weights, type, undefined, device)
  const head = await Head.open(shape, tensors, weights, type, undefined, device)
  return new Transformer('random-135m', 'none', vocabulary, trunk, head)
}

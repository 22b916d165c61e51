/**
 * Throughput of the tensor engine on the shape of a 135 M llama with random weights, driven as a run drives it: draw, extend, and
 * resample now and then. For each number of rows: tokens a second, the share of time outside the runtime, and the share of
 * the rate that the machine itself reaches in matrix products, measured in the same run.
 * Usage: npm run bench:engine [-- ROWS...]
 */
import { describe } from '../src/models/architectures/index.js'
import { Head } from '../src/models/head.js'
import type { History, Vocabulary } from '../src/models/model.js'
import type { DrawKey, Randomness } from '../src/models/randomness.js'
import { Transformer } from '../src/models/transformer.js'
import { Trunk } from '../src/models/trunk.js'
import type { WeightSource } from '../src/models/weight-source.js'
import { GraphBuilder } from '../src/tensor/graph.js'
import { Session } from '../src/tensor/session.js'

const config = {
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
}
const architecture = describe(config, 'the benchmark')
const { shape } = architecture
const steps = 24
const promptLength = 32

/** A small generator (xorshift32): the figures do not depend on its quality. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

function randomWeights(): WeightSource {
  const random = generator(1)
  const read = async (name: string, dimensions: readonly number[]) => {
    const data = new Float32Array(dimensions.reduce((a, b) => a * b, 1))
    for (let i = 0; i < data.length; i++) data[i] = name.includes('norm') ? 1 : (random() - 0.5) * 0.08
    return data
  }
  return {
    read,
    readStored: async (name, dimensions) => ({ type: 'F32', data: new Uint8Array((await read(name, dimensions)).buffer) }),
  }
}

const vocabulary: Vocabulary = {
  size: shape.vocabulary,
  identity: 'none',
  end: [0],
  encodePrompt: () => [],
  encodeContinuation: () => [],
  encodeChat: () => [],
  bytes: () => new Uint8Array(0),
}

/** GFLOP/s of [256, 576] x [576, 1536] with constant weights. */
async function matrixRate(): Promise<number> {
  const [rows, from, to] = [256, 576, 1536]
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', [rows, from])
  const random = generator(2)
  const weight = graph.weight(
    'w',
    'float32',
    [to, from],
    Float32Array.from({ length: to * from }, () => random() - 0.5),
  )
  // The sum keeps the output small: only the product is to be measured.
  graph.output('y', graph.sum(graph.productWithTransposed(x, weight), 1), 'float32', [rows])
  const session = await Session.open(graph)
  const feeds = { x: { data: Float32Array.from({ length: rows * from }, random), shape: [rows, from] } }
  let best = Infinity
  for (let i = 0; i < 60; i++) {
    const begin = performance.now()
    await session.run(feeds)
    best = Math.min(best, performance.now() - begin)
  }
  await session.release()
  return (2 * rows * from * to) / best / 1e6
}

const flopsPerToken =
  2 *
  (shape.layers *
    (2 * shape.width * shape.width + 2 * shape.width * shape.keyValueHeads * shape.headWidth + 3 * shape.width * shape.inner) +
    shape.width * shape.vocabulary)

async function measure(
  model: Transformer,
  rows: number,
): Promise<{ seconds: number; runtime: number; tokens: number; runs: number }> {
  const random = generator(rows)
  const randomness: Randomness = {
    uniform: ({ slot, draw }: DrawKey, attempt) => generator(1 + slot * 7919 + draw * 104729 + attempt * 15485863)(),
    index: () => 0,
    resampling: () => new Float64Array(0),
  }
  model.forget()
  const start = model.start(Array.from({ length: promptLength }, (_, i) => 100 + i))
  let particles: History[] = Array.from({ length: rows }, () => start)
  const options = { rows, live: () => particles }
  let begin = 0
  let runtime = 0
  let runs = 0
  const warmUp = 3
  for (let step = 0; step < warmUp + steps; step++) {
    if (step === warmUp) {
      begin = performance.now()
      runtime = Transformer.runtimeMilliseconds
      runs = model.tokensRun
    }
    if (step % 8 === 7) particles = particles.map(() => particles[Math.floor(random() * rows)]!)
    const replies = await model.draw(
      particles.map((history, slot) => ({
        history,
        temperature: 1,
        mask: 'notEnd' as const,
        random: randomness,
        key: { slot, generation: 0, draw: step },
      })),
      options,
    )
    particles = particles.map((history, i) => model.extend(history, replies[i]!.token))
  }
  return {
    seconds: (performance.now() - begin) / 1000,
    runtime: (Transformer.runtimeMilliseconds - runtime) / 1000,
    tokens: rows * steps,
    runs: model.tokensRun - runs,
  }
}

const dtype = process.env.DTYPE === 'int8' ? 'int8' : 'fp32'
const weights = randomWeights()
const tensors = architecture.tensors(() => true)
const trunk = await Trunk.open(shape, tensors, weights, dtype)
const head = await Head.open(shape, tensors, weights, vocabulary.end, dtype)
const model = new Transformer('random-135m', 'none', vocabulary, trunk, head)
const rate = await matrixRate()
console.log(`matrix products: ${rate.toFixed(0)} GFLOP/s`)
console.log('rows  tokens/s  rows run/s  outside the runtime  share of the product rate')
const asked = process.argv.slice(2).map(Number)
for (const rows of asked.length ? asked : [1, 8, 32, 128]) {
  const { seconds, runtime, tokens, runs } = await measure(model, rows)
  const share = (flopsPerToken * runs) / seconds / 1e9 / rate
  const columns = [
    String(rows).padStart(4),
    (tokens / seconds).toFixed(1).padStart(9),
    (runs / seconds).toFixed(1).padStart(11),
    `${(100 * (1 - runtime / seconds)).toFixed(1)} %`.padStart(20),
    `${(100 * share).toFixed(0)} %`.padStart(26),
  ]
  console.log(columns.join(' '))
}
await model.dispose()

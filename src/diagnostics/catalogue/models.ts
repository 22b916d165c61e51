import type { Entries, Entry } from './entry.js'

const config = {
  model_type: 'llama',
  hidden_size: 2,
  intermediate_size: 2,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  vocab_size: 2,
  tie_word_embeddings: true,
}
const tokenizer = {
  version: '1.0',
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: { a: 0, b: 1 }, unk_token: 'a' },
}
/** One entry of the metadata of a GGUF file, whose counts and lengths stay below 128 so that the file is plain text. */
const small = (value: number, bytes: number) => String.fromCharCode(value).padEnd(bytes, '\0')
const ggufText = (text: string) => small(text.length, 8) + text
const ggufPair = (key: string, type: number, value: string) => ggufText(key) + small(type, 4) + value
/** A GGUF file with one tensor, in the format Q2_K. */
const quantised =
  `GGUF${small(3, 4)}${small(1, 8)}${small(1, 8)}` +
  ggufPair('general.architecture', 8, ggufText('llama')) +
  `${ggufText('token_embd.weight')}${small(2, 4)}${small(64, 8)}${small(4, 8)}${small(10, 4)}${small(0, 8)}`.padEnd(512, '\0')

const folder = (files: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(files).map(([name, value]) => [`my-model/${name}`, typeof value === 'string' ? value : JSON.stringify(value)]),
  )

/** A program that draws one token after "a" from the model `id`. */
const program = (id: string, prompt = '"a"') => `model lm = "${id}"\nlet story = lm(${prompt})\nsample t ~ story\nreturn t\n`
const classifier = (id: string) => `classifier tone = "${id}"\nobserve "positive" ~ tone("A fine film.")\nreturn 1\n`
const table = (fields: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ tokens: ['a', 'b'], order: 1, end: null, next: { '': [0.5, 0.5], a: [0.5, 0.5], b: [0.5, 0.5] }, ...fields })

const load = (title: string, explanation: string, bad: string, files: Readonly<Record<string, string>> = {}): Entry => ({
  title,
  explanation,
  bad,
  mended: program('tiny', '"Once upon a time"'),
  ...(Object.keys(files).length > 0 && { files }),
  stage: 'load',
})

/** Weights in the safetensors layout whose bytes are all ~: as 16-bit floats, those are not numbers. */
function brokenNumbers(): string {
  const shapes: Record<string, number[]> = { 'model.embed_tokens.weight': [2, 2], 'model.norm.weight': [2] }
  for (const name of ['input_layernorm', 'post_attention_layernorm']) shapes[`model.layers.0.${name}.weight`] = [2]
  for (const name of [
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
    'mlp.gate_proj',
    'mlp.up_proj',
    'mlp.down_proj',
  ]) {
    shapes[`model.layers.0.${name}.weight`] = [2, 2]
  }
  let at = 0
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = at
    at += 2 * shape.reduce((a, b) => a * b, 1)
    return [name, { dtype: 'F16', shape, data_offsets: [begin, at] }]
  })
  // The length of the header stands in eight bytes; a length below 2^14 with both bytes below 128 is plain text.
  const text = JSON.stringify(Object.fromEntries(header))
  let length = text.length
  while (length % 256 > 127) length++
  const prefix = String.fromCharCode(length % 256, length >> 8, 0, 0, 0, 0, 0, 0)
  return prefix + text.padEnd(length) + '~'.repeat(at)
}

/** Codes M001 and on. */
export const modelsEntries: Entries = {
  M001: load(
    'there is no such model',
    'A model is named by `"tiny"`, which comes with smcc, by `"table:FILE.json"`, by a `.gguf` file, by a folder that holds config.json, tokenizer.json and model.safetensors, or by its name on the hub. Relative paths start at the program.',
    program('tinny'),
  ),
  M002: load(
    'a model cannot be fetched from the hub',
    'A name such as "HuggingFaceTB/SmolLM2-135M" stands for a model on the hub. It is fetched once into the cache that the libraries of Hugging Face share (HF_HOME, HF_HUB_CACHE), and read from there afterwards. The hub cannot be reached, does not know the model, or does not hand it out without a token (HF_TOKEN). HF_ENDPOINT names a mirror; HF_HUB_OFFLINE=1 keeps smcc from asking.',
    program('somebody/some-model'),
  ),
  M003: load(
    'a file of a model is missing',
    'A model folder holds config.json, tokenizer.json and model.safetensors (or its shards with model.safetensors.index.json); a table is one JSON file. One of them does not exist or cannot be read.',
    program('./my-model'),
    folder({ 'config.json': config }),
  ),
  M004: load(
    'a file of a model is not JSON',
    'The configuration, the tokenizer, an index of shards or a table is not a JSON object. Fetch the file again, or mend it.',
    program('./my-model'),
    folder({ 'config.json': '{ "model_type": ', 'tokenizer.json': tokenizer }),
  ),
  M005: load(
    'the family of a model is not supported',
    'config.json names the family as `model_type`. This version builds the graphs of llama, mistral, qwen2, qwen3, gemma, gemma2, gemma3, phi3, gpt2, gpt_neo and gpt_neox models.',
    program('./my-model'),
    folder({ 'config.json': { ...config, model_type: 'mamba' }, 'tokenizer.json': tokenizer }),
  ),
  M006: load(
    'a setting of a model is not supported',
    'config.json asks for something that this version would compute wrongly, such as another activation or another way to scale rotary positions, or it contradicts itself. smcc refuses rather than give wrong probabilities.',
    program('./my-model'),
    folder({ 'config.json': { ...config, hidden_act: 'mish' }, 'tokenizer.json': tokenizer }),
  ),
  M007: load(
    'a weights file is damaged',
    'The header of the safetensors or GGUF file does not fit the file, often because a download stopped half-way; or what the hub sent has another length or hash than the hub announced. Fetch it again.',
    program('./my-model'),
    folder({ 'config.json': config, 'tokenizer.json': tokenizer, 'model.safetensors': 'short' }),
  ),
  M008: load(
    'the weights do not fit the configuration',
    'A tensor that config.json (or the metadata of a GGUF file) asks for is missing, has another shape, or is stored in a format other than F32, F16 and BF16. Take config.json and the weights from one place.',
    program('./my-model'),
    folder({ 'config.json': config, 'tokenizer.json': tokenizer, 'model.safetensors': '\u0002\0\0\0\0\0\0\0{}' }),
  ),
  M009: {
    title: 'a text cannot be cut into tokens',
    explanation:
      'The tokens of the model cannot spell the text. A table spells only what its tokens spell; the longest token that fits is taken each time.',
    bad: program('table:toy.json', '"abc"'),
    mended: program('table:toy.json', '"ab"'),
    files: { 'toy.json': table() },
    stage: 'run',
  },
  M010: {
    title: 'a model has no chat template',
    explanation:
      '`chat: true` writes the messages the way the model was trained to read them, which its chat template says. A model without one, or one whose template refuses the roles, cannot be asked that way.',
    bad: program('tiny', '"Hi!", chat: true'),
    mended: program('tiny', '"Hi!"'),
    stage: 'run',
  },
  M011: {
    title: 'a model gives scores that are not numbers',
    explanation:
      'The weights hold NaN or infinite numbers, or overflow on the way. That is never read as probability zero: the run stops.',
    bad: program('./my-model'),
    mended: program('tiny', '"Once upon a time"'),
    files: folder({ 'config.json': config, 'tokenizer.json': tokenizer, 'model.safetensors': brokenNumbers() }),
    stage: 'run',
  },
  M012: {
    title: 'a table model is not well formed',
    explanation:
      'A table has the fields tokens, order, end and next; each row of next has one probability for each token, and they sum to 1.',
    bad: program('table:toy.json'),
    mended: program('tiny', '"Once upon a time"'),
    files: { 'toy.json': table({ next: { '': [0.5, 0.4], a: [0.5, 0.5], b: [0.5, 0.5] } }) },
    stage: 'load',
  },
  M013: {
    title: 'a table model lacks a row',
    explanation: 'A text has reached tokens for which `next` has no entry. The key of a row is the last `order` tokens, joined.',
    bad: program('table:toy.json', '"b"'),
    mended: program('table:toy.json', '"a"'),
    files: { 'toy.json': table({ next: { '': [0.5, 0.5], a: [0.5, 0.5] } }) },
    stage: 'run',
  },
  M014: {
    title: 'a prompt is empty',
    explanation: 'A model without a begin token can only go on from a text: its prompt needs at least one token.',
    bad: program('./my-model', '""'),
    mended: program('tiny', '""'),
    files: folder({ 'config.json': config, 'tokenizer.json': tokenizer, 'model.safetensors': brokenNumbers() }),
    stage: 'run',
  },
  M015: {
    title: 'texts do not fit the model or the memory',
    explanation:
      'A model reads a fixed number of tokens, prompt included, and every particle with a text of its own needs attention state for each of its tokens. `smcc models show` says how many, and how much.',
    bad: program('tiny', `"${'word '.repeat(300).trim()}"`),
    mended: program('tiny', '"word"'),
    stage: 'run',
  },
  M016: load(
    'the format of a GGUF file is not supported',
    'This version reads GGUF files of version 2 and 3 whose tensors are stored as F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K. Take another quantisation of the same model, for example Q8_0 or Q4_K_M. A model that is cut into several GGUF files has to be joined first.',
    program('./model.gguf'),
    { 'model.gguf': quantised },
  ),
  M017: load(
    'a tokenizer is not supported',
    'The tokenizer is of a kind that would be read wrongly, or its file is damaged. smcc reads byte-level BPE, SentencePiece BPE and Unigram from tokenizer.json (for classifiers also WordPiece), and the first two from the metadata of GGUF files. It refuses rather than cut texts otherwise than the model was trained on.',
    program('./my-model'),
    folder({
      'config.json': config,
      'tokenizer.json': { ...tokenizer, model: { type: 'WordPiece', vocab: { a: 0, b: 1 }, unk_token: 'a' } },
      'model.safetensors': brokenNumbers(),
    }),
  ),
  M018: {
    title: 'a run does not fit the memory',
    explanation:
      'What models may take together (weights, attention state of every text, buffers) is bounded by `--max-memory`, in GB; by default by most of what the machine has free. Before the first token a run is refused that is sure to need more, with what would fit. One that grows beyond it drops attention state and computes it again, which takes time; when not even that helps, it ends with what its particles have, marked as partial.',
    bad: 'program.run({}, { maxMemory: 0.001 })',
    mended: 'program.run({}, { maxMemory: 1 })',
    files: { 'program.smc': 'model lm = "tiny"\nlet story = lm("Once")\nsample next ~ story for 2 tokens\nreturn next\n' },
    stage: 'api',
  },
  M020: {
    title: 'there is no such classifier',
    explanation:
      'A classifier is named by `"tiny-sentiment"`, which comes with smcc, by a folder in the layout of transformers.js (config.json, tokenizer.json and onnx/model.onnx), or by its name on the hub, such as "Xenova/toxic-bert". Relative paths start at the program.',
    bad: classifier('tiny-sentimant'),
    mended: classifier('tiny-sentiment'),
    stage: 'load',
  },
  M021: {
    title: 'a model is not a text classifier',
    explanation:
      'A `classifier` is a model that gives each text a score for each of its labels: its config.json says that it is for sequence classification and names the labels, and its graph takes tokens and gives `logits`. This model does something else, such as to write text or to give one number.',
    bad: classifier('./my-model'),
    mended: classifier('tiny-sentiment'),
    files: folder({ 'config.json': { architectures: ['LlamaForCausalLM'] }, 'tokenizer.json': tokenizer, 'onnx/model.onnx': '' }),
    stage: 'load',
  },
  M022: {
    title: 'a device cannot be used',
    explanation:
      'The flag `--device` asks for a device that is missing, that cannot hold the model, or that does not compute what was asked for. The run goes on with the CPU and gives the same answer, more slowly. WebGPU needs a graphics card with a driver for Vulkan, Metal or Direct3D 12, and computes in 32-bit floats only. CUDA needs Linux, an NVIDIA card, CUDA 12, cuDNN 9 and libraries of ONNX Runtime that its npm package does not hold.',
    bad: 'program.run({}, { device: "webgpu", dtype: "int8" })',
    mended: 'program.run({}, { device: "cpu", dtype: "int8" })',
    files: { 'program.smc': program('tiny') },
    stage: 'api',
  },
  M023: {
    title: 'a backend cannot be used',
    explanation:
      'With `--backend tfjs` models and trainings are computed by TensorFlow.js, which is not a part of smcc: install @tensorflow/tfjs-node-gpu (CUDA), @tensorflow/tfjs-node (native) or @tensorflow/tfjs (JavaScript, slow); the first that is there is taken. It computes where that package does, so it goes with no `--device`.',
    bad: 'program.run({}, { backend: "tfjs", device: "auto" })',
    mended: 'program.run({}, { backend: "onnx", device: "cpu" })',
    files: { 'program.smc': program('tiny') },
    stage: 'api',
  },
}

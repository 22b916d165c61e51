import { setTimeout } from 'node:timers/promises'
import { type BackendName, backendOf } from '../tensor/backend.js'
import type { Device } from '../tensor/session.js'
import { type Budget, bytesText, MemoryError } from './budget.js'
import { converter } from './convert.js'
import { RunDevice } from './device.js'
import { DeviceTrunk } from './device-trunk.js'
import { cachedGraphs, type OpenOnBackend } from './graph-cache.js'
import { Head } from './head.js'
import type { OnDownload } from './hub/download.js'
import { locate } from './locate.js'
import { type ModelMemory, transformerMemory } from './memory.js'
import type { LanguageModel } from './model.js'
import { openFiles } from './model-files.js'
import { modelHash } from './model-hash.js'
import { OutputMatrix } from './output-matrix.js'
import type { ProductType } from './products.js'
import { TableModel } from './table.js'
import { SubwordVocabulary } from './tokenizer.js'
import { Transformer } from './transformer.js'
import { Trunk } from './trunk.js'

export {
  type ClassifierDescription,
  listClassifiers,
  listModels,
  type ModelDescription,
  type ModelListing,
  type ModelSize,
  showClassifier,
  showModel,
} from './catalogue.js'
export { openClassifier } from './classifiers/open.js'

export interface OpenOptions {
  /** Folder of the program: relative paths start there. */
  readonly base: string
  /** Told while a model is fetched from the hub. */
  readonly onDownload?: OnDownload
  /** The numbers in which products with weights are computed; fp32 when left out. */
  readonly dtype?: ProductType
  /** What transformers run on; the CPU when left out. */
  readonly device?: RunDevice
  /** What runs their graphs; ONNX Runtime when left out. Another one has devices of its own, and keeps no converted graphs. */
  readonly backend?: BackendName
  /** Refuses a model whose weights it has no room for, before they are read. */
  readonly budget?: Budget
}

/**
 * Opens the model that a program or `--model` names: `tiny`, `table:FILE.json`, a folder in the Hugging Face layout, a .gguf file, or a
 * model on the hub, which is fetched into Hugging Face's cache when it is not there. Throws M001 to M018.
 */
export async function openModel(id: string, options: OpenOptions): Promise<LanguageModel> {
  if (id.startsWith('table:')) return TableModel.open(id, options.base)
  const path = await locate(id, options.base, options.onDownload)
  return openTransformer(id, path, options)
}

/** Smaller models are converted before a thread has started, in bytes of weights. */
const threadsFrom = 1 << 26
/** Milliseconds after which the threads have been started: a few looks at the disk. */
const threadsStarted = 5

async function openTransformer(id: string, path: string, options: OpenOptions): Promise<Transformer> {
  const { dtype = 'fp32', device = new RunDevice('cpu'), backend = 'onnx', budget } = options
  const files = await openFiles(path)
  const { texts, architecture, weights } = files
  try {
    const { shape } = architecture
    const memory = transformerMemory(shape, weights)
    if (budget) requireRoom(id, memory, dtype, budget)
    const hash = await modelHash(texts, weights.files)
    // Rounded weights are another model.
    if (dtype !== 'fp32') hash.update(dtype)
    const digest = hash.digest('hex')
    const tensors = architecture.tensors((name) => weights.has(name))
    const inThreads = memory.weights(dtype) >= threadsFrom
    const open = await cachedGraphs(digest, inThreads ? { write: converter(path, dtype) } : {})
    const other = backend === 'onnx' ? null : await backendOf(backend)
    const openHere: OpenOnBackend = other ? async (_, build) => other.open(await build()) : open
    const openOn = async (on: Device) => {
      const opening = Promise.all([
        on === 'webgpu'
          ? DeviceTrunk.open(shape, tensors, weights, on, open)
          : Trunk.open(shape, tensors, weights, dtype, openHere, on),
        Head.open(shape, tensors, weights, dtype, openHere, on),
      ])
      opening.catch(() => {})
      // While other threads convert.
      const vocabulary = await vocabularyBeside(opening, () => new SubwordVocabulary(id, shape.vocabulary, files.tokenizer))
      const [trunk, head] = await opening
      const model = new Transformer(id, digest, vocabulary, trunk, head, memory, new OutputMatrix(() => openFiles(path)))
      budget?.record(model, memory.weights(dtype))
      return model
    }
    return await device.open(id, dtype === 'int8', openOn)
  } finally {
    await weights.close()
  }
}

/** What `read` gives; when it fails, what was opened meanwhile is released. */
async function vocabularyBeside(
  opening: Promise<readonly { release(): Promise<void> }[]>,
  read: () => SubwordVocabulary,
): Promise<SubwordVocabulary> {
  try {
    // It keeps this thread busy: the others are to be started before.
    await setTimeout(threadsStarted)
    return read()
  } catch (thrown) {
    for (const opened of await opening.catch(() => [])) await opened.release()
    throw thrown
  }
}

function requireRoom(id: string, memory: ModelMemory, dtype: ProductType, budget: Budget): void {
  const room = budget.roomFor(memory)
  const bytes = memory.weights(dtype)
  if (bytes <= room) return
  const rounded = memory.weights('int8')
  const next = dtype === 'fp32' && rounded <= room ? `\`--dtype int8\` needs ${bytesText(rounded)}` : 'take a smaller model'
  throw new MemoryError(
    `the weights of ${id} need ${bytesText(bytes)}, and the run may take ${bytesText(Math.max(0, room))}`,
    `${next}; \`--max-memory\` sets how much it may take`,
  )
}

import type { Device } from '../tensor/session.js'
import { RunDevice } from './device.js'
import { DeviceTrunk } from './device-trunk.js'
import { cachedGraphs } from './graph-cache.js'
import { Head } from './head.js'
import type { OnDownload } from './hub/download.js'
import { locate } from './locate.js'
import type { LanguageModel } from './model.js'
import { openFiles } from './model-files.js'
import { modelHash } from './model-hash.js'
import type { ProductType } from './products.js'
import { TableModel } from './table.js'
import { SubwordVocabulary } from './tokenizer.js'
import { Transformer } from './transformer.js'
import { Trunk } from './trunk.js'

export { listModels, type ModelDescription, type ModelListing, type ModelSize, showModel } from './catalogue.js'

export interface OpenOptions {
  /** Folder of the program: relative paths start there. */
  readonly base: string
  /** Told while a model is fetched from the hub. */
  readonly onDownload?: OnDownload
  /** The numbers in which products with weights are computed; fp32 when left out. */
  readonly dtype?: ProductType
  /** What transformers run on; the CPU when left out. */
  readonly device?: RunDevice
}

/**
 * Opens the model that a program or `--model` names: `tiny`, `table:FILE.json`, a folder in the Hugging Face layout, a .gguf file, or a
 * model on the hub, which is fetched into Hugging Face's cache when it is not there. Throws M001 to M017.
 */
export async function openModel(id: string, options: OpenOptions): Promise<LanguageModel> {
  if (id.startsWith('table:')) return TableModel.open(id, options.base)
  const path = await locate(id, options.base, options.onDownload)
  return openTransformer(id, path, options.dtype ?? 'fp32', options.device ?? new RunDevice('cpu'))
}

async function openTransformer(id: string, path: string, dtype: ProductType, device: RunDevice): Promise<Transformer> {
  const { texts, architecture, tokenizer, weights } = await openFiles(path)
  try {
    const { shape } = architecture
    const vocabulary = new SubwordVocabulary(id, shape.vocabulary, tokenizer)
    const hash = await modelHash(texts, weights.files)
    // Rounded weights are another model.
    if (dtype !== 'fp32') hash.update(dtype)
    const digest = hash.digest('hex')
    const tensors = architecture.tensors((name) => weights.has(name))
    const open = await cachedGraphs(digest)
    const openOn = async (device: Device) => {
      const [trunk, head] = await Promise.all([
        device === 'webgpu'
          ? DeviceTrunk.open(shape, tensors, weights, device, open)
          : Trunk.open(shape, tensors, weights, dtype, open, device),
        Head.open(shape, tensors, weights, vocabulary.end, dtype, open, device),
      ])
      return new Transformer(id, digest, vocabulary, trunk, head)
    }
    return await device.open(id, dtype === 'int8', openOn)
  } finally {
    await weights.close()
  }
}

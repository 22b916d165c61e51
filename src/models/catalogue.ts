import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SmcError } from '../diagnostics/diagnostic.js'
import type { DecoderShape } from './architectures/shape.js'
import { builtInClassifiers } from './classifiers/open.js'
import { Sentiment } from './classifiers/sentiment.js'
import { cachedGgufs, cachedIds, cachedSnapshot } from './hub/cache.js'
import { builtIn, builtInFolder, locate, neededFiles } from './locate.js'
import { transformerMemory } from './memory.js'
import { type ModelFiles, openFiles } from './model-files.js'
import { modelHash } from './model-hash.js'
import { TableModel } from './table.js'
import { SubwordVocabulary } from './tokenizer.js'

/** What `smcc models list` shows. */
export interface ModelListing {
  readonly id: string
  readonly description: string
  /** The folder or .gguf file that it is read from. */
  readonly folder: string
  /** null when the model cannot be run; `description` says why. */
  readonly size: ModelSize | null
}

/** What a model needs. */
export interface ModelSize {
  readonly family: string
  readonly parameters: number
  /** Most tokens of a text; Infinity for tables. */
  readonly contextLength: number
  /** Bytes of the weights files. */
  readonly weightsBytes: number
  /** Bytes that the model takes when it runs in 32-bit floats, attention state not counted. */
  readonly memoryBytes: number
  /** Bytes of attention state per token and row. */
  readonly stateBytesPerToken: number
}

/** What `smcc models show` shows of a classifier. */
export interface ClassifierDescription {
  readonly id: string
  readonly path: string
  readonly labels: readonly string[]
  readonly parameters: number
  readonly weightsBytes: number
  readonly hash: string
}

/** What `smcc models show` shows. */
export interface ModelDescription extends ModelSize {
  readonly id: string
  /** The folder or file that it is read from. */
  readonly path: string
  /** 0 for tables, as `width`. */
  readonly layers: number
  readonly width: number
  readonly vocabulary: number
  /** Tokens between which a layer looks, where some layers look less far than the context; else null. */
  readonly window: number | null
  readonly tokenizer: string
  readonly end: readonly number[]
  readonly hash: string
}

/** A built-in classifier; null when `id` names none. Throws M003, M004, M007, M008. */
export async function showClassifier(id: string): Promise<ClassifierDescription | null> {
  if (!Object.hasOwn(builtInClassifiers, id)) return null
  const path = builtInFolder(id)
  const { labels, parameters, hash } = await Sentiment.open(id, path)
  const { size } = await stat(join(path, 'model.safetensors'))
  return { id, path, labels, parameters, weightsBytes: size, hash }
}

/** The built-in classifiers. */
export async function listClassifiers(): Promise<(ClassifierDescription & { readonly description: string })[]> {
  const found = Object.entries(builtInClassifiers).map(async ([id, description]) => ({
    ...(await showClassifier(id))!,
    description,
  }))
  return Promise.all(found)
}

/** The built-in models, and those in the local Hugging Face cache that are whole, .gguf files by themselves. */
export async function listModels(): Promise<ModelListing[]> {
  const found = Object.entries(builtIn).map(([id, description]) => ({ id, description, folder: builtInFolder(id) }))
  for (const id of await cachedIds()) {
    const folder = await cachedSnapshot(id, neededFiles)
    if (folder) found.push({ id, description: 'from the hub', folder })
    for (const { name, path } of await cachedGgufs(id))
      found.push({ id: `${id}/${name}`, description: 'from the hub', folder: path })
  }
  return Promise.all(
    found.map(async (entry) => {
      try {
        return { ...entry, size: await measure(entry.id, entry.folder) }
      } catch (thrown) {
        if (!(thrown instanceof SmcError)) throw thrown
        return { ...entry, description: thrown.diagnostics[0]?.message ?? thrown.message, size: null }
      }
    }),
  )
}

/** Sizes and settings of a model, read from its files without making it ready to run. Throws as `openModel` does. */
export async function showModel(id: string, base: string): Promise<ModelDescription> {
  if (id.startsWith('table:')) return showTable(id, base)
  const path = await locate(id, base)
  const files = await openFiles(path)
  const { texts, architecture, weights } = files
  const { shape } = architecture
  try {
    const { tokenizer } = files
    const hash = await modelHash(texts, weights.files)
    const vocabulary = new SubwordVocabulary(id, shape.vocabulary, tokenizer)
    const model = tokenizer.tokenizer.model as { type?: string } | undefined
    const windows = shape.attention.map(({ window }) => window).filter(Number.isFinite)
    return {
      id,
      path,
      ...sizeOf(shape, weights),
      layers: shape.layers,
      width: shape.width,
      vocabulary: shape.vocabulary,
      window: windows.length > 0 ? Math.min(...windows) : null,
      tokenizer: `${model?.type ?? 'unknown'}, ${vocabulary.identity.slice(0, 12)}`,
      end: vocabulary.end,
      hash: hash.digest('hex'),
    }
  } finally {
    await weights.close()
  }
}

/** Throws as `openModel` does, also where the sizes are known and the tokenizer cannot be read. */
async function measure(id: string, path: string): Promise<ModelSize> {
  const { architecture, weights, tokenizer } = await openFiles(path)
  try {
    new SubwordVocabulary(id, architecture.shape.vocabulary, tokenizer)
    return sizeOf(architecture.shape, weights)
  } finally {
    await weights.close()
  }
}

function sizeOf(shape: DecoderShape, { parameters, bytes }: ModelFiles['weights']): ModelSize {
  const memory = transformerMemory(shape, { parameters, bytes })
  return {
    family: shape.family,
    parameters,
    contextLength: shape.context,
    weightsBytes: bytes,
    memoryBytes: memory.weights('fp32'),
    stateBytesPerToken: memory.statePerToken,
  }
}

async function showTable(id: string, base: string): Promise<ModelDescription> {
  const { hash, parameters, contextLength, vocabulary, memory } = await TableModel.open(id, base)
  const path = resolve(base, id.slice('table:'.length))
  const bytes = (await stat(path)).size
  return {
    id,
    path,
    family: 'table',
    parameters,
    contextLength,
    weightsBytes: bytes,
    memoryBytes: memory.weights('fp32'),
    stateBytesPerToken: 0,
    layers: 0,
    width: 0,
    vocabulary: vocabulary.size,
    window: null,
    tokenizer: `longest match, ${vocabulary.identity.slice(0, 12)}`,
    end: vocabulary.end,
    hash,
  }
}

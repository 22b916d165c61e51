import { readdir, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modelError, reason } from './errors.js'
import { hashTexts } from './files.js'
import { Head } from './head.js'
import { readOptional } from './json.js'
import type { LanguageModel } from './model.js'
import { openFiles } from './model-files.js'
import { TableModel } from './table.js'
import { SubwordVocabulary } from './tokenizer.js'
import { Transformer } from './transformer.js'
import { Trunk } from './trunk.js'

export interface OpenOptions {
  /** Folder of the program: relative paths start there. */
  readonly base: string
}

/** What `smcc models list` shows. */
export interface ModelListing {
  readonly id: string
  readonly description: string
  readonly folder: string
}

/** What `smcc models show` shows. */
export interface ModelDescription {
  readonly id: string
  /** The folder or file that it is read from. */
  readonly path: string
  readonly family: string
  readonly parameters: number
  readonly layers: number
  readonly width: number
  readonly vocabulary: number
  readonly contextLength: number
  /** Bytes of the weights files. */
  readonly weightsBytes: number
  /** Bytes that the model takes when it runs, attention state not counted. */
  readonly memoryBytes: number
  /** Bytes of attention state per token and row. */
  readonly stateBytesPerToken: number
  readonly tokenizer: string
  readonly end: readonly number[]
  readonly hash: string
}

const builtIn: Readonly<Record<string, string>> = { tiny: 'the embedded model: short stories and film reviews, 5.4 M parameters' }

/** src/models and dist/models both lie two folders below the package. */
const packageFolder = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

/**
 * Opens the model that a program or `--model` names: `tiny`, `table:FILE.json`, a folder in the Hugging Face layout, or a hub id that
 * lies in the local Hugging Face cache. Throws M001 to M013.
 */
export async function openModel(id: string, options: OpenOptions): Promise<LanguageModel> {
  if (id.startsWith('table:')) return openTable(id, options.base)
  return openTransformer(id, await locate(id, options.base))
}

/** The built-in models, and those in the local Hugging Face cache. */
export async function listModels(): Promise<ModelListing[]> {
  const listing = Object.entries(builtIn).map(([id, description]) => ({
    id,
    description,
    folder: join(packageFolder, 'models', id),
  }))
  for (const entry of await readdir(cacheFolder()).catch(() => [])) {
    if (!entry.startsWith('models--')) continue
    const id = entry.slice('models--'.length).replaceAll('--', '/')
    const folder = await cached(id)
    if (folder) listing.push({ id, description: 'in the local Hugging Face cache', folder })
  }
  return listing
}

/** Sizes and settings of a model, read from its files without making it ready to run. Throws as `openModel` does. */
export async function showModel(id: string, base: string): Promise<ModelDescription> {
  const path = await locate(id, base)
  const { texts, architecture, tokenizer, weights } = await openFiles(path)
  const { shape } = architecture
  try {
    const hash = hashTexts(texts)
    await weights.hashInto(hash)
    const vocabulary = new SubwordVocabulary(id, shape.vocabulary, tokenizer)
    const { parameters } = weights
    const model = tokenizer.tokenizer.model as { type?: string } | undefined
    return {
      id,
      path,
      family: shape.family,
      parameters,
      layers: shape.layers,
      width: shape.width,
      vocabulary: shape.vocabulary,
      contextLength: shape.context,
      weightsBytes: weights.bytes,
      // Everything in 32-bit floats, and the embedding once more as it is stored.
      memoryBytes: 4 * parameters + (shape.tied ? 2 * shape.vocabulary * shape.width : 0),
      stateBytesPerToken: 8 * shape.layers * shape.keyValueHeads * shape.headWidth,
      tokenizer: `${model?.type ?? 'unknown'}, ${vocabulary.identity.slice(0, 12)}`,
      end: vocabulary.end,
      hash: hash.digest('hex'),
    }
  } finally {
    await weights.close()
  }
}

async function openTable(id: string, base: string): Promise<TableModel> {
  const path = resolve(base, id.slice('table:'.length))
  try {
    return TableModel.parse(id, await readFile(path, 'utf8'))
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
    throw modelError('M003', `${id} cannot be read: ${reason(thrown)}`, 'the path is relative to the program')
  }
}

async function openTransformer(id: string, path: string): Promise<Transformer> {
  const { texts, architecture, tokenizer, weights } = await openFiles(path)
  try {
    const { shape } = architecture
    const vocabulary = new SubwordVocabulary(id, shape.vocabulary, tokenizer)
    const hash = hashTexts(texts)
    const tensors = architecture.tensors((name) => weights.has(name))
    const [trunk, head] = await Promise.all([
      Trunk.open(shape, tensors, weights),
      Head.open(shape, tensors, weights, vocabulary.end),
      weights.hashInto(hash),
    ])
    return new Transformer(id, hash.digest('hex'), vocabulary, trunk, head)
  } finally {
    await weights.close()
  }
}

/** The folder or file of a model. Throws M001, M002, M003. */
async function locate(id: string, base: string): Promise<string> {
  if (Object.hasOwn(builtIn, id)) return join(packageFolder, 'models', id)
  const path = isAbsolute(id) ? id : resolve(base, id)
  if (await isFolder(path)) return path
  if (id.endsWith('.gguf')) {
    if (await isFile(path)) return path
    throw modelError('M003', `${id} does not exist`, 'the path is relative to the program, or to where the command is run')
  }
  const hub = /^[\w.-]+\/[\w.-]+$/.test(id) && !id.startsWith('.')
  const folder = hub ? await cached(id) : null
  if (folder) return folder
  if (hub) {
    throw modelError(
      'M002',
      `${id} is neither a folder nor in the local Hugging Face cache; downloads from the hub come with a later version`,
      'download the model to a folder, and name the folder',
    )
  }
  const near = Object.keys(builtIn).find((name) => distance(name, id.toLowerCase()) <= 2)
  throw modelError(
    'M001',
    `there is no model "${id}"`,
    near
      ? `did you mean "${near}"?`
      : 'a model is "tiny", "table:FILE.json", or a folder with config.json, tokenizer.json and model.safetensors',
  )
}

/** Where Hugging Face's own libraries keep their downloads. */
function cacheFolder(): string {
  const { HF_HUB_CACHE, HF_HOME } = process.env
  return HF_HUB_CACHE ?? join(HF_HOME ?? join(homedir(), '.cache', 'huggingface'), 'hub')
}

/** The snapshot of a hub model that `main` names, or the only one; null when there is none with a config. */
async function cached(id: string): Promise<string | null> {
  const root = join(cacheFolder(), `models--${id.replaceAll('/', '--')}`)
  const main = (await readFile(join(root, 'refs', 'main'), 'utf8').catch(() => '')).trim()
  const names = main ? [basename(main)] : (await readdir(join(root, 'snapshots')).catch(() => [])).sort()
  for (const name of names) {
    const folder = join(root, 'snapshots', name)
    if ((await readOptional(join(folder, 'config.json')).catch(() => null)) !== null) return folder
  }
  return null
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false
}

/** Edit distance (Levenshtein 1966): insertions, deletions and substitutions. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

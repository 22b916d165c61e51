import { copyFile, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { SmcError } from '../../diagnostics/diagnostic.js'
import { makeFolder, temporaryName } from '../cache-folder.js'
import { modelError } from '../errors.js'
import { isObject, type JsonObject } from '../json.js'
import { pickledHint } from '../safetensors.js'
import { cacheFolder, modelFolder } from './cache.js'
import { download, isWhole, type OnDownload, type RemoteFile, unwritable } from './download.js'
import { endpoint, request } from './request.js'

/** Small files that a model may have beside its weights. */
const companions = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'chat_template.jinja']

/**
 * Fetches a model from the hub into the cache: "org/name" for a model in the Hugging Face layout, or a classifier in that of transformers.js,
 * "org/name/FILE.gguf" for one file. Gives the folder or the file. What is there already, and undamaged, is not fetched again; a snapshot appears only when
 * all its files are whole. Throws M002, M007.
 */
export async function pull(id: string, onDownload?: OnDownload, kind: 'model' | 'classifier' = 'model'): Promise<string> {
  const [organisation, name, ...rest] = id.split('/')
  const repository = `${organisation}/${name}`
  const file = rest.join('/')
  const { commit, files } = await listing(repository)
  const wanted = file ? files.filter((entry) => entry.name === file) : choose[kind](repository, files)
  if (wanted.length === 0) {
    const others = files.filter((entry) => entry.name.endsWith('.gguf')).map((entry) => entry.name)
    throw modelError(
      'M002',
      `${repository} has no file ${file}`,
      others.length > 0 ? `it has ${others.join(', ')}` : 'it has no .gguf file',
    )
  }
  const root = modelFolder(repository)
  const snapshot = join(root, 'snapshots', commit)
  try {
    for (const entry of wanted) {
      const blob = join(root, 'blobs', entry.hash.digest)
      if (!(await isWhole(blob, entry))) await download(id, entry, blob, onDownload)
    }
    for (const entry of wanted) await link(join(root, 'blobs', entry.hash.digest), join(snapshot, entry.name))
    await writeWhole(join(root, 'refs', 'main'), commit)
  } catch (thrown) {
    throw thrown instanceof SmcError ? thrown : unwritable(cacheFolder(), thrown)
  }
  return file ? join(snapshot, file) : snapshot
}

/** All files of a model at the commit that `main` names. */
async function listing(repository: string): Promise<{ commit: string; files: RemoteFile[] }> {
  const response = await request(repository, `${endpoint()}/api/models/${repository}/revision/main?blobs=true`)
  const answer: unknown = await response.json().catch(() => null)
  const { sha, siblings } = isObject(answer) ? answer : {}
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
    throw modelError('M002', `the hub does not say which files ${repository} has`, 'check HF_ENDPOINT, or try again later')
  }
  const files = siblings.filter(isObject).flatMap((entry) => {
    const described = describe(repository, sha, entry)
    return described ? [described] : []
  })
  return { commit: sha, files }
}

function describe(repository: string, commit: string, entry: JsonObject): RemoteFile | null {
  const { rfilename: name, size, blobId, lfs } = entry
  const large = isObject(lfs) ? lfs.sha256 : null
  const digest = typeof large === 'string' ? large : blobId
  // Names become paths in the cache, and digests names of files.
  if (typeof name !== 'string' || name.split('/').some((part) => part === '' || part === '.' || part === '..')) return null
  if (typeof size !== 'number' || typeof digest !== 'string' || !/^[0-9a-f]{40,64}$/.test(digest)) return null
  const path = name.split('/').map(encodeURIComponent).join('/')
  return {
    name,
    url: `${endpoint()}/${repository}/resolve/${commit}/${path}`,
    size,
    hash: { algorithm: typeof large === 'string' ? 'sha256' : 'git', digest },
  }
}

/** The files that smcc reads. Throws M002 when they are not there. */
function chosen(repository: string, files: readonly RemoteFile[]): RemoteFile[] {
  const named = new Map(files.map((file) => [file.name, file]))
  const single = named.get('model.safetensors')
  const index = named.get('model.safetensors.index.json')
  const shards = files.filter(({ name }) => /^model-\d+-of-\d+\.safetensors$/.test(name))
  const weights = single ? [single] : index && shards.length > 0 ? [index, ...shards] : []
  if (weights.length > 0 && named.has('config.json') && named.has('tokenizer.json')) {
    return [...companions.flatMap((name) => named.get(name) ?? []), ...weights]
  }
  const pickled = files.some(({ name }) => name.startsWith('pytorch_model'))
  const quantised = files.filter(({ name }) => name.endsWith('.gguf')).map(({ name }) => name)
  throw modelError(
    'M002',
    `${repository} does not hold config.json, tokenizer.json and model.safetensors`,
    quantised.length > 0
      ? `it has GGUF files: write "${repository}/${quantised[0]}"`
      : pickled
        ? pickledHint
        : 'choose another model',
  )
}

/** The files of a classifier: the graph in full precision where there is one. Throws M002. */
function chosenForClassifier(repository: string, files: readonly RemoteFile[]): RemoteFile[] {
  const named = new Map(files.map((file) => [file.name, file]))
  const graph = named.get('onnx/model.onnx') ?? named.get('onnx/model_quantized.onnx')
  if (graph && named.has('config.json') && named.has('tokenizer.json')) {
    // Graphs beyond 2 GB keep their weights beside them.
    const others = ['config.json', 'tokenizer.json', 'tokenizer_config.json', `${graph.name}_data`]
    return [...others.flatMap((name) => named.get(name) ?? []), graph]
  }
  throw modelError(
    'M002',
    `${repository} does not hold config.json, tokenizer.json and onnx/model.onnx`,
    'choose a text classifier that transformers.js can read; many have a copy with these files under the name of Xenova or onnx-community',
  )
}

const choose = { model: chosen, classifier: chosenForClassifier }

/** A link to the blob, as Hugging Face's libraries make it; a copy where the system has no links. */
async function link(blob: string, path: string): Promise<void> {
  makeFolder(dirname(path))
  const fresh = temporaryName(path)
  await symlink(relative(dirname(path), blob), fresh).catch(() => copyFile(blob, fresh))
  await rename(fresh, path)
}

async function writeWhole(path: string, text: string): Promise<void> {
  makeFolder(dirname(path))
  const fresh = temporaryName(path)
  await writeFile(fresh, text)
  await rename(fresh, path)
}

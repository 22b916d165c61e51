import { stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modelError } from './errors.js'
import { cachedSnapshot } from './hub/cache.js'
import type { OnDownload } from './hub/download.js'

/** Models that come with smcc. */
export const builtIn: Readonly<Record<string, string>> = {
  tiny: 'the embedded model: short stories and film reviews',
}

/** src/models and dist/models both lie two folders below the package. */
const packageFolder = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

export function builtInFolder(id: string): string {
  return join(packageFolder, 'models', id)
}

/** What a model in the Hugging Face layout cannot do without. */
export const neededFiles = ['config.json', 'tokenizer.json', ['model.safetensors', 'model.safetensors.index.json']] as const

/**
 * The folder or .gguf file of the model that `id` names: built in, a path (relative to `base`), or on the hub ("org/name", "org/name/FILE.gguf"), from
 * where it is fetched once. Throws M001, M002, M003, M007.
 */
export async function locate(id: string, base: string, onDownload?: OnDownload): Promise<string> {
  if (Object.hasOwn(builtIn, id)) return builtInFolder(id)
  const path = isAbsolute(id) ? id : resolve(base, id)
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory() || (found?.isFile() && id.endsWith('.gguf'))) return path
  if (isHubId(id)) return (await cached(id)) ?? (await import('./hub/pull.js')).pull(id, onDownload)
  // The oldest models of the hub have names without an owner: one that is in the cache is meant.
  const ownerless = /^\w[\w.-]*$/.test(id) && (await cachedSnapshot(id, neededFiles))
  if (ownerless) return ownerless
  if (id.endsWith('.gguf')) {
    throw modelError('M003', `${id} does not exist`, 'the path is relative to the program, or to where the command is run')
  }
  const near = Object.keys(builtIn).find((name) => distance(name, id.toLowerCase()) <= 2)
  throw modelError(
    'M001',
    `there is no model "${id}"`,
    near
      ? `did you mean "${near}"?`
      : 'a model is "tiny", "table:FILE.json", a .gguf file, a folder with config.json, tokenizer.json and model.safetensors, or a name on the hub such as "HuggingFaceTB/SmolLM2-135M"',
  )
}

/** Whether a name can stand for a model on the hub, or for one .gguf file of it. */
export function isHubId(id: string): boolean {
  return /^\w[\w.-]*\/[\w.-]+$/.test(id)
    ? !id.endsWith('.gguf')
    : /^\w[\w.-]*\/[\w.-]+\/[\w./-]+\.gguf$/.test(id) && !id.includes('..')
}

async function cached(id: string): Promise<string | null> {
  const [organisation, name, ...rest] = id.split('/')
  const file = rest.join('/')
  const snapshot = await cachedSnapshot(`${organisation}/${name}`, file ? [file] : neededFiles)
  return snapshot && (file ? join(snapshot, file) : snapshot)
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

import { stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { suggest } from '../../diagnostics/suggest.js'
import { modelError } from '../errors.js'
import { cachedSnapshot } from '../hub/cache.js'
import type { OnDownload } from '../hub/download.js'
import { builtInFolder, isHubId } from '../locate.js'
import type { Classifier } from './classifier.js'
import { graphNames } from './onnx.js'
import { Sentiment } from './sentiment.js'

/** Classifiers that come with smcc. */
export const builtInClassifiers: Readonly<Record<string, string>> = {
  'tiny-sentiment': 'the embedded classifier of film reviews: negative, positive',
}

const neededFiles = ['config.json', 'tokenizer.json', graphNames] as const

/**
 * Opens the classifier that a program names: `tiny-sentiment`, a folder in the layout of transformers.js, or such a model on the hub,
 * which is fetched into Hugging Face's cache when it is not there. Throws M002, M003, M004, M007, M017, M020, M021.
 */
export async function openClassifier(id: string, base: string, onDownload?: OnDownload): Promise<Classifier> {
  if (Object.hasOwn(builtInClassifiers, id)) return Sentiment.open(id, builtInFolder(id))
  const folder = await locate(id, base, onDownload)
  const { OnnxClassifier } = await import('./onnx.js')
  for (const graph of graphNames) if (await isFile(join(folder, graph))) return OnnxClassifier.open(id, folder, graph)
  throw modelError(
    'M003',
    `${join(folder, graphNames[0])} does not exist`,
    'a classifier is a folder with config.json, tokenizer.json and onnx/model.onnx, as transformers.js reads it',
  )
}

async function locate(id: string, base: string, onDownload?: OnDownload): Promise<string> {
  const path = isAbsolute(id) ? id : resolve(base, id)
  if ((await stat(path).catch(() => null))?.isDirectory()) return path
  if (isHubId(id) && !id.endsWith('.gguf')) {
    const cached = await cachedSnapshot(id, neededFiles)
    return cached ?? (await import('../hub/pull.js')).pull(id, onDownload, 'classifier')
  }
  const near = suggest(id, Object.keys(builtInClassifiers))
  throw modelError(
    'M020',
    `there is no classifier "${id}"`,
    near
      ? `did you mean "${near}"?`
      : 'a classifier is "tiny-sentiment", a folder with config.json, tokenizer.json and onnx/model.onnx, or a name on the hub such as "Xenova/toxic-bert"',
  )
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}

import { join } from 'node:path'
import { describe } from './architectures/index.js'
import type { Architecture } from './architectures/shape.js'
import { parseObject, readOptional, readRequired } from './json.js'
import { Weights } from './safetensors.js'
import type { TokenizerFiles } from './tokenizer.js'
import type { WeightFiles } from './weight-source.js'

/** A model on the disk, described and open; the caller closes the weights. */
export interface ModelFiles {
  /** Small files by name, which are part of the model's hash. */
  readonly texts: Readonly<Record<string, string>>
  readonly architecture: Architecture
  /** Reading it throws M016, M017. */
  readonly tokenizer: TokenizerFiles
  readonly weights: WeightFiles
}

/** A .gguf file, or a folder in the Hugging Face layout. Throws M003 to M008, M016, M017. */
export async function openFiles(path: string): Promise<ModelFiles> {
  if (path.endsWith('.gguf')) return (await import('./gguf/open.js')).openGguf(path)
  const { texts, files, architecture } = await readFolder(path)
  return { texts, architecture, tokenizer: files, weights: await Weights.open(path) }
}

async function readFolder(folder: string) {
  const optional = async (name: string) => [name, await readOptional(join(folder, name))] as const
  const [config, tokenizer, ...others] = await Promise.all([
    readRequired(join(folder, 'config.json'), 'the shape of the model'),
    readRequired(join(folder, 'tokenizer.json'), 'the tokens'),
    optional('tokenizer_config.json'),
    optional('generation_config.json'),
    optional('chat_template.jinja'),
  ])
  const texts: Record<string, string> = { 'config.json': config, 'tokenizer.json': tokenizer }
  for (const [name, text] of others) if (text !== null) texts[name] = text
  const object = (name: string) => (texts[name] === undefined ? {} : parseObject(texts[name], join(folder, name)))
  const files: TokenizerFiles = {
    config: object('config.json'),
    tokenizer: object('tokenizer.json'),
    tokenizerConfig: object('tokenizer_config.json'),
    generationConfig: object('generation_config.json'),
    chatTemplate: texts['chat_template.jinja'] ?? null,
  }
  return { texts, files, architecture: describe(files.config, join(folder, 'config.json')) }
}

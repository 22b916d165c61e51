import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { modelError, reason } from './errors.js'

export type JsonObject = { readonly [key: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parses a JSON file that must hold an object. Throws M004. */
export function parseObject(text: string, path: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    throw modelError('M004', `${path} is not JSON: ${reason(thrown)}`, 'mend the file, or fetch it again')
  }
  if (!isObject(value)) throw modelError('M004', `${path}: expected a JSON object`, 'mend the file, or fetch it again')
  return value
}

/** The text of a file of a model; null when it does not exist. */
export async function readOptional(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw modelError('M003', `${path} cannot be read: ${reason(thrown)}`)
  }
}

/** The text of a file that a model needs. Throws M003 when it does not exist. */
export async function readRequired(path: string, holds: string): Promise<string> {
  const text = await readOptional(path)
  if (text === null) {
    throw modelError(
      'M003',
      `${path} does not exist`,
      `a model folder holds config.json, tokenizer.json and model.safetensors; ${basename(path)} holds ${holds}`,
    )
  }
  return text
}

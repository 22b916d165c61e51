import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { modelError, reason } from './errors.js'

export type JsonObject = { readonly [key: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parses a JSON file that must hold an object, as Python reads it: NaN, Infinity and -Infinity are numbers. Throws M004. */
export function parseObject(text: string, path: string): JsonObject {
  let value: unknown
  try {
    value = parsed(text)
  } catch (thrown) {
    throw modelError('M004', `${path} is not JSON: ${reason(thrown)}`, 'mend the file, or fetch it again')
  }
  if (!isObject(value)) throw modelError('M004', `${path}: expected a JSON object`, 'mend the file, or fetch it again')
  return value
}

/** Stands for a number that JSON has no way to write; no file holds this text. */
const unwritten = '\u0000number '

function parsed(text: string): unknown {
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  try {
    return JSON.parse(plain)
  } catch (thrown) {
    if (!/NaN|Infinity/.test(plain)) throw thrown
    // What stands in strings is passed over.
    const written = plain.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)(?=\s*[,\]}])/g, (part) =>
      part.startsWith('"') ? part : JSON.stringify(unwritten + part),
    )
    return JSON.parse(written, (_, value) =>
      typeof value === 'string' && value.startsWith(unwritten) ? Number(value.slice(unwritten.length)) : value,
    )
  }
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

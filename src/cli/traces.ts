import { readFileSync } from 'node:fs'
import type { TraceFile } from '../infer/traces-file.js'
import { commandError, reason } from './errors.js'
import { didYouMean, oneOf } from './flags.js'

/** The exact samples in a file that a flag names in the place of one of its words. */
export async function readTraceFile(
  flag: string,
  path: string,
  words: readonly string[],
  programHash: string,
): Promise<TraceFile> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const hint = didYouMean(path, words) ?? `write ${oneOf(words)}, or name a file of traces`
    throw commandError('X021', `cannot read the \`${flag}\` file \`${path}\`: ${reason(error)}`, hint)
  }
  const { readTraces } = await import('../infer/traces-file.js')
  return readTraces(text, programHash, path)
}

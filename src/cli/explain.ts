import { catalogue } from '../diagnostics/catalogue/index.js'
import { explain as explanation } from '../diagnostics/explain.js'
import { commandError, exitCodes } from './errors.js'
import { didYouMean } from './flags.js'
import type { Io } from './io.js'

/** `smcc explain`: one diagnostic with a bad and a mended example, or the list of all codes. */
export async function explain(given: string | undefined, io: Io): Promise<number> {
  const codes = Object.keys(catalogue).sort()
  if (given === undefined) {
    for (const code of codes) io.stdout.write(`${code}  ${catalogue[code]!.title}\n`)
    return exitCodes.done
  }
  const code = given.toUpperCase()
  const text = codes.includes(code) ? explanation(code) : undefined
  if (text === undefined)
    throw commandError('X016', `there is no diagnostic \`${given}\``, didYouMean(code, codes) ?? '`smcc explain` lists all codes')
  io.stdout.write(text)
  return exitCodes.done
}

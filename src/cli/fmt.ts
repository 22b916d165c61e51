import { readFileSync } from 'node:fs'
import { SmcError } from '../diagnostics/diagnostic.js'
import { exitCodes } from './errors.js'
import type { Io } from './io.js'
import { writeAtomically } from './output.js'
import { requireProgram } from './program.js'
import { showDiagnostics } from './show.js'

/**
 * `smcc fmt`: formats in place and names the files that changed; `-` formats standard input to stdout.
 * With `--check` nothing is written, and the names are those that would change. A file that does not parse stays as it is.
 */
export async function fmt(paths: readonly string[], flags: { readonly check?: boolean }, io: Io): Promise<number> {
  for (const path of paths) if (path !== '-') requireProgram(path)
  let code = exitCodes.done
  for (const path of paths) {
    const before = path === '-' ? await io.readInput() : readFileSync(path)
    try {
      const after = await formatted(path, before)
      if (path === '-' && flags.check !== true) io.stdout.write(after)
      else if (!Buffer.from(after).equals(before)) {
        if (flags.check === true) code = exitCodes.program
        else writeAtomically(path, after)
        io.stdout.write(`${path}\n`)
      }
    } catch (error) {
      if (!(error instanceof SmcError) || error.blame !== 'program') throw error
      showDiagnostics(error.diagnostics, io)
      code = exitCodes.program
    }
  }
  return code
}

/** The formatted text, parsed once more: what the printer writes must be a program before it replaces one. */
async function formatted(path: string, bytes: Uint8Array): Promise<string> {
  const [{ decode, parse }, { print }] = await Promise.all([import('../syntax/parse.js'), import('../syntax/print.js')])
  const printed = print(parse(decode(bytes, path)))
  try {
    parse({ path, text: printed })
  } catch (error) {
    throw new Error(`the formatted text of ${path} is no program any more`, { cause: error })
  }
  return printed
}

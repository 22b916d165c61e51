import { SmcError } from '../diagnostics/diagnostic.js'
import type { load } from '../index.js'
import { exitCodes } from './errors.js'
import { choice } from './flags.js'
import { colours, type Io } from './io.js'
import { requireProgram } from './program.js'
import { diagnosticsText, formats } from './show.js'

/** `smcc check`: the findings are the result, so they go to stdout in every format. */
export async function check(path: string, flags: { readonly format: string }, io: Io, open: typeof load): Promise<number> {
  const format = choice('--format', flags.format, formats)
  requireProgram(path)
  const found = await findings(path, open)
  const errors = found.filter((item) => item.severity === 'error').length
  io.stdout.write(diagnosticsText(found, format, colours(io.stdout, io.env)))
  if (format === 'human') io.stdout.write(`${summary(path, errors, found.length - errors)}\n`)
  return errors > 0 ? exitCodes.program : exitCodes.done
}

async function findings(path: string, open: typeof load) {
  try {
    return (await open(path)).diagnostics
  } catch (error) {
    if (error instanceof SmcError && error.blame === 'program') return error.diagnostics
    throw error
  }
}

function summary(path: string, errors: number, warnings: number): string {
  const count = (n: number, word: string) => `${n === 0 ? 'no' : n} ${word}${n === 1 ? '' : 's'}`
  const tail = warnings > 0 ? `, ${count(warnings, 'warning')}` : ''
  return `${path}: ${count(errors, 'error')}${tail}`
}

import type { load } from '../index.js'
import { exitCodes } from './errors.js'
import { choice } from './flags.js'
import type { Io } from './io.js'
import { requireProgram } from './program.js'
import { showDiagnostics } from './show.js'

/** `smcc graph`: the inference graph after one stage of the compiler, the last unless another is named. */
export async function graph(
  path: string,
  flags: { readonly stage?: string; readonly format: string },
  io: Io,
  open: typeof load,
): Promise<number> {
  const { graphFormats, printGraph } = await import('../graph/print.js')
  const format = choice('--format', flags.format, graphFormats)
  requireProgram(path)
  const program = await open(path)
  showDiagnostics(program.diagnostics, io)
  const names = program.stages.map((stage) => stage.name)
  const name = flags.stage === undefined ? names.at(-1) : choice('--stage', flags.stage, names)
  const text = printGraph(program.stages.find((stage) => stage.name === name)!.graph, format)
  io.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  return exitCodes.done
}

import { SmcError } from '../diagnostics/diagnostic.js'
import type { load } from '../index.js'
import { commandError, exitCodes } from './errors.js'
import { choice, pairs, wholeNumber } from './flags.js'
import { colours, type Io } from './io.js'
import { paramValues } from './params.js'
import { requireProgram } from './program.js'
import { StatusLine } from './progress.js'
import { besideProgram, pageStyle, readParams, requireModels, showsLive } from './run.js'
import { diagnosticsText, formats, showDiagnostics } from './show.js'

export interface CheckFlags {
  readonly format: string
  readonly statistics?: boolean
  readonly D: readonly string[]
  readonly params?: string
  readonly model: readonly string[]
  readonly seed?: string
  readonly allowExtern?: boolean
  readonly quiet?: boolean
}

/** `smcc check`: the findings are the result, so they go to stdout in every format. */
export async function check(path: string, flags: CheckFlags, io: Io, open: typeof load): Promise<number> {
  const format = choice('--format', flags.format, formats)
  if (flags.statistics) return selfTest(path, flags, io, open)
  requireStatistics(flags)
  requireProgram(path)
  const found = await findings(path, open)
  const errors = found.filter((item) => item.severity === 'error').length
  io.stdout.write(diagnosticsText(found, format, colours(io.stdout, io.env)))
  if (format === 'human') io.stdout.write(`${summary(path, errors, found.length - errors)}\n`)
  return errors > 0 ? exitCodes.program : exitCodes.done
}

/** Nothing is run without `--statistics`: what only a run reads is a mistake. */
function requireStatistics({ D, params, model, seed, allowExtern }: CheckFlags): void {
  const given = [
    ...(D.length > 0 ? ['-D'] : []),
    ...(params === undefined ? [] : ['--params']),
    ...(model.length > 0 ? ['--model'] : []),
    ...(seed === undefined ? [] : ['--seed']),
    ...(allowExtern ? ['--allow-extern'] : []),
  ]
  if (given.length === 0) return
  throw commandError('X024', `\`${given[0]}\` is read by \`--statistics\` alone`, 'add `--statistics`, or leave it out')
}

/** `smcc check --statistics`: the laws of the language, tried on the program; exit code 3 where one fails. */
async function selfTest(path: string, flags: CheckFlags, io: Io, open: typeof load): Promise<number> {
  const format = choice('--format', flags.format, ['human', 'json'] as const)
  const seed = flags.seed === undefined ? 1 : wholeNumber('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER)
  const definitions = pairs('-D', flags.D)
  const models = pairs('--model', flags.model)
  requireProgram(path)
  const file = flags.params === undefined ? undefined : readParams(flags.params)
  const interruption = new AbortController()
  const progress = new StatusLine(io.stderr, showsLive(flags, io))
  const release = io.onInterrupt(() => interruption.abort())
  try {
    const program = await open(path)
    showDiagnostics(program.diagnostics, io)
    requireModels(program, models)
    const result = await program.selfTest(paramValues(program.params, definitions, file), {
      seed,
      models: Object.fromEntries([...models].map(([name, id]) => [name, besideProgram(id, path)])),
      allowExtern: flags.allowExtern === true,
      signal: interruption.signal,
      onLaw: (law) => progress.update(`trying: ${law}`),
    })
    progress.erase()
    if (format === 'json') {
      const { jsonText, selfTestJson } = await import('../report/json.js')
      io.stdout.write(jsonText(selfTestJson(result)))
    } else {
      const { selfTestPage } = await import('../report/self-test-page.js')
      io.stdout.write(selfTestPage(result, { style: await pageStyle(io) }))
    }
    if (interruption.signal.aborted) return exitCodes.interrupted
    return result.verdict === 'fails' ? exitCodes.inference : exitCodes.done
  } finally {
    release()
  }
}

async function findings(path: string, open: typeof load) {
  try {
    const program = await open(path)
    return [...program.diagnostics, ...(await program.checkPatterns())]
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

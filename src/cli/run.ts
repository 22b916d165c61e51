import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import type { load, Program } from '../index.js'
import type { Json, RunResult, RunSettings, StepTold } from '../infer/result.js'
import type { SettingOrigin } from '../report/folder.js'
import { DownloadLine } from './download-line.js'
import { commandError, exitCodes, reason } from './errors.js'
import { choice, didYouMean, oneOf, pairs } from './flags.js'
import { colours, type Io } from './io.js'
import { requireWritableFile, requireWritableFolder, writeAtomically, writeFolder } from './output.js'
import { paramValues } from './params.js'
import { requireProgram } from './program.js'
import { LiveLine } from './progress.js'
import { backendChoice, chosenSettings, deviceChoice, flagSettings, productType, type SettingFlags } from './settings.js'
import { distinct, showDiagnostics } from './show.js'

export interface RunFlags extends SettingFlags {
  readonly D: readonly string[]
  readonly params?: string
  readonly model: readonly string[]
  readonly json?: string | true
  readonly report?: string
  readonly out?: string
  readonly steps?: string
  readonly allowExtern?: boolean
  readonly quiet?: boolean
}

/** `smcc run`: everything that can be wrong with the command line is found before the program is loaded, and paths before it runs. */
export async function run(given: string | undefined, flags: RunFlags, io: Io, open: typeof load): Promise<number> {
  const { path, json } = separateProgram(given, flags.json)
  const fromFlags = flagSettings(flags)
  const dtype = productType(flags.dtype)
  const device = deviceChoice(flags.device)
  const backend = backendChoice(flags.backend)
  const definitions = pairs('-D', flags.D)
  const models = pairs('--model', flags.model)
  const watched = recordedSteps(flags)
  requireProgram(path)
  requireOutputs(flags, json)
  const file = flags.params === undefined ? undefined : readParams(flags.params)

  const interruption = new AbortController()
  const live = new LiveLine(io.stderr)
  const download = new DownloadLine(io)
  const release = io.onInterrupt(() => {
    live.erase()
    io.stderr.write('stopping: the particles keep what they have so far; Ctrl-C again stops at once\n')
    interruption.abort()
  })
  try {
    const program = await open(path)
    const told = new Set(distinct(program.diagnostics))
    showDiagnostics(program.diagnostics, io)
    const params = paramValues(program.params, definitions, file)
    requireModels(program, models)
    const { settings, origin } = chosenSettings(fromFlags, program.settings)
    // Under steer there are more candidates than particles between two points.
    const size = settings.method === 'steer' ? undefined : settings.particles
    if (watched && settings.method === 'steer')
      throw commandError(
        'X007',
        'LLaMPPL has no record for `--method steer`, whose population changes its size',
        'leave out `--steps`',
      )
    if (interruption.signal.aborted) return exitCodes.interrupted
    const result = await program.run(params, {
      ...fromFlags,
      seed: settings.seed!,
      models: Object.fromEntries([...models].map(([name, id]) => [name, besideProgram(id, path)])),
      dtype,
      device,
      backend,
      onWarning: (warning) => {
        live.erase()
        told.add(warning)
        showDiagnostics([warning], io)
      },
      allowExtern: flags.allowExtern === true,
      signal: interruption.signal,
      ...(watched && { onStep: (step) => watched.push(step) }),
      onDownload: (progress) => download.update(progress),
      ...(showsLive(flags, io) && { onProgress: (progress) => live.update(progress, size) }),
    })
    live.erase()
    if (device === 'auto') io.stderr.write(`device: ${result.settings.device}\n`)
    showDiagnostics(
      distinct([...told, ...result.warnings]).filter((warning) => !told.has(warning)),
      io,
    )
    await deliver(result, flags, json, io, {
      params,
      watched,
      origin: (name) => {
        if (name !== 'device' && name !== 'backend' && name !== 'dtype') return origin(name)
        return flags[name] === undefined ? 'default' : 'flag'
      },
    })
    if (result.partial && interruption.signal.aborted) return exitCodes.interrupted
    return result.partial || result.alive === 0 ? exitCodes.inference : exitCodes.done
  } catch (error) {
    live.erase()
    if (interruption.signal.aborted && (error as Error | undefined)?.name === 'AbortError') return exitCodes.interrupted
    throw error
  } finally {
    release()
  }
}

/** `run --json infill.smc` means the program, not a file to write over it. */
function separateProgram(given: string | undefined, json: RunFlags['json']): { path: string; json: RunFlags['json'] } {
  if (given !== undefined) return { path: given, json }
  if (typeof json === 'string') return { path: json, json: true }
  throw commandError('X003', 'expected the path of a program after `run`', 'write `smcc run PROGRAM.smc`')
}

function requireOutputs({ report, out }: RunFlags, json: RunFlags['json']): void {
  if (typeof json === 'string') requireWritableFile('--json', json)
  if (report !== undefined) requireWritableFile('--report', report)
  if (out !== undefined) requireWritableFolder('--out', out)
  if (typeof json === 'string' && report !== undefined && resolve(json) === resolve(report))
    throw commandError('X019', '`--json` and `--report` name the same file', 'name two files')
}

export function readParams(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw commandError('X011', `cannot read the \`--params\` file \`${path}\`: ${reason(error)}`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw commandError('X011', `the \`--params\` file \`${path}\` is not JSON: ${detail}`, 'write `{ "name": value }`')
  }
}

export function requireModels(program: Program, models: ReadonlyMap<string, string>): void {
  const declared = program.models
  for (const [name, id] of models) {
    if (!declared.includes(name)) {
      const hint = didYouMean(name, declared) ?? (declared.length > 0 ? `it has ${oneOf(declared)}` : 'it has no models at all')
      throw commandError('X012', `the program has no model \`${name}\``, hint)
    }
    if (id === '') throw commandError('X008', `expected a model after \`--model ${name}=\``, `write \`--model ${name}=tiny\``)
  }
}

/** A path on the command line is meant from where the user stands; the program resolves paths from its own folder. */
export function besideProgram(id: string, program: string): string {
  const table = id.startsWith('table:')
  const path = table ? id.slice('table:'.length) : id
  if (!table && !existsSync(path)) return id
  const moved = relative(dirname(resolve(program)), resolve(path))
  return table ? `table:${moved}` : moved.startsWith('.') ? moved : `./${moved}`
}

export function showsLive(flags: { readonly quiet?: boolean }, io: Io): boolean {
  return io.stderr.isTTY && flags.quiet !== true && !io.env.CI && io.env.TERM !== 'dumb'
}

/** Where the steps of the run are to be kept for `--steps llamppl`; null where nobody asked. */
function recordedSteps({ steps, out }: RunFlags): StepTold[] | null {
  if (steps === undefined) return null
  choice('--steps', steps, ['llamppl'])
  if (out === undefined) throw commandError('X007', '`--steps` says what the folder of `--out` holds', 'add `--out DIR`')
  return []
}

interface Origins {
  readonly watched: readonly StepTold[] | null
  readonly params: Record<string, Json>
  readonly origin: (name: keyof RunSettings) => SettingOrigin
}

/** Writes what was asked for. When a file fails in spite of the check beforehand, the result goes to stdout rather than being lost. */
async function deliver(result: RunResult, flags: RunFlags, json: RunFlags['json'], io: Io, origins: Origins): Promise<void> {
  const { jsonText, resultJson } = await import('../report/json.js')
  const text = jsonText(resultJson(result))
  try {
    await writeFiles(result, text, flags, json, origins)
  } catch (error) {
    io.stdout.write(text)
    throw error
  }
  if (json === true) io.stdout.write(text)
  else if (json === undefined) {
    const { page } = await import('../report/page.js')
    const width = io.stdout.columns
    io.stdout.write(page(result, { style: await pageStyle(io), ...(width !== undefined && { width }) }))
  }
}

async function writeFiles(
  result: RunResult,
  text: string,
  flags: RunFlags,
  json: RunFlags['json'],
  origins: Origins,
): Promise<void> {
  if (typeof json === 'string') writeAtomically(json, text)
  if (flags.report === undefined && flags.out === undefined) return
  const [{ htmlPage }, { folderFiles }, { llampplText }] = await Promise.all([
    import('../report/html.js'),
    import('../report/folder.js'),
    import('../report/llamppl.js'),
  ])
  const html = htmlPage(result)
  if (flags.report !== undefined) writeAtomically(flags.report, html)
  if (flags.out === undefined) return
  const names = Object.keys(result.settings) as (keyof RunSettings)[]
  const files = folderFiles(result, html, {
    origins: Object.fromEntries(names.map((name) => [name, origins.origin(name)])) as Record<keyof RunSettings, SettingOrigin>,
    params: origins.params,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    hash: (content) => createHash('sha256').update(content).digest('hex'),
    record: origins.watched && llampplText(origins.watched, result),
  })
  writeFolder(flags.out, files)
}

export async function pageStyle(io: Io) {
  const { default: pico } = await import('picocolors')
  const { bold, dim, green: ok, yellow: warn } = pico.createColors(colours(io.stdout, io.env))
  return { bold, dim, ok, warn }
}

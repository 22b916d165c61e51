import { resolve } from 'node:path'
import { exactWays, methodNames } from '../check/settings.js'
import type { BoundResult, ExactChoice, load } from '../index.js'
import { DownloadLine } from './download-line.js'
import { commandError, exitCodes } from './errors.js'
import { choice, pairs, wholeNumber } from './flags.js'
import type { Io } from './io.js'
import { requireWritableFile, writeAtomically } from './output.js'
import { paramValues } from './params.js'
import { requireProgram } from './program.js'
import { StatusLine } from './progress.js'
import { besideProgram, pageStyle, type RunFlags, readParams, requireModels, showsLive } from './run.js'
import { backendChoice, chosenSettings, deviceChoice, flagSettings, mostParticles, productType } from './settings.js'
import { distinct, showDiagnostics } from './show.js'
import { readTraceFile } from './traces.js'

export interface BoundFlags extends Omit<RunFlags, 'out' | 'steps' | 'expansion' | 'sweeps'> {
  readonly repeats?: string
  readonly exact?: string
  readonly traces?: string
}

const ways = ['auto', ...exactWays] as const
const mostRepeats = 100_000

/** `smcc bound`: bounds on log Z from both sides, and how far the sampler is from its target. */
export async function bound(path: string, flags: BoundFlags, io: Io, open: typeof load): Promise<number> {
  const method = flags.method === undefined ? 'smc' : choice('--method', flags.method, methodNames)
  if (method === 'steer') throw commandError('X022', '`--method steer` has no upper bound', 'take `--method smc`, which has')
  if (method === 'gibbs')
    throw commandError('X022', '`--method gibbs` has no bounds of its own', 'take `--method smc`, which its sweeps repeat')
  const { particles, ...sampler } = flags
  const fromFlags = flagSettings(sampler)
  const sizes = particles === undefined ? [4, 16, 64] : sizeList(particles)
  const repeats = flags.repeats === undefined ? 20 : wholeNumber('--repeats', flags.repeats, 2, mostRepeats)
  const dtype = productType(flags.dtype)
  const device = deviceChoice(flags.device)
  const backend = backendChoice(flags.backend)
  const definitions = pairs('-D', flags.D)
  const models = pairs('--model', flags.model)
  requireProgram(path)
  requireOutputs(flags)
  const file = flags.params === undefined ? undefined : readParams(flags.params)

  const interruption = new AbortController()
  const download = new DownloadLine(io)
  const progress = new StatusLine(io.stderr, showsLive(flags, io))
  const release = io.onInterrupt(() => {
    progress.erase()
    io.stderr.write('stopping: the repeats that are done are kept; Ctrl-C again stops at once\n')
    interruption.abort()
  })
  try {
    const program = await open(path)
    showDiagnostics(program.diagnostics, io)
    const params = paramValues(program.params, definitions, file)
    requireModels(program, models)
    const { settings } = chosenSettings(fromFlags, program.settings)
    const exact = await exactChoice(flags.exact, program.hash, repeats)
    let traces = ''
    const result = await program.bound(params, {
      ...fromFlags,
      seed: settings.seed!,
      particles: sizes,
      repeats,
      exact,
      models: Object.fromEntries([...models].map(([name, id]) => [name, besideProgram(id, path)])),
      dtype,
      device,
      backend,
      allowExtern: flags.allowExtern === true,
      signal: interruption.signal,
      onDownload: (each) => download.update(each),
      onRepeats: (done, all) => progress.update(`${done} of ${all} repeats`),
      onExact: (accepted, tried) =>
        progress.update(
          `exact samples: ${accepted} of ${repeats}, ${((100 * accepted) / tried).toFixed(3)} % of ${tried} runs accepted`,
        ),
      onTraces: (text) => {
        traces = text
      },
    })
    progress.erase()
    showDiagnostics(distinct(result.warnings), io)
    await deliver(result, traces, flags, io)
    if (interruption.signal.aborted) return exitCodes.interrupted
    return result.partial ? exitCodes.inference : exitCodes.done
  } catch (error) {
    progress.erase()
    if (interruption.signal.aborted && (error as Error | undefined)?.name === 'AbortError') return exitCodes.interrupted
    throw error
  } finally {
    release()
  }
}

/** `4,16,64` */
function sizeList(text: string): number[] {
  return text.split(',').map((each) => wholeNumber('--particles', each.trim(), 1, mostParticles))
}

/** A way to exact samples, or the traces of a file. */
async function exactChoice(given: string | undefined, programHash: string, repeats: number): Promise<ExactChoice> {
  if (given === undefined) return 'auto'
  const way = ways.find((each) => each === given)
  if (way) return way
  const file = await readTraceFile('--exact', given, ways, programHash)
  const { traces } = file
  if (traces.length >= repeats) return { ...file, traces: traces.slice(0, repeats) }
  throw commandError(
    'X021',
    `\`${given}\` holds ${traces.length} exact samples, and ${repeats} repeats need one each`,
    traces.length >= 2 ? `write \`--repeats ${traces.length}\`` : 'take a file with more',
  )
}

function requireOutputs({ json, report, traces }: BoundFlags): void {
  const files = Object.entries({ '--json': json, '--report': report, '--traces': traces })
  const given = files.flatMap(([flag, path]) => (typeof path === 'string' ? [{ flag, path }] : []))
  const seen = new Map<string, string>()
  for (const { flag, path } of given) {
    requireWritableFile(flag, path)
    const other = seen.get(resolve(path))
    if (other) throw commandError('X019', `\`${other}\` and \`${flag}\` name the same file`, 'name two files')
    seen.set(resolve(path), flag)
  }
}

async function deliver(result: BoundResult, traces: string, flags: BoundFlags, io: Io): Promise<void> {
  const { boundJson, jsonText } = await import('../report/json.js')
  const text = jsonText(boundJson(result))
  if (typeof flags.json === 'string') writeAtomically(flags.json, text)
  if (flags.traces !== undefined) writeAtomically(flags.traces, traces)
  if (flags.report !== undefined) {
    const { boundHtml } = await import('../report/bound-html.js')
    writeAtomically(flags.report, boundHtml(result))
  }
  if (flags.json === true) io.stdout.write(text)
  else if (flags.json === undefined) {
    const { boundPage } = await import('../report/bound-page.js')
    io.stdout.write(boundPage(result, { style: await pageStyle(io) }))
  }
}

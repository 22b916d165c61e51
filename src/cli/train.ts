import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { positiveWays } from '../check/settings.js'
import { type load, type TrainingOptions, twistPath } from '../index.js'
import { type LossName, lossNames } from '../infer/learned/losses.js'
import type { RoundDone, TrainRound } from '../infer/learned/trainer.js'
import { trainingPicture } from '../report/training-picture.js'
import { DownloadLine } from './download-line.js'
import { commandError, exitCodes, reason } from './errors.js'
import { choice, numberAbove, pairs, wholeNumber } from './flags.js'
import type { Io } from './io.js'
import { present, requireWritableFile, requireWritableFolder, writeAtomically, writeFolder } from './output.js'
import { paramValues } from './params.js'
import { requireProgram } from './program.js'
import { besideProgram, readParams, requireModels } from './run.js'
import { backendChoice, deviceChoice, productType } from './settings.js'
import { distinct, showDiagnostics } from './show.js'
import { readTraceFile } from './traces.js'
import { distances, TrainingLine } from './training-line.js'

export interface TrainFlags {
  readonly D: readonly string[]
  readonly params?: string
  readonly model: readonly string[]
  readonly loss?: string
  readonly steps?: string
  readonly batch?: string
  readonly positives?: string
  readonly iterate?: string
  readonly seed?: string
  readonly out?: string
  readonly resume?: boolean
  readonly valueHead?: boolean
  readonly maxMemory?: string
  readonly device?: string
  readonly backend?: string
  readonly dtype?: string
  readonly allowExtern?: boolean
  readonly quiet?: boolean
}

/** Beyond this a number is a slip of the finger. */
const most = 1_000_000
/** The files of `--out`. */
const files = { history: 'history.jsonl', picture: 'training.svg', state: 'training.safetensors' }

/** `smcc train`: fits the learned twists of a program and writes them beside it. */
export async function train(path: string, flags: TrainFlags, io: Io, open: typeof load): Promise<number> {
  const settings = trainFlags(flags)
  const definitions = pairs('-D', flags.D)
  const models = pairs('--model', flags.model)
  requireProgram(path)
  const target = twistPath(path)
  requireWritableFile('train', target)
  const resume = earlier(flags)
  const file = flags.params === undefined ? undefined : readParams(flags.params)

  const interruption = new AbortController()
  const live = new TrainingLine(io, flags.quiet === true)
  const download = new DownloadLine(io)
  const release = io.onInterrupt(() => {
    live.erase()
    io.stderr.write('stopping: the best twist so far is kept; Ctrl-C again stops at once\n')
    interruption.abort()
  })
  try {
    const program = await open(path)
    showDiagnostics(distinct(program.diagnostics), io)
    requireModels(program, models)
    const result = await program.train(paramValues(program.params, definitions, file), {
      ...settings,
      ...(flags.positives !== undefined && { positives: await positives(flags.positives, program.hash) }),
      ...(resume && { resume }),
      models: Object.fromEntries([...models].map(([name, id]) => [name, besideProgram(id, path)])),
      allowExtern: flags.allowExtern === true,
      signal: interruption.signal,
      onDownload: (progress) => download.update(progress),
      onProgress: (progress) => live.update(progress),
      onWarning: (warning) => {
        live.erase()
        showDiagnostics([warning], io)
      },
      onRound: (done) => {
        if (flags.out !== undefined) keep(flags.out, path, done)
      },
    })
    live.erase()
    if (flags.out !== undefined && result.rounds.length > 0) keep(flags.out, path, result)
    if (result.best === 0) {
      io.stdout.write(`${path}: ${nothingKept(result)}; no file was written\n`)
      return result.partial ? exitCodes.interrupted : exitCodes.inference
    }
    writeAtomically(target, result.file)
    io.stdout.write(trainPage(path, result, target))
    return result.partial ? exitCodes.interrupted : exitCodes.done
  } finally {
    live.erase()
    release()
  }
}

/** What an earlier training has left in the folder of `--out`; undefined without `--resume`. */
function earlier({ out, resume }: TrainFlags): Uint8Array | undefined {
  if (out !== undefined) {
    const holds = (folder: string) => Object.values(files).some((name) => present(join(folder, name)) !== undefined)
    requireWritableFolder('--out', out, { what: 'an earlier training', in: holds })
  }
  if (!resume) return undefined
  if (out === undefined) throw commandError('X023', '`--resume` stands without `--out`', 'name the folder: `--out DIR --resume`')
  try {
    return readFileSync(join(out, files.state))
  } catch (error) {
    throw commandError(
      'X023',
      `\`${out}\` holds no training to go on from: ${reason(error)}`,
      'leave `--resume` out: the first round that is done leaves one there',
    )
  }
}

/** Where samples of the target come from: a way, or the traces of a file. */
async function positives(given: string, programHash: string): Promise<NonNullable<TrainingOptions['positives']>> {
  const way = positiveWays.find((each) => each === given)
  if (way) return way
  const file = await readTraceFile('--positives', given, positiveWays, programHash)
  if (file.traces.length > 0) return file
  throw commandError('X021', `\`${given}\` holds no exact sample`, 'take a file that `smcc bound --traces FILE` has written')
}

/** Written after every round, so that a training that is ended by force can go on too. */
function keep(folder: string, program: string, { rounds, state }: Pick<RoundDone, 'rounds'> & Partial<RoundDone>): void {
  const history = rounds.map((round) => `${JSON.stringify(round)}\n`).join('')
  const texts = new Map<string, string | Uint8Array>([
    [files.history, history],
    [files.picture, trainingPicture(program, rounds)],
  ])
  if (state) texts.set(files.state, state)
  writeFolder(folder, texts)
}

/** Why no twist is kept: a fit is measured by the round behind it. */
function nothingKept({ partial, rounds }: { readonly partial: boolean; readonly rounds: readonly TrainRound[] }): string {
  if (partial && rounds.length < 2) return 'stopped before the first fit was measured, so nothing is kept'
  return 'nothing was learned that is better than no twist'
}

/** What came of it: the first round, and the one whose twists are kept. */
export function trainPage(
  path: string,
  {
    rounds,
    best,
    twists,
    seed,
    partial,
  }: { rounds: readonly TrainRound[]; best: number; twists: readonly string[]; seed: number; partial: boolean },
  target: string,
): string {
  const line = (name: string, round: TrainRound) => {
    const { ess, particles, alive, lower, seconds } = round
    const facts = [
      `ESS ${ess.toFixed(1)} of ${particles}`,
      `${(100 * alive).toFixed(0)} % alive`,
      `mean log weight ${lower.toFixed(2)}`,
    ]
    return `${name.padEnd(11)}  ${[...facts, ...distances(round), `${seconds.toFixed(0)} s`].join(' · ')}`
  }
  const kept = rounds.find(({ round }) => round === best) ?? rounds[0]!
  const head = [path, twists.join(', '), `seed ${seed}`, ...(partial ? ['partial'] : [])].join(' · ')
  return `${[head, line('untrained', rounds[0]!), line('trained', kept), `written to ${target}`].join('\n')}\n`
}

function trainFlags(flags: TrainFlags) {
  const count = (flag: 'steps' | 'batch' | 'iterate') =>
    flags[flag] === undefined ? {} : { [flag]: wholeNumber(`--${flag}`, flags[flag], 1, most) }
  return {
    ...count('steps'),
    ...count('batch'),
    ...count('iterate'),
    ...(flags.loss !== undefined && { loss: choice<LossName>('--loss', flags.loss, lossNames) }),
    ...(flags.seed !== undefined && { seed: wholeNumber('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER) }),
    ...(flags.maxMemory !== undefined && { maxMemory: numberAbove('--max-memory', flags.maxMemory, 0) }),
    ...(flags.valueHead && { valueHead: true }),
    dtype: productType(flags.dtype),
    device: deviceChoice(flags.device),
    backend: backendChoice(flags.backend),
  }
}

import { type load, twistPath } from '../index.js'
import { type LossName, lossNames } from '../infer/learned/losses.js'
import type { TrainRound } from '../infer/learned/trainer.js'
import { DownloadLine } from './download-line.js'
import { exitCodes, notInThisVersion } from './errors.js'
import { choice, numberAbove, pairs, wholeNumber } from './flags.js'
import type { Io } from './io.js'
import { requireWritableFile, writeAtomically } from './output.js'
import { paramValues } from './params.js'
import { requireProgram } from './program.js'
import { besideProgram, readParams } from './run.js'
import { productType } from './settings.js'
import { distinct, showDiagnostics } from './show.js'
import { TrainingLine } from './training-line.js'

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
  readonly maxMemory?: string
  readonly dtype?: string
  readonly allowExtern?: boolean
  readonly quiet?: boolean
}

/** Beyond this a number is a slip of the finger. */
const most = 1_000_000

/** `smcc train`: fits the learned twists of a program and writes them beside it. */
export async function train(path: string, flags: TrainFlags, io: Io, open: typeof load): Promise<number> {
  const settings = trainFlags(flags)
  const definitions = pairs('-D', flags.D)
  const models = pairs('--model', flags.model)
  requireProgram(path)
  const target = twistPath(path)
  requireWritableFile('train', target)
  if (flags.out !== undefined) requireWritableFile('--out', flags.out)
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
    const result = await program.train(paramValues(program.params, definitions, file), {
      ...settings,
      models: Object.fromEntries([...models].map(([name, id]) => [name, besideProgram(id, path)])),
      allowExtern: flags.allowExtern === true,
      signal: interruption.signal,
      onDownload: (progress) => download.update(progress),
      onProgress: (progress) => live.update(progress),
    })
    live.erase()
    if (flags.out !== undefined) writeAtomically(flags.out, result.rounds.map((round) => `${JSON.stringify(round)}\n`).join(''))
    if (result.best === 0) {
      io.stdout.write(`${path}: nothing was learned that is better than no twist; no file was written\n`)
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
  const line = (name: string, { ess, particles, alive, lower, seconds }: TrainRound) =>
    `${name.padEnd(11)}  ESS ${ess.toFixed(1)} of ${particles} · ${(100 * alive).toFixed(0)} % alive · mean log weight ${lower.toFixed(2)} · ${seconds.toFixed(0)} s`
  const kept = rounds.find(({ round }) => round === best) ?? rounds[0]!
  const head = [path, twists.join(', '), `seed ${seed}`, ...(partial ? ['partial'] : [])].join(' · ')
  return `${[head, line('untrained', rounds[0]!), line('trained', kept), `written to ${target}`].join('\n')}\n`
}

function trainFlags(flags: TrainFlags) {
  if (flags.positives !== undefined && choice('--positives', flags.positives, ['exact', 'smc']) === 'exact')
    throw notInThisVersion('`--positives exact`', 'use `--positives smc`')
  const count = (flag: 'steps' | 'batch' | 'iterate') =>
    flags[flag] === undefined ? {} : { [flag]: wholeNumber(`--${flag}`, flags[flag], 1, most) }
  return {
    ...count('steps'),
    ...count('batch'),
    ...count('iterate'),
    ...(flags.loss !== undefined && { loss: choice<LossName>('--loss', flags.loss, lossNames) }),
    ...(flags.seed !== undefined && { seed: wholeNumber('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER) }),
    ...(flags.maxMemory !== undefined && { maxMemory: numberAbove('--max-memory', flags.maxMemory, 0) }),
    dtype: productType(flags.dtype),
  }
}

/**
 * The experiment of Zhao et al. (2024), section 7, on the built-in model: how near the proposal of a learned twist comes to the target, for
 * six ways to learn it, in both directions: KL(q | sigma) = log Z - F and KL(sigma | q) = G - log Z, where F and G are the bounds of a single
 * particle, and log Z lies between those of many. In the infilling tasks what must follow is drawn anew for each sample, the twist is told
 * it, and figures are means over such data. In the others exact samples are drawn by rejection, once, some to learn from and some to
 * measure with. Ends with a table in Markdown.
 * Usage: npm run bench:paper [-- TASK...] [--losses ctl,rl] [--seeds 3] [--steps 200] [--batch 128]
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BoundResult, load, type Program, type TrainSettings, twistPath } from '../src/index.js'
import { readTraces } from '../src/infer/traces-file.js'

type LossName = TrainSettings['loss']

interface Task {
  readonly name: string
  readonly title: string
  readonly exact: 'reject' | 'simulate'
  /** Of the population that encloses log Z. */
  readonly particles: number
  readonly repeats: number
}

const tasks: readonly Task[] = [
  { name: 'unpleasant', title: 'unpleasant words', exact: 'reject', particles: 128, repeats: 60 },
  { name: 'sentiment', title: 'sentiment', exact: 'reject', particles: 128, repeats: 60 },
  { name: 'infill-15-10', title: 'infilling 15→10', exact: 'simulate', particles: 32, repeats: 64 },
  { name: 'infill-2-1', title: 'infilling 2→1', exact: 'simulate', particles: 64, repeats: 200 },
]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    losses: { type: 'string', default: 'ctl,rl,pcl,sixo,fudge,dpg' },
    seeds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '200' },
    batch: { type: 'string', default: '128' },
  },
})
const losses = values.losses.split(',') as LossName[]
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1)
const [steps, batch] = [Number(values.steps), Number(values.batch)]
/** Samples each way where log Z is one number, and exact ones that are learned from. */
const [samples, lessons] = [400, 1024]
const folder = mkdtempSync(join(tmpdir(), 'smcc-paper-'))

type Exact = Awaited<ReturnType<typeof exactSamples>>

/** A mean and its standard error. */
type Estimate = readonly [number, number]
/** Both divergences; log Z is added where all samplers of a task share it. */
interface Distances {
  readonly forward: Estimate
  readonly backward: Estimate
}

/** Exact samples of a task whose target is the same for all; `simulate` where each sample has its own. */
async function exactSamples(program: Program, { exact }: Task, count: number, seed: number) {
  if (exact === 'simulate') return exact
  let text = ''
  const onTraces = (traces: string) => {
    text = traces
  }
  await program.bound({}, { exact, particles: [1], repeats: count, seed, method: 'importance', onTraces })
  return readTraces(text, program.hash, 'the exact samples')
}

/** What encloses log Z. */
const population = (program: Program, { particles, repeats }: Task, exact: Exact) =>
  program.bound({}, { exact, particles: [particles], repeats, seed: 2 })

async function distances(program: Program, task: Task, exact: Exact): Promise<Distances> {
  if (exact === 'simulate') {
    const { klProposalTarget, klProposalTargetError, klTargetProposal, klTargetProposalError, verdict } = await population(
      program,
      task,
      exact,
    )
    if (klProposalTarget === null || klTargetProposal === null) throw new Error(`no divergences: ${verdict}`)
    return {
      forward: [klProposalTarget, klProposalTargetError! / 1.96],
      backward: [klTargetProposal, klTargetProposalError! / 1.96],
    }
  }
  const single = await program.bound({}, { exact, particles: [1], repeats: samples, seed: 1, method: 'importance' })
  const [row] = single.rows
  if (row?.lower == null || row.upper == null) throw new Error(`no bounds: ${single.verdict}`)
  return { forward: [-row.lower, row.lowerError! / 1.96], backward: [row.upper, row.upperError! / 1.96] }
}

/** Mean over seeds, and half of its 95 % interval: the larger of what the samples of each tell and what lies between the seeds. */
function mean(each: readonly Estimate[]): Estimate {
  const n = each.length
  const middle = each.reduce((sum, [value]) => sum + value, 0) / n
  const within = Math.sqrt(each.reduce((sum, [, error]) => sum + error ** 2, 0)) / n
  const between = n > 1 ? Math.sqrt(each.reduce((sum, [value]) => sum + (value - middle) ** 2, 0) / (n - 1) / n) : 0
  return [middle, 1.96 * Math.max(within, between)]
}

async function experiment(task: Task): Promise<readonly string[]> {
  const path = join(folder, `${task.name}.smc`)
  copyFileSync(join('bench', 'paper', `${task.name}.smc`), path)
  const file = twistPath(path)
  /** log Z of a task whose target is the same for all, as the first trained twist tells it; each sample has its own elsewhere. */
  let logZ: BoundResult['logZ'] | null = null
  const program = await load(path)
  const measured = await exactSamples(program, task, samples, 1)
  const positives = await exactSamples(program, task, lessons, 3)
  const untrained = await distances(program, task, measured)
  console.error(`${task.title}, untrained: ${JSON.stringify(untrained)}`)
  const found = new Map<LossName, { readonly far: Distances; readonly seconds: number }[]>()
  for (const loss of losses) {
    for (const seed of seeds) {
      rmSync(file, { force: true })
      const begin = performance.now()
      const trained = await (await load(path)).train({}, { loss, seed, positives, steps, batch })
      const seconds = (performance.now() - begin) / 1000
      writeFileSync(file, trained.file)
      const learned = await load(path)
      const told = { far: await distances(learned, task, measured), seconds }
      if (measured !== 'simulate') logZ ??= (await population(learned, task, measured)).logZ
      found.set(loss, [...(found.get(loss) ?? []), told])
      console.error(`${task.title}, ${loss}, seed ${seed}: ${JSON.stringify(told)}`)
    }
  }
  const cell = (each: readonly Distances[], side: keyof Distances, sign: 1 | -1) => {
    const [value, error] = mean(each.map((one) => one[side]))
    return `${(value + sign * (logZ?.estimate ?? 0)).toFixed(2)} ± ${error.toFixed(2)}`
  }
  const row = (name: string, each: readonly Distances[], seconds: string) =>
    `| ${task.title} | ${name} | ${cell(each, 'forward', 1)} | ${cell(each, 'backward', -1)} | ${seconds} |`
  if (logZ) console.log(`${task.title}: log Z from ${logZ.low?.toFixed(2)} to ${logZ.high?.toFixed(2)}`)
  return [
    row('none', [untrained], ''),
    ...[...found].map(([loss, list]) => {
      const seconds = list.reduce((sum, each) => sum + each.seconds, 0) / list.length
      return row(
        `\`${loss}\``,
        list.map(({ far }) => far),
        seconds.toFixed(0),
      )
    }),
  ]
}

try {
  const rows: string[] = []
  for (const task of tasks) {
    if (positionals.length === 0 || positionals.includes(task.name)) rows.push(...(await experiment(task)))
  }
  console.log('| task | loss | KL(q ‖ σ) | KL(σ ‖ q) | s to train |\n|---|---|---|---|---|')
  console.log(rows.join('\n'))
} finally {
  rmSync(folder, { recursive: true })
}

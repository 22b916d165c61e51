/**
 * The experiment of Zhao et al. (2024), section 7, on the built-in model: how near the proposal of a learned twist comes to the target, for
 * six ways to learn it, in both directions. KL(q | sigma) = log Z - F and KL(sigma | q) = G - log Z, where F and G are the bounds of a single
 * particle, and log Z is enclosed by bounds of many. In the infilling tasks what must follow is drawn anew for each sample, so that figures
 * are means over such data. Ends with a table in Markdown.
 * Usage: npm run bench:paper [-- TASK...] [--losses ctl,rl] [--seeds 3] [--steps 400]
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BoundResult, load, type Program, type TrainSettings, twistPath } from '../src/index.js'

type LossName = TrainSettings['loss']

interface Task {
  readonly name: string
  readonly title: string
  readonly exact: 'reject' | 'simulate'
}

const tasks: readonly Task[] = [
  { name: 'unpleasant', title: 'unpleasant words', exact: 'reject' },
  { name: 'sentiment', title: 'sentiment', exact: 'reject' },
  { name: 'infill-15-10', title: 'infilling 15→10', exact: 'simulate' },
  { name: 'infill-2-1', title: 'infilling 2→1', exact: 'simulate' },
]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    losses: { type: 'string', default: 'ctl,rl,pcl,sixo,fudge,dpg' },
    seeds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '400' },
    repeats: { type: 'string', default: '500' },
  },
})
const losses = values.losses.split(',') as LossName[]
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1)
const repeats = Number(values.repeats)
const folder = mkdtempSync(join(tmpdir(), 'smcc-paper-'))

/** Bounds of one particle: F from below and G from above, with their standard errors. */
interface Ends {
  readonly lower: readonly [number, number]
  readonly upper: readonly [number, number]
}

interface Figures {
  readonly ends: Ends
  readonly seconds: number
}

/** log Z of a task, as the narrowest bounds that any of its samplers gave. */
class Enclosed {
  low = Number.NEGATIVE_INFINITY
  high = Number.POSITIVE_INFINITY

  add({ logZ }: BoundResult): void {
    const { low, high } = logZ
    if (low === null || high === null || high - low >= this.high - this.low) return
    this.low = low
    this.high = high
  }

  get middle(): number {
    return (this.low + this.high) / 2
  }
}

async function ends(program: Program, { exact }: Task, enclosed: Enclosed, many: number): Promise<Ends> {
  const single = await program.bound({}, { exact, particles: [1], repeats, seed: 1 })
  enclosed.add(await program.bound({}, { exact, particles: [many], repeats: 20, seed: 2 }))
  const row = single.rows.find(({ sampler }) => sampler === 'smc')
  if (row?.lower == null || row.upper == null) throw new Error(`no bounds: ${single.verdict}`)
  return { lower: [row.lower, row.lowerError! / 1.96], upper: [row.upper, row.upperError! / 1.96] }
}

/** Mean over seeds, and half of its 95 % interval: from the spread between seeds where there are several, from the repeats of one otherwise. */
function mean(each: readonly (readonly [number, number])[]): readonly [number, number] {
  const n = each.length
  const middle = each.reduce((sum, [value]) => sum + value, 0) / n
  const within = Math.sqrt(each.reduce((sum, [, error]) => sum + error ** 2, 0)) / n
  const between = n > 1 ? Math.sqrt(each.reduce((sum, [value]) => sum + (value - middle) ** 2, 0) / (n - 1) / n) : 0
  return [middle, 1.96 * Math.max(within, between)]
}

const shown = ([value, error]: readonly [number, number]) => `${value.toFixed(2)} ± ${error.toFixed(2)}`

async function experiment(task: Task): Promise<readonly string[]> {
  const source = join('bench', 'paper', `${task.name}.smc`)
  const path = join(folder, `${task.name}.smc`)
  copyFileSync(source, path)
  const file = twistPath(path)
  const enclosed = new Enclosed()
  rmSync(file, { force: true })
  const untrained = await ends(await load(path), task, enclosed, 256)
  console.error(`${task.title}, untrained: ${JSON.stringify(untrained)}`)
  const found = new Map<LossName, Figures[]>()
  for (const loss of losses) {
    const list: Figures[] = []
    for (const seed of seeds) {
      rmSync(file, { force: true })
      const program = await load(path)
      const begin = performance.now()
      const trained = await program.train({}, { loss, seed, positives: 'exact', steps: Number(values.steps) })
      const seconds = (performance.now() - begin) / 1000
      writeFileSync(file, trained.file)
      list.push({ ends: await ends(await load(path), task, enclosed, 128), seconds })
      console.error(`${task.title}, ${loss}, seed ${seed}: ${JSON.stringify(list.at(-1))}`)
    }
    found.set(loss, list)
  }
  const kl = (each: readonly Ends[], side: 'lower' | 'upper') =>
    mean(each.map((e): [number, number] => [(side === 'lower' ? -1 : 1) * (e[side][0] - enclosed.middle), e[side][1]]))
  const row = (name: string, each: readonly Ends[], seconds: string) =>
    `| ${task.title} | ${name} | ${shown(kl(each, 'lower'))} | ${shown(kl(each, 'upper'))} | ${seconds} |`
  const half = (enclosed.high - enclosed.low) / 2
  const note = `log Z ${enclosed.middle.toFixed(2)} ± ${half.toFixed(2)}`
  return [
    row(`none (${note})`, [untrained], ''),
    ...[...found].map(([loss, list]) => {
      const seconds = list.reduce((sum, each) => sum + each.seconds, 0) / list.length
      const told = list.map((each) => each.ends)
      return row(`\`${loss}\``, told, seconds.toFixed(0))
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

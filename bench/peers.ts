/**
 * smcc beside what people use today, on the same weights (SmolLM2-135M-Instruct) and the same machine: LLaMPPL, genlm-control, and the
 * batched `generate` of transformers. `speed`: 32 particles draw 24 tokens each behind one prompt. `matching`: they write a sentence that matches a
 * regular expression. `spread`: the same sentence over many seeds, untimed: do all mean the same Z, and whose log Z-hat varies more? Each peer is a process of its own that has loaded and is warm;
 * only one runs at a time, and smcc runs before and after each, so what else the machine does meets all of them. The figure is the median over the rounds
 * of (seconds a token of the peer) / (seconds a token of smcc beside it). Nothing is installed: what is missing is said in a line.
 * Usage: npm run bench:peers [-- [speed | matching | spread] [--rounds N] [--seed FIRST] [--particles N] [--only PEERS] [--python FILE] [--model FILE.gguf]]
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Measured, Missing, PeerProcess, type Ready, type Task } from './peer-process.js'
import { type Estimates, estimates, ofMean, ratioOfVariances } from './peer-spread.js'

/** The settings of a peer: the quickest that it leaves to its user, or those that it has when nobody sets any. */
const peers = {
  LLaMPPL: { script: 'llamppl_smc.py', tuned: true },
  'LLaMPPL as it comes': { script: 'llamppl_smc.py', tuned: false },
  'genlm-control': { script: 'genlm_smc.py', tuned: true },
  'genlm-control as it comes': { script: 'genlm_smc.py', tuned: false },
  generate: { script: 'generate.py', tuned: true },
} as const
type Peer = keyof typeof peers
const widest = Math.max(...Object.keys(peers).map(({ length }) => length))

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    particles: { type: 'string', default: '32' },
    only: { type: 'string', default: Object.keys(peers).join(',') },
    python: { type: 'string' },
    model: { type: 'string', default: 'models/.cache/SmolLM2-135M-Instruct.Q4_1.gguf' },
  },
})

const root = process.cwd()
const folderOfScripts = join(root, 'bench', 'peers')
const ownPython = join(folderOfScripts, '.cache', 'venv', 'bin', 'python')
const python = flags.python ?? (existsSync(ownPython) ? ownPython : 'python3')
const file = resolve(root, flags.model)
const folder = file.replace(/(\.[^./]+)?\.gguf$/, '')

const months = 'January|February|March|April|May|June|July|August|September|October|November|December'
const common = { particles: Number(flags.particles), threads: availableParallelism(), file, folder, tuned: true }
const sentence: Task = {
  ...common,
  prompt: 'Marie Curie, born on 7 November 1867 in Warsaw.\n',
  // About 20 tokens; the longest match has 65 bytes, so nothing is cut.
  steps: 65,
  pattern: `[A-Z][a-z]{2,9} [A-Z][a-z]{2,9}, born on ([1-9]|[12][0-9]|3[01]) (${months}) 1[5-9][0-9][0-9] in [A-Z][a-z]{2,11}\\.`,
  known: 'Isaac Newton, born on 4 January 1643 in Woolsthorpe.',
}
const tasks: Readonly<Record<string, Task>> = {
  speed: {
    ...common,
    prompt: 'Once upon a time there was a machine',
    steps: 24,
    pattern: null,
    known: ' that could think, and in 2024 it began to speak.',
  },
  matching: sentence,
  spread: sentence,
}
type Kind = 'speed' | 'matching' | 'spread'
const rounds = { speed: Number(flags.rounds ?? 3), matching: Number(flags.rounds ?? 10), spread: Number(flags.rounds ?? 12) }
/** Runs of smcc for one of a peer, in `spread`. */
const more = 5

const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}

/** The weights for transformers, made once. */
function convert(): void {
  if (existsSync(folder)) return
  console.log(`writing ${folder} (once)`)
  const reply = execFileSync(python, [join(folderOfScripts, 'weights.py'), file, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { missing } = JSON.parse(reply.trim().split('\n').at(-1)!) as { readonly missing?: string }
  if (missing !== undefined) throw new Missing(missing)
}

/** The peer when it is warm, or null after saying why it is not compared. */
async function open(name: string, command: string, args: readonly string[], task: Task): Promise<[PeerProcess, Ready] | null> {
  const peer = new PeerProcess(name, command, [...args, JSON.stringify(task)])
  try {
    return [peer, await peer.ready()]
  } catch (error) {
    peer.stop()
    if (!(error instanceof Missing)) throw error
    console.log(`${name}: not compared: ${error.message}`)
    return null
  }
}

/** The same weights and the same tokens, or the comparison means nothing. */
function requireEqual(all: readonly (readonly [PeerProcess, Ready])[]): void {
  const [[, first]] = all as [readonly [PeerProcess, Ready]]
  for (const [{ name }, { prompt, known }] of all) {
    if (prompt.join() !== first.prompt.join()) throw new Error(`${name} cuts the prompt into other tokens: ${prompt.join()}`)
    if (!(Math.abs(known - first.known) < 0.01)) throw new Error(`${name} has other weights: log p ${known}, not ${first.known}`)
  }
  console.log(`all agree on the tokens of the prompt and on log p = ${first.known.toFixed(3)} of a known text\n`)
}

async function compare(kind: Kind): Promise<void> {
  const task = tasks[kind]!
  console.log(`${kind}: ${task.particles} particles, ${task.threads} threads`)
  const smccScript = fileURLToPath(new URL('peer-smcc.js', import.meta.url))
  const smcc = await open('smcc', process.execPath, [smccScript], task)
  const others: [PeerProcess, Ready][] = []
  for (const name of flags.only.split(',') as Peer[]) {
    if (peers[name] === undefined) throw new Error(`there is no peer ${name}: ${Object.keys(peers).join(', ')}`)
    const { script, tuned } = peers[name]
    if (kind !== 'speed' && name === 'generate') continue
    // Settings change the time and nothing else.
    if (kind === 'spread' && !tuned) continue
    const peer = await open(name, python, [join(folderOfScripts, script)], { ...task, tuned })
    if (peer) others.push(peer)
  }
  const all = smcc ? [smcc, ...others] : others
  try {
    if (all.length > 0) requireEqual(all)
    if (kind === 'spread') await spread(all)
    else if (all.length > 0) await measure(kind, smcc?.[0] ?? null, all)
  } finally {
    for (const [peer] of all) peer.stop()
  }
}

async function measure(kind: Kind, smcc: PeerProcess | null, all: readonly [PeerProcess, Ready][]): Promise<void> {
  const runs = new Map<PeerProcess, Measured[]>(all.map(([peer]) => [peer, []]))
  const ratios = new Map<PeerProcess, number[]>(all.map(([peer]) => [peer, []]))
  let seed = Number(flags.seed)
  const run = async (peer: PeerProcess) => {
    const measured = await peer.run(seed++)
    runs.get(peer)!.push(measured)
    return measured.seconds / measured.tokens
  }
  for (let round = 0; round < rounds[kind]; round++) {
    let before = smcc && (await run(smcc))
    for (const [peer] of all) {
      if (peer === smcc) continue
      const own = await run(peer)
      if (smcc === null || before === null) {
        console.log(`round ${round + 1}: ${peer.name} ${(1 / own).toFixed(1)} tokens/s`)
        continue
      }
      const after = await run(smcc)
      const ratio = (2 * own) / (before + after)
      ratios.get(peer)!.push(ratio)
      // A long measurement that is stopped leaves its rounds.
      console.log(`round ${round + 1}: ${peer.name} ${(1 / own).toFixed(1)} tokens/s, smcc is ${ratio.toFixed(1)} times as fast`)
      before = after
    }
  }
  console.log()
  for (const [peer] of all) report(peer.name, runs.get(peer)!, peer === smcc ? null : ratios.get(peer)!)
  console.log()
}

/** One line a peer: how many times faster smcc is, then absolute figures. */
function report(name: string, runs: readonly Measured[], ratios: readonly number[] | null): void {
  const range = (values: readonly number[], digits: number) =>
    `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`
  const rates = runs.map(({ tokens, seconds }) => tokens / seconds)
  const parts = [
    `${median(rates).toFixed(1)} tokens/s (${range(rates, 1)})`,
    `${median(runs.map(({ seconds }) => seconds)).toFixed(2)} s a run`,
    `peak ${(Math.max(...runs.map(({ peak }) => peak)) / 2 ** 30).toFixed(2)} GiB`,
  ]
  if (ratios?.length) parts.unshift(`smcc is ${median(ratios).toFixed(1)} times as fast (${range(ratios, 1)})`)
  console.log(`${name.padEnd(widest)} ${parts.join(', ')}`)
  const logZ = estimates(runs)
  if (logZ === null) return
  console.log(`${''.padEnd(widest)} ${shown(logZ)}; a text: ${JSON.stringify(runs[0]!.text)}`)
}

function shown(logZ: Estimates): string {
  const { value, error } = ofMean(logZ)
  const dead = logZ.dead > 0 ? `, ${logZ.dead} dead (not in the variance)` : ''
  return (
    `log Z-hat over ${logZ.alive.length + logZ.dead} seeds: mean ${logZ.mean.toFixed(2)}, variance ${logZ.variance.toPrecision(3)}, ` +
    `log of the mean Z-hat ${value.toFixed(2)} ± ${error.toFixed(2)}${dead}`
  )
}

/** Every peer by itself, so that nothing is timed: its log Z-hat, and how its variance compares with that of smcc. */
async function spread(all: readonly [PeerProcess, Ready][]): Promise<void> {
  const found: [string, Estimates][] = []
  for (const [peer] of all) {
    const runs: Measured[] = []
    const count = rounds.spread * (peer.name === 'smcc' ? more : 1)
    for (let i = 0; i < count; i++) {
      const run = await peer.run(Number(flags.seed) + i)
      runs.push(run)
      // A long comparison that is stopped leaves its runs.
      console.log(
        `${peer.name}, seed ${Number(flags.seed) + i}: ${typeof run.logZ === 'number' ? run.logZ.toFixed(3) : run.logZ}`,
      )
    }
    peer.stop()
    const logZ = estimates(runs)
    if (logZ === null) continue
    found.push([peer.name, logZ])
    console.log(`${peer.name.padEnd(widest)} ${shown(logZ)}`)
  }
  const own = found.find(([name]) => name === 'smcc')?.[1]
  for (const [name, logZ] of found) {
    if (!own || logZ === own) continue
    const { ratio, low, high } = ratioOfVariances(logZ, own)
    const difference = ofMean(logZ).value - ofMean(own).value
    const error = Math.hypot(ofMean(logZ).error, ofMean(own).error)
    console.log(
      `${name}: ${ratio.toFixed(2)} times the variance of smcc (95 %: ${low.toFixed(2)} to ${high.toFixed(2)}, if log Z-hat were normal); ` +
        `log of the mean Z-hat ${difference >= 0 ? '+' : ''}${difference.toFixed(2)} ± ${error.toFixed(2)} beside it`,
    )
  }
  console.log()
}

const kinds = positionals.length > 0 ? positionals : Object.keys(rounds)
for (const kind of kinds) {
  if (!(kind in rounds)) throw new Error(`there is no comparison ${kind}: ${Object.keys(rounds).join(', ')}`)
}
if (!existsSync(file)) {
  console.log(`nothing is compared: ${flags.model} is not there; bench/peers/README.md says how to get it`)
} else {
  try {
    convert()
  } catch (error) {
    // The peers say the same, each for itself.
    if (!(error instanceof Missing) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  for (const kind of kinds) await compare(kind as Kind)
}

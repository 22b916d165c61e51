/**
 * How long SmolLM2-135M takes from nothing to its first token: the command `smcc run` with a program of one token, once with an empty cache of
 * smcc and once with what that run has left there. Beside it what no start can do without: reading the bytes of the file, and
 * making 32-bit floats of all its numbers once, in one thread. The file itself may lie in the memory of the system.
 * Usage: npm run bench:start [-- FILE.gguf [ROUNDS]]
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readRange } from '../src/models/files.js'
import { GgufWeights } from '../src/models/gguf/weights.js'

const compiled = dirname(dirname(fileURLToPath(import.meta.url)))
const command = join(compiled, 'src', 'cli', 'main.js')
const [given = 'models/.cache/SmolLM2-135M-Instruct.Q4_1.gguf', count = '3'] = process.argv.slice(2)
const model = resolve(given)
/** Longest wait for the process that puts graphs into the cache. */
const mostSeconds = 120

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

async function timed(action: () => unknown): Promise<number> {
  const begin = performance.now()
  await action()
  return (performance.now() - begin) / 1000
}

/** Seconds that reading the file takes, and making floats of its tensors. */
async function floor(): Promise<{ read: number; widen: number }> {
  const weights = await GgufWeights.open(model)
  const file = weights.files[0]!
  const chunk = 1 << 22
  const read = await timed(async () => {
    for (let at = 0; at < file.size; at += chunk) await readRange(file, at, Math.min(file.size, at + chunk))
  })
  const both = await timed(async () => {
    for (const [name, { shape }] of weights.header.tensors) await weights.read(name, shape)
  })
  await weights.close()
  return { read, widen: Math.max(0, both - read) }
}

/** Whether both graphs stand in the cache under their names. */
function isKept(cache: string): boolean {
  const graphs = join(cache, 'graphs')
  const keys = existsSync(graphs) ? readdirSync(graphs) : []
  return keys.some((key) => readdirSync(join(graphs, key)).sort().join() === 'head,trunk')
}

async function start(folder: string, dtype: string): Promise<{ cold: number; warm: number }> {
  const cache = mkdtempSync(join(folder, 'cache-'))
  const program = join(folder, 'one.smc')
  writeFileSync(program, 'model lm = "tiny"\nlet s = lm("Once upon a time")\nsample x ~ s for 1 tokens\nreturn x\n')
  const args = [command, 'run', program, '--model', `lm=${model}`, '--particles', '1', '--seed', '1', '--dtype', dtype, '--json']
  let answer = ''
  const once = () =>
    timed(() => {
      const out = execFileSync(process.execPath, args, {
        env: { ...process.env, SMCC_CACHE: cache },
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const value = JSON.stringify(JSON.parse(out.toString()).posterior)
      if (answer && value !== answer) throw new Error(`the cache changes the answer: ${answer}, then ${value}`)
      answer = value
    })
  const cold = await once()
  for (let waited = 0; !isKept(cache); waited += 0.1) {
    if (waited > mostSeconds) throw new Error(`the graphs were not kept within ${mostSeconds} seconds`)
    await setTimeout(100)
  }
  const warm = await once()
  rmSync(cache, { recursive: true })
  return { cold, warm }
}

if (!existsSync(model)) {
  console.log(`skipped: there is no ${given}; fetch it, or name another .gguf file`)
} else {
  const folder = mkdtempSync(join(tmpdir(), 'smcc-start-'))
  try {
    const least = await floor()
    const base = least.read + least.widen
    console.log(
      `reading ${(1000 * least.read).toFixed(0)} ms, making floats ${(1000 * least.widen).toFixed(0)} ms: together 1.00`,
    )
    console.log('dtype    start   seconds   beside them')
    for (const dtype of ['fp32', 'int8']) {
      const rounds: { cold: number; warm: number }[] = []
      for (let round = 0; round < Number(count); round++) rounds.push(await start(folder, dtype))
      for (const kind of ['cold', 'warm'] as const) {
        const seconds = median(rounds.map((round) => round[kind]))
        console.log(`${dtype.padEnd(8)} ${kind} ${seconds.toFixed(2).padStart(10)} ${(seconds / base).toFixed(2).padStart(13)}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

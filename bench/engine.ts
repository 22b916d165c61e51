/**
 * Throughput of the tensor engine on the shape of a 135 M llama with random weights, driven as a run drives it: draw, extend, and
 * resample now and then. For 1, 8, 32 and 128 particles, in fp32 and int8: tokens a second; the share of the rate that the machine itself reaches in
 * the products of a step, which are timed alone after every step with as many rows; the share of time outside the tensor runtime; peak memory.
 * Then a whole run of a program, and what int8 loses against fp32 on a text that the model itself has written.
 * Usage: npm run bench:engine [-- fp32 | int8 | loss [MODEL]]; without an argument all of it, each in a process of its own.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { compile } from '../src/index.js'
import { philoxRandomness } from '../src/infer/philox.js'
import { freely, type History, type LanguageModel } from '../src/models/model.js'
import type { ProductType } from '../src/models/products.js'
import { openModel } from '../src/models/registry.js'
import { withoutEnd } from '../src/models/token-set.js'
import { Transformer } from '../src/models/transformer.js'
import { generator } from '../test/xorshift.js'
import { MatrixProducts } from './matrix-products.js'
import { randomModel } from './random-model.js'

const populations = [1, 8, 32, 128]
const steps = 24
const warmUp = 3
const prompt = 'Once upon a time there was a machine'

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!
const gigabytes = () => process.resourceUsage().maxRSS / 2 ** 20

interface Step {
  readonly milliseconds: number
  /** Milliseconds inside the tensor runtime. */
  readonly inside: number
  /** Distinct histories: what the trunk ran. */
  readonly rows: number
}

/** Draws `steps` tokens for each particle, and tells of each step. */
async function draw(model: Transformer, particles: number, each: (step: Step) => Promise<void>) {
  const random = generator(particles)
  model.forget()
  const start = model.start(model.vocabulary.encodePrompt(prompt))
  let histories: History[] = Array.from({ length: particles }, () => start)
  const options = { rows: 256, live: () => histories }
  for (let step = 0; step < steps + warmUp; step++) {
    if (step % 8 === 7) histories = histories.map(() => histories[Math.floor(random() * particles)]!)
    const ran = model.tokensRun
    const before = Transformer.runtimeMilliseconds
    const begin = performance.now()
    const replies = await model.draw(
      histories.map((history, slot) => ({
        ...freely(history, 1),
        allowed: withoutEnd(model.vocabulary),
        random: philoxRandomness(1),
        key: { slot, generation: step, draw: 0 },
      })),
      options,
    )
    histories = histories.map((history, i) => model.extend(history, replies[i]!.token))
    const milliseconds = performance.now() - begin
    const inside = Transformer.runtimeMilliseconds - before
    if (step >= warmUp) await each({ milliseconds, inside, rows: model.tokensRun - ran })
  }
}

async function throughput(type: ProductType): Promise<void> {
  const model = await randomModel(type)
  const memory = new Map<number, number>()
  for (const particles of populations) {
    await draw(model, particles, async () => {})
    memory.set(particles, gigabytes())
  }
  const products = type === 'fp32' ? await MatrixProducts.open() : null
  console.log(`${type}: particles  tokens/s  rows run/s  share of the product rate  (GFLOP/s)  outside the runtime  peak memory`)
  for (const particles of populations) {
    const times: number[] = []
    const shares: number[] = []
    const rates: number[] = []
    const rowRates: number[] = []
    let inside = 0
    let total = 0
    await draw(model, particles, async ({ milliseconds, rows, inside: runtime }) => {
      inside += runtime
      total += milliseconds
      times.push(milliseconds)
      rowRates.push((1000 * rows) / milliseconds)
      if (products) {
        const alone = await products.time(rows)
        shares.push(alone / milliseconds)
        rates.push((MatrixProducts.operations * rows) / alone / 1e6)
      }
    })
    const columns = [
      String(particles).padStart(15),
      ((1000 * particles) / median(times)).toFixed(0).padStart(9),
      median(rowRates).toFixed(0).padStart(11),
      (products ? `${(100 * median(shares)).toFixed(0)} %` : '').padStart(26),
      (products ? median(rates).toFixed(0) : '').padStart(11),
      `${(100 * (1 - inside / total)).toFixed(1)} %`.padStart(20),
      `${memory.get(particles)!.toFixed(2)} GB`.padStart(12),
    ]
    console.log(columns.join(' '))
  }
  await products?.release()
  await wholeRun(model)
  await model.dispose()
}

/** A run from the text of a program to its result: how much of its time is spent outside the tensor runtime. */
async function wholeRun(model: Transformer): Promise<void> {
  const program = await compile(
    `model lm = "tiny"\nlet story = lm("${prompt}")\nsample x ~ story for ${steps} tokens\nobserve " and" ~ story\nreturn x\n`,
  )
  // The state of 128 particles is no part of this run.
  model.forget()
  const before = Transformer.runtimeMilliseconds
  const begin = performance.now()
  const { timing } = await program.run({}, { models: { lm: model }, particles: 32, seed: 1 })
  const total = performance.now() - begin
  const outside = 1 - (Transformer.runtimeMilliseconds - before) / total
  console.log(
    `a run of 32 particles and ${steps} tokens: ${timing.tokensPerSecond.toFixed(0)} tokens/s, ${(100 * outside).toFixed(1)} % outside the runtime`,
  )
}

/** Texts by the model in fp32, scored in both: the mean of log p(fp32) - log p(int8) a token is the Kullback-Leibler divergence. */
async function loss(id: string): Promise<void> {
  const texts = 32
  const length = 48
  const exact = await openModel(id, { base: process.cwd() })
  const start = exact.start(exact.vocabulary.encodePrompt('Once upon a time'))
  let histories: History[] = Array.from({ length: texts }, () => start)
  const tokens: number[][] = histories.map(() => [])
  for (let step = 0; step < length; step++) {
    const requests = histories.map((history, slot) => ({
      ...freely(history, 1),
      allowed: withoutEnd(exact.vocabulary),
      random: philoxRandomness(7),
      key: { slot, generation: step, draw: 0 },
    }))
    const replies = await exact.draw(requests, { rows: 64, live: () => histories })
    histories = histories.map((history, i) => exact.extend(history, replies[i]!.token))
    replies.forEach(({ token }, i) => {
      tokens[i]!.push(token)
    })
  }
  const scores = async (model: LanguageModel) => {
    const history = model.start(model.vocabulary.encodePrompt('Once upon a time'))
    const asked = tokens.map((text) => ({ history, temperature: 1, tokens: text, keep: false }))
    return (await model.score(asked, { rows: 64, live: () => [] })).flatMap((row) => [...row])
  }
  const inFloats = await scores(exact)
  await exact.dispose()
  const rounded = await openModel(id, { base: process.cwd(), dtype: 'int8' })
  const inIntegers = await scores(rounded)
  await rounded.dispose()
  const apart = inFloats.map((score, i) => score - inIntegers[i]!)
  const mean = apart.reduce((a, b) => a + b, 0) / apart.length
  const error = Math.sqrt(apart.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / apart.length
  console.log(`${id}: int8 loses ${mean.toFixed(4)} ± ${error.toFixed(4)} nats a token against fp32 (${apart.length} tokens)`)
}

const [what, id = 'tiny'] = process.argv.slice(2)
if (what === 'fp32' || what === 'int8') await throughput(what)
else if (what === 'loss') await loss(id)
else {
  for (const part of ['fp32', 'int8', 'loss']) {
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), part], { stdio: 'inherit' })
  }
}

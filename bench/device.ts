/**
 * Tokens a second on a device at 32, 128 and 512 particles, each with a text of its own, beside what the device's own memory would allow: every step
 * must read all weights of its products once, and the attention state of every row once. The rate of the memory is measured on the same device, from
 * sums over blocks of 128 MB that are made there. On the shape of a 135 M llama with random weights, or on a model by its id.
 * Usage: npm run bench:device -- cpu | webgpu | cuda [MODEL] [PARTICLES...]
 */
import { philoxRandomness } from '../src/infer/philox.js'
import { type Device, RunDevice } from '../src/models/device.js'
import { freely, type History } from '../src/models/model.js'
import { openModel } from '../src/models/registry.js'
import { withoutEnd } from '../src/models/token-set.js'
import type { Transformer } from '../src/models/transformer.js'
import { GraphBuilder } from '../src/tensor/graph.js'
import { Session } from '../src/tensor/session.js'
import { randomModel } from './random-model.js'

const steps = 24
const warmUp = 8
const prompt = Array.from({ length: 8 }, (_, i) => 1 + i)

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

const [name = 'cpu', ...rest] = process.argv.slice(2)
const counts = rest.filter((word) => /^\d+$/.test(word)).map(Number)
const id = rest.find((word) => !/^\d+$/.test(word))
const device = new RunDevice(name as Device)
const model =
  id === undefined
    ? await device.open('the random model', false, (on) => randomModel('fp32', on))
    : ((await openModel(id, { base: process.cwd(), device })) as Transformer)
if (device.used !== name) {
  for (const { message, notes, hint } of device.warnings)
    console.error([message, ...notes.map((n) => n.message), hint].join('\n'))
  process.exit(1)
}

const bandwidth = await memoryRate(device.used)
console.log(`${name}, ${model.id}: memory ${(bandwidth / 1e9).toFixed(1)} GB/s`)
console.log('particles  tokens/s  ms a step  limit by memory, tokens/s  reached')
for (const particles of counts.length > 0 ? counts : [32, 128, 512]) {
  const { milliseconds, bytes } = await draw(model, particles)
  const rate = (1000 * particles) / milliseconds
  const limit = (particles * bandwidth) / bytes
  const cells = [String(particles).padStart(9), rate.toFixed(1).padStart(8), milliseconds.toFixed(1).padStart(9)]
  console.log([...cells, limit.toFixed(0).padStart(25), `${((100 * rate) / limit).toFixed(1)}%`.padStart(7)].join('  '))
}
await model.dispose()

/** The median time of a step, and the bytes that it must read. */
async function draw(model: Transformer, particles: number): Promise<{ milliseconds: number; bytes: number }> {
  model.forget()
  const start = model.start(prompt)
  let histories: History[] = Array.from({ length: particles }, (_, i) => model.extend(start, 1 + i))
  const times: number[] = []
  const bytes: number[] = []
  for (let step = 0; step < warmUp + steps; step++) {
    const begin = performance.now()
    const replies = await model.draw(
      histories.map((history, slot) => ({
        ...freely(history, 1),
        allowed: withoutEnd(model.vocabulary),
        random: philoxRandomness(1),
        key: { slot, generation: step, draw: 0 },
      })),
      { rows: particles, live: () => histories },
    )
    histories = histories.map((history, i) => model.extend(history, replies[i]!.token))
    if (step < warmUp) continue
    times.push(performance.now() - begin)
    bytes.push(weightBytes(model) + stateBytes(model, start.length + particles * (step + 1)))
  }
  return { milliseconds: median(times), bytes: median(bytes) }
}

/** Weights of the products, in 32-bit floats. */
function weightBytes({ shape }: Transformer): number {
  const { width, heads, keyValueHeads, headWidth, inner, layers, vocabulary } = shape
  const attention = width * headWidth * (2 * heads + 2 * keyValueHeads)
  return 4 * (layers * (attention + 3 * width * inner) + vocabulary * width)
}

function stateBytes({ shape }: Transformer, tokens: number): number {
  return 8 * shape.layers * shape.keyValueHeads * shape.headWidth * tokens
}

/** Bytes a second that the device reads and writes: chains of sums of two lengths differ by their sums alone. */
async function memoryRate(device: Device): Promise<number> {
  const numbers = 1 << 25
  const [short, long] = [2, 10]
  const sessions = await Promise.all(
    [short, long].map((length) => {
      const graph = new GraphBuilder()
      const one = graph.input('one', 'float32', [1])
      let block = graph.expand(one, [numbers])
      for (let i = 0; i < length; i++) block = graph.add(block, one)
      graph.output('first', graph.gather(block, graph.integers([0])), 'float32', [1])
      return Session.open(graph, { device, kept: [] })
    }),
  )
  const times: number[][] = [[], []]
  for (let round = 0; round < 5; round++) {
    for (const [i, session] of sessions.entries()) {
      const begin = performance.now()
      const { first } = await session.run({ one: { data: Float32Array.of(1), shape: [1] } })
      times[i]!.push(performance.now() - begin)
      if ((first!.data as Float32Array)[0] !== 1 + [short, long][i]!) throw new Error('the sums are wrong')
    }
  }
  for (const session of sessions) await session.release()
  const seconds = (median(times[1]!.slice(1)) - median(times[0]!.slice(1))) / 1000
  return (8 * numbers * (long - short)) / seconds
}

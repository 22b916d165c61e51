import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { compile } from '../../src/index.js'
import { openModel } from '../../src/models/registry.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use once everything that can be collected is. Buffers and sessions need a turn of the event loop in between. */
async function inUse() {
  for (let i = 0; i < 4; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heapUsed, arrayBuffers, rss }
}

const source = (prompt: string) =>
  `model lm = "tiny"\nparam n = 2\nlet s = lm("${prompt}")\nsample x ~ s for n tokens\nobserve " and" ~ s\nreturn x\n`
const prompts = ['Once upon a time', 'The dog', 'A film that']
/** Enough for the JavaScript engine to have compiled what it will, on a busy machine too, and for the allocator to have its pools. */
const warmUp = 200
const signals = ['SIGINT', 'SIGTERM', 'exit', 'beforeExit', 'unhandledRejection'] as const

/** What is in use after so many runs more, above what was in use after the warm-up. */
async function growth(runs: number, run: (i: number) => Promise<unknown>) {
  for (let i = 0; i < warmUp; i++) await run(i)
  const before = await inUse()
  for (let i = 0; i < runs; i++) await run(i)
  const after = await inUse()
  return {
    heapPerRun: (after.heapUsed - before.heapUsed) / runs,
    buffersPerRun: (after.arrayBuffers - before.arrayBuffers) / runs,
    rss: after.rss - before.rss,
  }
}

test('200 runs of one program on an open model, and of programs compiled anew, leave nothing behind', async () => {
  const model = await openModel('tiny', { base: '.' })
  const listeners = signals.map((name) => process.listenerCount(name))
  const { signal } = new AbortController()
  const once = await compile(source(prompts[0]!))
  const { heapPerRun, buffersPerRun, rss } = await growth(200, async (i) => {
    const program = i % 2 ? once : await compile(source(prompts[i % 3]!))
    return program.run({ n: 1 + (i % 2) }, { particles: 2, seed: i, models: { lm: model }, signal })
  })
  await model.dispose()
  // A run of two particles holds tens of kB: frames, compiled expressions, the graph, the result. What the engine itself keeps
  // to learn from was measured as about 1 kB a run.
  expect(heapPerRun).toBeLessThan(3000)
  // A hidden state is 1 kB, and every run makes three at least.
  expect(buffersPerRun).toBeLessThan(1000)
  // Attention state of a run takes 0.4 MB, so that 200 would be 80 MB; the pools of allocators were measured to move by 10 MB.
  expect(rss).toBeLessThan(40e6)
  expect(signals.map((name) => process.listenerCount(name))).toEqual(listeners)
  expect(getEventListeners(signal, 'abort')).toEqual([])
}, 60_000)

test('runs that open their model close it', async () => {
  const once = await compile(source(prompts[0]!))
  const run = async (i: number) => (i % 2 ? once : await compile(source(prompts[1]!))).run({ n: 1 }, { particles: 2, seed: i })
  for (let i = 0; i < 2; i++) await run(i)
  const before = await inUse()
  const runs = 8
  for (let i = 0; i < runs; i++) await run(i)
  const after = await inUse()
  // The weights of a model are 24 MB: eight models that stay open would be 190 MB.
  expect(after.rss - before.rss).toBeLessThan(100e6)
  expect((after.arrayBuffers - before.arrayBuffers) / runs).toBeLessThan(1000)
  // A tokenizer takes more than 1 MB; a few runs are not enough for the engine to come to rest.
  expect((after.heapUsed - before.heapUsed) / runs).toBeLessThan(200_000)
}, 60_000)

test('runs that fail or are stopped leave nothing behind either', async () => {
  const model = await openModel('tiny', { base: '.' })
  const dead = await compile(`${source('Once').replace('return x', 'require 1 == 2\nreturn x')}`)
  let failed = 0
  const { heapPerRun, buffersPerRun } = await growth(60, async (i) => {
    // Not `expect`, which keeps what it has seen.
    if (i % 2) await dead.run({}, { particles: 2, seed: i, models: { lm: model } }).catch(() => failed++)
    else await dead.run({}, { particles: 2, seed: i, models: { lm: model }, signal: AbortSignal.abort() })
  })
  await model.dispose()
  expect(failed).toBe((60 + warmUp) / 2)
  expect(heapPerRun).toBeLessThan(6000)
  expect(buffersPerRun).toBeLessThan(1000)
}, 60_000)

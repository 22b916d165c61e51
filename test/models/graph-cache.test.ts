import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cachedGraphs, type WriteGraph } from '../../src/models/graph-cache.js'
import { keep, type Written } from '../../src/models/keep.js'
import { GraphBuilder } from '../../src/tensor/graph.js'
import { saveOnnx } from '../../src/tensor/save.js'
import type { Session } from '../../src/tensor/session.js'

let folder: string
const saved = process.env.SMCC_CACHE
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smcc-graphs-'))
  process.env.SMCC_CACHE = folder
})
afterEach(() => {
  if (saved === undefined) delete process.env.SMCC_CACHE
  else process.env.SMCC_CACHE = saved
  rmSync(folder, { recursive: true })
})

const size = 64
let built = 0
/** A product with a matrix of 16 kB, and a small weight that stays inside the graph. */
const build = async () => {
  built++
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', ['n', size])
  for (const name of ['first', 'second']) {
    const matrix = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i + name.length))
    const product = graph.productWithTransposed(x, graph.weight(name, 'float32', [size, size], matrix))
    graph.output(`${name}Product`, graph.multiply(product, graph.scalar(2)), 'float32', ['n', size])
  }
  return graph
}
const limits = { leastBytes: 1, mostBytes: 1 << 20 }

/** Both products of a row of ones, as one list. */
async function answers(session: Session): Promise<number[]> {
  const out = await session.run({ x: { data: new Float32Array(size).fill(1), shape: [1, size] } })
  await session.release()
  return [...(out.firstProduct!.data as Float32Array), ...(out.secondProduct!.data as Float32Array)]
}
let finishing: Promise<void> = Promise.resolve()
/** In this process, so that the tests can wait for it. */
const finish = (written: readonly Written[]) => {
  finishing = Promise.all([finishing, keep(written)]).then(() => {})
}
/** What a run does: opens the graph, asks, and releases it, after which the graph is put into the cache. */
const open = async (hash = 'a', bounds = limits, write?: WriteGraph) => {
  const graphs = await cachedGraphs(hash, { limits: bounds, finish, ...(write && { write }) })
  const found = await answers(await graphs('trunk', build))
  await finishing
  return found
}
const keys = () => (existsSync(join(folder, 'graphs')) ? readdirSync(join(folder, 'graphs')) : [])
const entry = () => join(folder, 'graphs', keys()[0]!, 'trunk')
const builds = async (action: () => Promise<unknown>) => {
  const before = built
  await action()
  return built - before
}

describe('a converted graph', () => {
  it('is built once, and gives the same bits from the disk', async () => {
    process.env.SMCC_CACHE = 'off'
    const expected = await open()
    process.env.SMCC_CACHE = folder
    expect(await builds(async () => expect(await open()).toEqual(expected))).toBe(1)
    expect(await builds(async () => expect(await open()).toEqual(expected))).toBe(0)
    expect(readdirSync(join(entry(), '..'))).toEqual(['trunk'])
  })

  it('belongs to one model', async () => {
    await open('a')
    expect(await builds(() => open('b'))).toBe(1)
    expect(keys()).toHaveLength(2)
  })

  it('may be deleted at any time, also while it runs', async () => {
    await open()
    const session = await (await cachedGraphs('a', { limits, finish }))('trunk', build)
    rmSync(join(folder, 'graphs'), { recursive: true })
    expect((await answers(session)).every(Number.isFinite)).toBe(true)
    expect(await builds(open)).toBe(1)
    expect(await builds(open)).toBe(0)
  })

  it('that is damaged is built again', async () => {
    const expected = await open()
    for (const damage of [
      () => truncateSync(join(entry(), 'weights.bin'), 1000),
      () => rmSync(join(entry(), 'weights.bin')),
      () => writeFileSync(join(entry(), 'graph.onnx'), 'not a graph'),
      () => rmSync(join(entry(), 'graph.onnx')),
    ]) {
      damage()
      expect(await builds(async () => expect(await open()).toEqual(expected))).toBe(1)
    }
  })

  it('appears whole, whoever else writes it', async () => {
    const both = await Promise.all([open(), open()])
    expect(both[0]).toEqual(both[1])
    expect(readdirSync(join(entry(), '..'))).toEqual(['trunk'])
  })

  it('answers before it is kept, and one that is deleted meanwhile is not missed', async () => {
    const graphs = await cachedGraphs('a', { limits, finish })
    const [first, second] = [await graphs('trunk', build), await graphs('head', build)]
    const names = () => readdirSync(join(entry(), '..'))
    expect(names().filter((name) => !name.endsWith('.new'))).toEqual([])
    expect((await answers(first)).every(Number.isFinite)).toBe(true)
    await finishing
    // The other one is in use: both are kept together.
    expect(names().every((name) => name.endsWith('.new'))).toBe(true)
    rmSync(join(entry(), '..', names().find((name) => name.startsWith('trunk'))!), { recursive: true })
    await answers(second)
    await finishing
    expect(names()).toEqual(['head'])
  })

  it('may be written by another thread, and is built in this one when that fails', async () => {
    const expected = await open('a')
    const write: WriteGraph = async (name, into) => {
      expect(name).toBe('trunk')
      await saveOnnx(await build(), into)
      return true
    }
    // The graph of the thread is what runs: this thread builds none.
    expect(await builds(async () => expect(await open('b', limits, write)).toEqual(expected))).toBe(1)
    expect(await builds(async () => expect(await open('b')).toEqual(expected))).toBe(0)
    expect(await builds(async () => expect(await open('c', limits, async () => false)).toEqual(expected))).toBe(1)
    const half: WriteGraph = async (_, into) => {
      writeFileSync(join(into, 'graph.onnx'), 'half a graph')
      return true
    }
    expect(await builds(async () => expect(await open('d', limits, half)).toEqual(expected))).toBe(1)
    for (const key of keys()) expect(readdirSync(join(folder, 'graphs', key))).toEqual(['trunk'])
  })

  it('is not kept when it is small, larger than the cache, or the cache cannot be written', async () => {
    await open('a', { ...limits, leastBytes: 1 << 20 })
    await open('a', { ...limits, mostBytes: 1000 })
    expect(keys().flatMap((key) => readdirSync(join(folder, 'graphs', key)))).toEqual([])
    rmSync(join(folder, 'graphs'), { recursive: true, force: true })
    writeFileSync(join(folder, 'graphs'), 'a file where a folder should be')
    expect(await builds(open)).toBe(1)
  })

  it('makes room: what was not used for the longest time goes, and what a killed process has left', async () => {
    await open('a')
    const first = entry()
    const old = new Date(Date.now() - 7_200_000)
    utimesSync(first, old, old)
    const left = `${first}.1.x.new`
    mkdirSync(left)
    utimesSync(left, old, old)
    // Two entries of 32 kB and their gaps do not fit.
    await open('b', { leastBytes: 1, mostBytes: 50_000 })
    expect(existsSync(first)).toBe(false)
    expect(existsSync(left)).toBe(false)
    expect(await builds(() => open('b'))).toBe(0)
  })

  it('is never written when the cache is off', async () => {
    process.env.SMCC_CACHE = 'off'
    expect(await builds(open)).toBe(1)
    expect(await builds(open)).toBe(1)
    expect(readdirSync(folder)).toEqual([])
  })
})

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cachedGraphs } from '../../src/models/graph-cache.js'
import { GraphBuilder } from '../../src/tensor/graph.js'
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
const open = async (hash = 'a', bounds = limits) => answers(await (await cachedGraphs(hash, bounds))('trunk', build))
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
    const session = await (await cachedGraphs('a', limits))('trunk', build)
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

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { SmcError } from '../../src/diagnostics/diagnostic.js'
import type { OpenOnBackend } from '../../src/models/graph-cache.js'
import { openUncached } from '../../src/models/graph-cache.js'
import { Head } from '../../src/models/head.js'
import { openFiles } from '../../src/models/model-files.js'
import { type ProductType, productsOf } from '../../src/models/products.js'
import { SubwordVocabulary } from '../../src/models/tokenizer.js'
import { Transformer } from '../../src/models/transformer.js'
import { Trunk } from '../../src/models/trunk.js'
import { type Backend, onnxRuntime } from '../../src/tensor/backend.js'
import { gradients } from '../../src/tensor/gradient.js'
import { type ElementType, GraphBuilder } from '../../src/tensor/graph.js'
import { firstInstalled, loadTfjs, tfjs } from '../../src/tensor/tfjs.js'
import { key } from '../models/fixed-randomness.js'
import { drawing } from '../models/requests.js'
import { type Case, differentiable, feedsOf, inputsOf, Numbers, randomFrom } from './cases.js'

/** What runs beside tensors of floats: integers, doubles, comparisons, 8-bit products. */
const others: Readonly<Record<string, (numbers: Numbers) => Case & { readonly type: ElementType }>> = {
  'a draw in double precision': (numbers) => {
    const [d, n, m] = [numbers.size(), 1 + numbers.size(6), numbers.size()]
    const uniform = { ...numbers.floats([m, 1], 0, 1), type: 'float64' } as const
    const inputs = { x: numbers.floats([d, n], 0, 5), row: numbers.indices([m], d), uniform }
    return {
      inputs,
      type: 'int64',
      shape: [m],
      build: (graph, { x, row, uniform }) => {
        const cumulative = graph.cumulativeSum(graph.cast(x!, 'float64'), 1)
        const total = graph.gather(graph.transpose(cumulative, [1, 0]), graph.integer(n - 1))
        const threshold = graph.multiply(uniform!, graph.reshape(graph.gather(total, row!), [-1, 1]))
        return graph.sum(graph.cast(graph.lessOrEqual(graph.gather(cumulative, row!), threshold), 'int64'), 1)
      },
    }
  },
  'doubles that 32 bits cannot hold': (numbers) => {
    const shape = [numbers.size(), numbers.size(), numbers.size()]
    const x = { ...numbers.floats(shape), type: 'float64' } as const
    const data = x.data.map((value) => value + 2 ** -40)
    return {
      inputs: { x: { ...x, data } },
      type: 'float64',
      shape,
      build: (graph, { x }) => {
        const doubled = graph.subtract(graph.add(x!, graph.absolute(x!)), graph.negate(x!))
        return graph.cumulativeSum(graph.divide(graph.multiply(doubled, x!), graph.maximum(graph.absolute(x!), 1)), 2)
      },
    }
  },
  'integers and where': (numbers) => {
    const [m, n] = [numbers.size(), numbers.size()]
    const inputs = { a: numbers.indices([m, n], 9), b: numbers.indices([n], 3) }
    return {
      inputs,
      type: 'int64',
      shape: [m, n],
      build: (graph, { a, b }) => {
        const even = graph.equal(graph.multiply(graph.divide(a!, graph.integer(2)), graph.integer(2)), a!)
        return graph.where(even, graph.subtract(a!, b!), graph.gatherElements(a!, graph.concatenate([inputRow(graph, m, n)], 1)))
      },
    }
  },
  '8-bit products, rows of zeros too': (numbers) => {
    const [m, from, to] = [1 + numbers.size(), 4 * numbers.size(), numbers.size()]
    const x = numbers.floats([m, from])
    const weight = Float32Array.from(numbers.floats([to, from]).data)
    return {
      inputs: { x: { ...x, data: x.data.map((value, i) => (i < from ? 0 : value)) } },
      type: 'float32',
      shape: [m, to],
      build: (graph, { x }) =>
        productsOf('int8', graph).linear('w', x!, { weight, bias: Float32Array.from({ length: to }, (_, i) => i) }, from),
    }
  },
  'widened halves': (numbers) => {
    const indices = numbers.indices([numbers.size()], 3)
    return {
      inputs: { indices },
      type: 'float32',
      shape: [...indices.shape, 2],
      build: (graph, { indices }) => {
        const half = graph.weight('half', 'float16', [3, 2], Uint16Array.of(0x3c00, 0xc000, 0x3555, 1, 0x7bff, 0x8000))
        const brain = graph.weight('brain', 'bfloat16', [3, 2], Uint16Array.of(0x3f80, 0xc000, 0x3eab, 1, 0x4b7f, 0x8000))
        const look = (table: typeof half) => graph.cast(graph.gather(table, indices!), 'float32')
        return graph.add(look(half), look(brain))
      },
    }
  },
  'products with nothing to add up': (numbers) => {
    const [m, n] = [numbers.size(), numbers.size()]
    const inputs = { a: numbers.floats([m, 0]), b: numbers.floats([0, n]) }
    return { inputs, type: 'float32', shape: [m, n], build: (graph, { a, b }) => graph.matrixProduct(a!, b!) }
  },
}

function inputRow(graph: GraphBuilder, rows: number, columns: number) {
  const data = BigInt64Array.from({ length: rows * columns }, (_, i) => BigInt((7 * i) % columns))
  return graph.weight('places', 'int64', [rows, columns], data)
}

async function bothRun(graph: GraphBuilder, feeds: ReturnType<typeof feedsOf>) {
  const opened = await Promise.all([onnxRuntime.open(graph), tfjs.open(graph)])
  const [first, second] = await Promise.all(opened.map((each) => each.run(feeds)))
  await Promise.all(opened.map((each) => each.release()))
  return [first!, second!] as const
}

describe('both backends agree', () => {
  const all = { ...Object.fromEntries(Object.entries(differentiable).map(([name, make]) => [name, withType(make)])), ...others }
  const known = new Set<string>()

  it.each(Object.entries(all))('on %s', async (name, make) => {
    for (let run = 0; run < 4; run++) {
      const example = make(new Numbers(randomFrom(7919 * Object.keys(all).indexOf(name) + run)))
      const graph = new GraphBuilder()
      const y = example.build(graph, inputsOf(graph, example))
      graph.output('y', y, example.type, example.shape)
      for (const { operator } of graph.operations) known.add(operator)
      const [first, second] = await bothRun(graph, feedsOf(example))
      expect(first.y!.shape).toEqual(example.shape)
      expect(second.y!.shape).toEqual(example.shape)
      expect(second.y!.data.constructor).toBe(first.y!.data.constructor)
      if (example.type === 'int64') expect(second.y!.data).toEqual(first.y!.data)
      else {
        const tolerance = example.type === 'float64' ? 1e-14 : 1e-5
        first.y!.data.forEach((value, i) => {
          const difference = Math.abs(Number(second.y!.data[i]) - Number(value))
          expect(difference).toBeLessThan(tolerance * (1 + Math.abs(Number(value))))
        })
      }
    }
  })

  it('on every operator that a graph builder writes', () => {
    const text = readFileSync(new URL('../../src/tensor/graph.ts', import.meta.url), 'utf8')
    const written = [...text.matchAll(/(?:#one|apply)\('(\w+)'/g)].map((match) => match[1]!)
    expect(written.length).toBeGreaterThan(35)
    expect(written.filter((operator) => !known.has(operator))).toEqual([])
  })
})

function withType(make: (numbers: Numbers) => Case) {
  return (numbers: Numbers) => ({ ...make(numbers), type: 'float32' as const })
}

const fixtures = fileURLToPath(new URL('../conformance/fixtures', import.meta.url))
const tiny = fileURLToPath(new URL('../../models/tiny', import.meta.url))
const onTfjs: OpenOnBackend = async (_, build) => tfjs.open(await build())

async function openOn(path: string, open: OpenOnBackend, type: ProductType): Promise<Transformer> {
  const { architecture, tokenizer, weights } = await openFiles(path)
  const { shape } = architecture
  const tensors = architecture.tensors((name) => weights.has(name))
  const vocabulary = new SubwordVocabulary(path, shape.vocabulary, tokenizer)
  const trunk = await Trunk.open(shape, tensors, weights, type, open)
  const head = await Head.open(shape, tensors, weights, type, open)
  await weights.close()
  return new Transformer(path, path, vocabulary, trunk, head)
}

describe.each([
  ['tiny', tiny, 'fp32'],
  ['tiny', tiny, 'int8'],
  ...['qwen3', 'gemma2', 'gemma3', 'phi3', 'gpt2', 'gpt-neox'].map((name) => [name, `${fixtures}/${name}`, 'fp32'] as const),
] as const)('both backends run %s', (_, path, type) => {
  it(`with the same probabilities and draws (${type})`, async () => {
    const ask = async (model: Transformer) => {
      const start = model.start([3, 1, 4, 1, 5])
      const tokens = [9, 2, 6, 5, 3, 5]
      const options = { rows: 8, live: () => [] }
      const [scores] = await model.score([{ history: start, temperature: 1.3, tokens, keep: false }], options)
      const deeper = model.extend(start, 9)
      const draws = [start, deeper, start].map((history, slot) => {
        return drawing(model, history, 'all', { at: key(slot, 0) })
      })
      const drawn = await model.draw(draws, options)
      await model.dispose()
      return { scores: scores!, drawn }
    }
    const first = await ask(await openOn(path, openUncached, type))
    const second = await ask(await openOn(path, onTfjs, type))
    // 8-bit numbers next to a half are rounded to either side by the last bit of what comes before.
    const tolerance = type === 'int8' ? 0.05 : 1e-4
    first.scores.forEach((score, i) => {
      expect(Math.abs(second.scores[i]! - score)).toBeLessThan(tolerance)
    })
    first.drawn.forEach((draw, i) => {
      expect(second.drawn[i]!.token).toBe(draw.token)
      expect(Math.abs(second.drawn[i]!.logProb - draw.logProb)).toBeLessThan(tolerance)
    })
  })
})

describe('tfjs', () => {
  const found = { enableProdMode() {}, ready: async () => {} }
  /** A `require` of these packages. */
  const installed = (packages: Readonly<Record<string, () => unknown>>) =>
    Object.assign((name: string) => packages[name]!(), {
      resolve: (name: string) => {
        if (!packages[name]) throw new Error(`Cannot find module '${name}'`)
        return name
      },
    })

  it('takes the first package that is installed', async () => {
    const broken = () => {
      throw new Error('not this one')
    }
    const both = installed({ '@tensorflow/tfjs': broken, '@tensorflow/tfjs-node': () => found })
    expect(await firstInstalled(both)).toBe(found)
  })

  it('says what to install when there is none', async () => {
    const error = await firstInstalled(installed({})).catch((thrown: unknown) => thrown)
    expect((error as SmcError).diagnostics[0]).toMatchObject({
      code: 'M023',
      message: 'the tfjs backend needs TensorFlow.js, which is not installed',
      hint: expect.stringMatching(/^npm install @tensorflow\/tfjs-node-gpu \(CUDA\)/),
    })
  })

  it('does not pass over a package that is installed and broken', async () => {
    const broken = () => {
      throw new Error('libcuda.so.1 is missing')
    }
    const both = installed({ '@tensorflow/tfjs': () => found, '@tensorflow/tfjs-node-gpu': broken })
    await expect(firstInstalled(both)).rejects.toThrow(/tfjs-node-gpu is installed and does not load: libcuda/)
  })

  it('keeps no tensors after a run, and none of a released graph', async () => {
    const tf = await loadTfjs()
    const before = tf.memory().numTensors
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['m', 3])
    const w = graph.weight('w', 'float32', [2, 3], new Float32Array(6).fill(0.5))
    const loss = graph.sum(graph.reshape(graph.softmax(graph.productWithTransposed(x, w)), [-1]), 0)
    const [dw] = gradients(graph, loss, [w])
    graph.output('dw', dw!, 'float32', [2, 3])
    graph.output('same', x, 'float32', ['m', 3])
    const opened = await tfjs.open(graph)
    const held = tf.memory().numTensors
    const feed = { data: new Float32Array(6).fill(1), shape: [2, 3] }
    const { same } = await opened.run({ x: feed })
    expect(same!.data).toEqual(feed.data)
    expect(same!.data).not.toBe(feed.data)
    await expect(opened.run({ x: { data: new Float32Array(8), shape: [2, 4] } })).rejects.toThrow()
    await expect(opened.run({})).rejects.toThrow(/input x is missing/)
    expect(tf.memory().numTensors).toBe(held)
    await opened.release()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('names an operator that it does not know, and an index that is not there', async () => {
    const graph = new GraphBuilder()
    const x = graph.input('x', 'float32', ['m'])
    graph.output('y', graph.apply('Sinh', [x])[0]!, 'float32', ['m'])
    await expect(tfjs.open(graph)).rejects.toThrow('the tfjs backend does not know the operator Sinh')
    const looks = new GraphBuilder()
    const found = looks.gather(looks.input('table', 'float32', ['m', 1]), looks.input('i', 'int64', ['n']))
    looks.output('y', found, 'float32', ['n', 1])
    const opened: Awaited<ReturnType<Backend['open']>> = await tfjs.open(looks)
    const table = { data: Float32Array.of(1, 2), shape: [2, 1] }
    await expect(opened.run({ table, i: { data: BigInt64Array.of(2n), shape: [1] } })).rejects.toThrow('index 2 of 2 elements')
    const { y } = await opened.run({ table, i: { data: BigInt64Array.of(-1n), shape: [1] } })
    expect([...y!.data]).toEqual([2])
    await opened.release()
  })
})

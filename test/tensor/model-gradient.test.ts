import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { type OpenGraph, openUncached } from '../../src/models/graph-cache.js'
import { Head } from '../../src/models/head.js'
import { openFiles } from '../../src/models/model-files.js'
import { SubwordVocabulary } from '../../src/models/tokenizer.js'
import { Transformer } from '../../src/models/transformer.js'
import { Trunk } from '../../src/models/trunk.js'
import { onnxRuntime } from '../../src/tensor/backend.js'
import { gradients } from '../../src/tensor/gradient.js'
import type { Graph, GraphBuilder } from '../../src/tensor/graph.js'
import { type DenseTensor, Session } from '../../src/tensor/session.js'
import { close, tfjsGradients } from './check-gradient.js'

const fixtures = fileURLToPath(new URL('../conformance/fixtures', import.meta.url))

/** The trunk of a random model, and what a call of it was fed with: a prompt, and tokens behind it. */
async function calledTrunk(path: string) {
  let graph: GraphBuilder | undefined
  let feeds: Readonly<Record<string, DenseTensor>> = {}
  const spy: OpenGraph = async (_, build) => {
    graph = (await build()) as GraphBuilder
    const session = await Session.open(graph)
    const run = (given: typeof feeds) => {
      // A copy: the attention state is gone when the model is disposed of.
      feeds = Object.fromEntries(Object.entries(given).map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]))
      return session.run(given)
    }
    return { run, release: () => session.release() } as unknown as Session
  }
  const { architecture, tokenizer, weights } = await openFiles(path)
  const { shape } = architecture
  const tensors = architecture.tensors((name) => weights.has(name))
  const vocabulary = new SubwordVocabulary(path, shape.vocabulary, tokenizer)
  const trunk = await Trunk.open(shape, tensors, weights, 'fp32', spy)
  const head = await Head.open(shape, tensors, weights, 'fp32', openUncached)
  await weights.close()
  const model = new Transformer(path, path, vocabulary, trunk, head)
  const scored = [
    [9, 2, 6, 5],
    [3, 5],
  ].map((tokens) => ({ history: model.start([3, 1, 4]), temperature: 1, tokens, keep: false }))
  await model.score(scored, { rows: 8, live: () => [] })
  await model.dispose()
  return { graph: graph!, feeds }
}

it.each(['grouped', 'qwen3', 'gemma2', 'phi3', 'gpt2', 'gpt-neox'])('the gradient of every weight of %s', async (name) => {
  const { graph, feeds: called } = await calledTrunk(`${fixtures}/${name}`)
  const hidden = { name: 'hidden' }
  const { shape } = graph.outputs.find((port) => port.name === 'hidden')!
  const parameters = graph.weights.filter(({ type, shape }) => type === 'float32' && shape.length > 0)
  expect(parameters.length).toBeGreaterThan(8)
  const c = graph.input('c', 'float32', shape)
  const loss = graph.sum(graph.reshape(graph.multiply(hidden, c), [-1]), 0)
  const forward = graph.operations.length
  const found = gradients(graph, loss, parameters)
  graph.output('loss', loss, 'float32', [])
  found.forEach((gradient, i) => {
    graph.output(`gradient.${i}`, gradient, 'float32', parameters[i]!.shape)
  })
  const [rows, steps] = called.ids!.shape as [number, number]
  const width = shape[2] as number
  const factors = Float32Array.from({ length: rows * steps * width }, (_, i) => Math.sin(1 + 1.3 * i))
  const feeds = { ...called, c: { data: factors, shape: [rows, steps, width] } }
  const run = async (of: Graph) => {
    const session = await onnxRuntime.open(of)
    const outputs = await session.run(feeds)
    await session.release()
    return outputs
  }
  const first = await run(graph)
  const own = await tfjsGradients(
    graph,
    parameters.map((weight) => weight.name),
    feeds,
  )
  parameters.forEach((_, i) => {
    close(own[i]!, first[`gradient.${i}`]!)
  })

  // Along the gradient itself, all weights together: the slope is its length.
  const gradientsFound = parameters.map((_, i) => first[`gradient.${i}`]!.data as Float32Array)
  const length = Math.sqrt(gradientsFound.reduce((sum, data) => data.reduce((all, g) => all + g * g, sum), 0))
  const along = async (h: number) => {
    const weights = graph.weights.map((weight) => {
      const at = parameters.indexOf(weight)
      if (at === -1) return weight
      return { ...weight, data: (weight.data as Float32Array).map((w, k) => w + (h * gradientsFound[at]![k]!) / length) }
    })
    const outputs = graph.outputs.filter((port) => port.name === 'hidden')
    const { hidden: y } = await run({ inputs: graph.inputs, outputs, operations: graph.operations.slice(0, forward), weights })
    return (y!.data as Float32Array).reduce((sum, value, k) => sum + value * factors[k]!, 0)
  }
  const h = 2 ** -6
  const difference = async (step: number) => ((await along(step)) - (await along(-step))) / (2 * step)
  const [wide, narrow] = [await difference(h), await difference(h / 2)]
  // As in checkGradient, but an element went through some layers: 64 units of rounding instead of 8.
  const sizes = (first.hidden!.data as Float32Array).reduce((sum, y, k) => sum + (Math.abs(y) + 1) * Math.abs(factors[k]!), 0)
  const tolerance = (3 * 64 * 2 ** -24 * sizes) / h + Math.abs(wide - narrow) / 10
  expect(tolerance).toBeLessThan(length / 20)
  expect(Math.abs((4 * narrow - wide) / 3 - length)).toBeLessThan(tolerance)
})

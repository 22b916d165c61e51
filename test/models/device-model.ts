import { DeviceState } from '../../src/models/device-state.js'
import { DeviceTrunk } from '../../src/models/device-trunk.js'
import { Head } from '../../src/models/head.js'
import { locate } from '../../src/models/locate.js'
import { openFiles } from '../../src/models/model-files.js'
import { Path } from '../../src/models/path.js'
import { State } from '../../src/models/state.js'
import { SubwordVocabulary } from '../../src/models/tokenizer.js'
import { Transformer } from '../../src/models/transformer.js'
import { Trunk } from '../../src/models/trunk.js'
import type { Device } from '../../src/tensor/session.js'

/** A model that keeps its state as on a device, on any device: on the CPU too, where these graphs and their state are tested without a card. */
export async function openWithDeviceState(id: string, base: string, device: Device): Promise<Transformer> {
  const { architecture, tokenizer, weights } = await openFiles(await locate(id, base))
  try {
    const { shape } = architecture
    const tensors = architecture.tensors((name) => weights.has(name))
    const vocabulary = new SubwordVocabulary(id, shape.vocabulary, tokenizer)
    const trunk = await DeviceTrunk.open(shape, tensors, weights, device)
    const head = await Head.open(shape, tensors, weights, 'fp32', undefined, device)
    return new Transformer(id, 'none', vocabulary, trunk, head)
  } finally {
    await weights.close()
  }
}

/**
 * Lets two trunks of one model, one with its state in our memory and one on a device, compute the same tree of histories: at every round each tip
 * grows by one or two tokens, and a few tips live on. Pools are compacted at every occasion. Gives the largest difference between hidden
 * states.
 */
export async function largestDifference(host: Transformer, device: Transformer, rounds: number): Promise<number> {
  if (!(host.trunk instanceof Trunk) || !(device.trunk instanceof DeviceTrunk)) throw new Error('expected one of each kind')
  const prompts = [
    [3, 1, 4],
    [1, 5],
  ]
  const runs = [new State(host.trunk, host.memory, new Map()), new DeviceState(device.trunk, 1)].map((state) => {
    const owner = {}
    return { state, tips: prompts.map((tokens) => new Path(owner, { tokens, keys: null, values: null }, null, tokens.at(-1)!)) }
  })
  let largest = 0
  for (let round = 0; round < rounds; round++) {
    const hidden: Float32Array[][] = []
    for (const run of runs) {
      const grown = run.tips.flatMap((tip, i) => [tip.child(2 + (round % 5)), tip.child(8 + i).child(3 + round)])
      const needs = grown.map((path, i) => ({ paths: [path], keep: i % 3 === 2 ? path.parent! : path }))
      await run.state.fill(needs, { rows: 3, live: () => run.tips })
      hidden.push(grown.map((path) => path.hidden!))
      run.tips = grown.filter((_, i) => (i * i + round) % 3 !== 1).slice(0, 5)
    }
    const [a, b] = hidden as [Float32Array[], Float32Array[]]
    for (const [i, states] of a.entries()) {
      for (const [j, value] of states.entries()) largest = Math.max(largest, Math.abs(value - b[i]![j]!))
    }
  }
  if (runs[0]!.state.tokens < 5 * rounds) throw new Error('the tree has not grown')
  return largest
}

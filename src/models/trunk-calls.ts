import type { DenseTensor } from '../tensor/session.js'
import type { Arena, Stretch } from './arena.js'
import { CallFeeds } from './call-feeds.js'
import type { Prompt } from './path.js'
import { paddedRows } from './products.js'
import type { Trunk } from './trunk.js'

/** Prepares the inputs of the trunk and stores the keys and values that it gives. */
export class TrunkCalls {
  tokens = 0
  readonly #trunk: Trunk
  readonly #arena: Arena
  readonly #feeds: CallFeeds

  constructor(trunk: Trunk, arena: Arena) {
    this.#trunk = trunk
    this.#arena = arena
    this.#feeds = new CallFeeds(trunk.shape)
  }

  /**
   * Runs stretches that share a prompt, each padded to `steps` tokens, and stores their keys and values. The rows stand next to each other in the
   * order of the stretches. Gives the hidden state after token j of stretch i.
   */
  async run(prompt: Prompt, stretches: readonly Stretch[], steps: number): Promise<(i: number, j: number) => Float32Array> {
    const { shape } = this.#trunk
    // One query below the prompt's keys would take another kernel, with another rounding, than several.
    const alone = shape.heads === shape.keyValueHeads && stretches.length === 1
    const padded = Math.min(this.#arena.capacity, alone ? 2 : paddedRows(stretches.length, this.#trunk.type))
    const start = Math.min(stretches[0]!.row.index, this.#arena.capacity - padded)
    const shift = stretches[0]!.row.index - start
    const ids = new BigInt64Array(padded * steps)
    const positions = new Int32Array(padded * steps)
    const filled = new Int32Array(padded)
    stretches.forEach(({ at, tokens }, i) => {
      filled[i + shift] = at
      for (let j = 0; j < steps; j++) {
        positions[(i + shift) * steps + j] = prompt.tokens.length + at + j
        ids[(i + shift) * steps + j] = BigInt(tokens[j]?.token ?? 0)
      }
    })
    const length = this.#arena.length
    const feeds = this.#feeds.of(ids, positions, filled, steps, prompt.tokens.length, length)
    for (let layer = 0; layer < shape.layers; layer++) {
      feeds[`promptKey.${layer}`] = prompt.keys![layer]!
      feeds[`promptValue.${layer}`] = prompt.values![layer]!
      feeds[`pastKey.${layer}`] = this.#arena.keys(layer, start, padded)
      feeds[`pastValue.${layer}`] = this.#arena.values(layer, start, padded)
    }
    const outputs = await this.#trunk.run(feeds)
    for (let layer = 0; layer < shape.layers; layer++) {
      const key = outputs[`key.${layer}`]!.data as Float32Array
      const value = outputs[`value.${layer}`]!.data as Float32Array
      this.#arena.write(layer, stretches, key, value, shift, steps)
    }
    for (const { tokens } of stretches) this.tokens += tokens.length
    const hidden = outputs.hidden!.data as Float32Array
    return (i, j) => hidden.slice(((i + shift) * steps + j) * shape.width, ((i + shift) * steps + j + 1) * shape.width)
  }

  /** Reads a prompt, at most `most` tokens a call, and gives the last hidden state. */
  async readPrompt(prompt: Prompt, most: number): Promise<Float32Array> {
    const { shape } = this.#trunk
    const { keyValueHeads: H, headWidth: D } = shape
    const nothing = { data: new Float32Array(0), shape: [H, 0, D] }
    let keys: DenseTensor<Float32Array>[] = Array.from({ length: shape.layers }, () => nothing)
    let values = keys
    let last = new Float32Array(0)
    for (let done = 0; done < prompt.tokens.length; done += most) {
      const tokens = prompt.tokens.slice(done, done + most)
      const steps = tokens.length
      const feeds = this.#feeds.of(
        BigInt64Array.from(tokens, BigInt),
        Int32Array.from(tokens, (_, i) => done + i),
        new Int32Array(1),
        steps,
        done,
        0,
      )
      for (let layer = 0; layer < shape.layers; layer++) {
        feeds[`promptKey.${layer}`] = keys[layer]!
        feeds[`promptValue.${layer}`] = values[layer]!
        feeds[`pastKey.${layer}`] = feeds[`pastValue.${layer}`] = { data: nothing.data, shape: [1, 1, H, 0, D] }
      }
      const outputs = await this.#trunk.run(feeds)
      keys = keys.map((block, layer) => joined(block, outputs[`key.${layer}`]!.data as Float32Array))
      values = values.map((block, layer) => joined(block, outputs[`value.${layer}`]!.data as Float32Array))
      last = (outputs.hidden!.data as Float32Array).slice(-shape.width)
      this.tokens += steps
    }
    prompt.keys = keys
    prompt.values = values
    return last
  }
}

/** [H, a, D] with [b, H · D] behind it: [H, a + b, D]. */
function joined(block: DenseTensor<Float32Array>, added: Float32Array): DenseTensor<Float32Array> {
  const [H, a, D] = block.shape as [number, number, number]
  const b = added.length / (H * D)
  const data = new Float32Array(H * (a + b) * D)
  for (let head = 0; head < H; head++) {
    data.set(block.data.subarray(head * a * D, (head + 1) * a * D), head * (a + b) * D)
    for (let i = 0; i < b; i++) {
      const from = (i * H + head) * D
      data.set(added.subarray(from, from + D), (head * (a + b) + a + i) * D)
    }
  }
  return { data, shape: [H, a + b, D] }
}

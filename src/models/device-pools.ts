import { type DenseTensor, DeviceTensor, type Results } from '../tensor/session.js'
import { nextPool, poolNames } from './device-graph.js'
import type { DeviceTrunk } from './device-trunk.js'
import type { Path } from './path.js'

/** Slots of a prompt's tokens, in their order, and whether a question has met it since the pools were last compacted. */
export interface PromptSlots {
  /** What all histories behind it go on from. */
  readonly start: Path
  slots: Int32Array
  used: boolean
}

/**
 * The attention state that a device keeps: in every layer a pool of keys and one of values, each with a slot for a token. Slots are given
 * in the order in which tokens are run; those that nothing needs any more go when the pools are compacted, and the others move. Slot 0
 * belongs to nobody: it is what hidden positions read.
 */
export class DevicePools {
  /** Slots in use, and those that nothing needs any more. */
  size = 1
  readonly #trunk: DeviceTrunk
  readonly #names: readonly string[]
  #tensors: Readonly<Record<string, DenseTensor | DeviceTensor>>
  /** Paths by their slots; slots of prompts and of nobody are absent. */
  #paths = new Map<number, Path>()

  constructor(trunk: DeviceTrunk) {
    this.#trunk = trunk
    this.#names = poolNames(trunk.shape.layers)
    this.#tensors = this.#empty()
  }

  /** The pools as inputs of the trunk. */
  get feeds(): Readonly<Record<string, DenseTensor | DeviceTensor>> {
    return this.#tensors
  }

  /** Bytes of `slots` slots. */
  bytes(slots: number): number {
    const { layers, keyValueHeads, headWidth } = this.#trunk.shape
    return 8 * layers * keyValueHeads * headWidth * slots
  }

  /** Takes the pools that a call gives, with `added` new slots at the end, and gives the first of those. */
  take(kept: Results['kept'], added: number): number {
    this.#replace(kept)
    const first = this.size
    this.size += added
    return first
  }

  /** Lets a path own a slot. */
  give(path: Path, slot: number): void {
    path.slot = slot
    this.#paths.set(slot, path)
  }

  /** Takes its slot from a path; the slot goes when the pools are compacted. */
  withdraw(path: Path): void {
    this.#paths.delete(path.slot)
    path.slot = -1
  }

  /** Keeps the slots of these prompts and of the paths that `needed` names; the others go. */
  async compact(prompts: Iterable<PromptSlots>, needed: (path: Path) => boolean): Promise<void> {
    const order = [0]
    for (const prompt of prompts) prompt.slots = prompt.slots.map((slot) => order.push(slot) - 1)
    const paths = new Map<number, Path>()
    for (const [slot, path] of this.#paths) {
      if (needed(path)) {
        path.slot = order.push(slot) - 1
        paths.set(path.slot, path)
      } else path.slot = -1
    }
    this.#paths = paths
    if (order.length === this.size) return
    const slots = { data: Int32Array.from(order), shape: [order.length, 1] }
    const { kept } = await this.#trunk.compaction.runKept({ slots, ...this.#tensors })
    this.#replace(kept)
    this.size = order.length
  }

  /** Gives all memory back. */
  clear(): void {
    for (const path of this.#paths.values()) path.slot = -1
    this.#paths.clear()
    for (const tensor of Object.values(this.#tensors)) if (tensor instanceof DeviceTensor) tensor.dispose()
    this.#tensors = this.#empty()
    this.size = 1
  }

  #replace(kept: Results['kept']): void {
    for (const tensor of Object.values(this.#tensors)) if (tensor instanceof DeviceTensor) tensor.dispose()
    this.#tensors = Object.fromEntries(this.#names.map((name) => [name, kept[nextPool(name)]!]))
  }

  #empty(): Record<string, DenseTensor> {
    const { keyValueHeads: H, headWidth: D } = this.#trunk.shape
    const nobody = { data: new Float32Array(H * D), shape: [H, D] }
    return Object.fromEntries(this.#names.map((name) => [name, nobody]))
  }
}

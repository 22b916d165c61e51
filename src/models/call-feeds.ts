import type { DenseTensor } from '../tensor/session.js'
import type { DecoderShape } from './architectures/shape.js'
import { windowsOf } from './architectures/windows.js'
import { maskFeeds } from './masks.js'
import { RotaryTable } from './rotary-table.js'

/** Prepares the inputs of a call of the trunk that say what runs where. */
export class CallFeeds {
  readonly #shape: DecoderShape
  readonly #tables: readonly RotaryTable[]
  readonly #windows: readonly number[]

  constructor(shape: DecoderShape) {
    this.#shape = shape
    this.#tables = shape.rotary.map((rotary) => new RotaryTable(rotary))
    this.#windows = windowsOf(shape)
  }

  /** The inputs that do not hold state. `filled`: tokens that each row holds; P and T as in `trunk-graph.ts`. */
  of(
    ids: BigInt64Array,
    positions: Int32Array,
    filled: Int32Array,
    steps: number,
    P: number,
    T: number,
  ): Record<string, DenseTensor> {
    const { heads, keyValueHeads: H, headWidth: D, context } = this.#shape
    const rows = filled.length
    const group = heads / H
    const feeds: Record<string, DenseTensor> = {
      ids: { data: ids, shape: [rows, steps] },
      // Padding behind the last token may stand beyond the last position.
      positions: {
        data: BigInt64Array.from(positions, (position) => BigInt(Math.min(position, context - 1))),
        shape: [rows, steps],
      },
      scoreShape: integers(H, rows, steps, group, P),
      flatScoreShape: integers(H, rows * steps * group, P),
      mixedShape: integers(H, rows, steps, group, D),
      parts: integers(P, T, steps),
    }
    const most = positions.reduce((most, position) => Math.max(most, position), 0)
    this.#tables.forEach((table, k) => {
      const { cos, sin } = table.upTo(most + 1)
      feeds[`cos.${k}`] = cos
      feeds[`sin.${k}`] = sin
    })
    this.#windows.forEach((window, w) => {
      maskFeeds(feeds, w, window, { filled, steps, P, T })
    })
    return feeds
  }
}

function integers(...values: readonly number[]): DenseTensor<BigInt64Array> {
  return { data: BigInt64Array.from(values, BigInt), shape: [values.length] }
}

import type { DenseTensor } from '../tensor/session.js'
import type { RotaryShape } from './architectures/shape.js'

/** cos and sin of position · frequency, times the scale, computed once and kept: [positions, pairs]. The angle is rounded to 32 bits, as models were trained with it. */
export class RotaryTable {
  #positions = 0
  #tables: { readonly cos: DenseTensor<Float32Array>; readonly sin: DenseTensor<Float32Array> } | null = null

  constructor(private readonly shape: RotaryShape) {}

  /** The tables of the first `positions` positions and some more. The same objects as long as they suffice. */
  upTo(positions: number): { readonly cos: DenseTensor<Float32Array>; readonly sin: DenseTensor<Float32Array> } {
    if (!this.#tables || positions > this.#positions) {
      this.#positions = Math.max(positions, 2 * this.#positions, 64)
      this.#tables = { cos: this.#table(Math.cos), sin: this.#table(Math.sin) }
    }
    return this.#tables
  }

  #table(of: (angle: number) => number): DenseTensor<Float32Array> {
    const { frequencies, scale } = this.shape
    const pairs = frequencies.length
    const angle = (i: number) => Math.fround(Math.floor(i / pairs) * Math.fround(frequencies[i % pairs]!))
    return {
      data: Float32Array.from({ length: this.#positions * pairs }, (_, i) => scale * of(angle(i))),
      shape: [this.#positions, pairs],
    }
  }
}

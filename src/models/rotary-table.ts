/** cos and sin of position · frequency, computed once for each position and kept; the angle is rounded to 32 bits, as models were trained with it. */
export class RotaryTable {
  #cos = new Float32Array(0)
  #sin = new Float32Array(0)

  constructor(private readonly frequencies: readonly number[]) {}

  get pairs(): number {
    return this.frequencies.length
  }

  /** Rows of the table for these positions, each of `pairs` numbers. */
  look(positions: Int32Array): { readonly cos: Float32Array; readonly sin: Float32Array } {
    const { pairs } = this
    this.#extend(positions.reduce((most, position) => Math.max(most, position), 0) + 1)
    const cos = new Float32Array(positions.length * pairs)
    const sin = new Float32Array(positions.length * pairs)
    positions.forEach((position, i) => {
      cos.set(this.#cos.subarray(position * pairs, (position + 1) * pairs), i * pairs)
      sin.set(this.#sin.subarray(position * pairs, (position + 1) * pairs), i * pairs)
    })
    return { cos, sin }
  }

  #extend(positions: number): void {
    const { pairs, frequencies } = this
    const known = this.#cos.length / pairs
    if (positions <= known) return
    const count = Math.max(positions, 2 * known, 64)
    const angles = Float32Array.from({ length: count * pairs }, (_, i) => {
      return Math.floor(i / pairs) * Math.fround(frequencies[i % pairs]!)
    })
    this.#cos = Float32Array.from(angles, Math.cos)
    this.#sin = Float32Array.from(angles, Math.sin)
  }
}

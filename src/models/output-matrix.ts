import type { ModelFiles } from './model-files.js'
import type { WeightFiles } from './weight-source.js'

/** Rows that are remembered, at most. */
const mostRows = 1 << 14

/**
 * The output matrix [vocabulary, width] of a model, as 32-bit floats, read from its files when it is asked for: the sessions hold it in a form of
 * their own. Single rows are remembered, the whole is not.
 */
export class OutputMatrix {
  #files: Promise<ModelFiles> | null = null
  readonly #rows = new Map<number, Float32Array>()

  constructor(private readonly open: () => Promise<ModelFiles>) {}

  async whole(): Promise<Float32Array> {
    const { weights, name, shape } = await this.#tensor()
    return weights.read(name, shape)
  }

  /** Rows of some tokens. Not to be written to. */
  async rows(tokens: readonly number[]): Promise<Float32Array[]> {
    const fresh = [...new Set(tokens)].filter((token) => !this.#rows.has(token))
    if (this.#rows.size + fresh.length > mostRows) this.#rows.clear()
    const wanted = this.#rows.size > 0 ? fresh : [...new Set(tokens)]
    if (wanted.length > 0) {
      const { weights, name, shape } = await this.#tensor()
      const read = await Promise.all(wanted.map((token) => weights.readRow(name, shape, token)))
      wanted.forEach((token, i) => {
        this.#rows.set(token, read[i]!)
      })
    }
    return tokens.map((token) => this.#rows.get(token)!)
  }

  async close(): Promise<void> {
    const files = await this.#files?.catch(() => null)
    this.#files = null
    this.#rows.clear()
    await files?.weights.close()
  }

  async #tensor(): Promise<{ readonly weights: WeightFiles; readonly name: string; readonly shape: readonly [number, number] }> {
    this.#files ??= this.open()
    const { architecture, weights } = await this.#files
    const { shape } = architecture
    const tensors = architecture.tensors((name) => weights.has(name))
    return { weights, name: shape.tied ? tensors.embedding : tensors.output, shape: [shape.vocabulary, shape.width] }
  }
}

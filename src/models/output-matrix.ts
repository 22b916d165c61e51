import type { ModelFiles } from './model-files.js'
import type { WeightFiles } from './weight-source.js'

/** Rows that are remembered, at most. */
const mostRows = 1 << 14

/** Where the matrix stands: the weights are open. */
interface Tensor {
  readonly weights: WeightFiles
  readonly name: string
  readonly shape: readonly [number, number]
}

/**
 * The output matrix [vocabulary, width] of a model, as 32-bit floats, read from its files when it is asked for: the sessions hold it in a form of
 * their own. Single rows are remembered, the whole is not.
 */
export class OutputMatrix {
  #tensor: Promise<Tensor> | null = null
  readonly #rows = new Map<number, Float32Array>()

  constructor(private readonly open: () => Promise<ModelFiles>) {}

  async whole(): Promise<Float32Array> {
    const { weights, name, shape } = await this.#opened()
    return weights.read(name, shape)
  }

  /** Rows of some tokens. Not to be written to. */
  async rows(tokens: readonly number[]): Promise<Float32Array[]> {
    if (this.#rows.size + tokens.length > mostRows) this.#rows.clear()
    const fresh = [...new Set(tokens)].filter((token) => !this.#rows.has(token))
    if (fresh.length > 0) {
      const { weights, name, shape } = await this.#opened()
      const read = await Promise.all(fresh.map((token) => weights.readRow(name, shape, token)))
      fresh.forEach((token, i) => {
        this.#rows.set(token, read[i]!)
      })
    }
    return tokens.map((token) => this.#rows.get(token)!)
  }

  async close(): Promise<void> {
    const tensor = await this.#tensor?.catch(() => null)
    this.#tensor = null
    this.#rows.clear()
    await tensor?.weights.close()
  }

  #opened(): Promise<Tensor> {
    this.#tensor ??= this.open().then(outputOf)
    return this.#tensor
  }
}

function outputOf({ architecture, weights }: ModelFiles): Tensor {
  const { shape } = architecture
  const tensors = architecture.tensors((name) => weights.has(name))
  return { weights, name: tensors.output, shape: [shape.vocabulary, shape.width] }
}

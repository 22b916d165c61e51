import { GraphBuilder, type Value } from '../src/tensor/graph.js'
import { type DenseTensor, Session } from '../src/tensor/session.js'
import { generator } from '../test/xorshift.js'
import { architecture, randomNumbers } from './random-model.js'

const { layers, width, heads, keyValueHeads, headWidth, inner, vocabulary } = architecture.shape

/** [in, out] of every matrix of one layer. */
const shapes = [
  [width, heads * headWidth],
  [width, keyValueHeads * headWidth],
  [width, keyValueHeads * headWidth],
  [heads * headWidth, width],
  [width, inner],
  [width, inner],
  [inner, width],
] as const

/**
 * All products of a step with weights, and nothing else: the rate that the machine itself reaches in them. Every layer has weights of
 * its own, so that they come from memory as they do in a step.
 */
export class MatrixProducts {
  readonly #feeds = new Map<number, Readonly<Record<string, DenseTensor>>>()

  private constructor(private readonly session: Session) {}

  static async open(): Promise<MatrixProducts> {
    const graph = new GraphBuilder()
    const random = generator(2)
    const inputs = new Map<number, Value>()
    let sum: Value | null = null
    const multiply = (name: string, from: number, to: number) => {
      const x = inputs.get(from) ?? graph.input(`x${from}`, 'float32', ['n', from])
      inputs.set(from, x)
      const product = graph.productWithTransposed(x, graph.weight(name, 'float32', [to, from], randomNumbers(random, to * from)))
      // The size of a product is read, so that it is computed, and its numbers are not, for that would take time.
      const size = graph.shapeOf(product)
      sum = sum ? graph.add(sum, size) : size
    }
    for (let layer = 0; layer < layers; layer++) {
      shapes.forEach(([from, to], i) => {
        multiply(`${layer}.${i}`, from, to)
      })
    }
    multiply('output', width, vocabulary)
    graph.output('sizes', sum!, 'int64', [2])
    return new MatrixProducts(await Session.open(graph))
  }

  /** Floating-point operations for one row. */
  static readonly operations = 2 * (layers * shapes.reduce((total, [from, to]) => total + from * to, 0) + width * vocabulary)

  /** Milliseconds that the products of `rows` rows take. */
  async time(rows: number): Promise<number> {
    const feeds = this.#feedsFor(rows)
    const begin = performance.now()
    await this.session.run(feeds)
    return performance.now() - begin
  }

  /** Made once for each number of rows: to clear them away would fall into the next step that is timed. */
  #feedsFor(rows: number): Readonly<Record<string, DenseTensor>> {
    let feeds = this.#feeds.get(rows)
    if (!feeds) {
      const random = generator(3)
      const feed = (from: number) => ({ data: randomNumbers(random, rows * from), shape: [rows, from] })
      this.#feeds.set(rows, (feeds = { [`x${width}`]: feed(width), [`x${inner}`]: feed(inner) }))
    }
    return feeds
  }

  release(): Promise<void> {
    return this.session.release()
  }
}

import type { OpenedGraph } from '../tensor/backend.js'
import type { DenseTensor, Device } from '../tensor/session.js'
import type { DecoderShape, DecoderTensors } from './architectures/shape.js'
import { type OpenOnBackend, openUncached } from './graph-cache.js'
import type { ProductType } from './products.js'
import { trunkGraph } from './trunk-graph.js'
import type { WeightSource } from './weight-source.js'

/** The trunk of a model, ready to run; `trunk-graph.ts` says what goes in and comes out. */
export class Trunk {
  private constructor(
    readonly shape: DecoderShape,
    private readonly opened: OpenedGraph,
    readonly type: ProductType,
  ) {}

  static async open(
    shape: DecoderShape,
    tensors: DecoderTensors,
    source: WeightSource,
    type: ProductType,
    open: OpenOnBackend = openUncached,
    device: Device = 'cpu',
  ): Promise<Trunk> {
    const build = () => trunkGraph(shape, tensors, source, type)
    return new Trunk(shape, await open('trunk', build, { device, kept: [] }), type)
  }

  run(feeds: Readonly<Record<string, DenseTensor>>): Promise<Readonly<Record<string, DenseTensor>>> {
    return this.opened.run(feeds)
  }

  async release(): Promise<void> {
    await this.opened.release()
  }
}

/** Hides a position: exp of it is 0, and unlike -Infinity it never gives NaN. */
export const hiddenScore = -3e38

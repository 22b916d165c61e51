import type { DenseTensor, Device, Session } from '../tensor/session.js'
import type { DecoderShape, DecoderTensors } from './architectures/shape.js'
import { type OpenGraph, openUncached } from './graph-cache.js'
import type { ProductType } from './products.js'
import { trunkGraph } from './trunk-graph.js'
import type { WeightSource } from './weight-source.js'

/** The trunk of a model, ready to run; `trunk-graph.ts` says what goes in and comes out. */
export class Trunk {
  private constructor(
    readonly shape: DecoderShape,
    readonly session: Session,
    readonly type: ProductType,
  ) {}

  static async open(
    shape: DecoderShape,
    tensors: DecoderTensors,
    source: WeightSource,
    type: ProductType,
    open: OpenGraph = openUncached,
    device: Device = 'cpu',
  ): Promise<Trunk> {
    const build = () => trunkGraph(shape, tensors, source, type)
    return new Trunk(shape, await open('trunk', build, { device, kept: [] }), type)
  }

  run(feeds: Readonly<Record<string, DenseTensor>>): Promise<Readonly<Record<string, DenseTensor>>> {
    return this.session.run(feeds)
  }

  async release(): Promise<void> {
    await this.session.release()
  }
}

/** Hides a position: exp of it is 0, and unlike -Infinity it never gives NaN. */
export const hiddenScore = -3e38

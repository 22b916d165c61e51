import type { Device, Placement, Session } from '../tensor/session.js'
import type { DecoderShape, DecoderTensors } from './architectures/shape.js'
import { compactionGraph, deviceTrunkGraph, nextPool, poolNames } from './device-graph.js'
import { type OpenGraph, openUncached } from './graph-cache.js'
import { trunkGraph } from './trunk-graph.js'
import type { WeightSource } from './weight-source.js'

/** The trunk of a model on a device that keeps the attention state; `device-graph.ts` says what goes in and comes out. */
export class DeviceTrunk {
  private constructor(
    readonly shape: DecoderShape,
    readonly session: Session,
    /** Moves what is still needed together. */
    readonly compaction: Session,
  ) {}

  static async open(
    shape: DecoderShape,
    tensors: DecoderTensors,
    source: WeightSource,
    device: Device,
    open: OpenGraph = openUncached,
  ): Promise<DeviceTrunk> {
    const placement: Placement = { device, kept: poolNames(shape.layers).map(nextPool) }
    const build = async () => deviceTrunkGraph(await trunkGraph(shape, tensors, source, 'fp32', true), shape)
    const session = await open('trunk-device', build, placement)
    return new DeviceTrunk(shape, session, await openUncached('compaction', async () => compactionGraph(shape), placement))
  }

  async release(): Promise<void> {
    await this.session.release()
    await this.compaction.release()
  }
}

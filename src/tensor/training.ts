import { AdamW, type AdamWSettings, type AdamWState } from './adamw.js'
import type { Backend, OpenedGraph } from './backend.js'
import { gradients } from './gradient.js'
import type { GraphBuilder, Value } from './graph.js'
import type { DenseTensor } from './session.js'

export interface TrainingStep {
  /** Before the step. */
  readonly loss: number
  /** The norm of all gradients together, before they were clipped. */
  readonly norm: number
}

/** Parameters by name, each an input of the graph. */
export type ParameterTensors = Readonly<Record<string, DenseTensor<Float32Array>>>

/** Minimises a loss: one step is one run of (batch, parameters) -> (loss, gradients), and one of AdamW. */
export class Training {
  readonly #opened: OpenedGraph
  readonly #optimiser: AdamW

  private constructor(
    /** As they are after the last step: changed in place. */
    readonly parameters: ParameterTensors,
    opened: OpenedGraph,
    optimiser: AdamW,
  ) {
    this.#opened = opened
    this.#optimiser = optimiser
  }

  /**
   * Adds the backward pass and its outputs to `graph`. The inputs that `parameters` does not name are the batch.
   * Throws when the loss does not depend on a parameter.
   */
  static async open(
    backend: Backend,
    graph: GraphBuilder,
    loss: Value,
    parameters: ParameterTensors,
    settings: AdamWSettings,
    state?: AdamWState,
  ): Promise<Training> {
    const names = Object.keys(parameters)
    const found = gradients(
      graph,
      loss,
      names.map((name) => ({ name })),
    )
    graph.output('loss', graph.reshape(loss, [1]), 'float32', [1])
    names.forEach((name, i) => {
      graph.output(`gradient:${name}`, found[i]!, 'float32', parameters[name]!.shape)
    })
    const arrays = Object.fromEntries(names.map((name) => [name, parameters[name]!.data]))
    const optimiser = new AdamW(arrays, settings, state)
    return new Training(parameters, await backend.open(graph), optimiser)
  }

  /** With the parameters, what is needed to go on later. */
  get state(): AdamWState {
    return this.#optimiser.state
  }

  /** `learningRate`: for this step, the one of the settings when left out. Throws, and changes nothing, when the loss or a gradient is not finite. */
  async step(batch: Readonly<Record<string, DenseTensor>>, learningRate?: number): Promise<TrainingStep> {
    const feeds: Record<string, DenseTensor> = { ...batch }
    // Objects of their own for each step: a backend may keep what it made of an object that comes again, and these have new numbers.
    for (const [name, { data, shape }] of Object.entries(this.parameters)) feeds[name] = { data, shape }
    const outputs = await this.#opened.run(feeds)
    const loss = outputs.loss!.data[0] as number
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`)
    const found = Object.fromEntries(
      Object.keys(this.parameters).map((name) => [name, outputs[`gradient:${name}`]!.data as Float32Array]),
    )
    return { loss, norm: this.#optimiser.step(found, learningRate) }
  }

  async release(): Promise<void> {
    await this.#opened.release()
  }
}

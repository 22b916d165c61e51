import type { Graph } from './graph.js'
import { type DenseTensor, Session } from './session.js'

/** What runs tensor graphs. `test/tensor/backends.test.ts` is what an implementation must pass. */
export interface Backend {
  readonly name: string
  /** Makes a graph ready to run, its weights included; the caller may drop them afterwards. */
  open(graph: Graph): Promise<OpenedGraph>
}

/** A graph that is ready to run. `Session` is one. */
export interface OpenedGraph {
  /** All outputs by name, as fresh arrays. Inputs are read in place and must not change before the promise resolves. */
  run(feeds: Readonly<Record<string, DenseTensor>>): Promise<Readonly<Record<string, DenseTensor>>>
  release(): Promise<void>
}

export const onnxRuntime: Backend = { name: 'onnx', open: (graph) => Session.open(graph) }

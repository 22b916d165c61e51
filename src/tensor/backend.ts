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
  /**
   * Outputs by name, all of them or those that are `wanted`, as fresh arrays. Inputs are read in place and must not change before the promise
   * resolves.
   */
  run(feeds: Readonly<Record<string, DenseTensor>>, wanted?: readonly string[]): Promise<Readonly<Record<string, DenseTensor>>>
  release(): Promise<void>
}

export const backendNames = ['onnx', 'tfjs'] as const
export type BackendName = (typeof backendNames)[number]

export const onnxRuntime: Backend = { name: 'onnx', open: (graph) => Session.open(graph) }

/** A backend by name; TensorFlow.js is loaded only where it is asked for. */
export async function backendOf(name: BackendName): Promise<Backend> {
  return name === 'tfjs' ? (await import('./tfjs.js')).tfjs : onnxRuntime
}

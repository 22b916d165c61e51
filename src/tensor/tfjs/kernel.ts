import type * as Tfjs from '@tensorflow/tfjs'
import type { Operation } from '../graph.js'
import { type Host, host } from './host.js'

export type Tf = typeof Tfjs
export type Tensor = Tfjs.Tensor

/** What a name stands for while a graph runs: 32-bit floats (and the small integers of 8-bit products) are tensors of tfjs. */
export type TfValue = Tensor | Host

/** Computes the outputs of one operation. */
export type Kernel = (call: Call) => readonly TfValue[]

/** An operation with its inputs. */
export class Call {
  constructor(
    readonly tf: Tf,
    readonly operation: Operation,
    readonly inputs: readonly TfValue[],
  ) {}

  int(name: string, otherwise: number): number {
    const attribute = this.operation.attributes[name]
    return attribute?.kind === 'int' ? attribute.value : otherwise
  }

  float(name: string, otherwise: number): number {
    const attribute = this.operation.attributes[name]
    return attribute?.kind === 'float' ? attribute.value : otherwise
  }

  ints(name: string): readonly number[] {
    const attribute = this.operation.attributes[name]
    return attribute?.kind === 'ints' ? attribute.value : []
  }

  text(name: string): string {
    const attribute = this.operation.attributes[name]
    return attribute?.kind === 'string' ? attribute.value : ''
  }

  /** Input `i` as 32-bit floats on the device; doubles are rounded. */
  tensor(i: number): Tensor {
    return toTensor(this.tf, this.inputs[i]!)
  }

  /** Input `i` in JavaScript. */
  host(i: number): Host {
    return toHost(this.inputs[i]!)
  }

  /** Input `i` as a list of numbers: a shape, axes. */
  numbers(i: number): number[] {
    return [...this.host(i).data]
  }

  /** Whether all of these inputs live in JavaScript. */
  hosted(...which: readonly number[]): boolean {
    return which.every((i) => isHost(this.inputs[i]!))
  }
}

export function isHost(value: TfValue): value is Host {
  return value.constructor === Object
}

/** Reads a tensor back. tfjs compares floats on the device: what it finds are truth values. */
export function toHost(value: TfValue): Host {
  if (isHost(value)) return value
  const type = value.dtype === 'bool' ? 'bool' : value.dtype === 'int32' ? 'int64' : 'float64'
  return host(type, Float64Array.from(value.dataSync()), value.shape)
}

export function toTensor(tf: Tf, value: TfValue): Tensor {
  if (!isHost(value)) return value
  const shape = [...value.shape]
  if (value.type === 'bool') return tf.tensor(Uint8Array.from(value.data), shape, 'bool')
  return tf.tensor(Float32Array.from(value.data), shape, 'float32')
}

/** An int32 tensor of indices. */
export function toIndices(tf: Tf, values: ArrayLike<number>): Tfjs.Tensor1D {
  return tf.tensor1d(Int32Array.from(values), 'int32')
}

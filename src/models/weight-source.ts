import { widenBrainFloats, widenHalves } from '../tensor/floats.js'
import type { LinearTensors } from './architectures/shape.js'
import type { RandomFile } from './files.js'

/** Number formats in which a tensor is handed on; other ones are widened to 32-bit floats when they are read. */
export type StoredType = 'F32' | 'F16' | 'BF16'

export interface StoredTensor {
  readonly type: StoredType
  readonly data: Uint8Array<ArrayBuffer>
}

/** Where the graphs take their weights from: files, or numbers made up for a benchmark. Reading throws M007, M008. */
export interface WeightSource {
  /** A tensor of this shape, row-major, as 32-bit floats. */
  read(name: string, shape: readonly number[]): Promise<Float32Array>
  /** A tensor as it is stored, as far as the runtime knows its type. */
  readStored(name: string, shape: readonly number[]): Promise<StoredTensor>
}

/** The weights files of a model, open. */
export interface WeightFiles extends WeightSource {
  /** Numbers stored in all tensors together. */
  readonly parameters: number
  /** Bytes of the files. */
  readonly bytes: number
  has(name: string): boolean
  /** One row of a matrix [rows, columns], as 32-bit floats. Throws M007, M008. */
  readRow(name: string, shape: readonly [number, number], row: number): Promise<Float32Array>
  /** The files themselves, open until `close`. */
  readonly files: readonly RandomFile[]
  close(): Promise<void>
}

/** Numbers as they are stored, as 32-bit floats; the conversion is exact. */
export function widened({ type, data }: StoredTensor): Float32Array {
  if (type === 'F32') return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
  const halves = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
  return type === 'F16' ? widenHalves(halves) : widenBrainFloats(halves)
}

/** A matrix [out, in] and its bias [out]. */
export interface LinearWeights {
  readonly weight: Float32Array
  readonly bias: Float32Array | null
}

/** Cuts the matrices of a model out of its stored tensors. */
export class LinearReader {
  /** Parts of one stored tensor are read one after the other: the tensor is kept until another is read. */
  #last: { readonly name: string; readonly data: Float32Array } | null = null

  constructor(private readonly source: WeightSource) {}

  async read(tensors: LinearTensors, from: number, to: number): Promise<LinearWeights> {
    const { rows } = tensors
    const stored = rows?.of ?? to
    const whole = await this.#matrix(tensors, stored, from)
    const bias = tensors.bias === null ? null : await this.source.read(tensors.bias, [stored])
    if (!rows) return { weight: whole, bias }
    const weight = new Float32Array(to * from)
    for (let row = 0; row < to; row++) {
      const at = rows.at(row)
      weight.set(whole.subarray(at * from, (at + 1) * from), row * from)
    }
    return { weight, bias: bias && Float32Array.from({ length: to }, (_, row) => bias[rows.at(row)]!) }
  }

  async #matrix({ weight, transposed = false, rows }: LinearTensors, stored: number, from: number): Promise<Float32Array> {
    if (this.#last?.name === weight) return this.#last.data
    const read = await this.source.read(weight, transposed ? [from, stored] : [stored, from])
    const data = transposed ? transpose(read, from, stored) : read
    this.#last = rows ? { name: weight, data } : null
    return data
  }
}

/** [rows, columns] -> [columns, rows]. */
function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column]!
  }
  return result
}

import { modelError } from '../errors.js'
import { damaged, elements, openFile, type RandomFile, readRange } from '../files.js'
import { type StoredTensor, type StoredType, type WeightFiles, widened } from '../weight-source.js'
import { blockFormats, dequantise, otherTypes } from './dequantise.js'
import { type GgufHeader, type GgufTensor, readHeader } from './header.js'

/** `ggml_type` of the plain formats. */
const plainTypes: Readonly<Record<number, { readonly type: StoredType; readonly bytes: number }>> = {
  0: { type: 'F32', bytes: 4 },
  1: { type: 'F16', bytes: 2 },
  30: { type: 'BF16', bytes: 2 },
}

/** The tensors of a GGUF file by their names there. Quantised ones are widened to 32-bit floats, one tensor at a time. */
export class GgufWeights implements WeightFiles {
  private constructor(
    private readonly file: RandomFile,
    readonly header: GgufHeader,
  ) {}

  /** Throws M003, M007, M016. */
  static async open(path: string): Promise<GgufWeights> {
    const file = await openFile(path)
    try {
      const weights = new GgufWeights(file, await readHeader(file))
      weights.#requireWhole()
      for (const [name, tensor] of weights.header.tensors) weights.#bytesOf(name, tensor)
      return weights
    } catch (thrown) {
      await file.handle.close()
      throw thrown
    }
  }

  get parameters(): number {
    let total = 0
    for (const { shape } of this.header.tensors.values()) total += elements(shape)
    return total
  }

  get bytes(): number {
    return this.file.size
  }

  get files(): readonly RandomFile[] {
    return [this.file]
  }

  has(name: string): boolean {
    return this.header.tensors.has(name)
  }

  /** A tensor as 32-bit floats. Throws M007, M008, M016. */
  async read(name: string, shape: readonly number[]): Promise<Float32Array> {
    return widened(await this.readStored(name, shape))
  }

  async readRow(name: string, shape: readonly [number, number], row: number): Promise<Float32Array> {
    const tensor = this.#tensor(name, shape)
    const bytes = this.#bytesOf(name, tensor) / shape[0]
    return widened(await this.#readRange(tensor, tensor.begin + row * bytes, bytes, shape[1]))
  }

  /** Quantised tensors come as 32-bit floats. Throws M007, M008, M016. */
  async readStored(name: string, shape: readonly number[]): Promise<StoredTensor> {
    const tensor = this.#tensor(name, shape)
    return this.#readRange(tensor, tensor.begin, this.#bytesOf(name, tensor), elements(shape))
  }

  #tensor(name: string, shape: readonly number[]): GgufTensor {
    const tensor = this.header.tensors.get(name)
    if (!tensor) {
      throw modelError(
        'M008',
        `${this.file.path} holds no tensor ${name}`,
        'its metadata describe another model than its tensors; fetch the file again, or convert the model again',
      )
    }
    if (tensor.shape.join() !== shape.join()) {
      throw modelError(
        'M008',
        `${this.file.path}: ${name} has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`,
        'its metadata describe another model than its tensors; fetch the file again, or convert the model again',
      )
    }
    return tensor
  }

  async #readRange({ type }: GgufTensor, begin: number, bytes: number, count: number): Promise<StoredTensor> {
    const data = await readRange(this.file, begin, begin + bytes)
    const plain = plainTypes[type]
    if (plain) return { type: plain.type, data }
    const wide = dequantise(blockFormats[type]!, data, count)
    return { type: 'F32', data: new Uint8Array(wide.buffer) }
  }

  async close(): Promise<void> {
    await this.file.handle.close()
  }

  /** Large models are cut into several files, each with a part of the tensors. Throws M016. */
  #requireWhole(): void {
    const parts = this.header.metadata.get('split.count') ?? 1
    if (parts === 0 || parts === 1) return
    throw modelError(
      'M016',
      `${this.file.path} is one of ${String(parts)} parts of a model`,
      'join the parts with `llama-gguf-split --merge FIRST-PART WHOLE.gguf`, a tool of llama.cpp, and name the whole file',
    )
  }

  /** Bytes of a tensor in the file. Throws M007 when they are not there, M016 when its format is not read. */
  #bytesOf(name: string, { type, shape, begin }: GgufTensor): number {
    const count = elements(shape)
    const plain = plainTypes[type]
    const format = blockFormats[type]
    if (!plain && !format) {
      const known = ['F32', 'F16', 'BF16', ...Object.values(blockFormats).map((entry) => entry.name)]
      throw modelError(
        'M016',
        `${this.file.path}: ${name} is stored as ${otherTypes[type] ?? `type ${type}`}, expected ${known.join(', ')}`,
        'take another quantisation of the model, for example Q8_0 or Q4_K_M',
      )
    }
    if (format && (shape.at(-1) ?? 0) % format.size !== 0) {
      throw damaged(this.file.path, `rows of ${name} are not whole blocks of ${format.size} numbers`)
    }
    const bytes = plain ? count * plain.bytes : (count / format!.size) * format!.bytes
    if (begin + bytes > this.file.size) {
      throw damaged(this.file.path, `${name} should end at byte ${begin + bytes}, but the file has ${this.file.size}`)
    }
    return bytes
  }
}

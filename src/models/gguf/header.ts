import { modelError } from '../errors.js'
import { damaged, type RandomFile, readRange } from '../files.js'

/**
 * The header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3, little-endian: "GGUF", version,
 * counts, key-value pairs, descriptions of the tensors; then the tensors, each at a multiple of the alignment.
 */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: ReadonlyMap<string, GgufTensor>
}

export type GgufValue = number | boolean | string | readonly GgufValue[]

export interface GgufTensor {
  /** Row-major: the last dimension is the one whose numbers lie next to each other. */
  readonly shape: readonly number[]
  /** A number of `ggml_type`. */
  readonly type: number
  /** Absolute place in the file. */
  readonly begin: number
}

/** Throws M007 when the file is damaged, M016 when it is of another version. */
export async function readHeader(file: RandomFile): Promise<GgufHeader> {
  // The header's length is not stated: read more until it is all there.
  for (let length = 1 << 23; ; length *= 4) {
    const end = Math.min(length, file.size)
    const cursor = new Cursor(await readRange(file, 0, end))
    try {
      return parse(cursor, file)
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown
      if (end === file.size) throw damaged(file.path, `its header does not end within its ${file.size} bytes`)
    }
  }
}

function parse(cursor: Cursor, file: RandomFile): GgufHeader {
  if (cursor.text(4) !== 'GGUF') throw damaged(file.path, 'it does not begin with "GGUF"')
  const version = cursor.uint32()
  if (version !== 2 && version !== 3) {
    throw modelError(
      'M016',
      `${file.path} is a GGUF file of version ${version}, expected 2 or 3, little-endian`,
      'convert the model again with a recent llama.cpp',
    )
  }
  const tensorCount = cursor.count()
  const pairCount = cursor.count()
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.string()
    metadata.set(key, cursor.value(cursor.uint32(), file.path))
  }
  const descriptions: [string, { shape: number[]; type: number; offset: number }][] = []
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.string()
    const shape = Array.from({ length: cursor.uint32() }, () => cursor.count()).reverse()
    descriptions.push([name, { shape, type: cursor.uint32(), offset: cursor.count() }])
  }
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || !(alignment > 0)) throw damaged(file.path, 'its alignment is not a positive number')
  const start = Math.ceil(cursor.at / alignment) * alignment
  const tensors = new Map(descriptions.map(([name, { shape, type, offset }]) => [name, { shape, type, begin: start + offset }]))
  return { metadata, tensors }
}

/** Reads one value after another. Past the end every method throws RangeError, as DataView does. */
class Cursor {
  at = 0
  readonly #view: DataView
  readonly #decoder = new TextDecoder()

  constructor(private readonly bytes: Uint8Array<ArrayBuffer>) {
    this.#view = new DataView(bytes.buffer)
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4), true)
  }

  /** A 64-bit number that counts or places something: beyond 2^53 it cannot be true, nor be within the file. */
  count(): number {
    const value = Number(this.#view.getBigUint64(this.#skip(8), true))
    if (!Number.isSafeInteger(value)) throw new RangeError('a count is out of range')
    return value
  }

  text(length: number): string {
    const begin = this.at
    if (begin + length > this.bytes.length) throw new RangeError('a text ends behind the file')
    this.at += length
    return this.#decoder.decode(this.bytes.subarray(begin, begin + length))
  }

  string(): string {
    return this.text(this.count())
  }

  value(type: number, path: string): GgufValue {
    const view = this.#view
    switch (type) {
      case 0:
        return view.getUint8(this.#skip(1))
      case 1:
        return view.getInt8(this.#skip(1))
      case 2:
        return view.getUint16(this.#skip(2), true)
      case 3:
        return view.getInt16(this.#skip(2), true)
      case 4:
        return this.uint32()
      case 5:
        return view.getInt32(this.#skip(4), true)
      case 6:
        return view.getFloat32(this.#skip(4), true)
      case 7:
        return view.getUint8(this.#skip(1)) !== 0
      case 8:
        return this.string()
      case 9: {
        const inner = this.uint32()
        const count = this.count()
        const values: GgufValue[] = []
        for (let i = 0; i < count; i++) values.push(this.value(inner, path))
        return values
      }
      case 10:
        return Number(view.getBigUint64(this.#skip(8), true))
      case 11:
        return Number(view.getBigInt64(this.#skip(8), true))
      case 12:
        return view.getFloat64(this.#skip(8), true)
      default:
        throw damaged(path, `its header holds a value of type ${type}, which does not exist`)
    }
  }

  #skip(count: number): number {
    const begin = this.at
    this.at += count
    return begin
  }
}

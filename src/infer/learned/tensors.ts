/** 32-bit floats with their shapes, by name. */
export type NamedTensors = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>

/**
 * The safetensors format: eight bytes with the length of a JSON header, the header, then the numbers, little-endian. `metadata` are texts; one
 * of them, `format`, says what the file is.
 */
export function writeTensors(metadata: Readonly<Record<string, string>>, tensors: NamedTensors): Uint8Array {
  const header: Record<string, unknown> = {}
  let at = 0
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, (at += data.byteLength)] }
  }
  header.__metadata__ = metadata
  const text = Buffer.from(JSON.stringify(header))
  // Padded so that the numbers stand at a multiple of eight bytes.
  const length = Math.ceil(text.length / 8) * 8
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(length))
  const numbers = Object.values(tensors).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  return Buffer.concat([prefix, text, Buffer.alloc(length - text.length, ' '), ...numbers])
}

export interface ReadTensors {
  readonly metadata: Readonly<Record<string, string>>
  /** A copy of so many numbers; throws an Error where there are not as many, or one is not finite. */
  tensor(name: string, size: number): Float32Array
}

/** Throws an Error that says what is wrong with bytes that are not of this format. */
export function readTensors(bytes: Uint8Array, format: string): ReadTensors {
  const length = Number(Buffer.from(bytes.buffer, bytes.byteOffset, 8).readBigUInt64LE())
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString('utf8'))
  const metadata = header.__metadata__
  if (metadata.format !== format) {
    throw new Error(`its format is ${JSON.stringify(metadata.format)}, expected ${JSON.stringify(format)}`)
  }
  return {
    metadata,
    tensor(name, size) {
      const [begin, end] = header[name].data_offsets.map((offset: number) => 8 + length + offset)
      if (end - begin !== 4 * size || end > bytes.length) throw new Error(`${name} does not hold ${size} numbers`)
      const numbers = new Float32Array(Uint8Array.from(bytes.subarray(begin, end)).buffer)
      if (!numbers.every(Number.isFinite)) throw new Error(`${name} holds numbers that are not finite`)
      return numbers
    },
  }
}

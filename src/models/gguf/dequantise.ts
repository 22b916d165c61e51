import { halfTable } from '../../tensor/floats.js'

/**
 * Block formats of GGUF, as ggml defines them. A tensor is cut into blocks of `size` numbers, each stored in `bytes` bytes: one or two 16-bit
 * scales d (and m), then small integers q. All results are exact where the formula has one rounding, so they equal ggml's own.
 *
 *     Q8_0           d · q                       q of 8 bits
 *     Q4_0, Q5_0     d · (q - 8), d · (q - 16)   q of 4 and 5 bits
 *     Q4_1, Q5_1     d · q + m
 *     Q4_K, Q5_K     d · s · q - m · t           s and t of 6 bits, for each 32 of 256 numbers
 *     Q6_K           d · s · (q - 32)            s of 8 bits, for each 16 of 256 numbers
 */
export interface BlockFormat {
  readonly name: string
  readonly size: number
  readonly bytes: number
  /** Reads the block at `at` of `data` and writes its numbers to `out` from `to`. */
  read(data: Uint8Array, at: number, out: Float32Array, to: number): void
}

/** Numbers of `ggml_type` for the formats that can be read. Plain ones are not here. */
export const blockFormats: Readonly<Record<number, BlockFormat>> = {
  2: { name: 'Q4_0', size: 32, bytes: 18, read: readQ4_0 },
  3: { name: 'Q4_1', size: 32, bytes: 20, read: readQ4_1 },
  6: { name: 'Q5_0', size: 32, bytes: 22, read: readQ5_0 },
  7: { name: 'Q5_1', size: 32, bytes: 24, read: readQ5_1 },
  8: { name: 'Q8_0', size: 32, bytes: 34, read: readQ8_0 },
  12: { name: 'Q4_K', size: 256, bytes: 144, read: readQ4_K },
  13: { name: 'Q5_K', size: 256, bytes: 176, read: readQ5_K },
  14: { name: 'Q6_K', size: 256, bytes: 210, read: readQ6_K },
}

/** Names of the other types, for messages. */
export const otherTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
}

/** All numbers of a tensor of `count` numbers. */
export function dequantise(format: BlockFormat, data: Uint8Array, count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count)
  for (let at = 0, to = 0; to < count; at += format.bytes, to += format.size) format.read(data, at, out, to)
  return out
}

const halves = halfTable()

function half(data: Uint8Array, at: number): number {
  return halves[data[at]! | (data[at + 1]! << 8)]!
}

function readQ8_0(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at)
  for (let i = 0; i < 32; i++) out[to + i] = d * ((data[at + 2 + i]! << 24) >> 24)
}

function readQ4_0(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at)
  for (let i = 0; i < 16; i++) {
    const pair = data[at + 2 + i]!
    out[to + i] = d * ((pair & 15) - 8)
    out[to + 16 + i] = d * ((pair >> 4) - 8)
  }
}

function readQ4_1(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at)
  const m = half(data, at + 2)
  for (let i = 0; i < 16; i++) {
    const pair = data[at + 4 + i]!
    out[to + i] = d * (pair & 15) + m
    out[to + 16 + i] = d * (pair >> 4) + m
  }
}

function readQ5_0(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at)
  for (let i = 0; i < 16; i++) {
    const pair = data[at + 6 + i]!
    out[to + i] = d * (((pair & 15) | fifthBit(data, at + 2, i)) - 16)
    out[to + 16 + i] = d * (((pair >> 4) | fifthBit(data, at + 2, i + 16)) - 16)
  }
}

function readQ5_1(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at)
  const m = half(data, at + 2)
  for (let i = 0; i < 16; i++) {
    const pair = data[at + 8 + i]!
    out[to + i] = d * ((pair & 15) | fifthBit(data, at + 4, i)) + m
    out[to + 16 + i] = d * ((pair >> 4) | fifthBit(data, at + 4, i + 16)) + m
  }
}

/** Bit `i` of 32, moved to the place of 16. */
function fifthBit(data: Uint8Array, at: number, i: number): number {
  return ((data[at + (i >> 3)]! >> (i & 7)) & 1) << 4
}

function readQ4_K(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at)
  const m = half(data, at + 2)
  for (let group = 0; group < 8; group++) {
    const scale = d * groupScale(data, at + 4, group)
    const offset = m * groupOffset(data, at + 4, group)
    // Groups 2k and 2k + 1 share 32 bytes: the lower and the upper four bits.
    const from = at + 16 + (group >> 1) * 32
    const shift = (group & 1) * 4
    for (let i = 0; i < 32; i++) out[to + group * 32 + i] = scale * ((data[from + i]! >> shift) & 15) - offset
  }
}

function readQ5_K(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at)
  const m = half(data, at + 2)
  for (let group = 0; group < 8; group++) {
    const scale = d * groupScale(data, at + 4, group)
    const offset = m * groupOffset(data, at + 4, group)
    const from = at + 48 + (group >> 1) * 32
    const shift = (group & 1) * 4
    for (let i = 0; i < 32; i++) {
      const q = ((data[from + i]! >> shift) & 15) | (((data[at + 16 + i]! >> group) & 1) << 4)
      out[to + group * 32 + i] = scale * q - offset
    }
  }
}

/** Twelve bytes hold eight scales and eight offsets of six bits; the upper two bits of the last four stand in the first eight bytes. */
function groupScale(data: Uint8Array, at: number, group: number): number {
  if (group < 4) return data[at + group]! & 63
  return (data[at + group + 4]! & 15) | ((data[at + group - 4]! >> 6) << 4)
}

function groupOffset(data: Uint8Array, at: number, group: number): number {
  if (group < 4) return data[at + group + 4]! & 63
  return (data[at + group + 4]! >> 4) | ((data[at + group]! >> 6) << 4)
}

function readQ6_K(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at + 208)
  for (let part = 0; part < 8; part++) {
    // 32 numbers a part; four parts share 64 bytes of lower bits and 32 bytes of upper ones.
    const lower = at + (part >> 2) * 64 + (part & 1) * 32
    const upper = at + 128 + (part >> 2) * 32
    const lowerShift = part & 2 ? 4 : 0
    const upperShift = (part & 3) * 2
    for (let i = 0; i < 32; i++) {
      const q = ((data[lower + i]! >> lowerShift) & 15) | (((data[upper + i]! >> upperShift) & 3) << 4)
      const scale = (data[at + 192 + part * 2 + (i >> 4)]! << 24) >> 24
      out[to + part * 32 + i] = d * scale * (q - 32)
    }
  }
}

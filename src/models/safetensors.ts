import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { modelError, reason } from './errors.js'
import { isObject, parseObject, readOptional } from './json.js'
import type { StoredTensor, StoredType, WeightSource } from './weight-source.js'

interface Entry {
  readonly file: File
  readonly type: string
  readonly shape: readonly number[]
  /** Absolute byte range in the file. */
  readonly begin: number
  readonly end: number
}

interface File {
  readonly path: string
  readonly handle: FileHandle
  readonly size: number
}

const bytesPer: Readonly<Record<StoredType, number>> = { F32: 4, F16: 2, BF16: 2 }

/**
 * Weights in the safetensors format: eight bytes with the length of a JSON header, the header, then the tensors, row-major and
 * little-endian (https://github.com/huggingface/safetensors). One file, or shards with an index. Tensors are read when they are
 * asked for, so no more than one copy is ever held here.
 */
export class Weights implements WeightSource {
  readonly #entries = new Map<string, Entry>()
  readonly #files: File[] = []

  /** Opens FOLDER/model.safetensors, or the shards of FOLDER/model.safetensors.index.json. Throws M003, M004, M007. */
  static async open(folder: string): Promise<Weights> {
    const weights = new Weights()
    try {
      const index = await readOptional(join(folder, 'model.safetensors.index.json'))
      const names = index === null ? ['model.safetensors'] : shardsOf(index, join(folder, 'model.safetensors.index.json'))
      for (const name of names) await weights.#add(join(folder, name))
      return weights
    } catch (thrown) {
      await weights.close()
      throw thrown
    }
  }

  /** Names of all tensors. */
  get names(): Iterable<string> {
    return this.#entries.keys()
  }

  /** Numbers stored in all tensors together. */
  get parameters(): number {
    let total = 0
    for (const { shape } of this.#entries.values()) total += elements(shape)
    return total
  }

  /** Bytes of the weights files. */
  get bytes(): number {
    return this.#files.reduce((total, file) => total + file.size, 0)
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /** A tensor as 32-bit floats; the conversion is exact. Throws M007, M008. */
  async read(name: string, shape: readonly number[]): Promise<Float32Array> {
    const { type, data } = await this.readStored(name, shape)
    if (type === 'F32') return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
    const halves = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    return type === 'F16' ? widenHalves(halves) : widenBrainFloats(halves)
  }

  /** A tensor as it is stored. Throws M007, M008. */
  async readStored(name: string, shape: readonly number[]): Promise<StoredTensor> {
    const entry = this.#entries.get(name)
    if (!entry) {
      throw modelError(
        'M008',
        `the weights hold no tensor ${name}`,
        'the weights and config.json must come from one model; fetch both again',
      )
    }
    if (entry.shape.join() !== shape.join()) {
      throw modelError(
        'M008',
        `${basename(entry.file.path)}: ${name} has shape [${entry.shape.join(', ')}], expected [${shape.join(', ')}]`,
        'config.json describes another model than the weights; take both from one place',
      )
    }
    if (!(entry.type in bytesPer)) {
      throw modelError(
        'M008',
        `${basename(entry.file.path)}: ${name} is stored as ${entry.type}, expected F32, F16 or BF16`,
        'convert the weights to one of these types',
      )
    }
    const type = entry.type as StoredType
    if (entry.end - entry.begin !== elements(shape) * bytesPer[type]) {
      throw broken(
        entry.file.path,
        `${name} takes ${entry.end - entry.begin} bytes, expected ${elements(shape) * bytesPer[type]}`,
      )
    }
    return { type, data: await readRange(entry.file, entry.begin, entry.end) }
  }

  /** Feeds the content of every file to a hash. */
  async hashInto(hash: Hash): Promise<void> {
    const chunk = 1 << 22
    for (const file of this.#files) {
      hash.update(`${basename(file.path)} ${file.size}\n`)
      for (let at = 0; at < file.size; at += chunk) hash.update(await readRange(file, at, Math.min(file.size, at + chunk)))
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.handle.close()
    this.#files.length = 0
  }

  async #add(path: string): Promise<void> {
    const file = await openFile(path)
    this.#files.push(file)
    for (const [name, entry] of await readHeader(file)) this.#entries.set(name, entry)
  }
}

async function openFile(path: string): Promise<File> {
  try {
    const handle = await open(path, 'r')
    return { path, handle, size: (await handle.stat()).size }
  } catch (thrown) {
    throw modelError(
      'M003',
      `${path} cannot be opened: ${reason(thrown)}`,
      'a model folder holds config.json, tokenizer.json and model.safetensors',
    )
  }
}

async function readHeader(file: File): Promise<Map<string, Entry>> {
  if (file.size < 8) throw broken(file.path, `it has ${file.size} bytes, and the header alone needs more`)
  const prefix = await readRange(file, 0, 8)
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true))
  const dataStart = 8 + length
  if (dataStart > file.size) throw broken(file.path, `its header should end at byte ${dataStart}, but the file has ${file.size}`)
  const text = new TextDecoder().decode(await readRange(file, 8, dataStart))
  const header = parseObject(text, `the header of ${file.path}`)
  const entries = new Map<string, Entry>()
  for (const [name, description] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const { dtype, shape, data_offsets: offsets } = isObject(description) ? description : {}
    if (
      typeof dtype !== 'string' ||
      !isCounts(shape) ||
      !isCounts(offsets) ||
      offsets.length !== 2 ||
      offsets[0]! > offsets[1]!
    ) {
      throw broken(file.path, `its header does not describe ${name} by dtype, shape and data_offsets`)
    }
    const begin = dataStart + offsets[0]!
    const end = dataStart + offsets[1]!
    if (end > file.size) throw broken(file.path, `${name} should end at byte ${end}, but the file has ${file.size}`)
    entries.set(name, { file, type: dtype, shape, begin, end })
  }
  return entries
}

function shardsOf(text: string, path: string): string[] {
  const map = parseObject(text, path).weight_map
  if (!isObject(map)) throw broken(path, 'it has no weight_map')
  const names = new Set<string>()
  for (const name of Object.values(map)) {
    if (typeof name !== 'string' || name !== basename(name))
      throw broken(path, 'its weight_map does not name files of the same folder')
    names.add(name)
  }
  return [...names].sort()
}

async function readRange(file: File, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const data = new Uint8Array(end - begin)
  for (let done = 0; done < data.length; ) {
    const { bytesRead } = await file.handle.read(data, done, Math.min(data.length - done, 1 << 30), begin + done)
    if (bytesRead === 0) throw broken(file.path, `it ends at byte ${begin + done}, expected ${end}`)
    done += bytesRead
  }
  return data
}

function broken(path: string, fact: string) {
  return modelError(
    'M007',
    `${join(basename(dirname(path)), basename(path))} is damaged: ${fact}`,
    'fetch the file again; a download may have stopped half-way',
  )
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0)
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** bfloat16 is the upper half of a 32-bit float. */
function widenBrainFloats(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16
  return new Float32Array(bits.buffer)
}

function widenHalves(halves: Uint16Array): Float32Array {
  halfBits ??= Uint32Array.from({ length: 1 << 16 }, (_, half) => widenHalf(half))
  const table = halfBits
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]!]!
  return new Float32Array(bits.buffer)
}

let halfBits: Uint32Array | undefined

/** The bits of the 32-bit float equal to a 16-bit one (1 sign, 5 exponent, 10 fraction bits). */
function widenHalf(half: number): number {
  const sign = (half >>> 15) << 31
  const exponent = (half >>> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0
  if (fraction === 0) return sign >>> 0
  // A subnormal half is a normal float: move the leading one to the hidden bit.
  const shift = Math.clz32(fraction) - 21
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13)) >>> 0
}

/** SHA-256 of named texts, hex. */
export function hashTexts(texts: Readonly<Record<string, string>>, hash = createHash('sha256')): Hash {
  for (const [name, text] of Object.entries(texts)) hash.update(`${name} ${Buffer.byteLength(text)}\n`).update(text)
  return hash
}

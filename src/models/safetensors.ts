import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { modelError } from './errors.js'
import { damaged, elements, openFile, type RandomFile, readRange } from './files.js'
import { isObject, parseObject, readOptional } from './json.js'
import { type StoredTensor, type StoredType, type WeightFiles, widened } from './weight-source.js'

interface Entry {
  readonly file: RandomFile
  readonly type: string
  readonly shape: readonly number[]
  /** Absolute byte range in the file. */
  readonly begin: number
  readonly end: number
}

const bytesPer: Readonly<Record<StoredType, number>> = { F32: 4, F16: 2, BF16: 2 }

/**
 * Weights in the safetensors format: eight bytes with the length of a JSON header, the header, then the tensors, row-major and
 * little-endian (https://github.com/huggingface/safetensors). One file, or shards with an index. Tensors are read when they are
 * asked for, so no more than one copy is ever held here.
 */
export class Weights implements WeightFiles {
  readonly #entries = new Map<string, Entry>()
  readonly #files: RandomFile[] = []

  /** Opens FOLDER/model.safetensors, or the shards of FOLDER/model.safetensors.index.json where it is not there. Throws M003, M004, M007. */
  static async open(folder: string): Promise<Weights> {
    const weights = new Weights()
    try {
      for (const name of await filesOf(folder)) await weights.#add(join(folder, name))
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

  get files(): readonly RandomFile[] {
    return this.#files
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /** A tensor as 32-bit floats; the conversion is exact. Throws M007, M008. */
  async read(name: string, shape: readonly number[]): Promise<Float32Array> {
    return widened(await this.readStored(name, shape))
  }

  async readRow(name: string, shape: readonly [number, number], row: number): Promise<Float32Array> {
    const { file, begin, type } = this.#stored(name, shape)
    const bytes = shape[1] * bytesPer[type]
    return widened({ type, data: await readRange(file, begin + row * bytes, begin + (row + 1) * bytes) })
  }

  /** A tensor as it is stored. Throws M007, M008. */
  async readStored(name: string, shape: readonly number[]): Promise<StoredTensor> {
    const entry = this.#stored(name, shape)
    return { type: entry.type, data: await readEntry(entry, name, bytesPer[entry.type]) }
  }

  #stored(name: string, shape: readonly number[]): Entry & { readonly type: StoredType } {
    const entry = this.#entry(name)
    if (entry.shape.join() !== shape.join()) {
      throw modelError(
        'M008',
        `${basename(entry.file.path)}: ${name} has shape [${entry.shape.join(', ')}], expected [${shape.join(', ')}]`,
        'config.json describes another model than the weights; take both from one place',
      )
    }
    if (!(entry.type in bytesPer)) throw wrongType(entry, name, 'F32, F16 or BF16')
    return entry as Entry & { readonly type: StoredType }
  }

  /** Sizes of a tensor. Throws M008. */
  shapeOf(name: string): readonly number[] {
    return this.#entry(name).shape
  }

  /** A list of numbers of this type and size, as it is stored. Throws M007, M008. */
  async readList(name: string, type: 'U32' | 'F16', size: number): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.#entry(name)
    if (entry.type !== type || entry.shape.join() !== `${size}`) throw wrongType(entry, name, `${size} of ${type}`)
    return readEntry(entry, name, type === 'U32' ? 4 : 2)
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name)
    if (entry) return entry
    throw modelError(
      'M008',
      `the weights hold no tensor ${name}`,
      'the weights and config.json must come from one model; fetch both again',
    )
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

function wrongType({ file, type }: Entry, name: string, expected: string) {
  return modelError(
    'M008',
    `${basename(file.path)}: ${name} is stored as ${type}, expected ${expected}`,
    'convert the weights to one of these types',
  )
}

async function readEntry({ file, shape, begin, end }: Entry, name: string, width: number): Promise<Uint8Array<ArrayBuffer>> {
  const expected = elements(shape) * width
  if (end - begin !== expected) throw damaged(file.path, `${name} takes ${end - begin} bytes, expected ${expected}`)
  return readRange(file, begin, end)
}

async function readHeader(file: RandomFile): Promise<Map<string, Entry>> {
  if (file.size < 8) throw damaged(file.path, `it has ${file.size} bytes, and the header alone needs more`)
  const prefix = await readRange(file, 0, 8)
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true))
  const dataStart = 8 + length
  if (dataStart > file.size) throw damaged(file.path, `its header should end at byte ${dataStart}, but the file has ${file.size}`)
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
      throw damaged(file.path, `its header does not describe ${name} by dtype, shape and data_offsets`)
    }
    const begin = dataStart + offsets[0]!
    const end = dataStart + offsets[1]!
    if (end > file.size) throw damaged(file.path, `${name} should end at byte ${end}, but the file has ${file.size}`)
    entries.set(name, { file, type: dtype, shape, begin, end })
  }
  return entries
}

/** The names of the weights files of a folder. Throws M003 when one of them is not there. */
async function filesOf(folder: string): Promise<string[]> {
  const there = new Set(await readdir(folder).catch(() => []))
  if (there.has('model.safetensors')) return ['model.safetensors']
  const path = join(folder, 'model.safetensors.index.json')
  const index = await readOptional(path)
  const shards = index === null ? ['model.safetensors'] : shardsOf(index, path)
  const missing = shards.find((name) => !there.has(name))
  if (missing === undefined) return shards
  const pickled = [...there].some((name) => /^pytorch_model.*\.bin$/.test(name))
  throw modelError(
    'M003',
    `${join(folder, missing)} does not exist${index === null ? '' : ', and model.safetensors.index.json names it'}`,
    index !== null
      ? 'fetch it too, for the model lies in all the files that the index names; `smcc models pull` fetches what the cache of the hub lacks'
      : pickled
        ? pickledHint
        : 'a model folder holds config.json, tokenizer.json and model.safetensors; model.safetensors holds the weights',
  )
}

/** What to do with a model that has its weights in pytorch_model.bin alone. */
export const pickledHint =
  'it has weights in the pickle format of PyTorch, which can hold code and is not read: load it once with transformers, save it with save_pretrained(FOLDER), and name the folder'

function shardsOf(text: string, path: string): string[] {
  const map = parseObject(text, path).weight_map
  if (!isObject(map)) throw damaged(path, 'it has no weight_map')
  const names = new Set<string>()
  for (const name of Object.values(map)) {
    if (typeof name !== 'string' || name !== basename(name))
      throw damaged(path, 'its weight_map does not name files of the same folder')
    names.add(name)
  }
  return [...names].sort()
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0)
}

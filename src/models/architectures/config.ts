import { modelError } from '../errors.js'
import { isObject, type JsonObject } from '../json.js'
import type { Activation } from './shape.js'

type Scalar = string | number | boolean | null

const activations: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'geluTanh',
  gelu_fast: 'geluTanh',
  gelu_accurate: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  quick_gelu: 'geluQuick',
  relu: 'relu',
}

/** Layers or tokens of one model. */
export const mostListed = 1 << 22

/** Typed access to config.json. Every getter throws M006. null counts as absent, as Hugging Face reads it. */
export class ConfigReader {
  constructor(
    private readonly config: JsonObject,
    private readonly path: string,
    /** Where in the file the object stands, for messages: "rope_scaling." */
    private readonly place = '',
  ) {}

  /** The same file where keys that it leaves out have these values; a null that it states stays. */
  over(defaults: JsonObject): ConfigReader {
    return new ConfigReader({ ...defaults, ...this.config }, this.path, this.place)
  }

  /** A positive integer. */
  count(key: string, fallback?: number): number {
    const value = this.get(key) ?? fallback
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    throw this.#unexpected(key, 'a positive integer', value)
  }

  /** Of layers or tokens, which are listed: a damaged file may tell more than there is room for. */
  listed(key: string, fallback?: number): number {
    const count = this.count(key, fallback)
    if (count <= mostListed) return count
    throw this.#unexpected(key, `at most ${mostListed}`, count)
  }

  /** A number that can be computed with in 32 bits. */
  positive(key: string, fallback?: number): number {
    const value = this.get(key) ?? fallback
    if (typeof value === 'number' && Number.isFinite(Math.fround(value)) && value > 0) return value
    throw this.#unexpected(key, 'a positive number', value)
  }

  /** A positive number, or null when there is none. */
  optional(key: string): number | null {
    return this.get(key) === null ? null : this.positive(key)
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.get(key) ?? fallback
    if (typeof value === 'boolean') return value
    throw this.#unexpected(key, 'true or false', value)
  }

  /** An option of which only some values can be run; absent and null are read as `allowed[0]`. */
  only(key: string, ...allowed: readonly Scalar[]): void {
    const value = this.get(key) ?? allowed[0]
    if (!allowed.some((entry) => entry === value))
      throw this.#unexpected(key, allowed.map((entry) => JSON.stringify(entry)).join(' or '), value)
  }

  activation(key: string, fallback?: string): Activation {
    const value = this.get(key) ?? fallback
    const known = typeof value === 'string' && Object.hasOwn(activations, value) ? activations[value] : undefined
    if (known) return known
    throw this.#unexpected(key, Object.keys(activations).join(' or '), value)
  }

  /** The object under a key, or null. */
  within(key: string): ConfigReader | null {
    const value = this.get(key)
    if (value === null) return null
    if (!isObject(value)) throw this.#unexpected(key, 'an object', value)
    return new ConfigReader(value, this.path, `${this.place}${key}.`)
  }

  /** A fact about several keys that must hold. */
  require(holds: boolean, fact: string): void {
    if (!holds) throw modelError('M006', `${this.path}: ${fact}`, 'fetch config.json again, or choose another model')
  }

  /** The value as it stands; null when absent. */
  get(key: string): unknown {
    return this.config[key] ?? null
  }

  #unexpected(key: string, expected: string, found: unknown) {
    return modelError(
      'M006',
      `${this.path}: ${this.place}${key}: expected ${expected}, found ${JSON.stringify(found) ?? 'nothing'}`,
      'this version cannot run a model with that setting; choose another model',
    )
  }
}

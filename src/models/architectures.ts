import { modelError } from './errors.js'
import type { JsonObject } from './json.js'
import { llama } from './llama.js'

/** The sizes that fix a decoder-only transformer with rotary positions, grouped-query attention and a gated MLP. */
export interface DecoderShape {
  readonly family: string
  readonly layers: number
  /** Width of the residual stream. */
  readonly width: number
  readonly heads: number
  /** Key and value heads; `heads` is a multiple. */
  readonly keyValueHeads: number
  readonly headWidth: number
  /** Width inside the MLP. */
  readonly inner: number
  readonly vocabulary: number
  readonly context: number
  /** Added to the mean square in every norm. */
  readonly epsilon: number
  /** Angle of position t, pair i: t · inverseFrequencies[i]; headWidth / 2 numbers. */
  readonly inverseFrequencies: readonly number[]
  /** Whether the output embedding is the input embedding. */
  readonly tied: boolean
  readonly attentionBias: boolean
  readonly mlpBias: boolean
}

/** Names of a matrix [out, in] and, where the shape says so, its bias [out]. */
export interface LinearName {
  readonly weight: string
  readonly bias: string
}

export interface LayerNames {
  readonly attentionNorm: string
  readonly query: LinearName
  readonly key: LinearName
  readonly value: LinearName
  readonly attentionOutput: LinearName
  readonly mlpNorm: string
  readonly gate: LinearName
  readonly up: LinearName
  readonly down: LinearName
}

/** A family of models: how its config.json gives the shape, and what its tensors are called. */
export interface Family {
  readonly name: string
  shape(config: ConfigReader): DecoderShape
  readonly embedding: string
  readonly finalNorm: string
  readonly output: string
  layer(index: number): LayerNames
}

/** `model_type` of config.json -> family. A family with the same blocks is one more description here. */
export const families: Readonly<Record<string, Family>> = { llama }

/** The family and shape that a config.json describes. Throws M005, M006. */
export function describe(config: JsonObject, path: string): { family: Family; shape: DecoderShape } {
  const type = config.model_type
  const family = typeof type === 'string' && Object.hasOwn(families, type) ? families[type] : undefined
  if (!family) {
    throw modelError(
      'M005',
      `${path}: models of type ${typeof type === 'string' ? `"${type}"` : 'unknown'} are not supported`,
      `this version runs the ${Object.keys(families).join(', ')} family`,
    )
  }
  return { family, shape: family.shape(new ConfigReader(config, path)) }
}

/** Typed access to config.json. Every getter throws M006. */
export class ConfigReader {
  constructor(
    private readonly config: JsonObject,
    private readonly path: string,
  ) {}

  /** A positive integer. */
  count(key: string, fallback?: number): number {
    const value = this.config[key] ?? fallback
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    throw this.#unexpected(key, 'a positive integer', value)
  }

  positive(key: string, fallback?: number): number {
    const value = this.config[key] ?? fallback
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    throw this.#unexpected(key, 'a positive number', value)
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.config[key] ?? fallback
    if (typeof value === 'boolean') return value
    throw this.#unexpected(key, 'true or false', value)
  }

  /** An option of which only some values can be run; absent and null are read as `allowed[0]`. */
  only(key: string, ...allowed: readonly (string | number | boolean | null)[]): void {
    const value = this.config[key] ?? allowed[0]
    if (!allowed.some((entry) => entry === value))
      throw this.#unexpected(key, allowed.map((entry) => JSON.stringify(entry)).join(' or '), value)
  }

  /** A fact about several keys that must hold. */
  require(holds: boolean, fact: string): void {
    if (!holds) throw modelError('M006', `${this.path}: ${fact}`, 'fetch config.json again, or choose another model')
  }

  get(key: string): unknown {
    return this.config[key]
  }

  #unexpected(key: string, expected: string, found: unknown) {
    return modelError(
      'M006',
      `${this.path}: ${key}: expected ${expected}, found ${JSON.stringify(found) ?? 'nothing'}`,
      'this version cannot run a model with that setting; choose another model',
    )
  }
}

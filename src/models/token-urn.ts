import { nothing, stopped } from './model.js'
import type { DrawKey, Randomness } from './randomness.js'

/** Tokens of one block of the two-level draw. */
const block = 64
/** Numbers that one try consumes: whether it stops, the block, the token inside. */
const numbersATry = 3

/**
 * The tokens that a posterior may give next, drawn without replacement: each with probability proportional to its mass among those that
 * are left. A stop is one of them where the posterior may stop.
 */
export class TokenUrn {
  readonly #masses: Float64Array | Float32Array
  /** Sums of 64 masses, formed anew when one is taken out: no difference of nearly equal sums. */
  readonly #blocks: Float64Array
  readonly #scale: number
  #stopMass: number
  #tries = 0

  /**
   * @param masses of every token, relative to exp(scale); 0 for those that may not come. The urn takes them out of this array.
   * @param scale log of the unit of `masses`
   * @param logStop log mass of a stop; -Infinity when it may not stop
   */
  constructor(masses: Float64Array | Float32Array, scale: number, logStop: number) {
    this.#masses = masses
    this.#scale = scale
    this.#stopMass = Math.exp(logStop - scale)
    this.#blocks = new Float64Array(Math.ceil(masses.length / block))
    for (let i = 0; i < this.#blocks.length; i++) this.#add(i)
  }

  /** log of the mass that is left; -Infinity when the urn is empty. */
  get logMass(): number {
    let total = this.#stopMass
    for (const mass of this.#blocks) total += mass
    return this.#scale + Math.log(total)
  }

  /** Takes one out: a token, `stopped`, or `nothing` when the urn is empty; with the log of its mass. */
  take(random: Randomness, key: DrawKey): { readonly token: number; readonly logMass: number } {
    const attempt = numbersATry * this.#tries++
    let total = 0
    for (const mass of this.#blocks) total += mass
    if (this.#stopMass > 0) {
      const stops = total === 0 || random.index([this.#stopMass, total], key, attempt + 2) === 0
      if (stops) {
        const logMass = this.#scale + Math.log(this.#stopMass)
        this.#stopMass = 0
        return { token: stopped, logMass }
      }
    }
    if (!(total > 0)) return { token: nothing, logMass: -Infinity }
    const which = this.#blocks.length === 1 ? 0 : random.index(this.#blocks, key, attempt)
    const inside = this.#masses.subarray(which * block, (which + 1) * block)
    const index = random.index(inside, key, attempt + 1)
    const logMass = this.#scale + Math.log(inside[index]!)
    inside[index] = 0
    this.#add(which)
    return { token: which * block + index, logMass }
  }

  /** Takes a given token out, or a stop; the log of its mass, -Infinity where the urn does not hold it. */
  remove(token: number): number {
    if (token === stopped) {
      const mass = this.#stopMass
      this.#stopMass = 0
      return this.#scale + Math.log(mass)
    }
    const mass = this.#masses[token] ?? 0
    this.#set(token, 0)
    return this.#scale + Math.log(mass)
  }

  /** Puts a token back, or a stop, with the log of the mass that it had. */
  put(token: number, logMass: number): void {
    const mass = Math.exp(logMass - this.#scale)
    if (token === stopped) this.#stopMass = mass
    else this.#set(token, mass)
  }

  #set(token: number, mass: number): void {
    if (!(token >= 0 && token < this.#masses.length)) return
    this.#masses[token] = mass
    this.#add(Math.floor(token / block))
  }

  #add(which: number): void {
    let sum = 0
    const end = Math.min(this.#masses.length, (which + 1) * block)
    for (let i = which * block; i < end; i++) sum += this.#masses[i]!
    this.#blocks[which] = sum
  }
}

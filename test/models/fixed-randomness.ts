import type { DrawKey, Randomness } from '../../src/models/randomness.js'

/** Uniforms that a test chooses: a function of the key's slot and draw, and of the attempt. */
export function uniforms(choose: (key: DrawKey, attempt: number) => number): Randomness {
  return {
    uniform: choose,
    index(weights, key) {
      const all = Array.from(weights)
      const threshold = choose(key, 0) * all.reduce((a, b) => a + b, 0)
      let sum = 0
      return all.findIndex((weight) => (sum += weight) > threshold)
    },
    resampling() {
      throw new Error('a model does not resample')
    },
  }
}

/** Numbers that look random and depend on the key alone (splitmix32). */
export const hashed = uniforms(({ slot, generation, draw }, attempt) => {
  let z = (slot * 0x9e3779b1 + generation * 0x85ebca6b + draw * 0xc2b2ae35 + attempt * 0x27d4eb2f) >>> 0
  for (const multiplier of [0x21f0aaad, 0x735a2d97]) z = Math.imul(z ^ (z >>> 16), multiplier) >>> 0
  return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32 + 2 ** -33
})

export const key = (slot: number, draw = 0): DrawKey => ({ slot, generation: 0, draw })

import { type EnumerationOptions, enumerate } from '../../src/infer/enumerate.js'
import type { Randomness } from '../../src/models/randomness.js'

/** E[run]. Throws where the paths' probabilities do not sum to 1. */
export async function expectation(
  run: (random: Randomness) => number | Promise<number>,
  options: EnumerationOptions = {},
): Promise<number> {
  let total = 0
  let sum = 0
  for await (const { probability, result } of enumerate(run, options)) {
    total += probability
    sum += probability * result
  }
  if (Math.abs(total - 1) > 1e-9) throw new Error(`the paths have probability ${total} in all`)
  return sum
}

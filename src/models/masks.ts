import type { DenseTensor } from '../tensor/session.js'
import { hiddenScore } from './trunk.js'

/** What a call of the trunk runs over; letters as in `trunk-graph.ts`. */
export interface CallSizes {
  /** Tokens that each row holds behind the prompt. */
  readonly filled: Int32Array
  readonly steps: number
  readonly P: number
  readonly T: number
}

/** Adds the masks of window number `w` to the inputs of a call. Masks that need no window are small and are broadcast. */
export function maskFeeds(feeds: Record<string, DenseTensor>, w: number, window: number, sizes: CallSizes): void {
  const { filled, steps, P, T } = sizes
  const rows = filled.length
  const fresh = new Float32Array(steps * steps)
  for (let step = 0; step < steps; step++) {
    fresh.fill(hiddenScore, step * steps + step + 1, (step + 1) * steps)
    fresh.fill(hiddenScore, step * steps, step * steps + Math.max(0, step - window + 1))
  }
  feeds[`newMask.${w}`] = { data: fresh, shape: [1, steps, 1, 1, steps] }

  // The last query of the longest row decides whether anything has left the window.
  const longest = P + filled.reduce((most, count) => Math.max(most, count), 0) + steps
  const narrow = longest > window
  const queries = narrow ? steps : 1
  const past = new Float32Array(rows * queries * T)
  for (let row = 0; row < rows; row++) {
    for (let query = 0; query < queries; query++) {
      const begin = (row * queries + query) * T
      past.fill(hiddenScore, begin + filled[row]!, begin + T)
      if (narrow) past.fill(hiddenScore, begin, begin + left(filled[row]! + query - window, T))
    }
  }
  feeds[`pastMask.${w}`] = { data: past, shape: [rows, queries, 1, 1, T] }

  if (!Number.isFinite(window)) return
  const prompt = new Float32Array(narrow ? rows * steps * P : P)
  if (narrow) {
    for (let row = 0; row < rows; row++) {
      for (let query = 0; query < steps; query++) {
        const begin = (row * steps + query) * P
        prompt.fill(hiddenScore, begin, begin + left(P + filled[row]! + query - window, P))
      }
    }
  }
  feeds[`promptMask.${w}`] = { data: prompt, shape: narrow ? [rows, steps, 1, 1, P] : [1, 1, 1, 1, P] }
}

/** How many of `count` keys have left the window, when `last` is the index of the latest one that has. */
function left(last: number, count: number): number {
  return Math.max(0, Math.min(count, last + 1))
}

import type { DenseTensor } from '../tensor/session.js'
import { hiddenScore } from './trunk.js'

/** What a call of the trunk runs over; letters as in `trunk-graph.ts`. */
export interface CallSizes {
  /** Tokens that each row holds behind the prompt. */
  readonly filled: Int32Array
  readonly steps: number
  readonly group: number
  readonly P: number
  readonly T: number
}

/** Adds the masks of window number `w` to the inputs of a call. Masks that need no window are small and are broadcast. */
export function maskFeeds(feeds: Record<string, DenseTensor>, w: number, window: number, sizes: CallSizes): void {
  const { filled, steps, group, P, T } = sizes
  const rows = filled.length
  const queries = group * steps
  const fresh = new Float32Array(queries * steps)
  for (let query = 0; query < queries; query++) {
    const step = query % steps
    fresh.fill(hiddenScore, query * steps + step + 1, (query + 1) * steps)
    fresh.fill(hiddenScore, query * steps, query * steps + Math.max(0, step - window + 1))
  }
  feeds[`newMask.${w}`] = { data: fresh, shape: [1, 1, queries, steps] }

  // The last query of the longest row decides whether anything has left the window.
  const longest = P + filled.reduce((most, count) => Math.max(most, count), 0) + steps
  const narrow = longest > window
  const perQuery = narrow ? queries : 1
  const past = new Float32Array(rows * perQuery * T)
  for (let row = 0; row < rows; row++) {
    for (let query = 0; query < perQuery; query++) {
      const begin = (row * perQuery + query) * T
      past.fill(hiddenScore, begin + filled[row]!, begin + T)
      if (narrow) past.fill(hiddenScore, begin, begin + left(filled[row]! + (query % steps) - window, T))
    }
  }
  feeds[`pastMask.${w}`] = { data: past, shape: [rows, 1, perQuery, T] }

  if (!Number.isFinite(window)) return
  const prompt = new Float32Array(narrow ? rows * queries * P : P)
  if (narrow) {
    for (let row = 0; row < rows; row++) {
      for (let query = 0; query < queries; query++) {
        const begin = (row * queries + query) * P
        prompt.fill(hiddenScore, begin, begin + left(P + filled[row]! + (query % steps) - window, P))
      }
    }
  }
  feeds[`promptMask.${w}`] = { data: prompt, shape: narrow ? [rows, 1, queries, P] : [1, 1, 1, P] }
}

/** How many of `count` keys have left the window, when `last` is the index of the latest one that has. */
function left(last: number, count: number): number {
  return Math.max(0, Math.min(count, last + 1))
}

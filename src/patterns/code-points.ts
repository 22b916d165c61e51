/** Inclusive ranges of code points that do not overlap. */
export type CodePoints = readonly { readonly min: number; readonly max: number }[]

/**
 * The code points cut into classes that no set of a list tells apart. Class numbers run from 0; surrogates, which no text in UTF-8 holds,
 * and code points outside every set have none.
 */
export interface Partition {
  /** The first code point of each stretch, from 0. */
  readonly starts: readonly number[]
  /** The class of each stretch; -1 for none. */
  readonly classes: readonly number[]
  readonly count: number
  /** For each set, its classes. */
  readonly members: readonly (readonly number[])[]
}

export const codePointLimit = 0x110000
const surrogates = { min: 0xd800, max: 0xdfff }

export function partition(sets: readonly CodePoints[]): Partition {
  /** For each point where a set begins or ends, the sets that do. */
  const turns = new Map<number, number[]>([[0, []]])
  const turn = (at: number, set: number) => {
    const there = turns.get(at)
    if (there) there.push(set)
    else turns.set(at, [set])
  }
  for (const [i, set] of [[surrogates], ...sets].entries()) {
    for (const { min, max } of set) {
      turn(min, i)
      turn(max + 1, i)
    }
  }
  turns.delete(codePointLimit)
  const starts = [...turns.keys()].sort((a, b) => a - b)
  const inside = new Set<number>()
  const known = new Map<string, number>()
  const members: number[][] = sets.map(() => [])
  const classes = starts.map((start) => {
    for (const set of turns.get(start)!) if (!inside.delete(set)) inside.add(set)
    if (inside.has(0) || inside.size === 0) return -1
    const key = [...inside].sort((a, b) => a - b).join()
    let number = known.get(key)
    if (number === undefined) {
      known.set(key, (number = known.size))
      for (const set of inside) members[set - 1]!.push(number)
    }
    return number
  })
  return { starts, classes, count: known.size, members }
}

/**
 * The candidate that a misspelt name most likely means, for "did you mean `particles`?"; undefined when none is near:
 * more than a third of the letters would have to change. Ties go to the earlier candidate.
 */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  const given = [...name]
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    if (candidate === name) continue
    const letters = [...candidate]
    const limit = Math.max(1, Math.floor(Math.max(given.length, letters.length) / 3))
    if (Math.abs(given.length - letters.length) > limit || letters.length < 2) continue
    const distance = editDistance(given, letters)
    if (distance <= limit && distance < Math.max(given.length, letters.length) && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/**
 * Optimal string alignment distance (Damerau 1964, each substring edited at most once): insertions, deletions,
 * substitutions and swaps of neighbours cost 1; a change of case alone costs a half.
 */
export function editDistance(from: readonly string[], to: readonly string[]): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, j) => j)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const a = from[i - 1]!
      const b = to[j - 1]!
      const change = a === b ? 0 : a.toLowerCase() === b.toLowerCase() ? 0.5 : 1
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change)
      if (i > 1 && j > 1 && a === to[j - 2] && from[i - 2] === b) cost = Math.min(cost, beforeLast[j - 2]! + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[to.length]!
}

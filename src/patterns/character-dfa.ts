import type { CodePoints, Partition } from './code-points.js'
import { codePointLimit } from './code-points.js'
import { minimise } from './minimise.js'
import { alive, type Dfa } from './regex-dfa.js'
import { TooLarge } from './regex-nfa.js'

/** An automaton over characters: `dfa` over the classes of `alphabet`. */
export interface CharacterDfa {
  readonly dfa: Dfa
  readonly alphabet: Partition
}

const stateLimit = 20_000

/** The texts of the first that belong (`and`) or do not belong (`andNot`) to the second. */
export function combined(first: CharacterDfa, how: 'and' | 'andNot', second: CharacterDfa): CharacterDfa {
  const { alphabet, pairs } = common(first.alphabet, second.alphabet)
  const numbers = new Map<string, number>()
  const states: { readonly a: number; readonly b: number }[] = []
  const enter = (a: number, b: number): number => {
    const key = `${a} ${b}`
    let state = numbers.get(key)
    if (state === undefined) {
      if (states.length >= stateLimit) throw new TooLarge()
      numbers.set(key, (state = states.push({ a, b }) - 1))
    }
    return state
  }
  const rows: Int32Array[] = []
  // The second runs on in a dead state, -1, where only its absence counts.
  if (first.dfa.size > 0 && (second.dfa.size > 0 || how === 'andNot')) enter(0, second.dfa.size > 0 ? 0 : -1)
  for (let state = 0; state < states.length; state++) {
    const { a, b } = states[state]!
    rows.push(
      Int32Array.from(pairs, ([x, y]) => {
        const next = step(first.dfa, a, x)
        const other = step(second.dfa, b, y)
        return next < 0 || (how === 'and' && other < 0) ? -1 : enter(next, other)
      }),
    )
  }
  const accepting = states.map(({ a, b }) => {
    const inSecond = b >= 0 && second.dfa.accepting[b] === 1
    return first.dfa.accepting[a] === 1 && inSecond === (how === 'and') ? 1 : 0
  })
  return { dfa: minimise(alive(rows, accepting, pairs.length)), alphabet }
}

/** The arrows of a state, those to one state as one. */
export function arrowsOf({ dfa, alphabet }: CharacterDfa, state: number): { readonly set: CodePoints; readonly to: number }[] {
  const sets = new Map<number, { min: number; max: number }[]>()
  for (const [i, min] of alphabet.starts.entries()) {
    const to = step(dfa, state, alphabet.classes[i]!)
    if (to < 0) continue
    const max = (alphabet.starts[i + 1] ?? codePointLimit) - 1
    const set = sets.get(to)
    const last = set?.at(-1)
    if (!set) sets.set(to, [{ min, max }])
    else if (last?.max === min - 1) last.max = max
    else set.push({ min, max })
  }
  return [...sets].map(([to, set]) => ({ set, to }))
}

function step(dfa: Dfa, state: number, each: number): number {
  return state < 0 || each < 0 ? -1 : dfa.table[state * dfa.classes + each]!
}

/** One partition for both, and the pair of classes that each of its classes stands for; -1 for a class of only one. */
function common(a: Partition, b: Partition): { alphabet: Partition; pairs: readonly (readonly [number, number])[] } {
  const starts = [...new Set([...a.starts, ...b.starts])].sort((x, y) => x - y)
  const pairs: [number, number][] = []
  const known = new Map<string, number>()
  let i = -1
  let j = -1
  const classes = starts.map((start) => {
    if (a.starts[i + 1] === start) i++
    if (b.starts[j + 1] === start) j++
    const pair: [number, number] = [a.classes[i]!, b.classes[j]!]
    if (pair[0] < 0 && pair[1] < 0) return -1
    const key = pair.join()
    let number = known.get(key)
    if (number === undefined) known.set(key, (number = pairs.push(pair) - 1))
    return number
  })
  return { alphabet: { starts, classes, count: pairs.length, members: [] }, pairs }
}

import type { CharacterDfa } from './character-dfa.js'
import { minimise } from './minimise.js'
import { alive } from './regex-dfa.js'
import { TooLarge } from './regex-nfa.js'

/** Classes of the alphabet: the digits, the sign and the point. */
const minus = 10
const point = 11
const alphabet = {
  starts: [0, 0x2d, 0x2e, 0x2f, ...Array.from({ length: 10 }, (_, digit) => 0x30 + digit), 0x3a],
  classes: [-1, minus, point, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1],
  count: 12,
  members: [],
}

const stateLimit = 20_000

/**
 * Decimals, with a sign or without, that are whole multiples of `unit` / 10^`places`, exactly. A state is the remainder of the digits so far
 * and how many stand behind the point: -1 before it, `places` and more alike, because only zeros may follow there.
 */
export function multiplesOf(unit: number, places: number): CharacterDfa {
  if (!Number.isSafeInteger(unit) || unit * (places + 2) > stateLimit) throw new TooLarge()
  const state = (remainder: number, behind: number) => 1 + (behind + 1) * unit + remainder
  const rows: Int32Array[] = []
  const accepting: number[] = []
  const add = (remainder: number, behind: number, isStart: boolean) => {
    const row = new Int32Array(alphabet.count).fill(-1)
    for (let digit = 0; digit < 10; digit++) {
      if (behind === places && digit > 0) continue
      row[digit] =
        behind === places ? state(remainder, behind) : state((10 * remainder + digit) % unit, behind + (behind < 0 ? 0 : 1))
    }
    if (isStart) row[minus] = state(0, -1)
    else if (behind < 0) row[point] = state(remainder, 0)
    rows.push(row)
    const missing = places - Math.max(behind, 0)
    accepting.push(!isStart && (remainder * 10 ** missing) % unit === 0 ? 1 : 0)
  }
  add(0, -1, true)
  for (let behind = -1; behind <= places; behind++) for (let r = 0; r < unit; r++) add(r, behind, false)
  return { dfa: minimise(alive(rows, accepting, alphabet.count)), alphabet }
}

import type { Dfa } from './regex-dfa.js'

/**
 * The smallest automaton of the same language (Hopcroft 1971): blocks of states are split by which of them a class leads into a block,
 * always with the smaller half, until no block can be split. Start stays state 0.
 */
export function minimise(dfa: Dfa): Dfa {
  const { size, classes, table, accepting } = dfa
  if (size === 0) return dfa
  // States before each state by class, with a dead state `size` so that the automaton is complete.
  const total = size + 1
  const next = (state: number, each: number) => (state === size ? -1 : table[state * classes + each]!)
  const before: number[][] = Array.from({ length: total * classes }, () => [])
  for (let state = 0; state < total; state++) {
    for (let each = 0; each < classes; each++) {
      const to = next(state, each)
      before[(to < 0 ? size : to) * classes + each]!.push(state)
    }
  }
  const blocks: number[][] = [[], []]
  const blockOf = new Int32Array(total)
  const placeOf = new Int32Array(total)
  for (let state = 0; state < total; state++) {
    const block = state < size && accepting[state] ? 1 : 0
    blockOf[state] = block
    placeOf[state] = blocks[block]!.push(state) - 1
  }
  const waiting: number[] = [1]
  const isWaiting: boolean[] = [false, true]
  for (let splitter = waiting.pop(); splitter !== undefined; splitter = waiting.pop()) {
    isWaiting[splitter] = false
    const members = [...blocks[splitter]!]
    for (let each = 0; each < classes; each++) {
      /** For each block, its states that `each` leads into the splitter. */
      const touched = new Map<number, number[]>()
      for (const member of members) {
        for (const state of before[member * classes + each]!) {
          const block = blockOf[state]!
          const states = touched.get(block)
          if (states) states.push(state)
          else touched.set(block, [state])
        }
      }
      for (const [block, states] of touched) {
        const from = blocks[block]!
        if (states.length === from.length) continue
        const part = blocks.length
        for (const state of states) {
          const last = from.pop()!
          if (last !== state) {
            from[placeOf[state]!] = last
            placeOf[last] = placeOf[state]!
          }
          blockOf[state] = part
        }
        blocks.push(states)
        for (const [place, state] of states.entries()) placeOf[state] = place
        const split = isWaiting[block] || states.length <= from.length ? part : block
        isWaiting.push(false)
        isWaiting[split] = true
        waiting.push(split)
      }
    }
  }
  const numbers = new Map<number, number>([[blockOf[0]!, 0]])
  const first: number[] = [0]
  for (let state = 0; state < size; state++) {
    const block = blockOf[state]!
    if (!numbers.has(block)) numbers.set(block, first.push(state) - 1)
  }
  const rows = new Int32Array(first.length * classes)
  for (const [number, state] of first.entries()) {
    for (let each = 0; each < classes; each++) {
      const to = next(state, each)
      rows[number * classes + each] = to < 0 ? -1 : numbers.get(blockOf[to]!)!
    }
  }
  return { size: first.length, classes, table: rows, accepting: Uint8Array.from(first, (state) => accepting[state]!) }
}

import { type Nfa, TooLarge } from './regex-nfa.js'

/** An automaton over classes of code points in which every state is reached and can still reach a full match. */
export interface Dfa {
  /** Number of states; 0 when nothing matches. The start is state 0. */
  readonly size: number
  readonly classes: number
  /** The state after each class, -1 for none. (size, classes) */
  readonly table: Int32Array
  readonly accepting: Uint8Array
}

const stateLimit = 20_000
/** Steps over nodes and arrows. */
const workLimit = 100_000_000

/**
 * The subset construction. A state is the context of the last character and, for each node where the text can stand, the contexts that
 * the next character may make there: assertions to the right are kept as such a promise until the next character keeps it or not.
 */
export function determinise(nfa: Nfa): Dfa {
  const { nodes, contexts, edge, final } = nfa
  const classes = contexts.length
  // The context before a position matters only where an arrow asks for it.
  const asksBehind = nodes.some(({ empty }) => empty.some(({ behind }) => behind !== -1))
  const states: { readonly places: readonly number[]; readonly promises: readonly number[] }[] = []
  const accepting: number[] = []
  const known = new Map<string, number>()
  const promised = new Int32Array(nodes.length)
  let work = 0

  /** The state of the nodes that a character has led to. */
  const enter = (kernel: Iterable<number>, context: number): number => {
    const waiting: number[] = []
    const reached: number[] = []
    const promise = (place: number, ahead: number) => {
      if ((promised[place]! | ahead) === promised[place]) return
      if (promised[place] === 0) reached.push(place)
      promised[place]! |= ahead
      waiting.push(place)
    }
    for (const place of kernel) promise(place, -1)
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      work += 1 + nodes[place]!.empty.length
      if (work > workLimit) throw new TooLarge()
      for (const { to, behind, ahead } of nodes[place]!.empty) {
        if (behind & context) promise(to, promised[place]! & ahead)
      }
    }
    const accepts = (promised[final]! & edge) !== 0
    const places = reached.filter((place) => nodes[place]!.reads).sort((a, b) => a - b)
    const promises = places.map((place) => promised[place]!)
    for (const place of reached) promised[place] = 0
    const key = `${accepts ? 1 : 0} ${places.join()} ${promises.every((each) => each === -1) ? '' : promises.join()}`
    let state = known.get(key)
    if (state === undefined) {
      if (states.length >= stateLimit) throw new TooLarge()
      known.set(key, (state = states.length))
      states.push({ places, promises })
      accepting.push(accepts ? 1 : 0)
    }
    return state
  }

  enter([nfa.start], edge)
  const rows: Int32Array[] = []
  for (let state = 0; state < states.length; state++) {
    const { places, promises } = states[state]!
    const kernels: (Set<number> | undefined)[] = Array.from({ length: classes })
    for (const [i, place] of places.entries()) {
      const { classes: read, to } = nodes[place]!.reads!
      work += read.length
      for (const each of read) if (promises[i]! & contexts[each]!) (kernels[each] ??= new Set()).add(to)
    }
    const row = new Int32Array(classes).fill(-1)
    for (const [each, kernel] of kernels.entries()) if (kernel) row[each] = enter(kernel, asksBehind ? contexts[each]! : edge)
    rows.push(row)
  }
  return alive(rows, accepting, classes)
}

/** The automaton of these rows, one a state from the start on, without the states from which no match is reached. */
export function alive(rows: readonly Int32Array[], accepting: readonly number[], classes: number): Dfa {
  const before: number[][] = rows.map(() => [])
  for (const [state, row] of rows.entries()) for (const next of row) if (next >= 0) before[next]!.push(state)
  const living = new Uint8Array(rows.length)
  const waiting = accepting.flatMap((accepts, state) => (accepts ? [state] : []))
  for (const state of waiting) living[state] = 1
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    for (const each of before[state]!) {
      if (living[each]) continue
      living[each] = 1
      waiting.push(each)
    }
  }
  // The start is state 0: when it is dead nothing matches.
  const kept = living[0] ? rows.flatMap((_, state) => (living[state] ? [state] : [])) : []
  const numbers = new Int32Array(rows.length).fill(-1)
  for (const [number, state] of kept.entries()) numbers[state] = number
  const table = new Int32Array(kept.length * classes)
  for (const [number, state] of kept.entries()) {
    for (let each = 0; each < classes; each++) {
      const next = rows[state]![each]!
      table[number * classes + each] = next < 0 ? -1 : numbers[next]!
    }
  }
  return { size: kept.length, classes, table, accepting: Uint8Array.from(kept, (state) => accepting[state]!) }
}

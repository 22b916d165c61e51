import { type CodePoints, partition } from './code-points.js'
import { patternError } from './errors.js'
import { productive } from './grammar-facts.js'
import type { GrammarNodes } from './grammar-nodes.js'
import type { ByteAutomaton } from './pattern.js'
import { type Utf8Node, utf8Columns, utf8Tree } from './utf8.js'

/** Where rules that are open go on, innermost first. Equal stacks are one object. */
interface Stack {
  readonly id: number
  readonly node: number
  readonly outer: Stack | null
}

interface Place {
  readonly node: number
  readonly stack: Stack | null
}

/** All places where a text of whole characters can stand: those with an arrow that reads. */
interface Position {
  readonly id: number
  readonly places: readonly Place[]
  readonly accepting: boolean
  /** Bit k of word k >>> 5: whether a character of class k can come next. */
  readonly readable: Uint32Array
  /** The position after a character of each class, where it has been asked for. */
  readonly next: (Position | undefined)[]
}

/** A position, and how much of the next character was read. */
interface State {
  readonly position: Position
  readonly node: Utf8Node
  /** The state after each column of bytes: -1 dead, -2 not yet known. */
  readonly row: Int32Array
}

const placeLimit = 20_000
const stateLimit = 1_000_000

/**
 * The automaton of a grammar whose rules are `grammar.rules`, the first being the root; without left recursion. It has as many states as
 * texts lead to different places, so they are made when they are asked for and kept. Parts that nothing fits are left out, so that
 * every place can be completed: what is dead is known at once. A call in the last place of a rule leaves no trace on the stack, so that
 * lists that are written as recursion stay at one place. Its methods throw P003 when a text can be read in too many ways at once.
 */
export function grammarAutomaton(grammar: GrammarNodes): ByteAutomaton {
  const { nodes, rules } = grammar
  const good = productive(grammar)
  const keyOf = (set: CodePoints) => set.map(({ min, max }) => `${min}-${max}`).join()
  const sets = new Map(nodes.flatMap(({ reads }) => reads.map(({ set }) => [keyOf(set), set] as const)))
  const alphabet = partition([...sets.values()])
  const members = new Map([...sets.keys()].map((key, i) => [key, alphabet.members[i]!]))
  const live = nodes.map(({ empty, reads, calls }) => ({
    empty: empty.filter((to) => good.nodes[to]),
    reads: reads.filter(({ to }) => good.nodes[to]).map(({ set, to }) => ({ classes: members.get(keyOf(set))!, to })),
    calls: calls.filter(({ rule, to }) => good.nodes[to] && good.rules[rule]),
  }))
  const finals = new Set(rules.map(({ final }) => final))
  /** Whether nothing is left of a rule behind a node. */
  const over = (node: number): boolean => {
    for (let at = node; ; ) {
      if (finals.has(at)) return true
      const { empty, reads, calls } = live[at]!
      if (reads.length > 0 || calls.length > 0 || empty.length !== 1) return false
      at = empty[0]!
    }
  }
  const isLast = live.map((_, node) => good.nodes[node]! && over(node))
  const root = utf8Tree(alphabet)
  const { columns, width } = utf8Columns(root)
  const below = classesBelow(root, alphabet.count)

  const stacks = new Map<string, Stack>()
  const push = (node: number, outer: Stack | null): Stack => {
    const key = `${node} ${outer?.id ?? -1}`
    let stack = stacks.get(key)
    if (!stack) stacks.set(key, (stack = { id: stacks.size, node, outer }))
    return stack
  }
  const positions = new Map<string, Position>()
  /** The position of these places and all that are reached from them without reading. */
  const positionOf = (kernel: readonly Place[]): Position => {
    const seen = new Set<string>()
    const waiting: Place[] = []
    const reading: { readonly place: Place; readonly key: string }[] = []
    let accepting = false
    const enter = (node: number, stack: Stack | null) => {
      const key = `${node} ${stack?.id ?? -1}`
      if (seen.has(key)) return
      if (seen.size >= placeLimit) throw tooLarge()
      seen.add(key)
      const place = { node, stack }
      if (live[node]!.reads.length > 0) reading.push({ place, key })
      waiting.push(place)
    }
    for (const { node, stack } of kernel) enter(node, stack)
    for (let place = waiting.pop(); place; place = waiting.pop()) {
      const { node, stack } = place
      for (const to of live[node]!.empty) enter(to, stack)
      for (const { rule, to } of live[node]!.calls) enter(rules[rule]!.start, isLast[to] ? stack : push(to, stack))
      if (!finals.has(node)) continue
      if (stack) enter(stack.node, stack.outer)
      else accepting = true
    }
    const key = `${accepting ? 1 : 0} ${reading
      .map(({ key }) => key)
      .sort()
      .join()}`
    let position = positions.get(key)
    if (!position) {
      const places = reading.map(({ place }) => place)
      const readable = new Uint32Array(Math.ceil(alphabet.count / 32))
      for (const { node } of places) {
        for (const { classes } of live[node]!.reads) for (const each of classes) readable[each >>> 5]! |= 1 << (each & 31)
      }
      positions.set(key, (position = { id: positions.size, places, accepting, readable, next: [] }))
    }
    return position
  }
  const after = (position: Position, each: number): Position =>
    (position.next[each] ??= positionOf(
      position.places.flatMap(({ node, stack }) =>
        live[node]!.reads.filter(({ classes }) => classes.includes(each)).map(({ to }) => ({ node: to, stack })),
      ),
    ))

  const states: State[] = []
  const numbers = new Map<Position, Map<Utf8Node, number>>()
  const stateOf = (position: Position, node: Utf8Node): number => {
    let there = numbers.get(position)
    if (!there) numbers.set(position, (there = new Map()))
    let state = there.get(node)
    if (state === undefined) {
      if (states.length >= stateLimit) throw tooLarge()
      state = states.push({ position, node, row: new Int32Array(width).fill(-2) }) - 1
      there.set(node, state)
    }
    return state
  }
  const follow = ({ position, node }: State, byte: number): number => {
    const to = node.edges.find(({ min, max }) => min <= byte && byte <= max)?.to
    if (to === undefined) return -1
    if (typeof to === 'number') {
      const isReadable = (position.readable[to >>> 5]! >>> (to & 31)) & 1
      return isReadable ? stateOf(after(position, to), root) : -1
    }
    return below.get(to)!.some((word, i) => (word & position.readable[i]!) !== 0) ? stateOf(position, to) : -1
  }
  return {
    fewestBytes: good.fewestBytes,
    start: stateOf(positionOf([{ node: rules[0]!.start, stack: null }]), root),
    accepting: (state) => states[state]!.node === root && states[state]!.position.accepting,
    step: (state, byte) => {
      const from = states[state]!
      const column = columns[byte]!
      const known = from.row[column]!
      return known === -2 ? (from.row[column] = follow(from, byte)) : known
    },
  }
}

const tooLarge = () =>
  patternError('P003', 'this pattern needs too many states to follow', {
    hint: 'write the grammar so that a text can be read in fewer ways, or lower the counts of its repetitions',
  })

/** For each node of the tree, from the root on, the classes below it as bits. */
function classesBelow(root: Utf8Node, classes: number): Map<Utf8Node, Uint32Array> {
  const below = new Map<Utf8Node, Uint32Array>()
  const visit = (node: Utf8Node): Uint32Array => {
    const known = below.get(node)
    if (known) return known
    const bits = new Uint32Array(Math.ceil(classes / 32))
    below.set(node, bits)
    for (const { to } of node.edges) {
      if (typeof to === 'number') bits[to >>> 5]! |= 1 << (to & 31)
      else for (const [i, word] of visit(to).entries()) bits[i]! |= word
    }
    return bits
  }
  visit(root)
  return below
}

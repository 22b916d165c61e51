import type { CodePoints } from './code-points.js'
import type { GrammarNode, GrammarNodes } from './grammar-nodes.js'

/** For each node, whether the final node of its rule can be reached from it; for each rule, whether any text fits it. */
export interface Productive {
  readonly nodes: readonly boolean[]
  readonly rules: readonly boolean[]
  /** Bytes of the shortest text that fits the first rule; Infinity where none does. */
  readonly fewestBytes: number
}

export function productive({ nodes, rules }: GrammarNodes): Productive {
  /** From each node, the fewest bytes to the final node of its rule. */
  const fewest = nodes.map(() => Number.POSITIVE_INFINITY)
  const ofRule = (rule: number) => fewest[rules[rule]!.start]!
  /** Nodes that may be nearer when this one is. */
  const before: number[][] = nodes.map(() => [])
  for (const [from, { empty, reads, calls }] of nodes.entries()) {
    for (const to of empty) before[to]!.push(from)
    for (const { to } of reads) before[to]!.push(from)
    for (const { rule, to } of calls) {
      before[to]!.push(from)
      before[rules[rule]!.start]!.push(from)
    }
  }
  const through = ({ empty, reads, calls }: GrammarNode) => {
    let least = Number.POSITIVE_INFINITY
    for (const to of empty) least = Math.min(least, fewest[to]!)
    for (const { set, to } of reads) for (const range of set) least = Math.min(least, bytesOf(range) + fewest[to]!)
    for (const { rule, to } of calls) least = Math.min(least, ofRule(rule) + fewest[to]!)
    return least
  }
  const waiting = rules.map(({ final }) => final)
  for (const final of waiting) fewest[final] = 0
  // First come, first served: what is near is found early and seldom mended.
  for (let i = 0; i < waiting.length; i++) {
    for (const from of before[waiting[i]!]!) {
      const bytes = through(nodes[from]!)
      if (bytes >= fewest[from]!) continue
      fewest[from] = bytes
      waiting.push(from)
    }
  }
  return {
    nodes: fewest.map(Number.isFinite),
    rules: rules.map((_, rule) => Number.isFinite(ofRule(rule))),
    fewestBytes: rules.length > 0 ? ofRule(0) : Number.POSITIVE_INFINITY,
  }
}

/** Bytes of the shortest character of a range in UTF-8; Infinity where it holds surrogates alone, which stand in no text. */
function bytesOf({ min, max }: CodePoints[number]): number {
  const least = min < 0xd800 ? min : Math.max(min, 0xe000)
  if (least > max) return Number.POSITIVE_INFINITY
  return least < 0x80 ? 1 : least < 0x800 ? 2 : least < 0x10000 ? 3 : 4
}

/** Rules that the first one needs, itself among them. */
export function reachable({ nodes, rules }: GrammarNodes): Set<number> {
  const found = new Set([0])
  const seen = new Set<number>()
  const waiting = [rules[0]!.start]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    const { empty, reads, calls } = nodes[at]!
    waiting.push(...empty, ...reads.map(({ to }) => to), ...calls.map(({ to }) => to))
    for (const { rule } of calls) {
      found.add(rule)
      waiting.push(rules[rule]!.start)
    }
  }
  return found
}

/** Rules that begin with themselves, the first such circle; undefined when there is none. A walk from the left would never end in it. */
export function leftCircle({ nodes, rules }: GrammarNodes): number[] | undefined {
  /** Rules that the empty text fits. */
  const nullable = rules.map(() => false)
  /** The nodes that are reached from the start of a rule without reading, and the rules called there. */
  const beginnings = (rule: number): { readonly seen: Set<number>; readonly called: Set<number> } => {
    const seen = new Set<number>()
    const called = new Set<number>()
    const waiting = [rules[rule]!.start]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      waiting.push(...nodes[at]!.empty)
      for (const call of nodes[at]!.calls) {
        called.add(call.rule)
        if (nullable[call.rule]) waiting.push(call.to)
      }
    }
    return { seen, called }
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const [rule, { final }] of rules.entries()) {
      if (nullable[rule] || !beginnings(rule).seen.has(final)) continue
      nullable[rule] = true
      changed = true
    }
  }
  const calls = rules.map((_, rule) => [...beginnings(rule).called])
  const done = new Set<number>()
  for (const start of rules.keys()) {
    /** The rules on the way, each with those of its calls that are still to be followed: long ways would be too deep for recursion. */
    const way: { readonly rule: number; readonly left: number[] }[] = []
    const onWay = new Set<number>()
    const enter = (rule: number) => {
      way.push({ rule, left: [...calls[rule]!].reverse() })
      onWay.add(rule)
    }
    if (!done.has(start)) enter(start)
    for (let last = way.at(-1); last; last = way.at(-1)) {
      const next = last.left.pop()
      if (next === undefined) {
        way.pop()
        onWay.delete(last.rule)
        done.add(last.rule)
      } else if (onWay.has(next)) {
        const circle = way.map(({ rule }) => rule)
        return circle.slice(circle.indexOf(next))
      } else if (!done.has(next)) enter(next)
    }
  }
  return undefined
}

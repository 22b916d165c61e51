import type { CodePoints } from './code-points.js'
import type { GrammarNode, GrammarNodes } from './grammar-nodes.js'

/** For each node, whether the final node of its rule can be reached from it; for each rule, whether any text fits it. */
export interface Productive {
  readonly nodes: readonly boolean[]
  readonly rules: readonly boolean[]
}

export function productive({ nodes, rules }: GrammarNodes): Productive {
  const good = nodes.map(() => false)
  const works = (rule: number) => good[rules[rule]!.start]!
  /** Nodes that may be good when this one is. */
  const before: number[][] = nodes.map(() => [])
  for (const [from, { empty, reads, calls }] of nodes.entries()) {
    for (const to of empty) before[to]!.push(from)
    for (const { set, to } of reads) if (set.some(isReadable)) before[to]!.push(from)
    for (const { rule, to } of calls) {
      before[to]!.push(from)
      before[rules[rule]!.start]!.push(from)
    }
  }
  const isGood = ({ empty, reads, calls }: GrammarNode) =>
    empty.some((to) => good[to]) ||
    reads.some(({ set, to }) => good[to] && set.some(isReadable)) ||
    calls.some(({ rule, to }) => good[to] && works(rule))
  const waiting = rules.map(({ final }) => final)
  for (const final of waiting) good[final] = true
  for (let to = waiting.pop(); to !== undefined; to = waiting.pop()) {
    for (const from of before[to]!) {
      if (good[from] || !isGood(nodes[from]!)) continue
      good[from] = true
      waiting.push(from)
    }
  }
  return { nodes: good, rules: rules.map((_, rule) => works(rule)) }
}

/** Whether a range holds more than surrogates, which stand in no text. */
function isReadable({ min, max }: CodePoints[number]): boolean {
  return min < 0xd800 || max > 0xdfff
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
  const way: number[] = []
  const visit = (rule: number): number[] | undefined => {
    if (way.includes(rule)) return way.slice(way.indexOf(rule))
    if (done.has(rule)) return undefined
    way.push(rule)
    for (const each of calls[rule]!) {
      const circle = visit(each)
      if (circle) return circle
    }
    way.pop()
    done.add(rule)
    return undefined
  }
  for (const rule of rules.keys()) {
    const circle = visit(rule)
    if (circle) return circle
  }
  return undefined
}

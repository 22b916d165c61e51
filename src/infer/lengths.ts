import { type Code, type Graph, type GraphFunction, type Node, successors } from '../graph/ir.js'
import type { Host } from './host/host.js'

/**
 * Tokens that a particle which comes to its end is sure to have drawn from one context: the spans `for n tokens` on the way with the fewest.
 * A lower bound: loops count as left at once, recursion as nothing, and so does a span that may stop early, or whose n depends on chance.
 * @param graph before its spans become loops
 * @param host with its params filled; a context cannot be opened yet
 */
export function leastTokens(graph: Graph, host: Host): number {
  const pure = graph.pure.map((p) => p.js).join('\n')
  const known = new Map<GraphFunction, number>()

  function least(f: GraphFunction): number {
    const before = known.get(f)
    if (before !== undefined) return before
    known.set(f, 0)
    const streams = new Set(f.nodes.map((node) => streamOf(f, node)))
    // Spans of one context add up; of different ones, and of calls, the longest counts.
    let most = alongShortest(f, Math.max, (node) => {
      if (node.op === 'Call') return least(graph.functions[node.function]!)
      return tokensOf(f, node)
    })
    for (const stream of streams) {
      if (stream === null) continue
      const sum = alongShortest(
        f,
        (a, b) => a + b,
        (node) => (streamOf(f, node) === stream ? tokensOf(f, node) : 0),
      )
      most = Math.max(most, sum)
    }
    known.set(f, most)
    return most
  }

  function tokensOf(f: GraphFunction, node: Node): number {
    if (node.op !== 'Span' || node.limit?.kind !== 'exactly') return 0
    const count = constant(f, node.limit.count)
    return Number.isSafeInteger(count) && (count as number) > 0 ? (count as number) : 0
  }

  /** The value of an expression that depends on params alone; undefined for any other, and for one that fails, which the run will tell. */
  function constant(f: GraphFunction, code: Code, depth = 0): unknown {
    const slots: unknown[] = []
    for (const [, slot] of code.js.matchAll(/\bs\[(\d+)\]/g)) {
      const setters = settersOf(f, Number(slot))
      const [setter] = setters
      if (setters.length !== 1 || setter?.op !== 'Host' || depth > 8) return undefined
      slots[Number(slot)] = constant(f, setter.value, depth + 1)
      if (slots[Number(slot)] === undefined) return undefined
    }
    try {
      return new Function('rt', 's', `"use strict";${pure}\nreturn (${code.js})`)(host, slots)
    } catch {
      return undefined
    }
  }

  return graph.functions[0] ? least(graph.functions[0]) : 0
}

/** The slot of the variable that a span draws from, where it stands for one context all the time; else null. */
function streamOf(f: GraphFunction, node: Node): number | null {
  const slot = node.op === 'Span' ? /^s\[(\d+)\]$/.exec(node.from.js)?.[1] : undefined
  if (slot === undefined) return null
  return settersOf(f, Number(slot)).length + (Number(slot) < f.params ? 1 : 0) === 1 ? Number(slot) : null
}

function settersOf(f: GraphFunction, slot: number): Node[] {
  return f.nodes.filter((node) => 'set' in node && node.set === slot)
}

/** The least that the costs of the nodes on a way from the entry to a return come to; `join` is monotone. */
function alongShortest(f: GraphFunction, join: (a: number, b: number) => number, cost: (node: Node) => number): number {
  const best = new Map([[f.entry, cost(f.nodes[f.entry]!)]])
  let answer = Number.POSITIVE_INFINITY
  for (let queue = [f.entry]; queue.length > 0; ) {
    const id = queue.pop()!
    const node = f.nodes[id]!
    const here = best.get(id)!
    if (node.op === 'Return') answer = Math.min(answer, here)
    for (const next of successors(node)) {
      const there = join(here, cost(f.nodes[next]!))
      if (there >= (best.get(next) ?? Number.POSITIVE_INFINITY)) continue
      best.set(next, there)
      queue.push(next)
    }
  }
  return Number.isFinite(answer) ? answer : 0
}

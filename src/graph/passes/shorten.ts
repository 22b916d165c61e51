import { cloneGraph, type Graph } from '../ir.js'

/**
 * Spans that draw at most so many tokens, whatever the program says: another program, on which the sampler's laws can be tested by listing
 * all that may happen. A span without a limit, which a pattern must end, gets one.
 */
export function shortenSpans(graph: Graph, most: number): Graph {
  const shorter = cloneGraph(graph)
  for (const f of shorter.functions) {
    f.nodes.forEach((node, id) => {
      if (node.op !== 'Span') return
      const { limit, span } = node
      const count = limit
        ? { ...limit.count, js: `Math.min(${most},${limit.count.js})`, text: `min(${most}, ${limit.count.text})` }
        : { js: `${most}`, text: `${most}`, span }
      f.nodes[id] = { ...node, limit: { kind: limit?.kind ?? 'upTo', count } }
    })
  }
  return shorter
}

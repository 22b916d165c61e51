import { cloneGraph, type Graph, type GraphFunction, type NodeId, successors } from '../ir.js'

/**
 * Pass `fuse`: a token draw followed by a requirement on that token alone becomes one draw from the allowed tokens, whose
 * total probability goes into the weight: the same target with less variance (language.md §6, inference.md §1 "local posterior").
 * Known here: `require not token.end`, which `for n tokens` asks for.
 */
export function fuseDraws(graph: Graph): Graph {
  const fused = cloneGraph(graph)
  for (const f of fused.functions) {
    const predecessors = countPredecessors(f)
    for (const draw of f.nodes) {
      if (draw.op !== 'Draw' || draw.mask !== 'all') continue
      const weigh = f.nodes[draw.next]!
      if (weigh.op !== 'Weigh' || weigh.kind !== 'require' || predecessors[draw.next] !== 1) continue
      if (weigh.value.js !== `!s[${draw.set}].end`) continue
      draw.mask = 'notEnd'
      draw.next = weigh.next
    }
  }
  return fused
}

function countPredecessors(f: GraphFunction): Record<NodeId, number> {
  const counts: Record<NodeId, number> = { [f.entry]: 1 }
  for (const node of f.nodes) for (const next of successors(node)) counts[next] = (counts[next] ?? 0) + 1
  return counts
}

import { cloneGraph, type DrawNode, type Graph, type GraphFunction, type Node, type NodeId } from '../ir.js'
import { countPredecessors, isNotEnd, isObserved, isStill } from './fuse.js'

/**
 * Pass `guides`: of a draw with `twist psi(story)` behind it, psi a learned twist, it is noted that psi can guide it: it tells of every token
 * (spans have marked theirs). Whether draws are fused or not: unfused nothing is guided, but `smcc train` learns from such draws too.
 */
export function markGuides(graph: Graph): Graph {
  const marked = cloneGraph(graph)
  for (const f of marked.functions) {
    const predecessors = countPredecessors(f)
    const alone = (id: NodeId) => predecessors[id] === 1
    for (const draw of f.nodes) {
      if (draw.op !== 'Draw' || draw.proposal || draw.guide) continue
      const behind = beyond(f, draw, alone)
      if (behind?.op !== 'Twist' || behind.guide?.js.includes(`s[${draw.set}]`)) continue
      draw.guide = behind.guide
    }
  }
  return marked
}

/** What stands behind a draw and all that the pass `fuse` takes into it; null where control may come there in another way. */
function beyond(f: GraphFunction, draw: DrawNode, alone: (id: NodeId) => boolean): Node | null {
  for (let at = draw.next; alone(at); ) {
    const node = f.nodes[at]!
    const isRequired = node.op === 'Weigh' && (at === draw.where || isNotEnd(node, draw.set))
    const isFactor = isObserved(node, draw) && isStill(node.from, draw.set)
    if (!isRequired && !isFactor) return node
    at = node.next
  }
  return null
}

import {
  cloneGraph,
  type DrawNode,
  type Graph,
  type GraphFunction,
  type Node,
  type NodeId,
  reachable,
  successors,
} from '../ir.js'

/**
 * Pass `points`: a resampling point before every draw that may follow a change of weight (language.md §5). Before the next
 * draw and not right after the weight, so that a twist can hand over to the `observe` that it anticipated with no point between.
 *
 * A forward dataflow analysis over the whole program: a weight is *open* where some way from the last point, or from the start,
 * has changed it. Points depend on the place in the program and not on the values, so particles on different ways to one draw
 * meet there.
 */
export function placePoints(graph: Graph): Graph {
  const placed = cloneGraph(graph)
  const open = analyse(placed)
  placed.functions.forEach((f, index) => {
    const states = open[index]!
    const count = f.nodes.length
    for (let id = 0; id < count; id++) {
      const node = f.nodes[id]!
      if (node.op === 'Draw' && node.point !== 'never' && states[id]) insertBefore(f, id, node)
    }
  })
  return placed
}

/** For each function and node: whether the weight may be open where control arrives. Undefined where it never arrives. */
function analyse(graph: Graph): (boolean | undefined)[][] {
  const before = graph.functions.map((f) => f.nodes.map((): boolean | undefined => undefined))
  /** What a call of each function leaves behind, as far as is known: undefined while no return was reached. */
  const leaves: (boolean | undefined)[] = graph.functions.map(() => undefined)
  let changed = true
  const arrive = (f: number, id: NodeId, open: boolean) => {
    const known = before[f]![id]
    const joined = known === undefined ? open : known || open
    if (joined === known) return
    before[f]![id] = joined
    changed = true
  }
  arrive(0, graph.functions[0]!.entry, false)
  while (changed) {
    changed = false
    graph.functions.forEach((f, index) => {
      for (const id of reachable(f)) {
        const open = before[index]![id]
        if (open === undefined) continue
        const node = f.nodes[id]!
        if (node.op === 'Call') {
          arrive(node.function, graph.functions[node.function]!.entry, open)
          const left = leaves[node.function]
          if (left !== undefined) arrive(index, node.next, left)
          continue
        }
        const after = transfer(node, open)
        if (node.op === 'Return' && after !== leaves[index] && leaves[index] !== true) {
          leaves[index] = after
          changed = true
        }
        for (const next of successors(node)) arrive(index, next, after)
      }
    })
  }
  return before
}

function transfer(node: Node, open: boolean): boolean {
  switch (node.op) {
    case 'Point':
      return node.when === null ? false : open
    case 'Draw':
      // Drawn from the distribution itself: nothing to weigh. A point stands before it where the weight was open.
      return weighs(node) || (open && node.point !== 'may')
    case 'Score':
    case 'Settle':
    case 'Weigh':
    case 'Twist':
      return true
    case 'Untwist':
      return open || node.ids.length > 0
    case 'Host':
    case 'Force':
    case 'Branch':
    case 'Call':
    case 'Return':
    case 'Span':
      return open
    default:
      return node satisfies never
  }
}

function weighs({ fused, pattern, proposal, weighs }: DrawNode): boolean {
  return weighs || fused !== null || pattern !== null || proposal !== null
}

/** The draw moves to a new place and the point takes its own, so that whatever led to the draw now meets the point. */
function insertBefore(f: GraphFunction, id: NodeId, draw: DrawNode): void {
  const moved = f.nodes.push(draw) - 1
  f.nodes[id] = { op: 'Point', when: typeof draw.point === 'string' ? null : draw.point, span: draw.span, next: moved }
}

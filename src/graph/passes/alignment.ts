import { type Diagnostic, diagnostic } from '../../diagnostics/diagnostic.js'
import type { Graph, GraphFunction, NodeId } from '../ir.js'
import { successors } from '../ir.js'

/** How many resampling points the ways between two places pass; `loops` when some way can pass them any number of times. */
interface Count {
  readonly least: number
  readonly most: number
  readonly loops: boolean
}

const none: Count = { least: 0, most: 0, loops: false }

/**
 * Pass `alignment`: warns of an `if` whose branches pass different numbers of resampling points. Such particles meet by the
 * number of points passed (inference.md §1), not by place: the estimate stays exact, but particles at different places in the
 * text compete, which wastes them. Branches that return are left out: finished particles wait where they are.
 */
export function findMisaligned(graph: Graph): Diagnostic[] {
  const counter = new PointCounter(graph)
  const found: Diagnostic[] = []
  for (const f of graph.functions) {
    for (const { at, join, span } of f.branches) {
      const branch = f.nodes[at]
      if (join < 0 || branch?.op !== 'Branch') continue
      const [then, otherwise] = [counter.between(f, branch.then, join), counter.between(f, branch.else, join)]
      if (!then || !otherwise || same(then, otherwise)) continue
      found.push(
        diagnostic(
          'G001',
          span,
          `the branches of this \`if\` pass different numbers of resampling points: ${show(then)} and ${show(otherwise)}`,
          {
            severity: 'warning',
            hint: 'draw as often in both branches, or move the draws behind the `if`; results stay exact, but particles at different places compete',
          },
        ),
      )
    }
  }
  return found
}

function same(a: Count, b: Count): boolean {
  return a.loops === b.loops && (a.loops || (a.least === b.least && a.most === b.most))
}

function show(count: Count): string {
  if (count.loops) return 'any number'
  return count.least === count.most ? `${count.least}` : `${count.least} to ${count.most}`
}

class PointCounter {
  private readonly ofFunction = new Map<GraphFunction, Count | 'counting'>()

  constructor(private readonly graph: Graph) {}

  /** Over all ways from one node to another; null when no way leads there. */
  between(f: GraphFunction, from: NodeId, to: NodeId | 'return'): Count | null {
    const known = new Map<NodeId, Count | null>()
    /** Points passed on the way from `from`, for the nodes of the present way. */
    const onWay = new Map<NodeId, number>()
    let looped = false
    const visit = (id: NodeId, passed: number): Count | null => {
      if (id === to) return none
      if (known.has(id)) return known.get(id)!
      const before = onWay.get(id)
      if (before !== undefined) {
        if (passed > before) looped = true
        return null
      }
      const node = f.nodes[id]!
      if (node.op === 'Return') return to === 'return' ? none : null
      onWay.set(id, passed)
      const here =
        node.op === 'Point'
          ? { least: 1, most: 1, loops: false }
          : node.op === 'Call'
            ? this.of(this.graph.functions[node.function]!)
            : none
      let total: Count | null = null
      for (const next of successors(node)) {
        const rest = visit(next, passed + (here.loops ? 1 : here.most))
        if (rest) total = total ? union(total, rest) : rest
      }
      onWay.delete(id)
      const result = total && { least: total.least + here.least, most: total.most + here.most, loops: total.loops || here.loops }
      known.set(id, result)
      return result
    }
    const count = visit(from, 0)
    return count && { ...count, loops: count.loops || looped }
  }

  private of(f: GraphFunction): Count {
    const known = this.ofFunction.get(f)
    if (known === 'counting') return { least: 0, most: 0, loops: true }
    if (known) return known
    this.ofFunction.set(f, 'counting')
    const count = this.between(f, f.entry, 'return') ?? none
    this.ofFunction.set(f, count)
    return count
  }
}

function union(a: Count, b: Count): Count {
  return { least: Math.min(a.least, b.least), most: Math.max(a.most, b.most), loops: a.loops || b.loops }
}

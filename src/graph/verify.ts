import type { DrawNode, Graph, GraphFunction, Node, NodeId } from './ir.js'
import { reachable, successors } from './ir.js'

/**
 * What holds of every graph between passes; returns the broken rules, empty when all is well. Tests run it after every pass.
 */
export function verify(graph: Graph, options: { readonly spansLowered: boolean } = { spansLowered: false }): string[] {
  const broken: string[] = []
  graph.functions.forEach((f, index) => {
    const say = (text: string) => broken.push(`${f.name}: ${text}`)
    if (index > 0 && f.params > f.slots.length) say('more parameters than slots')
    for (const id of reachable(f)) {
      const node = f.nodes[id]
      if (!node) {
        say(`control reaches node ${id}, which does not exist`)
        continue
      }
      for (const next of successors(node))
        if (!f.nodes[next]) say(`node ${id} (${node.op}) leads to ${next}, which does not exist`)
      if (options.spansLowered && node.op === 'Span') say(`node ${id} is a span after the pass \`spans\``)
      for (const slot of slotsOf(node))
        if (slot < 0 || slot >= f.slots.length) say(`node ${id} (${node.op}) writes slot ${slot} of ${f.slots.length}`)
      if (node.op === 'Call') checkCall(graph, node, id, say)
      if (node.op === 'Draw') checkDraw(graph, f, node, id, say)
    }
    checkTwists(f, say)
  })
  return broken
}

function slotsOf(node: Node): number[] {
  const pattern = node.op === 'Draw' && node.pattern ? [node.pattern.state, node.pattern.stopped] : []
  return 'set' in node ? [node.set, ...pattern] : pattern
}

function checkCall(graph: Graph, node: Node & { op: 'Call' }, id: number, say: (text: string) => void): void {
  const callee = graph.functions[node.function]
  if (!callee) say(`node ${id} calls function ${node.function}, which does not exist`)
  else if (node.args.length > callee.params)
    say(`node ${id} passes ${node.args.length} arguments to ${callee.name}, which takes ${callee.params}`)
}

function checkDraw(graph: Graph, f: GraphFunction, draw: DrawNode, id: NodeId, say: (text: string) => void): void {
  const { where, fused, proposal, beside } = draw
  if (where !== null) {
    const node = f.nodes[where]
    if (node?.op !== 'Weigh' || node.kind !== 'where') say(`node ${id} (Draw) is to meet node ${where}, which is not a \`where\``)
    else if (!reaches(f, id, where)) say(`node ${id} (Draw) does not lead to its \`where\` at node ${where}`)
  }
  if (fused && !graph.lookahead) say(`node ${id} (Draw) is fused in a graph that is not`)
  if (fused?.where && where === null) say(`node ${id} (Draw) meets a \`where\` that it has not`)
  if (fused && proposal && fused.observed.length > 0) say(`node ${id} (Draw) is drafted and observed at once`)
  if (proposal && beside) say(`node ${id} (Draw) is drafted and moves a proposal besides`)
  // What is drafted is weighed before the program ends.
  const end = proposal ? firstWithout(f, id, 'Settle') : null
  if (end !== null) say(`node ${id} (Draw) is not settled on a way to the return at node ${end}`)
}

function reaches(f: GraphFunction, from: NodeId, to: NodeId): boolean {
  const seen = new Set<NodeId>()
  const stack = [...successors(f.nodes[from]!)]
  while (stack.length > 0) {
    const at = stack.pop()!
    if (at === to) return true
    if (seen.has(at) || !f.nodes[at]) continue
    seen.add(at)
    stack.push(...successors(f.nodes[at]!))
  }
  return false
}

/** A return that control can reach from here without a node of this kind on the way; null when there is none. */
function firstWithout(f: GraphFunction, from: NodeId, op: Node['op']): NodeId | null {
  const seen = new Set<NodeId>()
  const stack = [...successors(f.nodes[from]!)]
  while (stack.length > 0) {
    const at = stack.pop()!
    const node = f.nodes[at]
    if (seen.has(at) || !node || node.op === op) continue
    seen.add(at)
    if (node.op === 'Return') return at
    stack.push(...successors(node))
  }
  return null
}

/** Every twist is divided out on every way to a return. */
function checkTwists(f: GraphFunction, say: (text: string) => void): void {
  for (const id of reachable(f)) {
    const node = f.nodes[id]!
    if (node.op !== 'Twist') continue
    const seen = new Set<number>()
    const stack = [...successors(node)]
    while (stack.length > 0) {
      const at = stack.pop()!
      if (seen.has(at)) continue
      seen.add(at)
      const next = f.nodes[at]
      if (!next || (next.op === 'Untwist' && next.ids.includes(node.id))) continue
      if (next.op === 'Return') {
        say(`twist ${node.id} of node ${id} is not divided out on a way to the return at node ${at}`)
        break
      }
      stack.push(...successors(next))
    }
  }
}

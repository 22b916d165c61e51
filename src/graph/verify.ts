import type { Graph, GraphFunction, Node } from './ir.js'
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
    }
    checkTwists(f, say)
  })
  return broken
}

function slotsOf(node: Node): number[] {
  return 'set' in node ? [node.set] : []
}

function checkCall(graph: Graph, node: Node & { op: 'Call' }, id: number, say: (text: string) => void): void {
  const callee = graph.functions[node.function]
  if (!callee) say(`node ${id} calls function ${node.function}, which does not exist`)
  else if (node.args.length > callee.params)
    say(`node ${id} passes ${node.args.length} arguments to ${callee.name}, which takes ${callee.params}`)
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

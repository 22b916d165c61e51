import { type Code, type DrawNode, type Graph, type GraphFunction, type Node, type NodeId, reachable, successors } from './ir.js'

/**
 * Why what weighs behind the draw of a token was not taken into the draw by the pass `fuse`: a sentence for each such node, for
 * people (`smcc graph`). Empty before that pass.
 */
export function keptApart(graph: Graph, f: GraphFunction): Map<NodeId, string> {
  const reasons = new Map<NodeId, string>()
  if (!graph.lookahead) return reasons
  for (const id of reachable(f)) {
    const draw = f.nodes[id]!
    if (draw.op !== 'Draw') continue
    if (draw.outcomes === 'values') {
      const where = draw.where === null ? null : f.nodes[draw.where]!
      if (where?.op === 'Weigh' && asks(graph, where.value.js)) reasons.set(draw.where!, askingModels)
      continue
    }
    for (const [behind, asked] of followers(graph, f, draw)) {
      const reason = reasonOf(graph, draw, behind, f.nodes[behind]!)
      if (reason !== null && !reasons.has(behind)) reasons.set(behind, asked ? 'behind a question to a model' : reason)
    }
  }
  return reasons
}

/** The nodes that a particle may come to before it meets others or draws again, and whether a question lies on the way. */
function followers(graph: Graph, f: GraphFunction, draw: DrawNode): Map<NodeId, boolean> {
  const seen = new Map<NodeId, boolean>()
  const stack: [NodeId, boolean][] = [[draw.next, false]]
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [id, asked] = top
    const node = f.nodes[id]!
    if (seen.has(id) || node.op === 'Draw' || node.op === 'Point' || node.op === 'Settle') continue
    seen.set(id, asked)
    const asks = asked || isQuestion(graph, node)
    for (const next of successors(node)) stack.push([next, asks])
  }
  return seen
}

/** An `observe` on a stream is answered by its model; what comes behind it is not looked at. */
function isQuestion(graph: Graph, node: Node): boolean {
  if (node.op === 'Score') return node.outcomes === 'tokens'
  return node.op === 'Host' && asks(graph, node.value.js)
}

function reasonOf(graph: Graph, draw: DrawNode, id: NodeId, node: Node): string | null {
  switch (node.op) {
    case 'Score':
      if (node.outcomes === 'values') return small
      if (node.value.js !== `s[${draw.set}]`) return 'an observe of a text, weighed when it is reached'
      if (draw.proposal) return 'weighs what the proposal drew'
      return `${draw.where === null ? 'reached on other ways, too' : 'behind a `where` that looks at more than the token'}, or on a context that the token decides`
    case 'Weigh':
      if (node.kind === 'where' && draw.fused?.where && draw.where === id) return null
      return why(graph, node.value)
    case 'Twist':
      return why(graph, node.value)
    default:
      return null
  }
}

const small = 'all tokens are tried before the draw where the vocabulary has at most 512, else it weighs behind the draw'
const askingModels = 'asks a model or JavaScript, so it weighs behind the draw'

function why(graph: Graph, code: Code): string {
  if (asks(graph, code.js)) return askingModels
  return small
}

/** Whether an expression waits for an answer from outside, by itself or in a function that it calls. */
function asks(graph: Graph, js: string, seen: ReadonlySet<string> = new Set()): boolean {
  if (/rt\.(extern\(|classifiers\[)|,"prob",\[/.test(js)) return true
  return graph.pure.some(({ decl, js: body }) => {
    const name = decl.name.text
    return !seen.has(name) && new RegExp(`\\b\\w*${name}\\w*\\(`).test(js) && asks(graph, body, new Set([...seen, name]))
  })
}

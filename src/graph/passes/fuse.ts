import {
  type Code,
  cloneGraph,
  type DrawNode,
  type Graph,
  type GraphFunction,
  type Node,
  type NodeId,
  reachable,
  type ScoreNode,
  type Slot,
  successors,
  type WeighNode,
} from '../ir.js'

/**
 * Pass `fuse`: what weighs a drawn token goes into the draw, which is then from the exact local posterior, and its normaliser into the
 * weight: the same target with less variance (language.md §6, inference.md §1). Found here are
 *
 * - `require not token.end` behind the draw (`for n tokens`): the end token is masked;
 * - `observe token ~ context` behind the draw, or behind its `where` when that looks at the token alone: its probabilities are factors of a
 *   product;
 * - `where`: tokens that fail are not drawn, nor values of a distribution that can list them. Patterns are always known to the draw, and so
 *   are learned twists (pass `guides`).
 *
 * Everything else that follows, up to the next draw or question to a model, is looked at for every token before one is drawn, where the
 * vocabulary has at most 512 (`trial.ts`): that depends on the model, which is known when the program runs.
 */
export function fuseDraws(graph: Graph): Graph {
  const fused: Graph = { ...cloneGraph(graph), lookahead: true }
  for (const f of fused.functions) {
    const predecessors = countPredecessors(f)
    const alone = (id: NodeId) => predecessors[id] === 1
    for (const draw of f.nodes) {
      if (draw.op !== 'Draw') continue
      const { where } = draw
      if (draw.outcomes === 'values') {
        if (where !== null && reachesByHost(f, draw.next, where)) draw.fused = { notEnd: false, observed: [], where: true }
        continue
      }
      let notEnd = false
      const observed: Code[] = []
      for (;;) {
        const next = f.nodes[draw.next]!
        if (!alone(draw.next)) break
        if (draw.next === draw.where && next.op === 'Weigh' && isAbout(next.value, draw.set) && alone(next.next)) {
          const beyond = f.nodes[next.next]!
          if (isObserved(beyond, draw) && !draw.proposal && isStill(beyond.from, draw.set)) {
            observed.push(beyond.from)
            next.next = beyond.next
            continue
          }
        }
        if (next.op === 'Weigh' && isNotEnd(next, draw.set)) notEnd = true
        else if (isObserved(next, draw) && !draw.proposal && isStill(next.from, draw.set)) observed.push(next.from)
        else {
          draw.apart = whyApart(next, draw)
          break
        }
        draw.next = next.next
      }
      const meets = where !== null && reachesByHost(f, draw.next, where)
      if (notEnd || observed.length > 0 || meets) draw.fused = { notEnd, observed, where: meets }
    }
  }
  return fused
}

export function isObserved(node: Node, draw: DrawNode): node is ScoreNode {
  return node.op === 'Score' && node.outcomes === 'tokens' && node.value.js === `s[${draw.set}]`
}

/**
 * Whether a context is the same before and after a draw has moved the streams: made of variables, products, powers and prompts alone. A
 * fork, a text or a function may look at where a stream stands.
 */
export function isStill({ js }: Code, token: Slot): boolean {
  const withoutStrings = js.replace(/"(?:[^"\\]|\\.)*"/g, '0')
  const rest = withoutStrings.replace(/s\[\d+\]|rt\.(?:mul|div|pow|neg|invoke|models\[\d+\])|temperature|chat/g, '')
  return !js.includes(`s[${token}]`) && !/[a-z]/i.test(rest)
}

/** Whether a requirement reads no variable but the drawn token, so that it says the same before and after other streams have moved. */
function isAbout({ js }: Code, token: Slot): boolean {
  return [...js.matchAll(/s\[(\d+)\]/g)].every(([, slot]) => Number(slot) === token)
}

/** Why the node behind a draw, if it weighs, is not part of it. */
function whyApart(node: Node, draw: DrawNode): string | null {
  if (isObserved(node, draw))
    return draw.proposal
      ? 'the token is drafted, and observed afterwards'
      : `${node.from.text} may look at where the stream stands`
  const weighs = (node.op === 'Weigh' && node.kind !== 'where') || node.op === 'Twist'
  return weighs
    ? `${node.op === 'Twist' ? 'twist' : node.kind} ${node.value.text} is looked at for every token of at most 512`
    : null
}

export function isNotEnd(node: WeighNode, token: number): boolean {
  return node.kind === 'require' && node.value.js === `!s[${token}].end`
}

/** Whether nothing but expressions and branches lies between. */
function reachesByHost(f: GraphFunction, from: NodeId, to: NodeId): boolean {
  const seen = new Set<NodeId>()
  const stack = [from]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (id === to) return true
    const node = f.nodes[id]!
    if (seen.has(id) || (node.op !== 'Host' && node.op !== 'Branch')) continue
    seen.add(id)
    stack.push(...successors(node))
  }
  return false
}

export function countPredecessors(f: GraphFunction): Record<NodeId, number> {
  const counts: Record<NodeId, number> = { [f.entry]: 1 }
  for (const id of reachable(f)) for (const next of successors(f.nodes[id]!)) counts[next] = (counts[next] ?? 0) + 1
  return counts
}

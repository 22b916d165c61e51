import { type DrawNode, type Graph, type GraphFunction, type Node, type NodeId, reachable } from './ir.js'
import { keptApart } from './kept.js'

export type GraphFormat = 'text' | 'mermaid' | 'dot' | 'json'

export const graphFormats: readonly GraphFormat[] = ['text', 'mermaid', 'dot', 'json']

/** The graph for a person (text), a drawing (mermaid, dot) or a program (json). Nodes are numbered as control reaches them. */
export function printGraph(graph: Graph, format: GraphFormat): string {
  switch (format) {
    case 'text':
      return asText(graph)
    case 'mermaid':
      return asMermaid(graph)
    case 'dot':
      return asDot(graph)
    case 'json':
      return asJson(graph)
    default:
      return format satisfies never
  }
}

/** Nodes in the order in which they are printed, and the number of each. */
function numbered(f: GraphFunction): { ids: NodeId[]; number: Map<NodeId, number> } {
  const ids = reachable(f)
  return { ids, number: new Map(ids.map((id, i) => [id, i])) }
}

/** What a node does, without where it goes. */
export function describe(graph: Graph, f: GraphFunction, node: Node): string {
  const slot = (n: number) => f.slots[n] ?? `?${n}`
  switch (node.op) {
    case 'Host':
      return `${slot(node.set)} := ${node.value.text}`
    case 'Draw':
      return [`Draw ${slot(node.set)} ~ ${node.from.text}`, ...inDraw(node)].join(' · ')
    case 'Settle':
      return `Settle ${node.from.text}`
    case 'Score':
      return `Score ${node.value.text} ~ ${node.from.text}`
    case 'Force':
      return `Force ${node.value.text} ~ ${node.from.text}`
    case 'Weigh':
      return `Weigh ${node.kind} ${node.value.text}`
    case 'Twist':
      return `Twist #${node.id} ${node.value.text}`
    case 'Untwist':
      return `Untwist ${node.ids.map((id) => `#${id}`).join(' ') || '(none)'}`
    case 'Point':
      return node.when ? `Point when ${node.when.text}` : 'Point'
    case 'Branch':
      return `Branch ${node.test.text}`
    case 'Call':
      return `Call ${slot(node.set)} := ${graph.functions[node.function]?.name}(${node.args.map((a) => a?.text ?? 'default').join(', ')})`
    case 'Return':
      return `Return ${node.value ? node.value.text.replace(/^s\[.*\]$/, '') : ''}`.trimEnd()
    case 'Span': {
      const kinds = { exactly: 'for', upTo: 'for up to', within: 'within' }
      const until = node.until ? ` until ${node.until.text}` : ''
      const twist = node.twist ? ` twisted by #${node.twist.id} ${node.twist.value.text}` : ''
      const every = node.every ? ` resampling every ${node.every.text}` : ''
      const limit = node.limit ? ` ${kinds[node.limit.kind]} ${node.limit.count.text} tokens` : ''
      const matching = node.matching ? ` matching ${node.matching.text}` : ''
      const where = node.where ? ` where ${node.where.text}` : ''
      const block = node.via?.block ? ` in blocks of ${node.via.block.text}` : ''
      const via = node.via ? ` via ${node.via.proposal.text}${block}` : ''
      return `Span ${slot(node.set)} ~ ${node.from.text}${limit}${until}${matching}${where}${via}${twist}${every}`
    }
    default:
      return node satisfies never
  }
}

/** What a draw takes in beside the model itself. */
function inDraw({ fused, pattern, proposal, guide, apart, outcomes }: DrawNode): string[] {
  return [
    ...(proposal ? [`drafted by ${proposal.text}`] : []),
    ...(fused?.notEnd ? ['not the end token'] : []),
    ...(pattern ? ['keeping to the pattern'] : []),
    ...(fused?.observed ?? []).map((from) => `observed on ${from.text}`),
    ...(guide ? [`guided by ${guide.text}`] : []),
    ...(fused?.where ? [`meeting \`where\`${outcomes === 'values' ? ', if the values can be listed' : ''}`] : []),
    ...(apart ? [`apart: ${apart}`] : []),
  ]
}

/** The effect of a node on the log weight, for people. */
function effect(node: Node): string {
  switch (node.op) {
    case 'Draw':
      if (node.proposal) return 'logw -= log of the proposal'
      return node.fused || node.pattern || node.guide || node.weighs ? 'logw += log mass' : ''
    case 'Settle':
      return 'logw += log of what was drafted'
    case 'Score':
    case 'Weigh':
      return 'logw += log'
    case 'Twist':
      return 'logw += log - pending'
    case 'Untwist':
      return 'logw -= pending'
    case 'Point':
      return 'the population meets'
    default:
      return ''
  }
}

function asText(graph: Graph): string {
  const lines: string[] = []
  for (const f of graph.functions) {
    const { ids, number } = numbered(f)
    const kept = keptApart(graph, f)
    lines.push(`${f.name}${f.params > 0 ? `(${f.slots.slice(0, f.params).join(', ')})` : ''}`)
    ids.forEach((id, i) => {
      const node = f.nodes[id]!
      const text = describe(graph, f, node)
      let way = ''
      if (node.op === 'Branch') way = `then ${number.get(node.then)} else ${number.get(node.else)}`
      else if (node.op !== 'Return' && number.get(node.next) !== i + 1) way = `go to ${number.get(node.next)}`
      const apart = kept.has(id) ? `not fused: ${kept.get(id)}` : ''
      const notes = [effect(node), apart, way].filter(Boolean).join('; ')
      lines.push(`${String(i).padStart(5)}  ${notes ? text.padEnd(56) : text}${notes ? `  ${notes}` : ''}`)
    })
    lines.push('')
  }
  for (const p of graph.pure) lines.push(`${p.decl.name.text}: no effects, one JavaScript function`)
  return `${lines.join('\n').trimEnd()}\n`
}

const shapes: Partial<Record<Node['op'], [string, string]>> = { Branch: ['{', '}'], Point: ['((', '))'], Return: ['([', '])'] }

function asMermaid(graph: Graph): string {
  const lines = ['flowchart TD']
  graph.functions.forEach((f, fi) => {
    const { ids, number } = numbered(f)
    lines.push(`  subgraph f${fi}["${escapeMermaid(f.name)}"]`)
    for (const id of ids) {
      const node = f.nodes[id]!
      const [open, close] = shapes[node.op] ?? ['[', ']']
      lines.push(`    n${fi}_${number.get(id)}${open}"${escapeMermaid(describe(graph, f, node))}"${close}`)
    }
    for (const id of ids)
      for (const [to, label] of edges(f.nodes[id]!))
        lines.push(`    n${fi}_${number.get(id)} -->${label ? `|${label}|` : ''} n${fi}_${number.get(to)}`)
    lines.push('  end')
  })
  return `${lines.join('\n')}\n`
}

function asDot(graph: Graph): string {
  const lines = ['digraph smc {', '  node [fontname="monospace", shape=box];']
  graph.functions.forEach((f, fi) => {
    const { ids, number } = numbered(f)
    lines.push(`  subgraph cluster_${fi} {`, `    label=${JSON.stringify(f.name)};`)
    for (const id of ids) {
      const node = f.nodes[id]!
      const shape = node.op === 'Branch' ? ', shape=diamond' : node.op === 'Point' ? ', shape=circle' : ''
      lines.push(`    n${fi}_${number.get(id)} [label=${JSON.stringify(describe(graph, f, node))}${shape}];`)
    }
    for (const id of ids)
      for (const [to, label] of edges(f.nodes[id]!))
        lines.push(`    n${fi}_${number.get(id)} -> n${fi}_${number.get(to)}${label ? ` [label="${label}"]` : ''};`)
    lines.push('  }')
  })
  return `${lines.join('\n')}\n}\n`
}

function asJson(graph: Graph): string {
  const functions = graph.functions.map((f) => {
    const { ids, number } = numbered(f)
    const kept = keptApart(graph, f)
    const nodes = ids.map((id) => {
      const node = f.nodes[id]!
      const { source, start, end } = node.span
      return {
        op: node.op,
        text: describe(graph, f, node),
        effect: effect(node),
        ...(kept.has(id) ? { apart: kept.get(id) } : {}),
        next: edges(node).map(([to, label]) => (label ? { when: label, node: number.get(to) } : { node: number.get(to) })),
        at: { file: source.path, start, end },
      }
    })
    return { name: f.name, params: f.slots.slice(0, f.params), slots: f.slots, nodes }
  })
  return `${JSON.stringify({ schema: 1, functions, pure: graph.pure.map((p) => p.decl.name.text) }, null, 2)}\n`
}

function edges(node: Node): [NodeId, string][] {
  switch (node.op) {
    case 'Return':
      return []
    case 'Branch':
      return [
        [node.then, 'yes'],
        [node.else, 'no'],
      ]
    default:
      return [[node.next, '']]
  }
}

/** Mermaid reads quotes, brackets and # inside labels as its own. */
function escapeMermaid(text: string): string {
  return text.replace(/[#"<>{}[\]()|\\&`;]/g, (c) => `#${c.codePointAt(0)};`)
}

import type { Span } from '../diagnostics/span.js'
import type { Code, FixedPattern, Graph, GraphFunction, Node } from '../graph/ir.js'
import type { Host } from './host/host.js'
import type { Value } from './values.js'

/** An expression over the slots of a frame. */
export type Evaluate = (slots: readonly Value[]) => Value

/** A node ready to run: expressions are functions, and ways on are references. `node` says what it does. */
export interface Step {
  readonly op: Node['op']
  readonly span: Span
  readonly node: Node
  /** Slot that is written; -1 when none is. */
  readonly set: number
  /** The value of Host, Weigh, Twist, Return, Score and Force; the source of Draw; the test of Branch and Point. */
  readonly value: Evaluate | null
  /** The stream or distribution of Score and Force. */
  readonly from: Evaluate | null
  /** The proposal of a Draw. */
  readonly proposal: Evaluate | null
  /** Streams that a Draw moves besides. */
  readonly beside: Evaluate | null
  /** The learned twist that guides a Draw. */
  readonly guide: Evaluate | null
  /** Contexts on which the token of a Draw is observed. */
  readonly observed: readonly Evaluate[]
  /** The requirement that a token of a Draw must meet. */
  where: Step | null
  readonly args: readonly (Evaluate | null)[]
  readonly callee: LinkedFunction | null
  next: Step
  /** Where Branch goes when its test fails. */
  otherwise: Step
}

export interface LinkedFunction {
  readonly name: string
  readonly slots: number
  entry: Step
}

export interface LinkedProgram {
  readonly script: LinkedFunction
  /** Whether draws look ahead (graph/passes/fuse.ts). */
  readonly lookahead: boolean
  /** Patterns that are the same in every run, with the place of each. */
  readonly patterns: readonly { readonly value: Evaluate; readonly limit: Evaluate | null; readonly of: FixedPattern }[]
  /** Defaults of the params, in order; null where a value must be given. */
  readonly defaults: readonly (Evaluate | null)[]
}

/**
 * Compiles all expressions of the graph, in one JavaScript function, and links the nodes. The text comes from our own emitter:
 * strings of the program enter it only as JSON literals, names not at all.
 */
export function link(graph: Graph, host: Host): LinkedProgram {
  const codes: Code[] = []
  const numbers = new Map<Code, number>()
  const collect = (code: Code | null | undefined) => {
    if (code && !numbers.has(code)) numbers.set(code, codes.push(code) - 1)
  }
  for (const p of graph.params) collect(p.default)
  for (const { pattern, limit } of graph.patterns) {
    collect(pattern)
    collect(limit)
  }
  for (const f of graph.functions) for (const node of f.nodes) for (const code of codesOf(node)) collect(code)
  const source = `"use strict";${graph.pure.map((p) => p.js).join('\n')}\nreturn [${codes.map((c) => `(s)=>(${c.js})`).join(',\n')}]`
  const compiled = new Function('rt', source)(host) as Evaluate[]
  const evaluate = (code: Code | null | undefined): Evaluate | null => (code ? compiled[numbers.get(code)!]! : null)

  const functions: LinkedFunction[] = graph.functions.map((f) => ({
    name: f.name,
    slots: f.slots.length,
    entry: undefined as never,
  }))
  graph.functions.forEach((f, i) => {
    functions[i]!.entry = linkFunction(f, functions, evaluate)
  })
  return {
    script: functions[0]!,
    lookahead: graph.lookahead,
    patterns: graph.patterns.map((of) => ({ value: evaluate(of.pattern)!, limit: evaluate(of.limit), of })),
    defaults: graph.params.map((p) => evaluate(p.default)),
  }
}

function linkFunction(
  f: GraphFunction,
  functions: readonly LinkedFunction[],
  evaluate: (code: Code | null | undefined) => Evaluate | null,
): Step {
  const steps = f.nodes.map((node): Step => {
    const [value, from] = roles(node)
    return {
      op: node.op,
      span: node.span,
      node,
      set: 'set' in node ? node.set : -1,
      value: evaluate(value),
      from: evaluate(from),
      proposal: evaluate(node.op === 'Draw' ? node.proposal : null),
      beside: evaluate(node.op === 'Draw' ? node.beside : null),
      guide: evaluate(node.op === 'Draw' ? node.guide : null),
      observed: node.op === 'Draw' ? (node.fused?.observed ?? []).map((code) => evaluate(code)!) : [],
      where: null,
      args: node.op === 'Call' ? node.args.map((a) => evaluate(a)) : [],
      callee: node.op === 'Call' ? functions[node.function]! : null,
      next: undefined as never,
      otherwise: undefined as never,
    }
  })
  f.nodes.forEach((node, i) => {
    const step = steps[i]!
    if (node.op === 'Branch') {
      step.next = steps[node.then]!
      step.otherwise = steps[node.else]!
    } else if (node.op !== 'Return') step.next = steps[node.next]!
    if (node.op === 'Draw' && node.where !== null) step.where = steps[node.where]!
  })
  return steps[f.entry]!
}

/** The expressions of a node, by the part that they play in a step: [value, from]. */
function roles(node: Node): [Code | null, Code | null] {
  switch (node.op) {
    case 'Host':
    case 'Weigh':
    case 'Twist':
    case 'Return':
      return [node.value, null]
    case 'Draw':
    case 'Settle':
      return [node.from, null]
    case 'Score':
    case 'Force':
      return [node.value, node.from]
    case 'Branch':
      return [node.test, null]
    case 'Point':
      return [node.when, null]
    case 'Untwist':
    case 'Call':
      return [null, null]
    case 'Span':
      throw new Error('a span was not lowered')
    default:
      return node satisfies never
  }
}

function codesOf(node: Node): readonly (Code | null)[] {
  if (node.op === 'Draw') return [...roles(node), node.proposal, node.beside, node.guide, ...(node.fused?.observed ?? [])]
  return node.op === 'Call' ? node.args : roles(node)
}

import type { Type } from '../check/types.js'
import type { Span } from '../diagnostics/span.js'
import type { ExternDecl, FnDecl, ParamDecl } from '../syntax/ast.js'

/**
 * The inference graph: one control-flow graph a function, whose nodes have one documented effect each on a particle.
 * A particle stands at a node, holds a frame of slots, a set of streams, and `logw`, its absolute log weight.
 */
export interface Graph {
  /** Index 0 is the script; the rest are the functions with effects. Functions without effects are `pure`. */
  readonly functions: GraphFunction[]
  readonly pure: readonly PureFunction[]
  readonly models: readonly { readonly name: string; readonly id: string; readonly span: Span }[]
  readonly classifiers: Graph['models']
  readonly params: readonly { readonly decl: ParamDecl; readonly type: Type; readonly default: Code | null }[]
  readonly externs: readonly { readonly decl: ExternDecl; readonly path: string }[]
  /** Places in the program that generated JavaScript refers to by number. */
  readonly sites: Span[]
  /** Type of the script's answer. */
  readonly result: Type
}

export interface GraphFunction {
  readonly name: string
  readonly span: Span
  /** Slots 0 .. params - 1 hold the arguments. */
  readonly params: number
  /** A name for every slot, for people; temporaries begin with `$`. */
  readonly slots: string[]
  readonly nodes: Node[]
  entry: NodeId
  /** Where each `if` statement begins and where its branches meet again, for the alignment check. */
  readonly branches: { readonly at: NodeId; readonly join: NodeId; readonly span: Span }[]
}

/** A function without effects, as one JavaScript function. */
export interface PureFunction {
  readonly decl: FnDecl
  readonly js: string
}

/** An expression without effects: JavaScript over the slots `s` and the host `rt`, and how a person wrote it. */
export interface Code {
  readonly js: string
  readonly text: string
  readonly span: Span
}

export type NodeId = number
export type Slot = number

/** Which next tokens a draw may return; the excluded mass lowers the weight. */
export type DrawMask = 'all' | 'notEnd'

interface At {
  readonly span: Span
}

/** `slot := e`                                                   logw unchanged */
export interface HostNode extends At {
  readonly op: 'Host'
  readonly set: Slot
  readonly value: Code
  next: NodeId
}
/**
 * `slot := a value drawn from e`                                 logw += log(mass that the mask leaves)
 * From a stream: one token, and the stream moves past it; a stream that has ended kills the particle.
 */
export interface DrawNode extends At {
  readonly op: 'Draw'
  readonly set: Slot
  readonly from: Code
  mask: DrawMask
  /** When a resampling point may stand before it: always, never, or where this condition holds. */
  readonly point: 'may' | 'never' | Code
  next: NodeId
}
/** `observe v ~ e`                                               logw += log e(v); a stream moves past v */
export interface ScoreNode extends At {
  readonly op: 'Score'
  readonly value: Code
  readonly from: Code
  next: NodeId
}
/** `force v ~ stream`                                            logw unchanged; the stream moves past v */
export interface ForceNode extends At {
  readonly op: 'Force'
  readonly value: Code
  readonly from: Code
  next: NodeId
}
/** `factor e` (e a log weight) or `require e` (e a Bool)         logw += log e */
export interface WeighNode extends At {
  readonly op: 'Weigh'
  readonly kind: 'factor' | 'require'
  readonly value: Code
  next: NodeId
}
/** `twist e` of statement `id`                                   logw += log e - pending[id]; pending[id] = log e */
export interface TwistNode extends At {
  readonly op: 'Twist'
  readonly id: number
  readonly value: Code
  next: NodeId
}
/** divides out the twists `ids` of the current call              logw -= pending[id]; pending[id] = 0 */
export interface UntwistNode extends At {
  readonly op: 'Untwist'
  readonly ids: readonly number[]
  next: NodeId
}
/** a resampling point, where `when` holds                        the population meets here */
export interface PointNode extends At {
  readonly op: 'Point'
  readonly when: Code | null
  next: NodeId
}
/** goes on at `then` or `else`                                   logw unchanged */
export interface BranchNode extends At {
  readonly op: 'Branch'
  readonly test: Code
  then: NodeId
  else: NodeId
}
/** `slot := f(args)`, in a frame of its own                      whatever f does */
export interface CallNode extends At {
  readonly op: 'Call'
  readonly function: number
  /** null: left out, the default applies. */
  readonly args: readonly (Code | null)[]
  readonly set: Slot
  next: NodeId
}
/** leaves the call, or ends the program with its answer          logw unchanged (its twists are divided out before) */
export interface ReturnNode extends At {
  readonly op: 'Return'
  readonly value: Code | null
}
/** a whole `sample x ~ stream for ...`; the pass `spans` turns it into a loop of the nodes above */
export interface SpanNode extends At {
  readonly op: 'Span'
  readonly set: Slot
  readonly from: Code
  readonly limit: { readonly kind: 'exactly' | 'upTo' | 'within'; readonly count: Code }
  readonly until: Code | null
  readonly twist: { readonly id: number; readonly value: Code } | null
  readonly every: Code | null
  next: NodeId
}

export type Node =
  | HostNode
  | DrawNode
  | ScoreNode
  | ForceNode
  | WeighNode
  | TwistNode
  | UntwistNode
  | PointNode
  | BranchNode
  | CallNode
  | ReturnNode
  | SpanNode

/** The nodes that control can reach from here in one step. */
export function successors(node: Node): NodeId[] {
  switch (node.op) {
    case 'Return':
      return []
    case 'Branch':
      return [node.then, node.else]
    default:
      return [node.next]
  }
}

/** A copy whose nodes can be changed without touching the original. */
export function cloneGraph(graph: Graph): Graph {
  return {
    ...graph,
    sites: [...graph.sites],
    functions: graph.functions.map((f) => ({ ...f, slots: [...f.slots], nodes: f.nodes.map((node) => ({ ...node })) })),
  }
}

/** Ids of the nodes that control can reach, in depth-first order from the entry. */
export function reachable(f: GraphFunction): NodeId[] {
  const seen = new Set<NodeId>()
  const stack = [f.entry]
  while (stack.length > 0) {
    const id = stack.pop()!
    if (seen.has(id)) continue
    seen.add(id)
    stack.push(...successors(f.nodes[id]!).reverse())
  }
  return [...seen]
}

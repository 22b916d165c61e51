import type { Type } from '../check/types.js'
import type { Span } from '../diagnostics/span.js'
import type { ExternDecl, FnDecl, LearnTwistDecl, ParamDecl } from '../syntax/ast.js'

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
  /** The learned twists that the program declares. */
  readonly learned: readonly LearnTwistDecl[]
  /** Params of which learned twists see drawn data in place of the program's own: their index, by the statement that observes them. */
  readonly conditioned: ReadonlyMap<Span, number>
  /** Places in the program that generated JavaScript refers to by number. */
  readonly sites: Span[]
  /** Whether what follows a draw may be looked at before it (pass `fuse`). */
  readonly lookahead: boolean
  /** Patterns of `matching` that are the same in every run: made before it begins. */
  readonly patterns: readonly FixedPattern[]
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

/** A pattern that does not depend on a particle, with the most tokens that its text may have, where that does not either. */
export interface FixedPattern {
  readonly pattern: Code
  readonly limit: Code | null
}

/** An expression without effects: JavaScript over the slots `s` and the host `rt`, and how a person wrote it. */
export interface Code {
  readonly js: string
  readonly text: string
  readonly span: Span
}

export type NodeId = number
export type Slot = number

interface At {
  readonly span: Span
}

/** What is drawn from or observed on: a stream (or a product of them) has tokens, a distribution has values. */
export type Outcomes = 'tokens' | 'values'

/** `slot := e`                                                   logw unchanged */
export interface HostNode extends At {
  readonly op: 'Host'
  readonly set: Slot
  readonly value: Code
  next: NodeId
}
/**
 * `slot := a value drawn from e`                                 logw += log C, C the mass of what is drawn from
 * From a stream: one token v, and the stream moves past it; a stream that has ended kills the particle. Drawn from the local posterior
 * g(v) = p(v) · what was fused (inference.md §1), so C = sum of g; 1 where nothing was fused. From a distribution: a value, the same with its
 * support in place of the vocabulary; a fused `where` is left to its own node where the support cannot be listed.
 */
export interface DrawNode extends At {
  readonly op: 'Draw'
  readonly set: Slot
  readonly from: Code
  readonly outcomes: Outcomes
  /** Drawn from here instead and not weighed: `Settle` divides by it. The stream of `from` moves all the same. */
  readonly proposal: Code | null
  /** A stream that moves past the token too and does nothing else: the proposal of other draws of the span. */
  readonly beside: Code | null
  readonly pattern: DrawPattern | null
  /** A learned twist that is looked at while drawing: q = g psi / C, and logw += log C - log psi(v); a `Twist` follows that multiplies psi again. */
  guide: Code | null
  /** The requirement of the span that every token must meet, further on. */
  where: NodeId | null
  /** Whether it may change the weight although nothing is fused: it may draw from a product of contexts. */
  readonly weighs: boolean
  /** When a resampling point may stand before it: always, never, or where this condition holds. */
  readonly point: 'may' | 'never' | Code
  /** What the pass `fuse` has found. */
  fused: Fused | null
  /** Why the weight that follows is not part of the draw, for people; null where none follows or nobody has looked. */
  apart: string | null
  next: NodeId
}

/** The text of a span keeps to a pattern: slots of the state of the pattern, and of whether the text has stopped. */
export interface DrawPattern {
  readonly state: Slot
  readonly stopped: Slot
}

/** What goes into a draw of a token beside the model itself, and so into its normaliser. */
export interface Fused {
  /** The end token is not drawn. */
  readonly notEnd: boolean
  /** Contexts on which the token is observed. */
  readonly observed: readonly Code[]
  /** Whether tokens are drawn so that they meet `where`: by looking at each where the vocabulary is small, else by rejection. */
  readonly where: boolean
}

/** `observe v ~ e`                                               logw += log e(v); a stream moves past v */
export interface ScoreNode extends At {
  readonly op: 'Score'
  readonly value: Code
  readonly from: Code
  readonly outcomes: Outcomes
  next: NodeId
}
/** scores the tokens that proposals have drawn for this stream     logw += log p of them */
export interface SettleNode extends At {
  readonly op: 'Settle'
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
  /** `where`: a `require` after every token of a span. `limit`: one behind a span, that it came to its end. */
  readonly kind: 'factor' | 'require' | 'where' | 'limit'
  readonly value: Code
  next: NodeId
}
/** `twist e` of statement `id`                                   logw += log e - pending[id]; pending[id] = log e */
export interface TwistNode extends At {
  readonly op: 'Twist'
  readonly id: number
  readonly value: Code
  /** What a draw before it may look at; null where it is no learned twist. */
  readonly guide: Code | null
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
  /** null: until the pattern is complete. */
  readonly limit: { readonly kind: 'exactly' | 'upTo' | 'within'; readonly count: Code } | null
  readonly until: Code | null
  readonly matching: Code | null
  readonly where: Code | null
  readonly via: { readonly proposal: Code; readonly block: Code | null } | null
  readonly twist: { readonly id: number; readonly value: Code; readonly guide: Code | null } | null
  readonly every: Code | null
  readonly weighs: boolean
  next: NodeId
}

export type Node =
  | HostNode
  | DrawNode
  | ScoreNode
  | SettleNode
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

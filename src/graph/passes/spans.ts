import { theStream } from '../emit.js'
import { Flow, type Tail } from '../flow.js'
import {
  type Code,
  cloneGraph,
  type DrawNode,
  type Graph,
  type GraphFunction,
  type HostNode,
  type NodeId,
  type Slot,
  type SpanNode,
} from '../ir.js'

/**
 * Pass `spans`: every `sample x ~ stream for ...` becomes a loop that draws one token a turn (language.md §6):
 *
 *     $stream := e; $limit := n; $state := start of the pattern; x := ""
 *     while $drawn < $limit, and the stream has not ended (`for n tokens`: a stream that has ended kills):
 *       twist                          from the second turn on: a twist with no token after it would be divided out at once
 *       $token := draw                 a resampling point may stand before it; leave when the pattern has stopped it
 *       require not $token.end         `for n tokens` only; the pass `fuse` makes one draw of both
 *       x := the text since the start, cut before the first match of `until`
 *       require `where`, unless x is empty
 *       leave where `until` has matched, or the pattern is complete
 *     require that the pattern accepts, `within` that the stream has ended: cut at the limit
 *     untwist
 *
 * `via` draws from the proposal and settles what the stream's own model thinks of it at the end of the turn. `in blocks of k` has
 * turns of k such draws, one settlement for all, and one draw more from the model itself.
 */
export function lowerSpans(graph: Graph): Graph {
  const lowered = cloneGraph(graph)
  for (const f of lowered.functions) {
    const count = f.nodes.length
    for (let id = 0; id < count; id++) {
      const node = f.nodes[id]!
      if (node.op === 'Span') new SpanLowering(lowered, f, node).lower(id)
    }
  }
  return lowered
}

class SpanLowering {
  private readonly stream: Slot
  private readonly drawn: Slot
  private readonly token: Slot
  private readonly start: Slot
  private readonly limit: Slot | null
  private readonly until: Slot | null
  private readonly every: Slot | null
  private readonly state: Slot | null
  private readonly halted: Slot | null
  private readonly proposal: Slot | null
  /** Ways out of the loop other than its test. */
  private readonly left: Tail[] = []
  private flow!: Flow

  constructor(
    private readonly graph: Graph,
    private readonly f: GraphFunction,
    private readonly span: SpanNode,
  ) {
    this.stream = this.slot('stream')
    this.drawn = this.slot('drawn')
    this.token = this.slot('token')
    this.start = this.slot('start')
    this.limit = span.limit && this.slot('limit')
    this.until = span.until && this.slot('until')
    this.every = span.every && this.slot('every')
    this.state = span.matching && this.slot('state')
    this.halted = span.matching && this.slot('stopped')
    this.proposal = span.via && this.slot('proposal')
  }

  /** The first node takes the place of the span, so that whatever led to the span still does. */
  lower(id: NodeId): void {
    const { span } = this
    const first = this.host(this.stream, `rt.stream(${span.from.js},${this.site(span.from)})`, span.from.text)
    this.f.nodes[id] = first
    this.flow = new Flow(this.f.nodes, (next) => {
      first.next = next
    })
    this.prepare()
    if (span.via?.block) this.blocks(span.via.block)
    else this.turns()
    this.finish()
    this.flow.end(span.next)
  }

  private prepare(): void {
    const { span } = this
    const { limit, until, every, matching, via } = span
    const put = (slot: Slot, name: string, code: Code) => this.set(slot, `rt.${name}(${code.js},${this.site(code)})`, code.text)
    if (limit) put(this.limit!, 'count', limit.count)
    this.set(this.start, `rt.position(s[${this.stream}])`, `position of ${this.name(this.stream)}`)
    this.set(this.drawn, '0', '0')
    if (until) put(this.until!, 'stop', until)
    if (every) put(this.every!, 'spacing', every)
    if (matching) {
      this.set(this.state!, `rt.begin(${matching.js},s[${this.stream}],${this.site(matching)})`, `start of ${matching.text}`)
      this.set(this.halted!, 'false', 'false')
    }
    if (via) {
      const { proposal } = via
      this.set(
        this.proposal!,
        `rt.proposal(s[${this.stream}],${proposal.js},${this.site(proposal)})`,
        `proposal ${proposal.text}`,
      )
    }
    this.set(span.set, '""', '""')
  }

  private turns(): void {
    this.loop(this.more(), () => {
      this.twist()
      const { every, drawn } = this
      const spaced =
        every === null ? null : this.code(`s[${drawn}]%s[${every}]===0`, `${this.name(drawn)} % ${this.name(every)} == 0`)
      this.draw({ through: this.proposal, beside: null, point: spaced ?? 'may' })
      if (this.proposal !== null) this.settle()
    })
  }

  /** Exactly one resampling point a turn, before its first draft. */
  private blocks(size: Code): void {
    const [block, drafted, due, after] = [this.slot('block'), this.slot('drafted'), this.slot('due'), this.slot('after')]
    const { drawn, every } = this
    this.set(block, `rt.blockSize(${size.js},${this.site(size)})`, size.text)
    this.set(after, '0', '0')
    this.loop(this.more(), () => {
      this.twist()
      this.set(drafted, '0', '0')
      this.set(due, `s[${drawn}]>=s[${after}]`, `${this.name(drawn)} >= ${this.name(after)}`)
      if (every !== null) {
        this.set(after, `s[${due}]?s[${drawn}]+s[${every}]:s[${after}]`, `${this.name(drawn)} + ${this.name(every)} where due`)
      }
      const drafting = this.code(
        `s[${drafted}]<s[${block}]&&(${this.more().js})`,
        `${this.name(drafted)} < ${this.name(block)} and ${this.more().text}`,
      )
      this.loop(drafting, () => {
        const atFirst = this.code(`s[${drafted}]===0&&s[${due}]`, `${this.name(drafted)} == 0 and ${this.name(due)}`)
        this.draw({ through: this.proposal, beside: null, point: atFirst })
        this.set(drafted, `s[${drafted}]+1`, `${this.name(drafted)} + 1`)
      })
      this.settle()
      const whole = this.code(
        `s[${drafted}]>=s[${block}]&&(${this.more().js})`,
        `${this.name(drafted)} == ${this.name(block)} and ${this.more().text}`,
      )
      this.flow.branch(whole, this.span.span, () => {
        this.draw({ through: null, beside: this.proposal, point: 'never' })
      })
    })
  }

  private draw(how: { readonly through: Slot | null; readonly beside: Slot | null; readonly point: DrawNode['point'] }): void {
    const { span, flow, stream, drawn, token, state, halted, until } = this
    const text = span.set
    const read = (slot: Slot) => this.code(`s[${slot}]`, this.name(slot))
    const draw: DrawNode = {
      op: 'Draw',
      set: token,
      from: read(stream),
      outcomes: 'tokens',
      proposal: how.through === null ? null : read(how.through),
      beside: how.beside === null ? null : read(how.beside),
      pattern: state === null ? null : { state, stopped: halted! },
      guide: how.through === null ? this.ofStream(span.twist?.guide ?? null) : null,
      where: null,
      weighs: span.weighs,
      point: how.point,
      fused: null,
      apart: null,
      span: span.span,
      next: -1,
    }
    flow.append(draw)
    if (span.limit?.kind === 'exactly') {
      const goesOn = this.code(`!s[${token}].end`, `not ${this.name(token)}.end`)
      flow.append({ op: 'Weigh', kind: 'require', value: goesOn, span: span.span, next: -1 })
    }
    if (halted !== null) this.leaveWhere(read(halted))
    this.set(drawn, `s[${drawn}]+1`, `${this.name(drawn)} + 1`)
    this.set(text, `rt.textSince(s[${stream}],s[${this.start}])`, `text of ${this.name(stream)} since ${this.name(this.start)}`)
    if (state !== null) this.set(state, `s[${state}].next(s[${token}].id)`, `${this.name(state)} after ${this.name(token)}`)
    const match = until === null ? null : this.slot('match')
    if (match !== null) {
      this.set(match, `rt.firstMatch(s[${until}],s[${text}])`, `first match of ${this.name(until!)} in ${this.name(text)}`)
      this.set(text, `s[${match}]>=0?s[${text}].slice(0,s[${match}]):s[${text}]`, `${this.name(text)} before ${this.name(match)}`)
    }
    if (span.where) {
      // The empty text need not meet it: a text may end, or come to its stop, with its first token.
      const value = { ...span.where, js: `s[${text}]===""||${span.where.js}` }
      draw.where = flow.append({ op: 'Weigh', kind: 'where', value, span: span.where.span, next: -1 })
    }
    if (match !== null) this.leaveWhere(this.code(`s[${match}]>=0`, `${this.name(match)} >= 0`))
    if (state !== null) this.leaveWhere(this.code(`rt.complete(s[${state}])`, `${this.name(state)} is complete`))
  }

  private twist(): void {
    const { twist } = this.span
    if (!twist) return
    this.flow.branch(this.code(`s[${this.drawn}]>0`, `${this.name(this.drawn)} > 0`), this.span.span, () => {
      const { id } = twist
      const [value, guide] = [this.ofStream(twist.value), this.ofStream(twist.guide)]
      this.flow.append({ op: 'Twist', id, value, guide, span: twist.value.span, next: -1 })
    })
  }

  /** `twisted by psi` is about the stream of the span. */
  private ofStream<C extends Code | null>(code: C): C {
    return code && { ...code, js: code.js.replaceAll(theStream, `s[${this.stream}]`) }
  }

  private settle(): void {
    const from = this.code(`s[${this.stream}]`, this.name(this.stream))
    this.flow.append({ op: 'Settle', from, span: this.span.span, next: -1 })
  }

  private finish(): void {
    const { span, flow, stream, state } = this
    const require = (js: string, text: string) =>
      flow.append({ op: 'Weigh', kind: 'limit', value: this.code(js, text), span: span.span, next: -1 })
    if (state !== null) require(`s[${state}].accepting`, `${this.name(state)} accepts`)
    if (span.limit?.kind === 'within') require(`rt.ended(s[${stream}])`, `${this.name(stream)}.ended`)
    flow.join(this.left)
    if (span.via) this.settle()
    if (span.twist) flow.append({ op: 'Untwist', ids: [span.twist.id], span: span.span, next: -1 })
  }

  /** Whether another token may be drawn. */
  private more(): Code {
    const { drawn, limit, stream, span } = this
    const inside = limit === null ? null : `s[${drawn}]<s[${limit}]`
    const insideText = limit === null ? null : `${this.name(drawn)} < ${this.name(limit)}`
    if (span.limit?.kind === 'exactly') return this.code(inside!, insideText!)
    const goesOn = `!rt.ended(s[${stream}])`
    return this.code(
      [inside, goesOn].filter(Boolean).join('&&'),
      [insideText, `not ${this.name(stream)}.ended`].filter(Boolean).join(' and '),
    )
  }

  private leaveWhere(test: Code): void {
    this.flow.branch(test, this.span.span, () => {
      this.left.push(...this.flow.detach())
    })
  }

  private loop(test: Code, body: () => void): void {
    this.flow.loop(() => ({ code: test, span: this.span.span }), body)
  }

  private set(slot: Slot, js: string, text: string): void {
    this.flow.append(this.host(slot, js, text))
  }

  private host(set: Slot, js: string, text: string): HostNode {
    return { op: 'Host', set, value: this.code(js, text), span: this.span.span, next: -1 }
  }

  private code(js: string, text: string): Code {
    return { js, text, span: this.span.span }
  }

  private site(at: Code): number {
    return this.graph.sites.push(at.span) - 1
  }

  private slot(name: string): Slot {
    return this.f.slots.push(`$${name}`) - 1
  }

  private name(slot: Slot): string {
    return this.f.slots[slot]!
  }
}

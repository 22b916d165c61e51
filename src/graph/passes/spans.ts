import { Flow, type Tail } from '../flow.js'
import {
  type Code,
  cloneGraph,
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
 *     $stream := e; $limit := n; x := ""
 *     while $drawn < $limit, and the stream has not ended (`for n tokens`: a stream that has ended kills):
 *       twist                          from the second turn on: a twist with no token after it would be divided out at once
 *       $token := draw                 a resampling point may stand before it
 *       require not $token.end         `for n tokens` only; the pass `fuse` makes one draw of both
 *       x := the text since the start
 *       leave, with x cut before it, at the first match of `until`
 *     require that the stream has ended    `within` only: cut at the limit
 *     untwist
 */
export function lowerSpans(graph: Graph): Graph {
  const lowered = cloneGraph(graph)
  for (const f of lowered.functions) {
    const count = f.nodes.length
    for (let id = 0; id < count; id++) {
      const node = f.nodes[id]!
      if (node.op === 'Span') lowerSpan(lowered, f, id, node)
    }
  }
  return lowered
}

function lowerSpan(graph: Graph, f: GraphFunction, id: NodeId, span: SpanNode): void {
  const slot = (name: string): Slot => f.slots.push(`$${name}`) - 1
  const name = (slot: Slot) => f.slots[slot]!
  const code = (js: string, text: string): Code => ({ js, text, span: span.span })
  const site = (at: Code) => graph.sites.push(at.span) - 1
  const host = (set: Slot, js: string, text: string): HostNode => ({
    op: 'Host',
    set,
    value: code(js, text),
    span: span.span,
    next: -1,
  })
  const [stream, limit, start, drawn, token] = [slot('stream'), slot('limit'), slot('start'), slot('drawn'), slot('token')]
  const text = span.set
  const { kind, count } = span.limit

  // The first node takes the place of the span, so that whatever led to the span still does.
  const first = host(stream, `rt.stream(${span.from.js},${site(span.from)})`, span.from.text)
  f.nodes[id] = first
  const flow = new Flow(f.nodes, (next) => {
    first.next = next
  })
  flow.append(host(limit, `rt.count(${count.js},${site(count)})`, count.text))
  flow.append(host(start, `rt.position(s[${stream}])`, `position of ${name(stream)}`))
  flow.append(host(drawn, '0', '0'))
  const until = span.until && slot('until')
  if (until !== null) flow.append(host(until, `rt.stop(${span.until!.js},${site(span.until!)})`, span.until!.text))
  const every = span.every && slot('every')
  if (every !== null) flow.append(host(every, `rt.spacing(${span.every!.js},${site(span.every!)})`, span.every!.text))
  flow.append(host(text, '""', '""'))

  const more =
    kind === 'exactly'
      ? code(`s[${drawn}]<s[${limit}]`, `${name(drawn)} < ${name(limit)}`)
      : code(`s[${drawn}]<s[${limit}]&&!rt.ended(s[${stream}])`, `${name(drawn)} < ${name(limit)} and not ${name(stream)}.ended`)
  const stopped: Tail[] = []
  flow.loop(
    () => ({ code: more, span: span.span }),
    () => {
      const { twist } = span
      if (twist) {
        flow.branch(code(`s[${drawn}]>0`, `${name(drawn)} > 0`), span.span, () => {
          flow.append({ op: 'Twist', ...twist, span: twist.value.span, next: -1 })
        })
      }
      flow.append({
        op: 'Draw',
        set: token,
        from: code(`s[${stream}]`, name(stream)),
        mask: 'all',
        point: every === null ? 'may' : code(`s[${drawn}]%s[${every}]===0`, `${name(drawn)} % ${name(every)} == 0`),
        span: span.span,
        next: -1,
      })
      if (kind === 'exactly') {
        const goesOn = code(`!s[${token}].end`, `not ${name(token)}.end`)
        flow.append({ op: 'Weigh', kind: 'require', value: goesOn, span: span.span, next: -1 })
      }
      flow.append(host(drawn, `s[${drawn}]+1`, `${name(drawn)} + 1`))
      flow.append(host(text, `rt.textSince(s[${stream}],s[${start}])`, `text of ${name(stream)} since ${name(start)}`))
      if (until !== null) {
        const match = slot('match')
        flow.append(host(match, `rt.firstMatch(s[${until}],s[${text}])`, `first match of ${name(until)} in ${name(text)}`))
        flow.branch(code(`s[${match}]>=0`, `${name(match)} >= 0`), span.span, () => {
          flow.append(host(text, `s[${text}].slice(0,s[${match}])`, `${name(text)} before ${name(match)}`))
          stopped.push(...flow.detach())
        })
      }
    },
  )
  if (kind === 'within') {
    const ended = code(`rt.ended(s[${stream}])`, `${name(stream)}.ended`)
    flow.append({ op: 'Weigh', kind: 'require', value: ended, span: span.span, next: -1 })
  }
  flow.join(stopped)
  if (span.twist) flow.append({ op: 'Untwist', ids: [span.twist.id], span: span.span, next: -1 })
  flow.end(span.next)
}

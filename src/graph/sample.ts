import type { Clause, Exp, SampleStmt } from '../syntax/ast.js'
import type { GraphBuilder } from './build.js'
import { generated } from './emit.js'
import type { FunctionBuilder } from './function.js'
import type { Code, DrawNode, Outcomes, Slot } from './ir.js'

/** `sample` statements as nodes: a span, which a pass makes a loop of draws (`passes/spans.ts`), or a single draw. */
export class SampleBuilder {
  constructor(private readonly fn: FunctionBuilder) {}

  /** Appends the node of a `sample`, and those behind it. */
  add(s: SampleStmt): void {
    const { flow, emitter, lifter, builder } = this.fn
    const clause = <K extends Clause['kind']>(kind: K) =>
      s.clauses.find((c): c is Extract<Clause, { kind: K }> => c.kind === kind)
    const limit = clause('Exactly') ?? clause('UpTo') ?? clause('Within')
    const [until, matching, where, via] = [clause('Until'), clause('Matching'), clause('Where'), clause('Via')]
    const [every, twist] = [clause('ResamplingEvery'), clause('TwistedBy')]
    lifter.liftAll([
      s.from,
      ...(limit ? [limit.count] : []),
      ...(until ? [until.stop] : []),
      ...(every ? [every.count] : []),
      ...(via ? [via.proposal, ...(via.block ? [via.block] : [])] : []),
    ])
    const from = emitter.code(s.from)
    const set = this.fn.bind(s)
    const weighs = builder.hasProducts
    const proposal = via && { proposal: emitter.code(via.proposal), block: via.block ? emitter.code(via.block) : null }
    const condition = where ? emitter.bool(where.predicate) : null
    if (!limit && !matching) {
      this.draw(s, set, from, weighs, proposal?.proposal ?? null, condition)
      return
    }
    const most = limit ? emitter.code(limit.count) : null
    const kinds = { Exactly: 'exactly', UpTo: 'upTo', Within: 'within' } as const
    flow.append({
      op: 'Span',
      set,
      from,
      limit: most && { kind: kinds[limit!.kind], count: most },
      until: until ? emitter.code(until.stop) : null,
      matching: matching ? this.pattern(matching.pattern, until ? null : most) : null,
      where: condition,
      via: proposal ?? null,
      twist: twist ? { id: builder.twists++, value: emitter.logWeight(twist.twist), guide: emitter.guide(twist.twist) } : null,
      every: every ? emitter.code(every.count) : null,
      weighs,
      span: s.span,
      next: -1,
    })
  }

  /** One draw, of a token or from a distribution. */
  private draw(s: SampleStmt, set: Slot, target: Code, weighs: boolean, proposal: Code | null, where: Code | null): void {
    const { flow, emitter } = this.fn
    let [from, through] = [target, proposal]
    if (through) {
      const stream = this.fn.temporary('target')
      const drafts = this.fn.temporary('proposal')
      this.fn.host(stream, target)
      this.fn.host(
        drafts,
        generated(`rt.proposal(s[${stream}],${through.js},${emitter.site(through.span)})`, through.text, through.span),
      )
      from = generated(`s[${stream}]`, target.text, target.span)
      through = generated(`s[${drafts}]`, through.text, through.span)
    }
    const draw: DrawNode = {
      op: 'Draw',
      set,
      from,
      outcomes: outcomesOf(this.fn.builder, s.from),
      proposal: through,
      beside: null,
      pattern: null,
      guide: null,
      where: null,
      weighs,
      point: 'may',
      fused: null,
      apart: null,
      span: s.span,
      next: -1,
    }
    flow.append(draw)
    if (where) draw.where = flow.append({ op: 'Weigh', kind: 'where', value: where, span: where.span, next: -1 })
    if (through) flow.append({ op: 'Settle', from, span: s.span, next: -1 })
  }

  /** What a text of at most so many tokens is to match; remembered where it is the same in every run. */
  private pattern(exp: Exp, most: Code | null): Code {
    const fixed = (code: Code) => !code.js.includes('s[')
    const { emitter, builder } = this.fn
    const pattern = emitter.pattern(exp)
    if (fixed(pattern)) builder.patterns.push({ pattern, limit: most && fixed(most) ? most : null })
    return pattern
  }
}

/** What a draw from this expression gives. */
export function outcomesOf({ checked }: GraphBuilder, from: Exp): Outcomes {
  return checked.types.get(from)?.kind === 'Dist' ? 'values' : 'tokens'
}

import type { VariableSymbol } from '../check/types.js'
import type { Span } from '../diagnostics/span.js'
import type { Block, CallExp, Exp, FnDecl, IfStmt, Stmt } from '../syntax/ast.js'
import type { GraphBuilder } from './build.js'
import { arrange, Emitter, generated, textOf } from './emit.js'
import { Flow, type Tail } from './flow.js'
import type { Code, GraphFunction, Node, NodeId, Slot } from './ir.js'
import { Lifter } from './lift.js'
import { assignment } from './pure.js'
import { outcomesOf, SampleBuilder } from './sample.js'

interface Loop {
  readonly breaks: Tail[]
  readonly continues: Tail[]
  /** Twist statements whose innermost loop this is: they are divided out when it ends. */
  readonly twists: number[]
}

/** Builds the control-flow graph of the script or of one function with effects. */
export class FunctionBuilder {
  private readonly slots: string[] = []
  private readonly slotOf = new Map<VariableSymbol, Slot>()
  private readonly branches: { at: NodeId; join: NodeId; span: Span }[] = []
  private readonly loops: Loop[] = []
  /** Every twist statement of the call; filled while the body is built, read by the `Untwist` nodes when it is done. */
  private readonly twists: number[] = []
  private entry: NodeId = 0
  readonly flow: Flow
  private decl: FnDecl | null = null
  readonly emitter: Emitter
  readonly lifter: Lifter
  private readonly samples: SampleBuilder

  constructor(
    readonly builder: GraphBuilder,
    private readonly span: Span,
  ) {
    this.emitter = new Emitter(builder, { read: (symbol) => `s[${this.slot(symbol)}]` })
    this.lifter = new Lifter(this)
    this.samples = new SampleBuilder(this)
    this.flow = new Flow([], (next) => {
      this.entry = next
    })
  }

  script(statements: readonly Stmt[]): GraphFunction {
    return this.finish('script', 0, () => {
      for (const s of statements) this.statement(s)
    })
  }

  function(decl: FnDecl): GraphFunction {
    this.decl = decl
    const formals = decl.params.map((formal) => this.bind(formal))
    return this.finish(decl.name.text, formals.length, () => {
      decl.params.forEach((formal, i) => {
        if (!formal.default) return
        const value = this.emitter.code(formal.default)
        const js = this.emitter.coerced(value.js, formal.type, formal.span)
        this.host(formals[i]!, { ...value, js: `s[${formals[i]}]===undefined?${js}:s[${formals[i]}]` })
      })
      for (const s of decl.body.statements) this.statement(s)
      this.leave(null, decl.span)
    })
  }

  private finish(name: string, params: number, body: () => void): GraphFunction {
    body()
    const { slots, branches } = this
    const { nodes } = this.flow
    this.entry = this.dropEmptyUntwists(nodes, this.entry)
    return { name, span: this.span, params, slots, nodes, entry: this.entry, branches }
  }

  /** A call without twists has nothing to divide out: whatever led to such a node leads behind it. Returns the entry. */
  private dropEmptyUntwists(nodes: readonly Node[], entry: NodeId): NodeId {
    const behind = (id: NodeId): NodeId => {
      const node = nodes[id]
      return node?.op === 'Untwist' && node.ids.length === 0 ? behind(node.next) : id
    }
    for (const node of nodes) {
      if (node.op === 'Branch') {
        node.then = behind(node.then)
        node.else = behind(node.else)
      } else if (node.op !== 'Return') node.next = behind(node.next)
    }
    for (const branch of this.branches) branch.join = behind(branch.join)
    return behind(entry)
  }

  // ---- nodes ------------------------------------------------------------------------------------

  temporary(name: string): Slot {
    return this.slots.push(`$${name}`) - 1
  }

  /** From now on the expression reads this slot. */
  keep(e: Exp, slot: Slot): void {
    this.emitter.computed.set(e, { js: `s[${slot}]`, name: this.slots[slot]! })
  }

  host(set: Slot, value: Code): void {
    this.flow.append({ op: 'Host', set, value, span: value.span, next: -1 })
  }

  /** The slot of the variable that a statement or a formal binds. */
  bind(node: Parameters<typeof this.builder.checked.symbols.get>[0]): Slot {
    const symbol = this.builder.checked.symbols.get(node)
    if (symbol?.kind !== 'variable') throw new Error('a binder was not resolved to a variable')
    return this.slot(symbol)
  }

  private slot(symbol: VariableSymbol): Slot {
    let slot = this.slotOf.get(symbol)
    if (slot === undefined) {
      slot = this.slots.push(symbol.name) - 1
      this.slotOf.set(symbol, slot)
    }
    return slot
  }

  // ---- expressions --------------------------------------------------------------------------------

  /** The call of a function with effects, as a node; returns the slot that holds its answer. */
  call(e: CallExp): Slot | null {
    const symbol = e.callee.kind === 'Name' ? this.builder.checked.symbols.get(e.callee) : undefined
    if (symbol?.kind !== 'function') return null
    const index = this.builder.graphFunction(symbol.decl)
    if (index === undefined) return null
    const formals = symbol.decl.params
    const ordered = arrange(
      e.args,
      formals.map((f) => f.name.text),
    )
    const args = ordered.map((a, i): Code | null => {
      if (!a) return null
      const code = this.emitter.code(a.value)
      return { ...code, js: this.emitter.coerced(code.js, formals[i]!.type, a.span) }
    })
    const set = this.temporary(symbol.name)
    this.flow.append({ op: 'Call', function: index, args, set, span: e.span, next: -1 })
    return set
  }

  isEffectful(e: Exp): boolean {
    if (e.kind !== 'Call' || e.callee.kind !== 'Name') return false
    const symbol = this.builder.checked.symbols.get(e.callee)
    return symbol?.kind === 'function' && this.builder.graphFunction(symbol.decl) !== undefined
  }

  /** The expression as pure code; calls with effects inside it have become nodes before. */
  private value(e: Exp): Code {
    this.lifter.lift(e)
    return this.emitter.code(e)
  }

  private condition(e: Exp): Code {
    this.lifter.lift(e)
    return this.emitter.bool(e)
  }

  // ---- statements ---------------------------------------------------------------------------------

  private block(block: Block): void {
    for (const s of block.statements) this.statement(s)
  }

  private statement(s: Stmt): void {
    const { emitter } = this
    switch (s.kind) {
      case 'Let': {
        const value = this.value(s.value)
        this.host(this.bind(s), { ...value, js: emitter.coerced(value.js, s.type, s.span) })
        return
      }
      case 'Assign': {
        this.lifter.liftAll([...s.path.flatMap((step) => (step.kind === 'IndexStep' ? [step.index] : [])), s.value])
        const slot = this.bind(s)
        this.host(slot, generated(assignment(emitter, s, `s[${slot}]`), textOf(s), s.span))
        return
      }
      case 'Sample':
        this.samples.add(s)
        return
      case 'Observe':
      case 'Force': {
        this.lifter.liftAll([s.value, s.from])
        const at = { value: emitter.code(s.value), from: emitter.code(s.from), span: s.span, next: -1 }
        this.flow.append(
          s.kind === 'Force' ? { op: 'Force', ...at } : { op: 'Score', outcomes: outcomesOf(this.builder, s.from), ...at },
        )
        return
      }
      case 'Factor':
        this.lifter.lift(s.value)
        this.flow.append({ op: 'Weigh', kind: 'factor', value: emitter.logWeight(s.value), span: s.span, next: -1 })
        return
      case 'Require':
        this.flow.append({ op: 'Weigh', kind: 'require', value: this.condition(s.condition), span: s.span, next: -1 })
        return
      case 'Twist': {
        this.lifter.lift(s.value)
        const id = this.builder.twists++
        this.twists.push(id)
        this.loops[this.loops.length - 1]?.twists.push(id)
        const guide = emitter.guide(s.value)
        this.flow.append({ op: 'Twist', id, value: emitter.logWeight(s.value), guide, span: s.span, next: -1 })
        return
      }
      case 'Untwist':
        this.flow.append({ op: 'Untwist', ids: this.twists, span: s.span, next: -1 })
        return
      case 'Resample':
        this.flow.append({ op: 'Point', when: null, span: s.span, next: -1 })
        return
      case 'If':
        this.if(s)
        return
      case 'For':
        this.for(s)
        return
      case 'While':
        this.loop(
          s.span,
          () => this.condition(s.condition),
          () => this.block(s.body),
        )
        return
      case 'Repeat':
        this.repeat(s)
        return
      case 'Break':
      case 'Continue': {
        const loop = this.loops[this.loops.length - 1]!
        const ways = s.kind === 'Break' ? loop.breaks : loop.continues
        ways.push(...this.flow.detach())
        return
      }
      case 'Return': {
        const value = s.value && this.value(s.value)
        this.leave(value ? { ...value, js: emitter.coerced(value.js, this.decl?.result, s.span) } : null, s.span)
        return
      }
      case 'Do':
        // The value is dropped: what remains to do is in the nodes that were lifted, and in `prob`, which has no effect.
        this.host(this.temporary('_'), this.value(s.call))
        return
      default:
        s satisfies never
    }
  }

  private leave(value: Code | null, span: Span): void {
    if (!this.flow.open) return
    // The answer is computed before the twists are divided out: it does not depend on them, and both stand for one `return`.
    let result = value
    if (value) {
      const slot = this.temporary('return')
      this.host(slot, value)
      result = { ...value, js: `s[${slot}]` }
    }
    this.flow.append({ op: 'Untwist', ids: this.twists, span, next: -1 })
    this.flow.append({ op: 'Return', value: result, span })
  }

  private if(s: IfStmt): void {
    const at = this.flow.branch(
      this.condition(s.condition),
      s.span,
      () => this.block(s.then),
      () => {
        if (!s.else) return
        if ('kind' in s.else) this.if(s.else)
        else this.block(s.else)
      },
    )
    const branch = { at, join: -1, span: s.span }
    this.branches.push(branch)
    this.flow.notice((next) => {
      branch.join = next
    })
  }

  private for(s: Stmt & { kind: 'For' }): void {
    const site = this.emitter.site(s.in.span)
    const variable = this.bind(s)
    const at = this.temporary('at')
    const over = this.temporary('over')
    const code = (js: string, text: string) => generated(js, text, s.in.span)
    if (s.in.kind === 'Binary' && s.in.operator === '..') {
      this.lifter.liftAll([s.in.left, s.in.right])
      this.host(at, code(`rt.int(${this.emitter.emit(s.in.left)},${site})`, textOf(s.in.left)))
      this.host(over, code(`rt.int(${this.emitter.emit(s.in.right)},${site})`, textOf(s.in.right)))
      this.loop(
        s.span,
        () => code(`s[${at}]<=s[${over}]`, `${this.slots[at]} <= ${this.slots[over]}`),
        () => {
          this.host(variable, code(`s[${at}]`, `${this.slots[at]}`))
          this.host(at, code(`s[${at}]+1`, `${this.slots[at]} + 1`))
          this.block(s.body)
        },
      )
      return
    }
    this.lifter.lift(s.in)
    this.host(over, code(`rt.list(${this.emitter.emit(s.in)},${site})`, textOf(s.in)))
    this.host(at, code('0', '0'))
    this.loop(
      s.span,
      () => code(`s[${at}]<s[${over}].length`, `${this.slots[at]} < ${this.slots[over]}.length`),
      () => {
        this.host(variable, code(`s[${over}][s[${at}]]`, `${this.slots[over]}[${this.slots[at]}]`))
        this.host(at, code(`s[${at}]+1`, `${this.slots[at]} + 1`))
        this.block(s.body)
      },
    )
  }

  private repeat(s: Stmt & { kind: 'Repeat' }): void {
    const left = this.temporary('left')
    const count = this.value(s.count)
    this.host(left, { ...count, js: `rt.count(${count.js},${this.emitter.site(s.count.span)})` })
    this.loop(
      s.span,
      () => generated(`s[${left}]>0`, `${this.slots[left]} > 0`, s.span),
      () => {
        this.host(left, generated(`s[${left}]-1`, `${this.slots[left]} - 1`, s.span))
        this.block(s.body)
      },
    )
  }

  private loop(span: Span, test: () => Code, body: () => void): void {
    const loop: Loop = { breaks: [], continues: [], twists: [] }
    this.flow.loop(
      () => ({ code: test(), span }),
      () => {
        this.loops.push(loop)
        body()
        this.loops.pop()
      },
      () => loop.continues,
    )
    this.flow.join(loop.breaks)
    if (loop.twists.length > 0) this.flow.append({ op: 'Untwist', ids: loop.twists, span, next: -1 })
  }
}

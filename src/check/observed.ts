import type { Span } from '../diagnostics/span.js'
import type { Exp, NameExp, ObserveStmt, Stmt } from '../syntax/ast.js'
import { blocksOf } from './functions.js'
import type { CheckedProgram, Symbol } from './types.js'
import { expressionsOf, partsOf, statementsIn } from './walk.js'

/**
 * Why the observed values of a program cannot be drawn in place of those that it has (bidirectional Monte Carlo, inference.md §2): they
 * must be data, the same in every run, observed by the same statements in every run, and used for nothing else. Null where they are.
 * A param that is observed as it stands may also be an argument of a learned twist, which then sees what was drawn: `conditioned`.
 */
export function notData(checked: CheckedProgram): { readonly span?: Span; readonly why: string } | null {
  return new DataCheck(checked).result
}

/** Params whose drawn values learned twists see: the index of each, by the statement that observes it. */
export function conditioned(checked: CheckedProgram): ReadonlyMap<Span, number> {
  return new DataCheck(checked).conditioned
}

class DataCheck {
  private readonly script: readonly Stmt[]
  private readonly binders = new Map<Symbol, Stmt[]>()
  private readonly constants = new Map<Symbol, boolean>()
  /** What observed values are made of. */
  private readonly data = new Set<Symbol>()
  /** Uses of data that draw nothing from it but what is observed. */
  private readonly allowed = new Set<NameExp>()
  readonly conditioned = new Map<Span, number>()

  constructor(private readonly checked: CheckedProgram) {
    this.script = checked.main.program.items.filter((item): item is Stmt => !item.kind.endsWith('Decl'))
    for (const statement of statementsIn(this.script)) {
      const symbol = checked.symbols.get(statement as never)
      if (symbol) this.binders.set(symbol, [...(this.binders.get(symbol) ?? []), statement])
    }
    this.findConditions()
  }

  get result(): { readonly span?: Span; readonly why: string } | null {
    const { checked } = this
    const bodies = checked.functions.flatMap((f) => f.body.statements)
    for (const { kind, span } of statementsIn(bodies)) {
      if (kind === 'Observe') return { span, why: 'it observes inside a function' }
    }
    if (![...statementsIn(this.script)].some(({ kind }) => kind === 'Observe')) return { why: 'it observes nothing' }
    const found = this.statements(this.script, true)
    if (found) return found
    for (const exp of [...this.script, ...bodies].flatMap((statement) => [...allExpressions([statement])])) {
      if (exp.kind !== 'Name' || this.allowed.has(exp)) continue
      const symbol = checked.symbols.get(exp)
      if (symbol && this.data.has(symbol)) return { span: exp.span, why: `the observed value \`${exp.text}\` is used here too` }
    }
    return null
  }

  /** Params that one statement of the script observes, as they are, and that are arguments of learned twists. */
  private findConditions(): void {
    const { checked, script } = this
    const observing = (param: Symbol) =>
      [...statementsIn(script)].filter(
        (each): each is ObserveStmt =>
          each.kind === 'Observe' && each.value.kind === 'Name' && checked.symbols.get(each.value) === param,
      )
    const bodies = checked.functions.flatMap((f) => f.body.statements)
    for (const exp of allExpressions([...script, ...bodies])) {
      if (exp.kind !== 'Call' || checked.symbols.get(exp.callee as never)?.kind !== 'learnedTwist') continue
      for (const { value } of exp.args) {
        const symbol = value.kind === 'Name' ? checked.symbols.get(value) : undefined
        if (value.kind !== 'Name' || symbol?.kind !== 'param') continue
        const [observed, ...others] = observing(symbol)
        if (!observed || others.length > 0 || !script.includes(observed)) continue
        this.allowed.add(value)
        this.conditioned.set(observed.span, checked.params.indexOf(symbol.decl))
      }
    }
  }

  /** `same`: whether every run comes here equally often. */
  private statements(statements: readonly Stmt[], same: boolean): { readonly span: Span; readonly why: string } | null {
    for (const statement of statements) {
      if (statement.kind === 'Observe') {
        if (!same) return { span: statement.span, why: 'whether this is observed depends on what is drawn' }
        if (!this.isConstant(statement.value))
          return { span: statement.span, why: 'this observed value is computed from what is drawn' }
        this.take(statement.value)
        continue
      }
      const steers =
        statement.kind === 'If' || statement.kind === 'While' || statement.kind === 'For' || statement.kind === 'Repeat'
      const inner = same && (!steers || expressionsOf(statement).every((exp) => this.isConstant(exp)))
      for (const block of blocksOf(statement)) {
        const found = this.statements(block, inner)
        if (found) return found
      }
    }
    return null
  }

  /** An expression whose value is data: so are the variables in it, indices apart, and what they were bound to. */
  private take(exp: Exp): void {
    if (exp.kind === 'Index') {
      this.take(exp.target)
      return
    }
    if (exp.kind === 'Name') {
      this.allowed.add(exp)
      const symbol = this.checked.symbols.get(exp)
      if (!symbol || (symbol.kind !== 'variable' && symbol.kind !== 'param')) return
      const known = this.data.has(symbol)
      this.data.add(symbol)
      if (known) return
      this.allowLengths(symbol)
      for (const binder of this.binders.get(symbol) ?? []) for (const each of expressionsOf(binder)) this.take(each)
      return
    }
    for (const part of partsOf(exp)) this.take(part)
  }

  /** How many there are is the same for drawn data; how long a text is that a twist sees is not. */
  private allowLengths(symbol: Symbol): void {
    if (symbol.kind === 'param' && [...this.conditioned.values()].includes(this.checked.params.indexOf(symbol.decl))) return
    for (const exp of allExpressions(this.script)) {
      if (exp.kind !== 'Field' || exp.name.text !== 'length' || exp.target.kind !== 'Name') continue
      if (this.checked.symbols.get(exp.target) === symbol) this.allowed.add(exp.target)
    }
  }

  private isConstant(exp: Exp): boolean {
    if (exp.kind === 'Name') return this.isConstantName(exp)
    return exp.kind !== 'Lambda' && partsOf(exp).every((part) => this.isConstant(part))
  }

  private isConstantName(exp: NameExp): boolean {
    const symbol = this.checked.symbols.get(exp)
    if (!symbol) return false
    if (symbol.kind === 'param' || symbol.kind === 'builtin') return true
    if (symbol.kind !== 'variable' || symbol.owner) return false
    const known = this.constants.get(symbol)
    if (known !== undefined) return known
    this.constants.set(symbol, true)
    const binders = this.binders.get(symbol) ?? []
    const constant =
      binders.length > 0 &&
      binders.every(({ kind }) => kind === 'Let' || kind === 'For') &&
      binders.every((binder) => expressionsOf(binder).every((each) => this.isConstant(each)))
    this.constants.set(symbol, constant)
    return constant
  }
}

/** Every expression in these statements, with those inside it. */
function* allExpressions(statements: readonly Stmt[]): Generator<Exp> {
  for (const statement of statementsIn(statements)) {
    const pending = [...expressionsOf(statement)]
    for (let exp = pending.pop(); exp; exp = pending.pop()) {
      yield exp
      pending.push(...partsOf(exp))
    }
  }
}

import type { Span } from '../diagnostics/span.js'
import type { Exp, FnDecl, Formal, NameExp, ObserveStmt, Stmt } from '../syntax/ast.js'
import { blocksOf } from './functions.js'
import type { CheckedProgram, Symbol } from './types.js'
import { bindersIn, expressionsOf, partsOf, scriptOf, statementsIn } from './walk.js'

/** Why a way to exact samples does not apply, as far as the program tells. */
export interface Obstacle {
  readonly span?: Span
  readonly why: string
}

/**
 * Why the observed values of a program cannot be drawn in place of those that it has (bidirectional Monte Carlo, inference.md §2): they
 * must be data, the same in every run, observed by the same statements in every run, and used for nothing else. Null where nothing speaks
 * against it; the run looks once more whether all particles have the same values to observe, in the same order. A param that is observed as it
 * stands may also be an argument of a learned twist, which then sees what was drawn: `conditioned`.
 */
export function notData(checked: CheckedProgram): Obstacle | null {
  return new DataCheck(checked).result
}

/** Params whose drawn values learned twists see: the index of each, by the statement that observes it. */
export function conditioned(checked: CheckedProgram): ReadonlyMap<Span, number> {
  return new DataCheck(checked).conditioned
}

class DataCheck {
  private readonly script: readonly Stmt[]
  /** Of the script and of all functions that it reaches. */
  private readonly everything: readonly Stmt[]
  private readonly binders: ReadonlyMap<Symbol, readonly Stmt[]>
  /** What the calls of a function give each of its parameters; null where not every call is known. */
  private readonly given = new Map<Symbol, Exp[] | null>()
  private readonly constants = new Map<Symbol, boolean>()
  /** What observed values are made of. */
  private readonly data = new Set<Symbol>()
  /** The same for records, of which some fields are data. */
  private readonly fields = new Map<Symbol, Set<string>>()
  /** Uses of data that draw nothing from it but what is observed. */
  private readonly allowed = new Set<NameExp>()
  readonly conditioned = new Map<Span, number>()

  constructor(private readonly checked: CheckedProgram) {
    this.script = scriptOf(checked)
    this.everything = [...this.script, ...checked.functions.flatMap((f) => f.body.statements)]
    this.binders = bindersIn(this.everything, checked)
    for (const f of checked.functions) for (const formal of f.params) this.give(formal, formal.default ?? null)
    this.findCalls()
    this.findConditions()
  }

  get result(): Obstacle | null {
    const { checked } = this
    if (![...statementsIn(this.everything)].some(({ kind }) => kind === 'Observe')) return { why: 'it observes nothing' }
    for (const statements of [this.script, ...checked.functions.map((f) => f.body.statements)]) {
      const found = this.statements(statements, true)
      if (found) return found
    }
    this.allowOtherFields()
    for (const exp of allExpressions(this.everything)) {
      if (exp.kind !== 'Name' || this.allowed.has(exp)) continue
      const symbol = checked.symbols.get(exp)
      if (symbol && (this.data.has(symbol) || this.fields.has(symbol)))
        return { span: exp.span, why: `the observed value \`${exp.text}\` is used here too` }
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
    for (const exp of allExpressions(this.everything)) {
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

  /** `same`: whether every run comes here equally often, as far as the block that it stands in tells. */
  private statements(statements: readonly Stmt[], same: boolean): Obstacle | null {
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
    if (exp.kind === 'Field') {
      this.takeField(exp.target, exp.name.text)
      return
    }
    if (exp.kind !== 'Name') {
      for (const part of partsOf(exp)) this.take(part)
      return
    }
    this.allowed.add(exp)
    const symbol = this.checked.symbols.get(exp)
    if (!symbol || (symbol.kind !== 'variable' && symbol.kind !== 'param') || this.data.has(symbol)) return
    this.data.add(symbol)
    this.allowLengths(symbol)
    for (const each of this.boundTo(symbol)) this.take(each)
  }

  /** A record, or a list of records, of which one field is data. */
  private takeField(exp: Exp, field: string): void {
    if (exp.kind === 'Index') this.takeField(exp.target, field)
    else if (exp.kind === 'List') for (const element of exp.elements) this.takeField(element, field)
    else if (exp.kind === 'Record')
      for (const { name, value } of exp.entries) {
        if (name.text === field) this.take(value)
      }
    else if (exp.kind !== 'Name') this.take(exp)
    else {
      this.allowed.add(exp)
      const symbol = this.checked.symbols.get(exp)
      if (!symbol || (symbol.kind !== 'variable' && symbol.kind !== 'param')) return
      const known = this.fields.get(symbol) ?? new Set()
      this.fields.set(symbol, known)
      if (known.has(field)) return
      known.add(field)
      this.allowLengths(symbol)
      for (const each of this.boundTo(symbol)) this.takeField(each, field)
    }
  }

  /** Other fields of a record are no data: `p.x` beside the observed `p.y`. */
  private allowOtherFields(): void {
    for (const exp of allExpressions(this.everything)) {
      if (exp.kind !== 'Field') continue
      let root = exp.target
      while (root.kind === 'Index') root = root.target
      if (root.kind !== 'Name') continue
      const symbol = this.checked.symbols.get(root)
      const data = symbol && this.fields.get(symbol)
      if (data && !data.has(exp.name.text)) this.allowed.add(root)
    }
  }

  /** How many there are is the same for drawn data; how long a text is that a twist sees is not. */
  private allowLengths(symbol: Symbol): void {
    if (symbol.kind === 'param' && [...this.conditioned.values()].includes(this.checked.params.indexOf(symbol.decl))) return
    for (const exp of allExpressions(this.everything)) {
      if (exp.kind !== 'Field' || exp.name.text !== 'length' || exp.target.kind !== 'Name') continue
      if (this.checked.symbols.get(exp.target) === symbol) this.allowed.add(exp.target)
    }
  }

  /** What a variable or parameter takes its values from. */
  private boundTo(symbol: Symbol): readonly Exp[] {
    return [...(this.binders.get(symbol) ?? []).flatMap((binder) => expressionsOf(binder)), ...(this.given.get(symbol) ?? [])]
  }

  private isConstant(exp: Exp): boolean {
    if (exp.kind === 'Name') return this.isConstantName(exp)
    return exp.kind !== 'Lambda' && partsOf(exp).every((part) => this.isConstant(part))
  }

  private isConstantName(exp: NameExp): boolean {
    const symbol = this.checked.symbols.get(exp)
    if (!symbol) return false
    if (symbol.kind === 'param' || symbol.kind === 'builtin') return true
    if (symbol.kind === 'function') return !this.checked.effectful.has(symbol.decl)
    if (symbol.kind !== 'variable' || (symbol.owner && symbol.owner.kind !== 'FnDecl')) return false
    const known = this.constants.get(symbol)
    if (known !== undefined) return known
    this.constants.set(symbol, true)
    const binders = this.binders.get(symbol) ?? []
    const given = this.given.get(symbol)
    const constant =
      given !== null &&
      (binders.length > 0 || given !== undefined) &&
      binders.every(({ kind }) => kind === 'Let' || kind === 'For' || kind === 'Assign') &&
      this.boundTo(symbol).every((each) => this.isConstant(each))
    this.constants.set(symbol, constant)
    return constant
  }

  /** Matches the arguments of every call with the parameters that they fill. A function that is not called but named may get anything. */
  private findCalls(): void {
    const called = new Set<Exp>()
    for (const exp of allExpressions(this.everything)) {
      if (exp.kind !== 'Call') continue
      const f = this.functionOf(exp.callee)
      if (!f) continue
      called.add(exp.callee)
      let position = 0
      for (const { name, value } of exp.args) {
        const formal = name ? f.params.find((each) => each.name.text === name.text) : f.params[position++]
        if (formal) this.give(formal, value)
      }
    }
    for (const exp of allExpressions(this.everything)) {
      const f = called.has(exp) ? null : this.functionOf(exp)
      for (const formal of f?.params ?? []) {
        const symbol = this.checked.symbols.get(formal)
        if (symbol) this.given.set(symbol, null)
      }
    }
  }

  private give(formal: Formal, value: Exp | null): void {
    const symbol = this.checked.symbols.get(formal)
    if (!symbol) return
    const before = this.given.get(symbol)
    if (before === null) return
    this.given.set(symbol, [...(before ?? []), ...(value ? [value] : [])])
  }

  private functionOf(exp: Exp): FnDecl | null {
    const symbol = exp.kind === 'Name' ? this.checked.symbols.get(exp) : undefined
    return symbol?.kind === 'function' ? symbol.decl : null
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

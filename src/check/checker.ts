import { type Diagnostic, type DiagnosticOptions, diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type {
  AssignStmt,
  CallExp,
  Exp,
  FnDecl,
  Formal,
  ForStmt,
  LambdaExp,
  LetStmt,
  Name,
  NameExp,
  SampleStmt,
  TypeExp,
} from '../syntax/ast.js'
import { fits, join, nothing, same, unknown } from './relations.js'
import type { Frame, Scope } from './scope.js'
import type { Module, Symbol as Named, Type, VariableSymbol } from './types.js'

/** A call whose effect matters once it is known which functions have one. */
export interface NotedCall {
  readonly callee: FnDecl
  readonly call: CallExp
  /** The place that may not sample or weigh. */
  readonly pure?: string
  /** Its value is dropped. */
  readonly dropped?: boolean
}

/**
 * What the rules share while they walk a program. The program is walked several times: what has no annotation starts as `nothing` and
 * grows with every value that reaches it, until a pass changes no type. Only the last pass reports.
 */
export class Checker {
  readonly diagnostics: Diagnostic[] = []
  readonly symbols = new Map<NameExp | Name | LetStmt | AssignStmt | SampleStmt | ForStmt | Formal, Named>()
  readonly types = new Map<Exp, Type>()
  /** Annotations that this pass has read. */
  readonly annotations = new Map<TypeExp, Type>()
  /** Variables of `for`, which only the loop sets. */
  readonly loopVariables = new Set<Named>()
  /** The file's own names, by file. */
  readonly scopes = new Map<Module, Scope>()
  /** Binders of variables, for messages about blocks that have ended. */
  readonly binders = new Map<Named, Name>()
  /** Who calls whom; null is the script. */
  readonly calls = new Map<FnDecl | null, Set<FnDecl>>()
  readonly noted: NotedCall[] = []
  reporting = false
  /** A type has grown in this pass. */
  changed = false
  /** What still grows becomes Unknown: the answer to types that never settle, as in `x = [x]`. */
  settling = false

  private readonly variables = new Map<Name, VariableSymbol>()
  private readonly fixed = new Set<VariableSymbol>()
  private readonly formals = new Map<Formal, Type>()
  private readonly results = new Map<FnDecl, Type>()

  /** Of the script's `return`s so far. */
  private script: Type = nothing

  constructor(readonly main: Module) {}

  /** Forgets what a walk leaves behind, but not the types that have grown. */
  startPass(): void {
    this.changed = false
    this.annotations.clear()
    this.calls.clear()
  }

  report(code: string, span: Span, message: string, options: DiagnosticOptions = {}): void {
    if (this.reporting) this.diagnostics.push(diagnostic(code, span, message, options))
  }

  warn(code: string, span: Span, message: string, options: DiagnosticOptions = {}): void {
    this.report(code, span, message, { ...options, severity: 'warning' })
  }

  record(exp: Exp, type: Type): Type {
    this.types.set(exp, type)
    return type
  }

  /** The variable of a binder: the same object in every pass. With an annotation its type is settled. */
  variable(binder: Name, frame: Frame, annotated?: Type, lambda: LambdaExp | null = null): VariableSymbol {
    let symbol = this.variables.get(binder)
    if (!symbol) {
      symbol = {
        kind: 'variable',
        name: binder.text,
        declared: binder.span,
        owner: lambda ?? frame.fn,
        type: annotated ?? nothing,
      }
      this.variables.set(binder, symbol)
      this.binders.set(symbol, binder)
      if (annotated) this.fixed.add(symbol)
    }
    return symbol
  }

  /** A value of the type reaches the variable. False when the two cannot go together. */
  grow(symbol: VariableSymbol, type: Type): boolean {
    if (this.fixed.has(symbol)) return fits(type, symbol.type)
    const grown = this.grown(symbol.type, type)
    if (grown) symbol.type = grown
    return grown !== undefined
  }

  formalType(formal: Formal): Type {
    return this.formals.get(formal) ?? nothing
  }

  growFormal(formal: Formal, type: Type): void {
    this.formals.set(formal, this.grown(this.formalType(formal), type) ?? this.grown(this.formalType(formal), unknown) ?? unknown)
  }

  resultType(fn: FnDecl): Type {
    return this.results.get(fn) ?? nothing
  }

  growResult(fn: FnDecl, type: Type): void {
    this.results.set(fn, this.grown(this.resultType(fn), type) ?? this.grown(this.resultType(fn), unknown) ?? unknown)
  }

  /** Whether some `return` of the script has been met. */
  scriptReturns = false

  get scriptResult(): Type {
    return this.script
  }

  growScriptResult(type: Type): void {
    this.scriptReturns = true
    this.script = this.grown(this.script, type) ?? this.grown(this.script, unknown) ?? unknown
  }

  noteCall(from: FnDecl | null, noted: NotedCall): void {
    const callees = this.calls.get(from) ?? new Set<FnDecl>()
    this.calls.set(from, callees.add(noted.callee))
    if (this.reporting) this.noted.push(noted)
  }

  private grown(before: Type, type: Type): Type | undefined {
    const joined = join(before, type)
    if (!joined || same(joined, before)) return joined
    this.changed = true
    return this.settling ? unknown : joined
  }
}

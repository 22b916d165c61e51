import type { Diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type {
  AssignStmt,
  ClassifierDecl,
  Exp,
  ExternDecl,
  FnDecl,
  Formal,
  ForStmt,
  InferDecl,
  LambdaExp,
  LearnTwistDecl,
  LetStmt,
  ModelDecl,
  Name,
  NameExp,
  ParamDecl,
  Program,
  SampleStmt,
} from '../syntax/ast.js'

/** Types of language.md §3. `Unknown` is what inference could not settle: everything fits it, the run checks it. */
export type Type =
  | {
      readonly kind:
        | 'Int'
        | 'Float'
        | 'Bool'
        | 'String'
        | 'Token'
        | 'Context'
        | 'Model'
        | 'Weight'
        | 'Classifier'
        | 'Regex'
        | 'Unit'
        | 'Unknown'
    }
  | { readonly kind: 'List'; readonly element: Type }
  | { readonly kind: 'Record'; readonly fields: ReadonlyMap<string, Type> }
  | { readonly kind: 'Dist'; readonly of: Type }
  | { readonly kind: 'Function'; readonly params: readonly Type[]; readonly result: Type }

/** What a name stands for. Identity matters: one object a declaration. */
export type Symbol =
  | VariableSymbol
  | { readonly kind: 'param'; readonly name: string; readonly decl: ParamDecl; readonly type: Type }
  | { readonly kind: 'model'; readonly name: string; readonly decl: ModelDecl }
  | { readonly kind: 'classifier'; readonly name: string; readonly decl: ClassifierDecl }
  | { readonly kind: 'function'; readonly name: string; readonly decl: FnDecl; readonly module: Module }
  | { readonly kind: 'extern'; readonly name: string; readonly decl: ExternDecl; readonly module: Module }
  | { readonly kind: 'learnedTwist'; readonly name: string; readonly decl: LearnTwistDecl }
  | { readonly kind: 'builtin'; readonly name: string }

/** A variable of the script, of a function, or of a lambda. */
export interface VariableSymbol {
  readonly kind: 'variable'
  readonly name: string
  readonly declared: Span
  /** The function, or lambda, that owns it; null for the script. */
  readonly owner: FnDecl | LambdaExp | null
  /** Settled when the check is over. */
  type: Type
}

/** One file: the program itself, or one that it uses. */
export interface Module {
  readonly program: Program
  /** The path of each `use ... from` of this file, resolved; keyed by the text in the `use`. */
  readonly uses: ReadonlyMap<string, Module>
}

/** A program whose names and types are settled; what the graph is built from. */
export interface CheckedProgram {
  readonly main: Module
  readonly diagnostics: readonly Diagnostic[]
  /** Every use of a name, and every binder that declares or rebinds one (`let`, `sample`, `x = e`, `for`, formals, lambda parameters). */
  readonly symbols: ReadonlyMap<NameExp | Name | LetStmt | AssignStmt | SampleStmt | ForStmt | Formal, Symbol>
  readonly types: ReadonlyMap<Exp, Type>
  /** Functions (of any file) that sample, observe, force, factor, require, twist, untwist or resample, themselves or through a call. */
  readonly effectful: ReadonlySet<FnDecl>
  /** All functions that the script reaches, callees first where there is no recursion. */
  readonly functions: readonly FnDecl[]
  readonly models: readonly ModelDecl[]
  readonly classifiers: readonly ClassifierDecl[]
  readonly params: readonly ParamDecl[]
  readonly externs: readonly ExternDecl[]
  readonly infer: readonly InferDecl[]
  readonly learnedTwists: readonly LearnTwistDecl[]
  /** Type of the script's `return`. */
  readonly result: Type
}

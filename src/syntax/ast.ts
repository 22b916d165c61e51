import type { Source, Span } from '../diagnostics/span.js'

/** The syntax tree: one interface a form, `kind` tells them apart. Positions are part of every node. */
interface Node {
  readonly span: Span
}

/** A name where it is written, as a binder or a field. */
export interface Name extends Node {
  readonly text: string
}

export interface Program extends Node {
  readonly source: Source
  readonly items: readonly (Decl | Stmt)[]
  /** Comments in order of position; `span` covers `//` and the text, not the line break. */
  readonly comments: readonly Comment[]
}

export interface Comment extends Node {
  readonly text: string
}

// ---- declarations -------------------------------------------------------------------------------

export type Decl = ModelDecl | ClassifierDecl | ParamDecl | InferDecl | LearnTwistDecl | FnDecl | ExternDecl | UseDecl

/** `model lm = "tiny"` */
export interface ModelDecl extends Node {
  readonly kind: 'ModelDecl'
  readonly name: Name
  readonly id: StringLiteral
}

/** `classifier tone = "tiny-sentiment"` */
export interface ClassifierDecl extends Node {
  readonly kind: 'ClassifierDecl'
  readonly name: Name
  readonly id: StringLiteral
}

/** `param gap: Int = 12` */
export interface ParamDecl extends Node {
  readonly kind: 'ParamDecl'
  readonly name: Name
  readonly type?: TypeExp
  readonly default?: Exp
}

/** `infer { particles: 64 }` */
export interface InferDecl extends Node {
  readonly kind: 'InferDecl'
  readonly settings: RecordExp
}

/** `learn twist psi(story: Context) { loss: ctl }` */
export interface LearnTwistDecl extends Node {
  readonly kind: 'LearnTwistDecl'
  readonly name: Name
  readonly params: readonly Formal[]
  readonly settings?: RecordExp
}

/** `fn word(story: Context) -> String { ... }` */
export interface FnDecl extends Node {
  readonly kind: 'FnDecl'
  readonly name: Name
  readonly params: readonly Formal[]
  readonly result?: TypeExp
  readonly body: Block
}

/** `extern fn grade(text: String) -> Float from "./grade.mjs"` */
export interface ExternDecl extends Node {
  readonly kind: 'ExternDecl'
  readonly name: Name
  readonly params: readonly Formal[]
  readonly result: TypeExp
  readonly from: StringLiteral
}

/** `use infill, choose from "std/text"` */
export interface UseDecl extends Node {
  readonly kind: 'UseDecl'
  readonly names: readonly Name[]
  readonly from: StringLiteral
}

export interface Formal extends Node {
  readonly name: Name
  readonly type?: TypeExp
  readonly default?: Exp
}

// ---- types as written ---------------------------------------------------------------------------

export type TypeExp = NamedTypeExp | ListTypeExp | RecordTypeExp | GenericTypeExp

export interface NamedTypeExp extends Node {
  readonly kind: 'NamedType'
  readonly name: string
}
export interface ListTypeExp extends Node {
  readonly kind: 'ListType'
  readonly element: TypeExp
}
export interface RecordTypeExp extends Node {
  readonly kind: 'RecordType'
  readonly fields: readonly { readonly name: Name; readonly type: TypeExp }[]
}
/** `Dist<T>` */
export interface GenericTypeExp extends Node {
  readonly kind: 'GenericType'
  readonly name: string
  readonly argument: TypeExp
}

// ---- statements ---------------------------------------------------------------------------------

export interface Block extends Node {
  readonly statements: readonly Stmt[]
}

export type Stmt =
  | LetStmt
  | AssignStmt
  | SampleStmt
  | ObserveStmt
  | ForceStmt
  | FactorStmt
  | RequireStmt
  | TwistStmt
  | UntwistStmt
  | ResampleStmt
  | IfStmt
  | ForStmt
  | WhileStmt
  | RepeatStmt
  | BreakStmt
  | ContinueStmt
  | ReturnStmt
  | DoStmt

export interface LetStmt extends Node {
  readonly kind: 'Let'
  readonly name: Name
  readonly type?: TypeExp
  readonly value: Exp
}
/** `x = e`, `x += e`, `x.f = e`, `xs[i].g += e` */
export interface AssignStmt extends Node {
  readonly kind: 'Assign'
  readonly name: Name
  readonly path: readonly PlaceStep[]
  readonly operator: '=' | '+='
  readonly value: Exp
}
export type PlaceStep =
  | { readonly kind: 'FieldStep'; readonly name: Name; readonly span: Span }
  | { readonly kind: 'IndexStep'; readonly index: Exp; readonly span: Span }

/** `sample x ~ D clause*` */
export interface SampleStmt extends Node {
  readonly kind: 'Sample'
  readonly name: Name
  readonly from: Exp
  readonly clauses: readonly Clause[]
}
export interface ObserveStmt extends Node {
  readonly kind: 'Observe'
  readonly value: Exp
  readonly from: Exp
}
export interface ForceStmt extends Node {
  readonly kind: 'Force'
  readonly value: Exp
  readonly from: Exp
}
export interface FactorStmt extends Node {
  readonly kind: 'Factor'
  readonly value: Exp
}
export interface RequireStmt extends Node {
  readonly kind: 'Require'
  readonly condition: Exp
}
export interface TwistStmt extends Node {
  readonly kind: 'Twist'
  readonly value: Exp
}
export interface UntwistStmt extends Node {
  readonly kind: 'Untwist'
}
export interface ResampleStmt extends Node {
  readonly kind: 'Resample'
}
export interface IfStmt extends Node {
  readonly kind: 'If'
  readonly condition: Exp
  readonly then: Block
  readonly else?: Block | IfStmt
}
export interface ForStmt extends Node {
  readonly kind: 'For'
  readonly name: Name
  readonly in: Exp
  readonly body: Block
}
export interface WhileStmt extends Node {
  readonly kind: 'While'
  readonly condition: Exp
  readonly body: Block
}
export interface RepeatStmt extends Node {
  readonly kind: 'Repeat'
  readonly count: Exp
  readonly body: Block
}
export interface BreakStmt extends Node {
  readonly kind: 'Break'
}
export interface ContinueStmt extends Node {
  readonly kind: 'Continue'
}
export interface ReturnStmt extends Node {
  readonly kind: 'Return'
  readonly value?: Exp
}
/** A call for its effect. */
export interface DoStmt extends Node {
  readonly kind: 'Do'
  readonly call: CallExp
}

export type Clause =
  | { readonly kind: 'Exactly'; readonly count: Exp; readonly span: Span } //    for n tokens
  | { readonly kind: 'UpTo'; readonly count: Exp; readonly span: Span } //       for up to n tokens
  | { readonly kind: 'Within'; readonly count: Exp; readonly span: Span } //     within n tokens
  | { readonly kind: 'Until'; readonly stop: Exp; readonly span: Span }
  | { readonly kind: 'Matching'; readonly pattern: Exp; readonly span: Span }
  | { readonly kind: 'Where'; readonly predicate: Exp; readonly span: Span }
  | { readonly kind: 'Via'; readonly proposal: Exp; readonly block?: Exp; readonly span: Span }
  | { readonly kind: 'TwistedBy'; readonly twist: Exp; readonly span: Span }
  | { readonly kind: 'ResamplingEvery'; readonly count: Exp; readonly span: Span }

export type ClauseKind = Clause['kind']

// ---- expressions --------------------------------------------------------------------------------

export type Exp =
  | NumberLiteral
  | StringLiteral
  | BoolLiteral
  | RegexLiteral
  | NameExp
  | ListExp
  | RecordExp
  | IfExp
  | LambdaExp
  | UnaryExp
  | BinaryExp
  | CallExp
  | IndexExp
  | FieldExp

export interface NumberLiteral extends Node {
  readonly kind: 'Number'
  readonly value: number
  /** As written: `1` is an Int, `1.0` and `1e3` are Floats. */
  readonly text: string
  readonly isInt: boolean
}
/** Parts alternate freely: cooked text (escapes resolved, indentation of long strings stripped) and holes. */
export interface StringLiteral extends Node {
  readonly kind: 'String'
  readonly long: boolean
  readonly parts: readonly (string | Exp)[]
}
export interface BoolLiteral extends Node {
  readonly kind: 'Bool'
  readonly value: boolean
}
export interface RegexLiteral extends Node {
  readonly kind: 'Regex'
  /** Between the slashes, as written. */
  readonly pattern: string
  readonly flags: string
}
export interface NameExp extends Node {
  readonly kind: 'Name'
  readonly text: string
}
export interface ListExp extends Node {
  readonly kind: 'List'
  readonly elements: readonly Exp[]
}
export interface RecordExp extends Node {
  readonly kind: 'Record'
  readonly entries: readonly { readonly name: Name; readonly quoted: boolean; readonly value: Exp; readonly span: Span }[]
}
export interface IfExp extends Node {
  readonly kind: 'IfExp'
  readonly condition: Exp
  readonly then: Exp
  readonly else: Exp
}
export interface LambdaExp extends Node {
  readonly kind: 'Lambda'
  readonly params: readonly Name[]
  readonly body: Exp
}
export interface UnaryExp extends Node {
  readonly kind: 'Unary'
  readonly operator: '-' | 'not'
  readonly operand: Exp
}
export type BinaryOperator =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | '..'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
export interface BinaryExp extends Node {
  readonly kind: 'Binary'
  readonly operator: BinaryOperator
  readonly left: Exp
  readonly right: Exp
}
export interface CallExp extends Node {
  readonly kind: 'Call'
  /** A `FieldExp` here is a method call. */
  readonly callee: Exp
  readonly args: readonly Argument[]
}
export interface Argument extends Node {
  readonly name?: Name
  readonly value: Exp
}
export interface IndexExp extends Node {
  readonly kind: 'Index'
  readonly target: Exp
  readonly index: Exp
}
export interface FieldExp extends Node {
  readonly kind: 'Field'
  readonly target: Exp
  readonly name: Name
}

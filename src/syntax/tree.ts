import type * as ohm from 'ohm-js'
import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Source, Span } from '../diagnostics/span.js'
import type * as ast from './ast.js'
import { foreignValues } from './foreign.js'
import { grammar } from './grammar.js'
import { valueAlone } from './mistakes.js'
import { cook, type Piece } from './strings.js'

/* The tree from ohm's matches: one action for each rule of grammar/smc.ohm. */

// What the actions need to know beside their nodes. Parsing is synchronous and never nested.
let current: { source: Source; base: number }

/**
 * The statements and declarations of a piece of a program.
 * @param match of the text of `source` from `base` on
 */
export function treeOf(match: ohm.MatchResult, source: Source, base: number): (ast.Decl | ast.Stmt)[] {
  current = { source, base }
  return toTree(match).tree()
}

// What an action returns is told by its rule, which TypeScript cannot know.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Tree = any

const toTree = grammar.createSemantics()

function span(node: ohm.Node, last: ohm.Node = node): Span {
  return { source: current.source, start: current.base + node.source.startIdx, end: current.base + last.source.endIdx }
}

function name(node: ohm.Node): ast.Name {
  return { text: node.sourceString, span: span(node) }
}

function optional(node: ohm.Node): ohm.Node | undefined {
  return node.numChildren > 0 ? node.child(0) : undefined
}

function all(node: ohm.Node): Tree[] {
  return node.children.map((child) => child.tree())
}

/** A plain string: a name of a file or model, or a key, may not depend on values. */
function fixed(node: ohm.Node): ast.StringLiteral {
  const literal: ast.StringLiteral = node.tree()
  const hole = literal.parts.find((part) => typeof part !== 'string')
  if (hole) {
    throw new SmcError(
      diagnostic('S025', hole.span, 'this string has a hole, and must be plain text', {
        hint: 'write \\{ and \\} for plain braces; a model or a file is chosen by flags, not by values',
      }),
    )
  }
  return literal
}

/** `first (operator other)*`, to the left; the spans include brackets, which the tree does not keep. */
function fold(first: ohm.Node, operators: ohm.Node, others: ohm.Node): ast.Exp {
  let left: ast.Exp = first.tree()
  for (const [i, operator] of operators.children.entries()) {
    const other = others.child(i)
    left = { kind: 'Binary', operator: operatorOf(operator), left, right: other.tree(), span: span(first, other) }
  }
  return left
}

function operatorOf(node: ohm.Node): ast.BinaryOperator {
  return node.sourceString as ast.BinaryOperator
}

function field(dot: ohm.Node, word: ohm.Node): ast.PlaceStep {
  return { kind: 'FieldStep', name: name(word), span: span(dot, word) }
}

function index(open: ohm.Node, value: ohm.Node, close: ohm.Node): ast.PlaceStep {
  return { kind: 'IndexStep', index: value.tree(), span: span(open, close) }
}

function withOptional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
}

const declarations: ohm.ActionDict<Tree> = {
  Program: (items, _end) => all(items),
  Item: (item, _lineEnd) => item.tree(),
  Model(_model, binder, _eq, id): ast.ModelDecl {
    return { kind: 'ModelDecl', name: name(binder), id: fixed(id), span: span(this) }
  },
  Classifier(_classifier, binder, _eq, id): ast.ClassifierDecl {
    return { kind: 'ClassifierDecl', name: name(binder), id: fixed(id), span: span(this) }
  },
  Param(_param, binder, type, value): ast.ParamDecl {
    return { kind: 'ParamDecl', name: name(binder), ...typeAndDefault(type, value), span: span(this) }
  },
  Infer(_infer, settings): ast.InferDecl {
    return { kind: 'InferDecl', settings: settings.tree(), span: span(this) }
  },
  Learn(_learn, _twist, binder, params, settings): ast.LearnTwistDecl {
    return {
      kind: 'LearnTwistDecl',
      name: name(binder),
      params: params.tree(),
      ...withOptional('settings', optional(settings)?.tree() as ast.RecordExp | undefined),
      span: span(this),
    }
  },
  Fn(_fn, binder, params, result, body): ast.FnDecl {
    return {
      kind: 'FnDecl',
      name: name(binder),
      params: params.tree(),
      ...withOptional('result', optional(result)?.tree() as ast.TypeExp | undefined),
      body: body.tree(),
      span: span(this),
    }
  },
  Extern(_extern, _fn, binder, params, result, _from, from): ast.ExternDecl {
    return {
      kind: 'ExternDecl',
      name: name(binder),
      params: params.tree(),
      result: result.tree(),
      from: fixed(from),
      span: span(this),
    }
  },
  Use(_use, names, _from, from): ast.UseDecl {
    return { kind: 'UseDecl', names: names.asIteration().children.map(name), from: fixed(from), span: span(this) }
  },
  Default: (_eq, value) => value.tree(),
  Result: (_arrow, type) => type.tree(),
  Params: (_open, params, _close) => params.tree(),
  Formal(binder, type, value): ast.Formal {
    return { name: name(binder), ...typeAndDefault(type, value), span: span(this) }
  },
  TypeOf: (_colon, type) => type.tree(),
  Type_list(_open, element, _close): ast.TypeExp {
    return { kind: 'ListType', element: element.tree(), span: span(this) }
  },
  Type_record(_open, fields, _close): ast.TypeExp {
    return { kind: 'RecordType', fields: fields.tree(), span: span(this) }
  },
  Type_generic(word, _open, argument, _close): ast.TypeExp {
    return { kind: 'GenericType', name: word.sourceString, argument: argument.tree(), span: span(this) }
  },
  Type_named(word): ast.TypeExp {
    return { kind: 'NamedType', name: word.sourceString, span: span(this) }
  },
  TypeField: (word, type) => ({ name: name(word), type: type.tree() }),
  List(elements, _comma) {
    const nonempty = optional(elements)
    return nonempty ? all(nonempty.asIteration()) : []
  },
}

function typeAndDefault(type: ohm.Node, value: ohm.Node): { type?: ast.TypeExp; default?: ast.Exp } {
  return {
    ...withOptional('type', optional(type)?.tree() as ast.TypeExp | undefined),
    ...withOptional('default', optional(value)?.tree() as ast.Exp | undefined),
  }
}

const statements: ohm.ActionDict<Tree> = {
  Block(_open, lines, _close): ast.Block {
    return { statements: all(lines), span: span(this) }
  },
  Line: (statement, _lineEnd) => statement.tree(),
  Worded: (_ahead, statement) => statement.tree(),
  Let(_let, binder, type, _eq, value): ast.LetStmt {
    return {
      kind: 'Let',
      name: name(binder),
      ...withOptional('type', optional(type)?.tree() as ast.TypeExp | undefined),
      value: value.tree(),
      span: span(this),
    }
  },
  Sample(_sample, binder, _tilde, from, clauses): ast.SampleStmt {
    return { kind: 'Sample', name: name(binder), from: from.tree(), clauses: all(clauses), span: span(this) }
  },
  Observe(_observe, value, _tilde, from): ast.ObserveStmt {
    return { kind: 'Observe', value: value.tree(), from: from.tree(), span: span(this) }
  },
  Force(_force, value, _tilde, from): ast.ForceStmt {
    return { kind: 'Force', value: value.tree(), from: from.tree(), span: span(this) }
  },
  Factor(_factor, value): ast.FactorStmt {
    return { kind: 'Factor', value: value.tree(), span: span(this) }
  },
  Require(_require, condition): ast.RequireStmt {
    return { kind: 'Require', condition: condition.tree(), span: span(this) }
  },
  Twist(_twist, value): ast.TwistStmt {
    return { kind: 'Twist', value: value.tree(), span: span(this) }
  },
  Untwist(_untwist): ast.UntwistStmt {
    return { kind: 'Untwist', span: span(this) }
  },
  Resample(_resample): ast.ResampleStmt {
    return { kind: 'Resample', span: span(this) }
  },
  If(_if, condition, then, otherwise): ast.IfStmt {
    return {
      kind: 'If',
      condition: condition.tree(),
      then: then.tree(),
      ...withOptional('else', optional(otherwise)?.tree() as ast.Block | ast.IfStmt | undefined),
      span: span(this),
    }
  },
  Else: (_else, branch) => branch.tree(),
  For(_for, binder, _in, over, body): ast.ForStmt {
    return { kind: 'For', name: name(binder), in: over.tree(), body: body.tree(), span: span(this) }
  },
  While(_while, condition, body): ast.WhileStmt {
    return { kind: 'While', condition: condition.tree(), body: body.tree(), span: span(this) }
  },
  Repeat(_repeat, count, body): ast.RepeatStmt {
    return { kind: 'Repeat', count: count.tree(), body: body.tree(), span: span(this) }
  },
  Break(_break): ast.BreakStmt {
    return { kind: 'Break', span: span(this) }
  },
  Continue(_continue): ast.ContinueStmt {
    return { kind: 'Continue', span: span(this) }
  },
  Return_value(_return, _sameLine, value): ast.ReturnStmt {
    return { kind: 'Return', value: value.tree(), span: span(this) }
  },
  Return_bare(_return): ast.ReturnStmt {
    return { kind: 'Return', span: span(this) }
  },
  Assign(place, operator, value): ast.AssignStmt {
    return {
      kind: 'Assign',
      name: name(place.child(0)),
      path: all(place.child(1)),
      operator: operator.sourceString as '=' | '+=',
      value: value.tree(),
      span: span(this),
    }
  },
  Step_index: index,
  Step_field: field,
  Do(_ahead, call): ast.DoStmt {
    const value: ast.Exp = call.tree()
    if (value.kind === 'Call') return { kind: 'Do', call: value, span: span(this) }
    throw new SmcError(valueAlone(value, span(this)))
  },
  Clause_upTo(_for, _up, _to, count, _tokens): ast.Clause {
    return { kind: 'UpTo', count: count.tree(), span: span(this) }
  },
  Clause_exactly(_for, count, _tokens): ast.Clause {
    return { kind: 'Exactly', count: count.tree(), span: span(this) }
  },
  Clause_within(_within, count, _tokens): ast.Clause {
    return { kind: 'Within', count: count.tree(), span: span(this) }
  },
  Clause_until(_until, stop): ast.Clause {
    return { kind: 'Until', stop: stop.tree(), span: span(this) }
  },
  Clause_matching(_matching, pattern): ast.Clause {
    return { kind: 'Matching', pattern: pattern.tree(), span: span(this) }
  },
  Clause_where(_where, predicate): ast.Clause {
    return { kind: 'Where', predicate: predicate.tree(), span: span(this) }
  },
  Clause_via(_via, proposal, blocks): ast.Clause {
    return {
      kind: 'Via',
      proposal: proposal.tree(),
      ...withOptional('block', optional(blocks)?.tree() as ast.Exp | undefined),
      span: span(this),
    }
  },
  Clause_twistedBy(_twisted, _by, twist): ast.Clause {
    return { kind: 'TwistedBy', twist: twist.tree(), span: span(this) }
  },
  Clause_resamplingEvery(_resampling, _every, count, _tokens): ast.Clause {
    return { kind: 'ResamplingEvery', count: count.tree(), span: span(this) }
  },
  Blocks: (_in, _blocks, _of, count) => count.tree(),
}

const expressions: ohm.ActionDict<Tree> = {
  Lambda_one(param, _arrow, body): ast.LambdaExp {
    return { kind: 'Lambda', params: [name(param)], body: body.tree(), span: span(this) }
  },
  Lambda_many(_open, params, _close, _arrow, body): ast.LambdaExp {
    return { kind: 'Lambda', params: params.asIteration().children.map(name), body: body.tree(), span: span(this) }
  },
  Or: fold,
  And: fold,
  Not_not(_not, operand): ast.UnaryExp {
    return { kind: 'Unary', operator: 'not', operand: operand.tree(), span: span(this) }
  },
  Compare(left, rest) {
    const comparison = optional(rest)
    if (!comparison) return left.tree()
    const right = comparison.child(comparison.numChildren - 1)
    const operator = operatorOf(comparison.child(0))
    return { kind: 'Binary', operator, left: left.tree(), right: right.tree(), span: span(this) } satisfies ast.BinaryExp
  },
  Range: fold,
  Add: fold,
  Mul: fold,
  Unary_minus(_minus, operand): ast.UnaryExp {
    return { kind: 'Unary', operator: '-', operand: operand.tree(), span: span(this) }
  },
  Pow: fold,
  Postfix(primary, suffixes) {
    let target: ast.Exp = primary.tree()
    for (const suffix of suffixes.children) {
      const step = suffix.tree()
      const whole = span(primary, suffix)
      if (Array.isArray(step)) target = { kind: 'Call', callee: target, args: step, span: whole }
      else if (step.kind === 'IndexStep') target = { kind: 'Index', target, index: step.index, span: whole }
      else target = { kind: 'Field', target, name: step.name, span: whole }
    }
    return target
  },
  Suffix_call: (_open, args, _close) => args.tree(),
  Suffix_index: index,
  Suffix_field: field,
  Arg_named(word, _colon, value): ast.Argument {
    return { name: name(word), value: value.tree(), span: span(this) }
  },
  Arg_plain(value): ast.Argument {
    return { value: value.tree(), span: span(this) }
  },
  Paren: (_open, value, _close) => value.tree(),
  Choice(_if, condition, _open, then, _close, _else, otherwise): ast.IfExp {
    return { kind: 'IfExp', condition: condition.tree(), then: then.tree(), else: otherwise.tree(), span: span(this) }
  },
  Branch: (_open, value, _close) => value.tree(),
  Listed(_open, elements, _close): ast.ListExp {
    return { kind: 'List', elements: elements.tree(), span: span(this) }
  },
  Record(_open, entries, _close): ast.RecordExp {
    return { kind: 'Record', entries: entries.tree(), span: span(this) }
  },
  Entry(key, _colon, value): ast.RecordExp['entries'][number] {
    const quoted = key.sourceString.startsWith('"')
    const label = quoted ? { text: fixed(key).parts.join(''), span: span(key) } : name(key)
    return { name: label, quoted, value: value.tree(), span: span(this) }
  },
}

const tokens: ohm.ActionDict<Tree> = {
  name(_word): ast.NameExp {
    const foreign = foreignValues.get(this.sourceString)
    if (foreign !== undefined) {
      throw new SmcError(diagnostic('S013', span(this), `smc has no \`${this.sourceString}\``, { hint: foreign }))
    }
    return { kind: 'Name', text: this.sourceString, span: span(this) }
  },
  bool(_word): ast.BoolLiteral {
    return { kind: 'Bool', value: this.sourceString === 'true', span: span(this) }
  },
  number(_whole, _point, _fraction, _exponent): ast.NumberLiteral {
    const text = this.sourceString
    const value = Number(text)
    if (!Number.isFinite(value)) {
      const hint = 'the largest Float is about 1.8e308'
      throw new SmcError(diagnostic('S032', span(this), `the number ${text} is too large`, { hint }))
    }
    const isInt = /^[0-9]+$/.test(text)
    if (isInt && !Number.isSafeInteger(value)) {
      const hint = `an Int goes up to ${Number.MAX_SAFE_INTEGER}; with .0 at its end it is a Float, rounded to 16 digits`
      throw new SmcError(diagnostic('S032', span(this), `the whole number ${text} is too large`, { hint }))
    }
    return { kind: 'Number', value, text, isInt, span: span(this) }
  },
  string_long(_open, parts, _close): ast.StringLiteral {
    return { kind: 'String', long: true, parts: cook(all(parts), true), span: span(this) }
  },
  string_short(_open, parts, _close): ast.StringLiteral {
    return { kind: 'String', long: false, parts: cook(all(parts), false), span: span(this) }
  },
  escape(_backslash, _rest): Piece {
    return { kind: 'escape', raw: this.sourceString }
  },
  hole(_open, value, _space, _close): Piece {
    return { kind: 'hole', value: value.tree() }
  },
  applySyntactic: (value) => value.tree(),
  longText(_characters): Piece {
    return { kind: 'text', raw: this.sourceString }
  },
  text(_characters): Piece {
    return { kind: 'text', raw: this.sourceString }
  },
  regex(open, _parts, close, flags): ast.RegexLiteral {
    const pattern = current.source.text.slice(span(open).end, span(close).start)
    return { kind: 'Regex', pattern, flags: flags.sourceString, span: span(this) }
  },
}

toTree.addOperation<Tree>('tree', { ...declarations, ...statements, ...expressions, ...tokens })

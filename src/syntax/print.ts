import type {
  AssignStmt,
  Block,
  Clause,
  ClauseKind,
  Decl,
  Exp,
  Formal,
  IfStmt,
  Name,
  Program,
  SampleStmt,
  Stmt,
  TypeExp,
} from './ast.js'
import { Comments } from './comments.js'
import { blank, type Doc, fresh, group, indent, join, layout, line } from './layout.js'
import { bindings, bracketed, expression, firstToken, record, string } from './print-expressions.js'

const width = 100

/**
 * A program as `smcc fmt` writes it: one statement a line, two spaces of indentation, clauses in their usual order, at most one
 * empty line between statements, brackets only where they are needed, lines of 100 columns where they can be broken. Every comment
 * is kept, in order. Printing what was printed changes nothing.
 */
export function print(program: Program): string {
  const comments = new Comments(program)
  const body = sequence(program.items, comments, (item) => statement(item, comments))
  return layout([body, comments.before(Number.POSITIVE_INFINITY)], width)
}

/** Statements with the comments between them; each starts a line. */
function sequence<T extends Decl | Stmt>(items: readonly T[], comments: Comments, printItem: (item: T) => Doc): Doc {
  return items.map((item, i) => {
    const before = [i > 0 ? comments.trailing(item.span.start) : '', comments.before(startOf(item))]
    const gap = i > 0 && comments.hasBlankBefore(item.span.start) ? blank : fresh
    return [before, gap, printItem(item)]
  })
}

// `return (  // why` and a line break would return nothing: comments before the value's first token go before the statement.
function startOf(item: Decl | Stmt): number {
  return item.kind === 'Return' && item.value ? firstToken(item.value) : item.span.start
}

function statement(item: Decl | Stmt, comments: Comments): Doc {
  const value = (exp: Exp): Doc => expression(exp, comments)
  switch (item.kind) {
    case 'ModelDecl':
      return ['model ', item.name.text, ' = ', comments.before(item.id.span.start), string(item.id, comments)]
    case 'ClassifierDecl':
      return ['classifier ', item.name.text, ' = ', comments.before(item.id.span.start), string(item.id, comments)]
    case 'ParamDecl':
      return ['param ', formal(item, comments)]
    case 'InferDecl':
      return ['infer ', comments.before(item.settings.span.start), record(item.settings, comments)]
    case 'LearnTwistDecl': {
      const head = ['learn twist ', item.name.text, formals(item.params, comments, item.settings?.span.start ?? item.span.end)]
      return item.settings ? [head, ' ', comments.before(item.settings.span.start), record(item.settings, comments)] : head
    }
    case 'FnDecl': {
      const params = formals(item.params, comments, (item.result ?? item.body).span.start)
      const result = item.result ? [' -> ', comments.before(item.result.span.start), type(item.result)] : ''
      return blocks([{ head: ['fn ', item.name.text, params, result], start: item.span.start, block: item.body }], comments)
    }
    case 'ExternDecl': {
      const params = formals(item.params, comments, item.result.span.start)
      const result = [' -> ', comments.before(item.result.span.start), type(item.result)]
      const from = [' from ', comments.before(item.from.span.start), string(item.from, comments)]
      return ['extern fn ', item.name.text, params, result, from]
    }
    case 'UseDecl': {
      const each = (name: Name): Doc => [comments.before(name.span.start), name.text]
      const names = group(indent(join([',', line], item.names.map(each))))
      return ['use ', names, ' from ', comments.before(item.from.span.start), string(item.from, comments)]
    }
    case 'Let': {
      const annotation = item.type ? [': ', comments.before(item.type.span.start), type(item.type)] : ''
      return ['let ', item.name.text, annotation, ' = ', value(item.value)]
    }
    case 'Assign':
      return assign(item, comments)
    case 'Sample':
      return sample(item, comments)
    case 'Observe':
      return ['observe ', value(item.value), ' ~ ', value(item.from)]
    case 'Force':
      return ['force ', value(item.value), ' ~ ', value(item.from)]
    case 'Factor':
      return ['factor ', value(item.value)]
    case 'Require':
      return ['require ', value(item.condition)]
    case 'Twist':
      return ['twist ', value(item.value)]
    case 'Untwist':
      return 'untwist'
    case 'Resample':
      return 'resample'
    case 'If':
      return conditional(item, comments)
    case 'For':
      return blocks(
        [{ head: ['for ', item.name.text, ' in ', value(item.in)], start: item.span.start, block: item.body }],
        comments,
      )
    case 'While':
      return blocks([{ head: ['while ', value(item.condition)], start: item.span.start, block: item.body }], comments)
    case 'Repeat':
      return blocks([{ head: ['repeat ', value(item.count)], start: item.span.start, block: item.body }], comments)
    case 'Break':
      return 'break'
    case 'Continue':
      return 'continue'
    case 'Return':
      return item.value ? ['return ', value(item.value)] : 'return'
    case 'Do':
      return value(item.call)
    default:
      return item satisfies never
  }
}

function assign(item: AssignStmt, comments: Comments): Doc {
  const path = item.path.map((step): Doc => {
    if (step.kind === 'FieldStep') return [comments.before(step.name.span.start), `.${step.name.text}`]
    return ['[', expression(step.index, comments), comments.before(step.span.end - 1), ']']
  })
  return [item.name.text, path, ` ${item.operator} `, expression(item.value, comments)]
}

// ---- blocks -------------------------------------------------------------------------------------

function conditional(item: IfStmt, comments: Comments): Doc {
  // Heads are printed when their turn comes: comments are handed out in order.
  const arms: Arm[] = []
  let rest: Block | IfStmt | undefined = item
  while (rest) {
    const each: Block | IfStmt = rest
    const otherwise = arms.length > 0 ? ' else' : ''
    if ('kind' in each) {
      arms.push({
        start: each.span.start,
        head: () => [otherwise, otherwise && ' ', 'if ', expression(each.condition, comments)],
        block: each.then,
      })
      rest = each.else
    } else {
      arms.push({ head: otherwise, start: each.span.start, block: each })
      rest = undefined
    }
  }
  return blocks(arms, comments)
}

interface Arm {
  readonly head: Doc | (() => Doc)
  /** Comments before this place go before the head. */
  readonly start: number
  readonly block: Block
}

/** Heads with their blocks: all on one line where each block is one small statement that its writer put on one line, and all fit. */
function blocks(arms: readonly Arm[], comments: Comments): Doc {
  const small = arms.every(({ block }) => isSmall(block, comments))
  const docs = arms.map(({ head, start, block }, i) => [
    i > 0 ? comments.before(start) : '',
    typeof head === 'function' ? head() : head,
    comments.before(block.span.start),
    ' {',
    body(block, comments, small),
    '}',
  ])
  return small ? group(docs) : docs
}

function isSmall(block: Block, comments: Comments): boolean {
  if (comments.within(block.span.start, block.span.end)) return false
  const [only] = block.statements
  if (!only) return true
  if (block.statements.length > 1 || ['If', 'For', 'While', 'Repeat'].includes(only.kind)) return false
  return !comments.hasBreak(block.span.start, block.span.end)
}

function body(block: Block, comments: Comments, small: boolean): Doc {
  const end = block.span.end - 1
  if (block.statements.length === 0 && !comments.any(end)) return ''
  const gap = small ? line : fresh
  if (small) return [indent(block.statements.map((each) => [gap, statement(each, comments)])), gap]
  const first = block.statements[0]
  const inner = [
    comments.trailing(first?.span.start ?? end),
    fresh,
    sequence(block.statements, comments, (each) => statement(each, comments)),
    comments.before(end),
  ]
  return [indent(inner), fresh]
}

// ---- sampling -----------------------------------------------------------------------------------

/** The order in which clauses are written. */
export const clauseOrder: Readonly<Record<ClauseKind, number>> = {
  Exactly: 0,
  UpTo: 0,
  Within: 0,
  Until: 1,
  Matching: 2,
  Where: 3,
  Via: 4,
  TwistedBy: 5,
  ResamplingEvery: 6,
}

function sample(item: SampleStmt, comments: Comments): Doc {
  const clauses = [...item.clauses].sort((a, b) => clauseOrder[a.kind] - clauseOrder[b.kind])
  const head = ['sample ', item.name.text, ' ~ ', expression(item.from, comments)]
  const rest = clauses.map((each) => [
    comments.trailing(each.span.start),
    line,
    comments.before(each.span.start),
    clause(each, comments),
  ])
  return group([head, indent(rest)])
}

function clause(item: Clause, comments: Comments): Doc {
  const count = (exp: Exp): Doc => expression(exp, comments, bindings.add)
  switch (item.kind) {
    case 'Exactly':
      return ['for ', count(item.count), unit(item.count)]
    case 'UpTo':
      return ['for up to ', count(item.count), unit(item.count)]
    case 'Within':
      return ['within ', count(item.count), unit(item.count)]
    case 'Until':
      return ['until ', expression(item.stop, comments)]
    case 'Matching':
      return ['matching ', expression(item.pattern, comments)]
    case 'Where':
      return ['where ', expression(item.predicate, comments)]
    case 'Via': {
      const block = item.block ? [' in blocks of ', count(item.block)] : ''
      return ['via ', expression(item.proposal, comments), block]
    }
    case 'TwistedBy':
      return ['twisted by ', expression(item.twist, comments)]
    case 'ResamplingEvery':
      return ['resampling every ', count(item.count), unit(item.count)]
    default:
      return item satisfies never
  }
}

function unit(count: Exp): string {
  return count.kind === 'Number' && count.text === '1' ? ' token' : ' tokens'
}

// ---- signatures ---------------------------------------------------------------------------------

/** Parameters in brackets; comments before `next`, the place of what follows, go inside. */
function formals(params: readonly Formal[], comments: Comments, next: number): Doc {
  return bracketed('(', ')', params, next + 1, (each) => formal(each, comments), comments)
}

function formal(item: Pick<Formal, 'name' | 'type' | 'default'>, comments: Comments): Doc {
  const annotation = item.type ? [': ', comments.before(item.type.span.start), type(item.type)] : ''
  return [item.name.text, annotation, item.default ? [' = ', expression(item.default, comments)] : '']
}

/** A type as it is written, on one line. */
export function type(written: TypeExp): string {
  switch (written.kind) {
    case 'NamedType':
      return written.name
    case 'ListType':
      return `[${type(written.element)}]`
    case 'RecordType':
      return `{${written.fields.map((field) => `${field.name.text}: ${type(field.type)}`).join(', ')}}`
    case 'GenericType':
      return `${written.name}<${type(written.argument)}>`
    default:
      return written satisfies never
  }
}

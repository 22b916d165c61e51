import type {
  Argument,
  BinaryExp,
  BinaryOperator,
  CallExp,
  Exp,
  FieldExp,
  IfExp,
  IndexExp,
  RecordExp,
  StringLiteral,
} from './ast.js'
import { Comments } from './comments.js'
import { cookEscape, escapeLong, escapeShort } from './escapes.js'
import { type Doc, exact, group, ifBroken, indent, join, layout, line, soft, verbatim } from './layout.js'

/** How tightly a form binds, after the ladder of grammar/smc.ohm; an operand that binds less tightly than its place asks needs brackets. */
export const bindings = {
  any: 0,
  or: 1,
  and: 2,
  not: 3,
  compare: 4,
  range: 5,
  add: 6,
  multiply: 7,
  unary: 8,
  power: 9,
  postfix: 10,
}

function bindingOf(operator: BinaryOperator): number {
  switch (operator) {
    case 'or':
      return bindings.or
    case 'and':
      return bindings.and
    case '..':
      return bindings.range
    case '+':
    case '-':
      return bindings.add
    case '*':
    case '/':
    case '%':
      return bindings.multiply
    case '^':
      return bindings.power
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'in':
      return bindings.compare
    default:
      return operator satisfies never
  }
}

function binding(exp: Exp): number {
  if (exp.kind === 'Binary') return bindingOf(exp.operator)
  if (exp.kind === 'Unary') return exp.operator === 'not' ? bindings.not : bindings.unary
  // The grammar would take an `if` as an operand, but a reader would not see where it ends.
  if (exp.kind === 'Lambda' || exp.kind === 'IfExp') return bindings.any
  return bindings.postfix
}

/** An expression in a place that asks for a binding at least this tight. */
export function expression(exp: Exp, comments: Comments, least = bindings.any): Doc {
  const before = comments.before(firstToken(exp))
  const doc = bare(exp, comments)
  return binding(exp) < least ? [before, '(', doc, ')'] : [before, doc]
}

/** Where the first token of an expression is that is not a bracket around it: what stands before it is printed before the whole. */
export function firstToken(exp: Exp): number {
  let first = exp
  for (;;) {
    if (first.kind === 'Binary') first = first.left
    else if (first.kind === 'Call') first = first.callee
    else if (first.kind === 'Index' || first.kind === 'Field') first = first.target
    else return first.span.start
  }
}

function bare(exp: Exp, comments: Comments): Doc {
  switch (exp.kind) {
    case 'Number':
      return exp.text
    case 'String':
      return string(exp, comments)
    case 'Bool':
      return String(exp.value)
    case 'Regex':
      return verbatim(`/${exp.pattern}/${exp.flags}`)
    case 'Name':
      return exp.text
    case 'List': {
      const kept = exp.elements[0] !== undefined && comments.hasBreak(exp.span.start, exp.elements[0].span.start)
      return bracketed('[', ']', exp.elements, exp.span.end, (each) => expression(each, comments), comments, soft, kept)
    }
    case 'Record':
      return record(exp, comments)
    case 'IfExp':
      return choice(exp, comments)
    case 'Lambda': {
      const params = exp.params.map((param) => param.text)
      return [params.length === 1 ? params[0]! : `(${params.join(', ')})`, ' => ', expression(exp.body, comments)]
    }
    case 'Unary':
      return unary(exp.operator, exp.operand, comments)
    case 'Binary':
      return binary(exp, comments)
    case 'Call':
    case 'Index':
    case 'Field':
      return postfix(exp, comments)
    default:
      return exp satisfies never
  }
}

/** Elements between brackets: on one line, or one a line with a comma after the last. */
export function bracketed<T extends { readonly span: { readonly start: number } }>(
  open: string,
  close: string,
  elements: readonly T[],
  end: number,
  print: (element: T) => Doc,
  comments: Comments,
  edge: Doc = soft,
  broken = false,
): Doc {
  if (elements.length === 0 && !comments.any(end - 1)) return open + close
  const inner: Doc[] = []
  for (const [i, element] of elements.entries()) {
    inner.push(comments.trailing(element.span.start), i === 0 ? edge : line, comments.before(element.span.start), print(element))
    inner.push(i === elements.length - 1 ? ifBroken(',') : ',')
  }
  return group([open, indent([inner, comments.trailing(end - 1), comments.before(end - 1)]), edge, close], broken)
}

/** `{ a: 1 }`; it stays over several lines where its writer began it on a new line. */
export function record(exp: RecordExp, comments: Comments): Doc {
  const first = exp.entries[0]
  const kept = first !== undefined && comments.hasBreak(exp.span.start, first.span.start)
  const entry = (each: RecordExp['entries'][number]): Doc => {
    const key = each.quoted ? verbatim(`"${escapeShort(each.name.text)}"`) : each.name.text
    return [key, ': ', expression(each.value, comments)]
  }
  return bracketed('{', '}', exp.entries, exp.span.end, entry, comments, line, kept)
}

function choice(exp: IfExp, comments: Comments): Doc {
  const docs: Doc[] = []
  let broken = false
  let otherwise: Exp = exp
  while (otherwise.kind === 'IfExp') {
    const each: IfExp = otherwise
    broken ||= comments.hasBreak(each.condition.span.end, each.then.span.start)
    docs.push('if ', expression(each.condition, comments), ' {')
    docs.push(indent([comments.trailing(each.then.span.start), line, expression(each.then, comments)]))
    otherwise = each.else
    docs.push(indent(comments.before(otherwise.span.start)), line, '} else ')
  }
  docs.push('{', indent([line, expression(otherwise, comments)]), line, '}')
  return group(docs, broken)
}

function unary(operator: '-' | 'not', operand: Exp, comments: Comments): Doc {
  if (operator === 'not') return ['not ', expression(operand, comments, bindings.not)]
  const isMinus = operand.kind === 'Unary' && operand.operator === '-'
  return [isMinus ? '- ' : '-', expression(operand, comments, bindings.unary)]
}

function binary(exp: BinaryExp, comments: Comments): Doc {
  const tight = bindingOf(exp.operator)
  if (exp.operator === '..') {
    return [expression(exp.left, comments, tight + 1), '..', expression(exp.right, comments, tight + 1)]
  }
  if (exp.operator === '^') {
    return [expression(exp.left, comments, bindings.postfix), ' ^ ', expression(exp.right, comments, bindings.unary)]
  }
  // A chain to the left of operators that bind alike is one group. Comparisons do not chain.
  const chain: BinaryExp[] = [exp]
  let first: Exp = exp.left
  while (tight !== bindings.compare && first.kind === 'Binary' && bindingOf(first.operator) === tight) {
    chain.unshift(first)
    first = first.left
  }
  const least = tight === bindings.compare ? tight + 1 : tight
  const docs: Doc[] = [expression(first, comments, least)]
  for (const { operator, right } of chain) {
    docs.push(indent([comments.before(firstToken(right)), line, `${operator} `, expression(right, comments, tight + 1)]))
  }
  return group(docs)
}

function postfix(exp: CallExp | IndexExp | FieldExp, comments: Comments): Doc {
  const steps: (CallExp | IndexExp | FieldExp)[] = []
  let base: Exp = exp
  while (base.kind === 'Call' || base.kind === 'Index' || base.kind === 'Field') {
    steps.unshift(base)
    base = base.kind === 'Call' ? base.callee : base.target
  }
  const methods = steps.filter((step, i) => step.kind === 'Field' && steps[i + 1]?.kind === 'Call').length
  const docs: Doc[] = []
  const first = expression(base, comments, bindings.postfix)
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'Call') docs.push(args(step, comments))
    else if (step.kind === 'Index') docs.push('[', expression(step.index, comments), comments.before(step.span.end - 1), ']')
    else {
      const breaks = methods > 1 && steps[i + 1]?.kind === 'Call'
      docs.push(
        comments.trailing(step.name.span.start),
        breaks ? soft : '',
        comments.before(step.name.span.start),
        `.${step.name.text}`,
      )
    }
  }
  return methods > 1 ? group([first, indent(docs)]) : [first, docs]
}

function args(call: CallExp, comments: Comments): Doc {
  const [only] = call.args
  const hugs =
    call.args.length === 1 &&
    !only!.name &&
    (only!.value.kind === 'Record' || only!.value.kind === 'List' || (only!.value.kind === 'String' && only!.value.long)) &&
    !comments.any(only!.span.start)
  if (hugs) {
    const value = expression(only!.value, comments)
    return ['(', value, comments.before(call.span.end - 1), ')']
  }
  const print = (each: Argument): Doc => [each.name ? `${each.name.text}: ` : '', expression(each.value, comments)]
  return bracketed('(', ')', call.args, call.span.end, print, comments)
}

/** A string as a literal; a long one with line breaks gets a line for each, at the margin of its statement. */
export function string(literal: StringLiteral, comments: Comments): Doc {
  const written = asWritten(literal)
  if (written !== undefined) return verbatim(written)
  const parts = literal.parts.map((part) => (typeof part === 'string' ? part : { hole: hole(part) }))
  if (!literal.long) {
    return verbatim(`"${parts.map((part) => (typeof part === 'string' ? escapeShort(part) : part.hole)).join('')}"`)
  }
  if (comments.inHole || !parts.some((part) => typeof part === 'string' && part.includes('\n'))) {
    return verbatim(`"""${parts.map((part) => (typeof part === 'string' ? escapeLong(part, true) : part.hole)).join('')}"""`)
  }
  return ['"""', exact, join(exact, longLines(parts).map(verbatim)), exact, '"""']
}

/** A short string without holes stands as its writer escaped it. */
function asWritten(literal: StringLiteral): string | undefined {
  const { source, start, end } = literal.span
  const text = source.text.slice(start, end)
  if (literal.long || literal.parts.some((part) => typeof part !== 'string') || !/^".*"$/s.test(text)) return undefined
  const cooked = text.slice(1, -1).replace(/\\(?:u\{[0-9a-fA-F]+\}|.)/gs, cookEscape)
  return cooked === literal.parts.join('') ? text : undefined
}

/** The lines of a long string, so written that stripping its margin gives back the text. */
function longLines(parts: readonly (string | { readonly hole: string })[]): string[] {
  const lines: string[] = ['']
  for (const part of parts) {
    if (typeof part !== 'string') {
      lines[lines.length - 1] += part.hole
      continue
    }
    for (const [i, text] of part.split('\n').entries()) {
      if (i > 0) lines.push('')
      lines[lines.length - 1] += escapeLong(text, false)
    }
  }
  const kept = lines.map((each) => (/^ +$/.test(each) ? `${each.slice(1)}\\u{20}` : each))
  const written = kept.filter((each) => each !== '')
  if (!written.every((each) => each.startsWith(' '))) return kept
  const first = kept.findIndex((each) => each !== '')
  return kept.map((each, i) => (i === first ? `\\u{20}${each.slice(1)}` : each))
}

/** A hole with its braces, on one line whatever its length. Comments inside it are printed after the string, at the next place. */
function hole(value: Exp): string {
  return `{${layout(expression(value, Comments.inHole), Number.POSITIVE_INFINITY).trimEnd()}}`
}

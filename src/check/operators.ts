import type { BinaryExp, UnaryExp } from '../syntax/ast.js'
import type { Checker } from './checker.js'
import {
  bool,
  context,
  fits,
  float,
  int,
  isNumber,
  isOpen,
  isText,
  join,
  listOf,
  openOf,
  string,
  unknown,
  weight,
} from './relations.js'
import { describe } from './show.js'
import type { Type } from './types.js'

/*
 * Operators (language.md §3, §9). `*`, `/`, `^` and `+` with a Weight give a Weight, `-` and `%` a Float; `/` is never whole;
 * `Int ^ Int` is an Int only where the exponent is a whole number written out, for 2 ^ -1 is none.
 */

export function unary(checker: Checker, exp: UnaryExp, operand: Type): Type {
  if (exp.operator === 'not') {
    if (isOpen(operand) || operand.kind === 'Bool') return bool
    checker.report('C020', exp.operand.span, `expected a Bool, found ${describe(operand)}`, {
      hint: '`not` turns a condition around',
    })
    return unknown
  }
  if (isOpen(operand)) return operand
  if (isNumber(operand)) return operand.kind === 'Int' ? int : float
  checker.report('C021', exp.span, `\`-\` expects a number, found ${describe(operand)}`, {
    hint: '`-` turns the sign of a number',
  })
  return unknown
}

/** The type of `left operator right`; reports operands that do not go together. */
export function binary(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  switch (exp.operator) {
    case 'and':
    case 'or':
      return logical(checker, exp, left, right)
    case '==':
    case '!=':
      return equality(checker, exp, left, right)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return order(checker, exp, left, right)
    case 'in':
      return membership(checker, exp, left, right)
    case '..':
      return range(checker, exp, left, right)
    case '+':
      return sum(checker, exp, left, right)
    case '-':
    case '*':
    case '/':
    case '%':
    case '^':
      return arithmetic(checker, exp, left, right)
    default:
      return exp.operator satisfies never
  }
}

/** The type of `left + right`, also for `+=`; undefined where they do not go together. */
export function plus(left: Type, right: Type): Type | undefined {
  if (isNumber(left) && isNumber(right)) return join(left, right)
  if (isText(left) && isText(right)) return string
  if (left.kind === 'List' && right.kind === 'List') return join(left, right)
  if (!isOpen(left) && !isOpen(right)) return undefined
  const known = isOpen(left) ? right : left
  if (isOpen(known) || isNumber(known) || known.kind === 'List') return openOf(left, right)
  return isText(known) ? string : undefined
}

function sum(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  return plus(left, right) ?? cannotAdd(checker, exp, left, right)
}

/** Reports a sum of things that do not go together. */
export function cannotAdd(checker: Checker, at: { readonly span: BinaryExp['span'] }, left: Type, right: Type): Type {
  const mixed = (isText(left) && isNumber(right)) || (isNumber(left) && isText(right))
  const hint = mixed
    ? 'put the number into the string: `"{n}"`'
    : left.kind === 'List' && right.kind !== 'List'
      ? 'add a list of one: `xs + [x]`'
      : left.kind === 'Context' || right.kind === 'Context'
        ? 'take the text: `.text`'
        : 'both sides are numbers, strings or lists of one type'
  checker.report('C021', at.span, `\`+\` cannot add ${describe(right)} to ${describe(left)}`, { hint })
  return unknown
}

function logical(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  for (const [operand, type] of [
    [exp.left, left],
    [exp.right, right],
  ] as const) {
    if (fits(type, bool)) continue
    checker.report('C020', operand.span, `expected a Bool, found ${describe(type)}`, {
      hint: `\`${exp.operator}\` joins two conditions`,
    })
  }
  return bool
}

function equality(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  for (const [operand, type] of [
    [exp.left, left],
    [exp.right, right],
  ] as const) {
    const without = lacksEquality(type)
    if (!without) continue
    checker.report('C023', operand.span, `${describe(without)} cannot be compared`, {
      hint: without.kind === 'Context' ? 'compare the text: `.text`' : 'compare values that were computed from it',
    })
    return bool
  }
  if (!comparable(left, right)) {
    checker.report('C023', exp.span, `${describe(left)} never equals ${describe(right)}`, {
      hint: 'compare two values of one type',
    })
  }
  return bool
}

/** Whether two values may be equal at all. Records of other fields may: equality is structural. */
function comparable(left: Type, right: Type): boolean {
  if (left.kind === 'List' && right.kind === 'List') return comparable(left.element, right.element)
  if (left.kind === 'Record' && right.kind === 'Record') return true
  return join(left, right) !== undefined
}

/** The part of the type that has no equality, if any. */
function lacksEquality(type: Type): Type | undefined {
  switch (type.kind) {
    case 'Context':
    case 'Model':
    case 'Classifier':
    case 'Dist':
    case 'Function':
    case 'Regex':
      return type
    case 'List':
      return lacksEquality(type.element)
    case 'Record':
      return [...type.fields.values()].map(lacksEquality).find((found) => found !== undefined)
    default:
      return undefined
  }
}

function order(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  const ordered = (type: Type) => isOpen(type) || isNumber(type) || isText(type)
  if (!ordered(left) || !ordered(right) || (!isOpen(left) && !isOpen(right) && isNumber(left) !== isNumber(right))) {
    checker.report('C021', exp.span, `\`${exp.operator}\` cannot compare ${describe(left)} with ${describe(right)}`, {
      hint: 'it compares two numbers or two strings',
    })
  }
  return bool
}

function membership(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  if (isText(right) && (isOpen(left) || isText(left))) return bool
  if (right.kind === 'List' || isOpen(right)) {
    if (right.kind === 'List' && !lacksEquality(left) && !comparable(left, right.element)) {
      checker.report('C023', exp.span, `${describe(left)} is never in ${describe(right)}`, {
        hint: "look for a value of the elements' type",
      })
    } else if (lacksEquality(left)) {
      checker.report('C023', exp.left.span, `${describe(left)} cannot be compared`, { hint: 'compare the text: `.text`' })
    }
    return bool
  }
  const hint =
    right.kind === 'Record' ? 'the fields of a record are known: name the one' : '`in` looks into a list, a range or a string'
  checker.report('C021', exp.span, `\`in\` cannot look for ${describe(left)} in ${describe(right)}`, { hint })
  return bool
}

function range(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  for (const [end, type] of [
    [exp.left, left],
    [exp.right, right],
  ] as const) {
    if (fits(type, int)) continue
    checker.report('C020', end.span, `expected an Int, found ${describe(type)}`, {
      hint: 'both ends of a range are whole numbers',
    })
  }
  return listOf(int)
}

function arithmetic(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  const { operator } = exp
  if (left.kind === 'Context' || right.kind === 'Context') return algebra(checker, exp, left, right)
  if ((!isNumber(left) && !isOpen(left)) || (!isNumber(right) && !isOpen(right))) {
    checker.report('C021', exp.span, `\`${operator}\` expects two numbers, found ${describe(left)} and ${describe(right)}`, {
      hint:
        operator === '^' || operator === '%'
          ? 'both sides are numbers'
          : 'both sides are numbers; strings and lists only know `+`',
    })
    return unknown
  }
  if (isOpen(left) || isOpen(right)) return openOf(left, right)
  const hasWeight = left.kind === 'Weight' || right.kind === 'Weight'
  if (hasWeight) return operator === '-' || operator === '%' ? float : weight
  if (operator === '/') return float
  if (left.kind === 'Float' || right.kind === 'Float') return float
  return operator !== '^' || exp.right.kind === 'Number' ? int : float
}

/** Products, quotients and powers of contexts (language.md §4). */
function algebra(checker: Checker, exp: BinaryExp, left: Type, right: Type): Type {
  const { operator } = exp
  const isContext = (type: Type) => type.kind === 'Context' || isOpen(type)
  if ((operator === '*' || operator === '/') && isContext(left) && isContext(right)) return context
  if (operator === '^' && left.kind === 'Context' && (isNumber(right) || isOpen(right))) return context
  checker.report('C021', exp.span, `\`${operator}\` cannot combine ${describe(left)} with ${describe(right)}`, {
    hint: 'contexts combine as `a * b`, `a / b` and `a ^ 0.5`',
  })
  return unknown
}

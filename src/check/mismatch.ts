import type { Exp } from '../syntax/ast.js'
import type { Checker } from './checker.js'
import { isNumber, isOpen, isPrintable, isText } from './relations.js'
import { describe } from './show.js'
import type { Type } from './types.js'

/** Reports that an expression has another type than its place wants. */
export function mismatch(
  checker: Checker,
  at: { readonly span: Exp['span'] },
  expected: Type,
  found: Type,
  wants?: string,
): void {
  const hint = edit(expected, found) ?? (wants === undefined ? example(expected) : `give it ${wants}`)
  checker.report('C020', at.span, `expected ${wants ?? describe(expected)}, found ${describe(found)}`, { hint })
}

/** Reports a value that has no printed form. */
export function expectPrintable(checker: Checker, exp: Exp, type: Type, where = 'in a text'): void {
  if (isOpen(type) || isPrintable(type)) return
  const hint =
    type.kind === 'Context'
      ? 'take its text: `.text`'
      : type.kind === 'Dist'
        ? 'sample a value from it first'
        : 'put values there: numbers, strings, lists and records'
  checker.report('C024', exp.span, `${describe(type)} has no text to put ${where}`, { hint })
}

/** The edit that most often mends it. */
function edit(expected: Type, found: Type): string | undefined {
  if (found.kind === 'Context' && (expected.kind === 'String' || expected.kind === 'Token')) return 'take its text: `.text`'
  if (found.kind === 'Model' && (expected.kind === 'Context' || expected.kind === 'Dist'))
    return 'give the model a prompt: `lm("...")`'
  if (found.kind === 'Context' && expected.kind === 'Model') return 'pass the model itself, without a prompt'
  if (found.kind === 'String' && expected.kind === 'Context') return 'give the text to a model: `lm("...")`'
  if (found.kind === 'Dist') return 'sample a value from it first: `sample x ~ ...`'
  if (expected.kind === 'Int' && (found.kind === 'Float' || found.kind === 'Weight'))
    return 'make it whole: `round(x)` or `floor(x)`'
  if (isNumber(expected) && isText(found))
    return expected.kind === 'Int' ? 'read the number: `int(s)`' : 'read the number: `float(s)`'
  if (isText(expected) && isNumber(found)) return 'put it into a string: `"{n}"`'
  if (expected.kind === 'Bool' && isNumber(found)) return 'compare it with something: `x > 0`'
  if (expected.kind === 'Token' && found.kind === 'String') return 'sample one token, or take one of `story.tokens`'
  if (isNumber(expected) && found.kind === 'Bool') return 'choose the numbers: `if c { 1 } else { 0 }`'
  return undefined
}

/** What could stand there. */
function example(expected: Type): string {
  switch (expected.kind) {
    case 'Bool':
      return 'write a condition, such as `x == y`'
    case 'Int':
      return 'write a whole number, such as `3`'
    case 'Float':
      return 'write a number, such as `0.5`'
    case 'Weight':
      return 'write a number from 0, such as `exp(-x)`'
    case 'String':
      return 'write a text, such as `"a"`'
    case 'Token':
      return 'take one of `story.tokens`'
    case 'List':
      return 'write a list: `[a, b]`'
    case 'Record':
      return 'write a record with these fields'
    case 'Function':
      return 'write a function: `x => ...`'
    case 'Context':
      return 'give a model a prompt: `lm("...")`'
    case 'Model':
      return 'name a model of the program'
    case 'Dist':
      return 'write a distribution, such as `normal(0, 1)`'
    default:
      return `write ${describe(expected)}`
  }
}

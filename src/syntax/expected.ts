import type { Token } from './scan.js'

/** A token as a sentence names it. */
export function describe(token: Token | undefined): string {
  if (!token) return 'the end of the program'
  if (token.kind === 'string') return 'a string'
  if (token.kind === 'regex') return 'a regular expression'
  return `\`${token.text}\``
}

const operators = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '..',
  '==',
  '!=',
  '<=',
  '>=',
  '<',
  '>',
  '.',
  '(',
  '[',
  '=>',
  'and',
  'or',
  'in',
  '+=',
].map((sign) => `"${sign}"`)

/** Whether a statement may begin here: nothing but a declaration or a name, or the end of the block. */
export function startsStatement(expected: ReadonlySet<string>): boolean {
  if (expected.has('"extern"')) return true
  return expected.has('a name') && expected.has('"}"') && !expected.has('"["') && !expected.has('a word') && !expected.has('","')
}

/**
 * What would have fitted, in a few words: the grammar's own list has all operators in it, and all that may begin an expression.
 * `expected` holds ohm's names: terminals in double quotes, and descriptions of rules.
 */
export function expectedSentence(expected: ReadonlySet<string>): string {
  const left = new Set([...expected].map((each) => (each.startsWith('not ') ? '' : each)).filter((each) => each !== ''))
  const wanted: string[] = []
  const take = (sentence: string, signs: readonly string[]): void => {
    for (const sign of signs) left.delete(sign)
    wanted.push(sentence)
  }
  const isStart = startsStatement(left)
  const startsExpression = left.has('a number') && left.has('"["')
  if (isStart)
    take(
      'a statement',
      [...left].filter((each) => each !== '"}"' && each !== '")"'),
    )
  else if (startsExpression) {
    const signs = [
      'a name',
      'a number',
      '"("',
      '"["',
      '"{"',
      '"\\""',
      '"\\"\\"\\""',
      '"/"',
      '"if"',
      '"not"',
      '"-"',
      '"true"',
      '"false"',
    ]
    take('an expression', signs)
  } else if (left.has('a name') && left.has('"["') && left.has('"{"')) take('a type', ['a name', '"["', '"{"'])
  if (left.has('";"') || left.has('"\\n"'))
    take('the end of the statement', ['";"', '"\\n"', '"\\r"', '"}"', 'end of input', ...clauses])
  if (left.has('"\\"\\"\\""') || left.has('"\\""')) take('a string', ['"\\"\\"\\""', '"\\""'])
  if (left.has('"token"')) left.delete('"token"')
  const rest = [...left].filter((each) => !blanks.has(each) && !operators.includes(each))
  const some = rest.length > 0 || wanted.length > 0 ? rest : [...left].filter((each) => !blanks.has(each))
  wanted.push(...some.map(spoken))
  const shown = [...new Set(wanted)].slice(0, 4)
  if (shown.length === 0) return 'something else'
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`
}

const clauses = ['for', 'within', 'until', 'matching', 'where', 'via', 'twisted', 'resampling'].map((word) => `"${word}"`)
const blanks: ReadonlySet<string> = new Set([
  '" "',
  '"\\t"',
  '"\\n"',
  '"\\r"',
  '"//"',
  'a letter',
  'a digit',
  'any object',
  'a space',
  '"_"',
  '"0".."9"',
])

function spoken(each: string): string {
  if (each === 'a word') return 'a name'
  if (each === 'end of input') return 'the end of the program'
  return each.startsWith('"') ? `\`${each.slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\')}\`` : each
}

import { expect, test } from 'vitest'
import { check } from '../../src/check/check.js'
import { show } from '../../src/check/show.js'
import type { Span } from '../../src/diagnostics/span.js'
import type { Exp, IfStmt, Program, ReturnStmt, Stmt } from '../../src/syntax/ast.js'

/* Trees are built by hand: the parser has limits of its own, and these are the checker's. */

const source = { path: 'test.smc', text: 'return 1' }
const span: Span = { source, start: 0, end: 8 }
const one = (): Exp => ({ kind: 'Number', value: 1, text: '1', isInt: true, span })

function checkTree(statements: readonly Stmt[]) {
  const program: Program = { source, items: statements, comments: [], span }
  return check({ program, uses: new Map() })
}

const returning = (value: Exp): ReturnStmt => ({ kind: 'Return', value, span })

function nest(times: number, wrap: (inner: Exp) => Exp): Exp {
  let exp = one()
  for (let at = 0; at < times; at++) exp = wrap(exp)
  return exp
}

test('a sum of ten thousand terms', () => {
  const sum = nest(10_000, (left) => ({ kind: 'Binary', operator: '+', left, right: one(), span }))
  const checked = checkTree([returning(sum)])
  expect(checked.diagnostics).toEqual([])
  expect(show(checked.result)).toBe('Int')
})

test('ten thousand branches of one `if`', () => {
  const truth: Exp = { kind: 'Bool', value: true, span }
  let exp = one()
  let statement: IfStmt = { kind: 'If', condition: truth, then: { statements: [], span }, span }
  for (let at = 0; at < 10_000; at++) {
    exp = { kind: 'IfExp', condition: truth, then: one(), else: exp, span }
    statement = { kind: 'If', condition: truth, then: { statements: [], span }, else: statement, span }
  }
  expect(checkTree([statement, returning(exp)]).diagnostics).toEqual([])
})

test.each<[string, string, (inner: Exp) => Exp]>([
  ['lists', '[', (inner) => ({ kind: 'List', elements: [inner], span })],
  ['minus signs', 'Int', (operand) => ({ kind: 'Unary', operator: '-', operand, span })],
  ['sums on the right', 'Int', (right) => ({ kind: 'Binary', operator: '+', left: one(), right, span })],
  ['calls', 'Int', (value) => ({ kind: 'Call', callee: { kind: 'Name', text: 'abs', span }, args: [{ value, span }], span })],
  [
    'records',
    '{a: ',
    (value) => ({ kind: 'Record', entries: [{ name: { text: 'a', span }, quoted: false, value, span }], span }),
  ],
  [
    'choices',
    'Int',
    (inner) => ({ kind: 'IfExp', condition: { kind: 'Bool', value: true, span }, then: inner, else: one(), span }),
  ],
  ['texts', 'String', (inner) => ({ kind: 'String', long: false, parts: [inner.kind === 'Number' ? 'x' : inner], span })],
])('four hundred nested %s', (_, type, wrap) => {
  const checked = checkTree([returning(nest(400, wrap))])
  expect(checked.diagnostics).toEqual([])
  expect(show(checked.result).startsWith(type)).toBe(true)
})

test('four hundred nested functions', () => {
  const f = nest(400, (body) => ({ kind: 'Lambda', params: [{ text: 'x', span }], body, span }))
  expect(checkTree([{ kind: 'Let', name: { text: 'f', span }, value: f, span }, returning(one())]).diagnostics).toEqual([])
})

test('four hundred nested blocks', () => {
  let statement: Stmt = { kind: 'Factor', value: one(), span }
  for (let at = 0; at < 400; at++) {
    statement = { kind: 'If', condition: { kind: 'Bool', value: true, span }, then: { statements: [statement], span }, span }
  }
  expect(checkTree([statement, returning(one())]).diagnostics).toEqual([])
})

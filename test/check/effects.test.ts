import { expect, test } from 'vitest'
import { checkText, codes } from './program.js'

const roll = 'fn roll() -> Int { sample d ~ uniform(1..6); return d }\n'

test.each([
  ['let a = [1].map(i => roll())\nreturn a', ['C070']],
  ['fn outer() -> Int { return roll() }\nlet a = [1].map(i => outer())\nreturn a', ['C070']],
  ['fn f(n = roll()) { return n }\nlet a = f()\nreturn a', ['C070']],
  ['model lm = "tiny"\nsample s ~ lm("a") for 3 tokens where roll() > 2\nreturn s', ['C070']],
  ['model lm = "tiny"\nsample s ~ lm("a") for 3 tokens twisted by roll()\nreturn s', ['C070']],
  ['let a = roll() + roll()\nreturn a', []],
  ['fn twice(n: Int) -> Int { return 2 * n }\nlet a = [1].map(i => twice(i))\nreturn a', []],
  ['model lm = "tiny"\nlet a = ["a"].map(p => lm(p).prob("b"))\nreturn a', []],
])('%s', (program, found) => {
  expect(codes(roll + program)).toEqual(found)
})

test('effects go through calls, and functions come callees first', () => {
  const checked = checkText(
    `fn top() -> Int { return middle() }\nfn middle() -> Int { return roll() }\n${roll}fn pure() -> Int { return 1 }\nfn unused() { factor 2 }\nreturn top() + pure()`,
  )
  expect(checked.diagnostics).toEqual([])
  expect([...checked.effectful].map((fn) => fn.name.text).sort()).toEqual(['middle', 'roll', 'top', 'unused'])
  expect(checked.functions.map((fn) => fn.name.text)).toEqual(['roll', 'middle', 'top', 'pure'])
})

test('recursion ends', () => {
  const checked = checkText(
    'fn even(n: Int) -> Bool { return odd(n) }\nfn odd(n: Int) -> Bool { require n > 0; return even(n) }\nreturn even(1)',
  )
  expect(checked.diagnostics).toEqual([])
  expect(checked.functions.map((fn) => fn.name.text).sort()).toEqual(['even', 'odd'])
  expect(checked.effectful.size).toBe(2)
})

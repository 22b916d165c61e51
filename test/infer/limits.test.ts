import { expect, test } from 'vitest'
import { compile } from '../../src/index.js'

test.each([
  [
    'a function with effects that never returns',
    'fn f(n: Int) -> Int {\n  sample x ~ bernoulli(0.5)\n  return 1 + f(n + 1)\n}\nreturn f(0)',
    'f(n + 1)',
  ],
  ['a function without effects that never returns', 'fn f(n: Int) -> Int { return 1 + f(n + 1) }\nreturn f(0)', 'f(0)'],
  ['a text that doubles', 'let s = "x"\nfor i in 1..40 { s = s + s }\nreturn s.length', 's + s'],
  ['a list that doubles', 'let s = [1]\nfor i in 1..40 { s = s + s }\nreturn s.length', 's + s'],
])('%s is told with its place', async (_, source, place) => {
  const program = await compile(source)
  const error = await program.run({}, { particles: 2, seed: 1 }).then(
    () => null,
    (thrown) => thrown,
  )
  expect(error).toMatchObject({ name: 'SmcError', blame: 'program', diagnostics: [{ code: 'R012' }] })
  const { span } = error.diagnostics[0]
  expect(source.slice(span.start, span.end)).toContain(place)
})

test('calls may stand a thousand deep', async () => {
  const program = await compile(
    'fn f(n: Int) -> Int {\n  if n == 0 { return 0 }\n  sample x ~ bernoulli(0.5)\n  return 1 + f(n - 1)\n}\nreturn f(1000)',
  )
  const result = await program.run({}, { particles: 2, seed: 1 })
  expect(result.posterior).toEqual([{ value: 1000, probability: 1, count: 2 }])
})

test('of the dead, the text with the most weight is told', async () => {
  const program = await compile(`model lm = "tiny"
let s = lm("Once upon a time")
sample n ~ uniform(1..4)
force [" one", " two", " three", " four"][n - 1] ~ s
factor [1, 5, 9, 3][n - 1]
require false
return n`)
  const error = await program.run({}, { particles: 32, seed: 1 }).catch((thrown) => thrown)
  expect(error.diagnostics[0].code).toBe('R003')
  expect(error.diagnostics[0].notes.map((note: { message: string }) => note.message).join()).toContain('" three"')
})

import { expect, test } from 'vitest'
import { compile, type SmcError } from '../../src/index.js'
import { TableModel } from '../../src/models/table.js'
import { table } from '../exact/measure.js'

async function failure(source: string, options: Parameters<Awaited<ReturnType<typeof compile>>['run']>[1]): Promise<SmcError> {
  const program = await compile(source, { path: 'test.smc' })
  return program.run({}, { seed: 1, particles: 2, ...options }).then(
    () => {
      throw new Error('this run was to fail')
    },
    (error) => error,
  )
}

function textAt(source: string, error: SmcError): string {
  const { span } = error.diagnostics[0]!
  return source.slice(span!.start, span!.end)
}

test.each([
  ['statements', 'let n = 0\nwhile true { n += 1 }\nreturn n'],
  ['a list that grows', 'let xs = [1]\nwhile true { xs = xs + [1] }\nreturn xs.length'],
])('a loop of %s that never ends lets the event loop have its turn', async (_, source) => {
  const program = await compile(source)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 100)
  const result = await program.run({}, { seed: 1, particles: 2, signal: controller.signal })
  expect(result.partial).toBe(true)
})

test('a loop without effects that never ends is told with its place', async () => {
  const source = 'let a = [3, 1][0]\nfn f(n: Int) -> Int {\n  let i = n\n  while i > 0 { i += 1 }\n  return i\n}\nreturn f(a)'
  const error = await failure(source, {})
  expect(error).toMatchObject({ blame: 'program', diagnostics: [{ code: 'R012' }] })
  expect(textAt(source, error)).toBe('while i > 0 { i += 1 }')
})

test('a table that lacks a row is told at the statement that reached it', async () => {
  const lm = table({ tokens: ['a', 'b'], end: null, next: { '': [1, 0], a: [0, 1] } })
  const head = 'model lm = "table"\nlet s = lm("")\nlet r = lm("b")\nsample x ~ s\n'
  for (const statement of ['sample y ~ r', 'observe "a" ~ r', 'factor r.prob("a")']) {
    const source = `${head}${statement}\nreturn x`
    const error = await failure(source, { models: { lm } })
    expect(error).toMatchObject({ diagnostics: [{ code: 'M013' }] })
    expect(statement).toContain(textAt(source, error))
  }
})

test('a model given from outside is not blamed on the program', async () => {
  const error = await failure('model lm = "tiny"\nreturn lm("a").text', { models: { lm: 'tinny' } })
  expect(error.diagnostics[0]).toMatchObject({ code: 'M001' })
  expect(error.diagnostics[0]).not.toHaveProperty('span')
})

test('equal records are one answer, whatever the order of their fields', async () => {
  const program = await compile(
    'sample k ~ uniform(0..1)\nlet r = if k == 0 { { a: 1, b: [{ c: 1, d: 2 }] } } else { { b: [{ d: 2, c: 1 }], a: 1 } }\nreturn [r]',
  )
  const { posterior } = await program.run({}, { seed: 1, particles: 64 })
  expect(posterior).toHaveLength(1)
  expect(posterior[0]).toMatchObject({ probability: 1, count: 64 })
})

test('a weight too small or too large for a number is neither 0 nor infinite', async () => {
  const program = await compile(
    'let small = exp(-800)\nlet large = exp(800)\nlet infinite = 1 / 0\nreturn [small == 0, small > 0, large == infinite, large < infinite, small * 0 == 0, exp(0) == 1]',
  )
  const { posterior } = await program.run({}, { seed: 1, particles: 1 })
  expect(posterior[0]!.value).toEqual([false, true, false, true, true, true])
})

test('`where` on a small vocabulary is drawn exactly, also where tokens fail: the weight is the same whatever is drawn', async () => {
  const program = await compile('model lm = "table:t.json"\nsample t ~ lm("") for 1 tokens where t != "a"\nreturn t')
  const source = JSON.stringify({ tokens: ['a', 'b', 'c'], order: 0, end: null, next: { '': [0.7, 0.2, 0.1] } })
  for (let seed = 1; seed <= 20; seed++) {
    const models = { lm: TableModel.parse('table', source) }
    const { logZ } = await program.run({}, { seed, particles: 1, models })
    expect(logZ).toBeCloseTo(Math.log(0.3), 12)
  }
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { load, type RunOptions, type RunResult, SmcError } from '../../src/index.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smcc-extern-'))
  writeFileSync(
    join(folder, 'functions.mjs'),
    `export const sizes = []
export const twice = (xs) => { sizes.push(xs.length); return xs.map((x) => 2 * x) }
export const late = async (xs) => { await new Promise((done) => setTimeout(done, 5)); return xs.map((x) => x + 1) }
export const typed = (xs) => Float64Array.from(xs, (x) => x / 2)
export const total = (lists, scale) => lists.map((xs, i) => scale[i] * xs.reduce((a, b) => a + b, 0))
export const describe = (records) => records.map((r) => ({ name: r.name + "!", size: r.name.length }))
export const short = (xs) => xs.slice(1)
export const nan = (xs) => xs.map(() => NaN)
export const deep = (xs) => xs.map(() => [1, NaN])
export const mixed = (xs) => xs.map(() => [1, "two"])
export const partial = (xs) => xs.map(() => ({ name: "a" }))
export const fails = () => { throw new Error("out of cheese") }
export const failsWithText = () => { throw "just text" }
export const rejects = () => Promise.reject(new Error("later"))
export const words = (xs) => xs.map(() => "word")
export const half = (xs) => xs.map((x) => x + 0.5)
export const nothing = () => undefined
export const nulls = (xs) => xs.map(() => null)
export const negative = (xs) => xs.map(() => -1)
export const notAFunction = 3
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
async function run(text: string, options: RunOptions = {}): Promise<RunResult> {
  const path = join(folder, `${files++}.smc`)
  writeFileSync(path, text)
  return (await load(path)).run({}, { seed: 1, particles: 10, allowExtern: true, ...options })
}

async function failure(text: string, options: RunOptions = {}): Promise<SmcError> {
  const error = await run(text, options).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(SmcError)
  return error as SmcError
}

const extern = (signature: string) => `extern fn ${signature} from "./functions.mjs"\n`

describe('an extern function', () => {
  test('is called with a column of all particles, and its answers go back to each', async () => {
    const result = await run(`${extern('twice(x: Int) -> Int')}sample x ~ uniform(1..6)\nreturn [x, twice(x)]`)
    for (const { value } of result.samples) {
      const [x, y] = value as [number, number]
      expect(y).toBe(2 * x)
    }
    const { sizes } = await import(join(folder, 'functions.mjs'))
    expect(sizes).toEqual([10])
  })

  test('answers with a promise or a typed array, takes lists and records', async () => {
    const text = `${extern('late(x: Int) -> Int')}${extern('typed(x: Int) -> Float')}${extern('total(xs: [Float], scale: Float) -> Float')}${extern('describe(r: {name: String}) -> {name: String, size: Int}')}
let d = describe({name: "abc"})
return "{late(1)} {typed(3)} {total([1.5, 2.5], scale: 2)} {d.name} {d.size}"
`
    expect((await run(text, { particles: 3 })).posterior).toEqual([{ value: '2 1.5 8 abc! 3', probability: 1, count: 3 }])
  })

  test('may stand in a loop, a lambda, a factor, a twist and a condition', async () => {
    const text = `${extern('twice(x: Int) -> Int')}
let sum = 0
for i in 1..3 {
  sample x ~ uniform(1..2)
  twist exp(-0.1 * twice(x))
  if twice(x) > 2 { sum += twice(i) }
}
factor [1, 2].map(k => twice(k)).sum() * exp(twice(sum) * 0.1)
return sum
`
    const result = await run(text, { particles: 50 })
    expect(Number.isFinite(result.logZ)).toBe(true)
    for (const { value } of result.posterior) expect([0, 2, 4, 6, 8, 10, 12]).toContain(value)
  })
})

describe('what goes wrong in an extern function is told with the place of its call', () => {
  test.each([
    ['short(x: Int) -> Int', /9 values for 10 rows/],
    ['nan(x: Int) -> Float', /NaN in row 0, expected Float/],
    ['deep(x: Int) -> [Float]', /NaN/],
    ['mixed(x: Int) -> [Float]', /a string/],
    ['partial(x: Int) -> {name: String, size: Int}', /size/],
    ['fails(x: Int) -> Int', /throws: out of cheese/],
    ['failsWithText(x: Int) -> Int', /throws: just text/],
    ['rejects(x: Int) -> Int', /throws: later/],
    ['words(x: Int) -> Float', /a string in row 0, expected Float/],
    ['words(x: Int) -> Bool', /a string in row 0, expected Bool/],
    ['half(x: Int) -> Int', /1.5 in row 0, expected Int/],
    ['half(x: Int) -> String', /1.5 in row 0, expected String/],
    ['nothing(x: Int) -> Int', /returns undefined, expected an array/],
    ['nulls(x: Int) -> String', /null in row 0/],
    ['negative(x: Int) -> Weight', /-1 in row 0, expected Weight/],
    ['partial(x: Int) -> {size: Int}', /`name` besides/],
  ])('%s', async (signature, message) => {
    const name = signature.slice(0, signature.indexOf('('))
    const text = `${extern(signature)}let y = ${name}(1)\nreturn 1`
    const error = await failure(text)
    const [d] = error.diagnostics
    expect(d!.code).toBe('R015')
    expect(d!.message).toMatch(message)
    expect(text.slice(d!.span!.start, d!.span!.end)).toBe(`${name}(1)`)
    expect(d!.hint).toBeTruthy()
    expect(error.blame).toBe('program')
  })

  test.each([
    ['notAFunction(x: Int) -> Int', 'R016'],
    ['missing(x: Int) -> Int', 'R016'],
  ])('%s', async (signature, code) => {
    const call = `${signature.slice(0, signature.indexOf('('))}(1)`
    expect((await failure(`${extern(signature)}return ${call}`)).diagnostics[0]!.code).toBe(code)
  })

  test('a file that is not there', async () => {
    const [d] = (await failure('extern fn f(x: Int) -> Int from "./none.mjs"\nreturn f(1)')).diagnostics
    expect(d!.code).toBe('R016')
    expect(d!.message).toBe('the file of `f` cannot be loaded: there is no such file')
  })

  test('a file that is no JavaScript', async () => {
    writeFileSync(join(folder, 'broken.mjs'), 'export const f = (')
    const [d] = (await failure('extern fn f(x: Int) -> Int from "./broken.mjs"\nreturn f(1)')).diagnostics
    expect(d!.code).toBe('R016')
    expect(d!.message).toMatch(/cannot be loaded: (?!there is no)/)
  })

  test('nothing of it is loaded without leave', async () => {
    const error = await failure(`${extern('twice(x: Int) -> Int')}return twice(1)`, { allowExtern: false })
    expect(error.diagnostics[0]).toMatchObject({ code: 'R014', hint: expect.stringContaining('--allow-extern') })
  })
})

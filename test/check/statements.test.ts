import { describe, expect, test } from 'vitest'
import { checkText, places } from './program.js'

const lm = 'model lm = "tiny"\nlet story = lm("Once")\n'

describe('statements', () => {
  test.each([
    ['observe "a" ~ story\nreturn 1', []],
    ['observe lm.end ~ story\nreturn 1', []],
    ['observe story.tokens ~ story.fork()\nreturn 1', []],
    ['observe 1 ~ story\nreturn 1', ['C020 1']],
    ['observe ["a"] ~ story\nreturn 1', ['C020 ["a"]']],
    ['observe 1 ~ bernoulli(0.5)\nreturn 1', ['C020 1']],
    ['observe 1 ~ normal(0, 1)\nreturn 1', []],
    ['observe 1.5 ~ poisson(3)\nreturn 1', ['C020 1.5']],
    ['observe "a" ~ lm\nreturn 1', ['C056 lm']],
    ['observe 1 ~ 2\nreturn 1', ['C056 2']],
    ['sample x ~ lm\nreturn 1', ['C056 lm']],
    ['sample x ~ [1, 2]\nreturn x', ['C056 [1, 2]']],
    ['force "a" ~ story\nreturn 1', []],
    ['force 1 ~ story\nreturn 1', ['C020 1']],
    ['force 1 ~ normal(0, 1)\nreturn 1', ['C057 normal(0, 1)']],
    ['factor 2\nfactor exp(1)\nfactor 0.5\nreturn 1', []],
    ['factor true\nreturn 1', ['C020 true']],
    ['factor "a"\nreturn 1', ['C020 "a"']],
    ['twist story\nreturn 1', ['C020 story']],
    ['require 1\nreturn 1', ['C020 1']],
    ['if 1 { factor 2 }\nreturn 1', ['C020 1']],
    ['while "a" { factor 2 }\nreturn 1', ['C020 "a"']],
    ['repeat 1.5 { factor 2 }\nreturn 1', ['C020 1.5']],
    ['for c in "abc" { factor 2 }\nreturn 1', ['C020 "abc"']],
    ['for i in 3 { factor 2 }\nreturn 1', ['C020 3']],
    ['let a: String = 1\nreturn a', ['C020 1']],
    ['let a: Float = 1\na = 2.5\nreturn a', []],
    ['let a: Int = 1\na = 2.5\nreturn a', ['C032 2.5']],
    ['let a = "a"\na = 1\nreturn a', ['C032 1']],
    ['let a = 1\na += "b"\nreturn a', ['C021 a += "b"']],
    ['let a = { n: 1 }\na.n = 2\na.n += 1\nreturn a', []],
    ['let a = { n: 1 }\na.n = "b"\nreturn a', ['C020 "b"']],
    ['let a = { count: 1 }\na.coutn = 2\nreturn a', ['C025 coutn']],
    ['let a = [{ n: 1 }]\na[0].n = 2\nreturn a', []],
    ['let a = [1]\na["x"] = 2\nreturn a', ['C020 "x"']],
    ['let a = 1\na[0] = 2\nreturn a', ['C028 a']],
    ['let a = "abc"\na.length = 2\nreturn a', ['C009 length']],
    ['break\nreturn 1', ['C053 break']],
    ['for i in 1..2 { if i == 1 { continue } }\nreturn 1', []],
    ['abs(1)\nreturn 1', ['C058 abs(1)']],
    ['lm("a")\nreturn 1', ['C058 lm("a")']],
    ['fn f() { return 1 }\nf()\nreturn 1', ['C058 f()']],
    ['fn f() { factor 2 }\nf()\nreturn 1', []],
    ['fn f() { factor 2 }\nlet x = f()\nreturn 1', ['C033 f()']],
    ['extern fn log2(text: String) -> Float from "./log.mjs"\nlog2("a")\nreturn 1', []],
    ['extern fn grade(text) -> Float from "./grade.mjs"\nreturn 1', ['C094 text']],
  ])('%s', (program, found) => {
    expect(places(lm + program)).toEqual(found)
  })
})

describe('returns', () => {
  const lacksReturn = (program: string) => checkText(program).diagnostics.map((each) => each.code)
  test.each([
    ['let a = 1', ['C050']],
    ['', ['C050']],
    ['if true { return 1 }', ['C050']],
    ['if true { return 1 } else { return 2 }', []],
    ['while true { return 1 }', []],
    ['while true { break }', ['C050']],
    ['while true { for i in 1..2 { break } }', []],
    ['return', ['C052']],
    ['return 1\nlet a = 2', ['C054']],
    ['for i in 1..2 { break; factor 2 }\nreturn 1', ['C054']],
    ['fn f() -> Int { factor 2 }\nreturn f()', ['C051']],
    ['fn f() -> Int { return }\nreturn f()', ['C052']],
    ['fn f() -> Int { return "a" }\nreturn f()', ['C020']],
    ['fn f(n: Int) { if n > 0 { return 1 } }\nreturn f(1)', ['C051']],
    ['fn f(n: Int) { if n > 0 { return }; factor 2 }\nf(1)\nreturn 1', []],
    ['fn f(n: Int) { return f(n) }\nreturn f(1)', ['C055']],
    ['fn f(n: Int) { return g(n) }\nfn g(n: Int) { return f(n) }\nreturn f(1)', ['C055', 'C055']],
    ['fn f(n: Int) -> Int { return f(n) }\nreturn f(1)', []],
  ])('%s', (program, found) => {
    expect(lacksReturn(program)).toEqual(found)
  })
})

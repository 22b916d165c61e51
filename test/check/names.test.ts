import { describe, expect, test } from 'vitest'
import { codes, hint, places, resultType } from './program.js'

describe('what a name stands for', () => {
  test.each([
    ['return totl', ['C001 totl']],
    ['let total = 1\nlet b = totl\nreturn b', ['C001 totl']],
    ['x = 1\nreturn 1', ['C001 x']],
    ['return foo(1, 2)', ['C001 foo']],
    ['let a = b\nlet b = 1\nreturn a', ['C005 b']],
    ['let a = a\nreturn a', ['C001 a']],
    ['if true { let a = 1 }\nreturn a', ['C006 a']],
    ['for i in 1..2 { sample y ~ normal(0, 1) }\nreturn y', ['C006 y']],
    ['for i in 1..2 { factor 2 }\nreturn i', ['C006 i']],
    ['let a = 1\nfn f() { return a }\nreturn f()', ['C004 a']],
    ['let a = 1\nlet a = 2\nreturn a', ['C002 a']],
    ['param a = 1\nlet a = 2\nreturn a', ['C002 a']],
    ['param a = 1\nfn a() { return 1 }\nreturn 1', ['C002 a']],
    ['fn f(a, a) { return 1 }\nreturn f(1, 2)', ['C002 a']],
    ['let a = 1\nif true { let a = 2 }\nreturn a', ['C003 a']],
    ['param a = 1\nfn f() { let a = 2; return a }\nreturn f()', ['C003 a']],
    ['let i = 1\nfor i in 1..2 { factor 2 }\nreturn i', ['C003 i']],
    ['param a = 1\na = 2\nreturn a', ['C009 a']],
    ['model lm = "tiny"\nlm = 1\nreturn 1', ['C009 lm']],
    ['fn f() { return 1 }\nf = 1\nreturn f()', ['C009 f']],
    ['for i in 1..2 { i = 3 }\nreturn 1', ['C009 i']],
    ['for i in 1..2 { sample i ~ poisson(1) }\nreturn 1', ['C009 i']],
    ['let n: Integer = 1\nreturn n', ['C010 Integer']],
    ['let n: List<Int> = [1]\nreturn n', ['C010 List<Int>']],
    ['let d: Dist = 1\nreturn 1', ['C010 Dist']],
  ])('%s', (program, found) => {
    expect(places(program)).toEqual(found)
  })

  test.each([
    'return f()\nfn f() -> Int { return n }\nparam n = 1',
    'let log = 3\nreturn log',
    'let a = 1\nif true { a = 2 }\nreturn a',
    'if true { let a = 1 } else { let a = 2 }\nreturn 1',
    'let a = 1\nreturn [1].map(a => a)',
    'fn f(n: Int) -> Int { let a = n; return a }\nlet a = f(1)\nreturn a',
    'sample h ~ normal(0, 1)\nfor y in [1, 2] { sample h ~ normal(h, 1) }\nreturn h',
  ])('%s', (program) => {
    expect(codes(program)).toEqual([])
  })

  test('hints', () => {
    expect(hint('let total = 1\nlet b = totl\nreturn b')).toBe('did you mean `total`?')
    expect(hint('let b = nomal(0, 1)\nreturn 1')).toBe('did you mean `normal`?')
    expect(hint('let n: Strin = "a"\nreturn n')).toBe('did you mean `String`?')
    expect(hint('if true { sample a ~ normal(0, 1) }\nreturn a')).toContain('declare it before')
  })
})

describe('samples declare or rebind', () => {
  test('the type stays', () => {
    expect(places('let x = "a"\nsample x ~ normal(0, 1)\nreturn x')).toEqual(['C032 x'])
    expect(resultType('let x = 0\nsample x ~ normal(0, 1)\nreturn x')).toBe('Float')
    expect(resultType('model lm = "tiny"\nlet s = lm("a")\nsample t ~ s\nsample t ~ s for 2 tokens\nreturn t')).toBe('String')
  })

  test('a function rebinds its own names only', () => {
    expect(codes('sample x ~ normal(0, 1)\nfn f() -> Float { sample x ~ normal(0, 1); return x }\nreturn f() + x')).toEqual([])
  })
})

describe('used files', () => {
  const files = {
    'lib.smc':
      'use shout from "std/text"\nfn tidy(text: String) -> String { return shout(text).trim() }\nfn grow(x) { return [x] }\n',
    'std/text': 'fn shout(text: String) -> String { return text.upper() }\n',
  }
  test.each([
    ['use tidy from "./lib.smc"\nreturn tidy("a")', []],
    ['use tidy, shot from "./lib.smc"\nreturn tidy("a")', ['C007 shot']],
    ['use shout from "./lib.smc"\nreturn shout("a")', ['C007 shout']],
    ['use tidy from "./other.smc"\nreturn tidy("a") + 1', ['C008 "./other.smc"']],
    ['use tidy from "./lib.smc"\nfn tidy() { return 1 }\nreturn 1', ['C002 tidy']],
    ['use tidy from "./lib.smc"\nreturn tidy(1)', ['C020 1']],
  ])('%s', (program, found) => {
    expect(places(program, files)).toEqual(found)
  })

  test('types go through files', () => {
    expect(resultType('use grow from "./lib.smc"\nreturn grow(1)', files)).toBe('[Int]')
  })

  test('findings of the main file come first', () => {
    expect(places('use bad from "./bad.smc"\nlet a = bad(1)\nreturn b', { './bad.smc': 'fn bad(x) { return y }' })).toEqual([
      'C001 b',
      'C001 y',
    ])
  })

  test('files may use each other', () => {
    const rings = {
      a: 'use two from "b"\nfn one(n: Int) -> Int { return two(n) }',
      b: 'use one from "a"\nfn two(n: Int) -> Int { return one(n) }',
    }
    expect(codes('use one from "a"\nreturn one(1)', rings)).toEqual([])
  })
})

describe('params', () => {
  test.each([
    ['param a = 1\nparam b = a + 1\nreturn b', []],
    ['param b = a + 1\nparam a = 1\nreturn b', ['C071 a']],
    ['model lm = "tiny"\nparam a = lm("x")\nreturn 1', ['C071 lm']],
    ['let x = 1\nparam a = x\nreturn a', ['C001 x']],
    ['param a: Int = "x"\nreturn a', ['C020 "x"']],
    ['param a: Float = 1\nreturn a', []],
    ['param a: Context\nreturn 1', ['C072 Context']],
    ['param a = x => x\nreturn 1', ['C072 a']],
    ['param a: [Int] = [1, 2].map(x => x)\nreturn a', []],
  ])('%s', (program, found) => {
    expect(places(program)).toEqual(found)
  })
})

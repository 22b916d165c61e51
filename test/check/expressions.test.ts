import { describe, expect, test } from 'vitest'
import { codes, hint, places, resultType } from './program.js'

const story = 'model lm = "tiny"\nlet story = lm("Once")\nlet w = story.prob(" a")\n'

describe('types of expressions', () => {
  test.each([
    ['1 + 2', 'Int'],
    ['1 + 2.5', 'Float'],
    ['1 - 2', 'Int'],
    ['6 / 3', 'Float'],
    ['7 % 2', 'Int'],
    ['2 ^ 3', 'Int'],
    ['2 ^ 3.0', 'Float'],
    ['2 ^ -1', 'Float'],
    ['-3', 'Int'],
    ['exp(1)', 'Weight'],
    ['1 + exp(1)', 'Weight'],
    ['2 * exp(1)', 'Weight'],
    ['1 / exp(1)', 'Weight'],
    ['exp(1) ^ 2', 'Weight'],
    ['2 ^ exp(1)', 'Weight'],
    ['1 - exp(1)', 'Float'],
    ['-exp(1)', 'Float'],
    ['log(exp(1))', 'Float'],
    ['abs(-3)', 'Int'],
    ['abs(-3.5)', 'Float'],
    ['min(1, 2)', 'Int'],
    ['max(1, 2.5, 3)', 'Float'],
    ['max([1, 2])', 'Int'],
    ['round(1.5)', 'Int'],
    ['floor(exp(1))', 'Int'],
    ['int("3")', 'Int'],
    ['float("3")', 'Float'],
    ['"a" + "b"', 'String'],
    ['[1] + [2.5]', '[Float]'],
    ['[] + ["a"]', '[String]'],
    ['1..3', '[Int]'],
    ['(1..3)[0]', 'Int'],
    ['[1, 2, 3][0..1]', '[Int]'],
    ['1 in [1, 2]', 'Bool'],
    ['"a" in "abc"', 'Bool'],
    ['if true { 1 } else { 2.5 }', 'Float'],
    ['if true { "a" } else if false { "b" } else { "c" }', 'String'],
    ['{ a: 1, b: "x" }', '{a: Int, b: String}'],
    ['{ a: 1 }.a', 'Int'],
    ['{ a: 1 } == { b: "x" }', 'Bool'],
    ['"a b".words().length', 'Int'],
    ['"a b".split(" ")', '[String]'],
    ['"a b".split(/ +/)', '[String]'],
    ['"ab".matches(/[a-z]+/) and "ab".contains(/b/)', 'Bool'],
    ['[1, 2].map(x => x / 2)', '[Float]'],
    ['[1, 2].map(x => "{x}")', '[String]'],
    ['[1, 2].filter(x => x > 1)', '[Int]'],
    ['[1.5, 2].sum()', 'Float'],
    ['[exp(1)].sum()', 'Weight'],
    ['[1, 2].any(x => x > 1)', 'Bool'],
    ['[1, 2].join(", ")', 'String'],
    ['[[1], []]', '[[Int]]'],
    ['normal(0, 1).prob(0.5)', 'Weight'],
    ['normal(mean: 0, sd: 1).prob(1)', 'Weight'],
    ['(x => x + 1)(2)', '_'],
  ])('%s is %s', (expression, type) => {
    expect(resultType(`return ${expression}`)).toBe(type)
  })

  test.each([
    ['story.text', 'String'],
    ['story.tokens', '[Token]'],
    ['story.tokens[0].id', 'Int'],
    ['story.tokens[0] + "x"', 'String'],
    ['story.ended or story.tokens[0].end', 'Bool'],
    ['story.prob([lm.end])', 'Weight'],
    ['w / (1 - w)', 'Weight'],
    ['story.fork().text.length', 'Int'],
    ['[lm.end, "a"]', '[String]'],
    ['if w > 0.5 { w } else { 1 }', 'Weight'],
    ['["a", "b"].map(p => lm(p).prob("c"))', '[Weight]'],
  ])('%s is %s', (expression, type) => {
    expect(resultType(`${story}return ${expression}`)).toBe(type)
  })

  test.each([
    ['bernoulli(0.5)', 'Bool'],
    ['categorical([0.2, 0.8])', 'Int'],
    ['categorical({ "a": 1, "b": 2 })', 'String'],
    ['uniform(["a", "b"])', 'String'],
    ['uniform(1..6)', 'Int'],
    ['uniform(0, 1)', 'Float'],
    ['geometric(0.5)', 'Int'],
    ['poisson(3)', 'Int'],
    ['binomial(10, 0.5)', 'Int'],
    ['beta(1, 1)', 'Float'],
    ['gamma(1, rate: 2)', 'Float'],
    ['exponential(exp(1))', 'Float'],
    ['dirichlet([1, 1])', '[Float]'],
  ])('a draw of %s is %s', (distribution, type) => {
    expect(resultType(`sample x ~ ${distribution}\nreturn x`)).toBe(type)
  })
})

describe('types that later use settles', () => {
  test.each([
    ['let xs = []\nfor i in 1..3 { xs = xs + [i] }\nreturn xs', '[Int]'],
    ['let total = 0\ntotal = total + 0.5\nreturn total', 'Float'],
    ['let w = 1\nw = w * exp(2)\nreturn w', 'Weight'],
    ['let xs = [[]]\nxs[0] = ["a"]\nreturn xs', '[[String]]'],
    ['let r = { n: 1, xs: [] }\nr.n += 0.5\nr.xs = r.xs + ["a"]\nreturn r', '{n: Float, xs: [String]}'],
    ['fn twice(x) { return [x, x] }\nreturn twice("a")', '[String]'],
    ['fn a(x) { return b(x) }\nfn b(x) { return c(x) }\nfn c(x) { return x }\nlet y = a(1)\nreturn y', 'Int'],
    ['fn c(x) { return x }\nfn b(x) { return c(x) }\nfn a(x) { return b(x) }\nlet y = a(1)\nreturn y', 'Int'],
    ['fn same(x) { return x }\nlet a = same(1)\nlet b = same("b")\nreturn b', '_'],
    ['fn part(n, of = 2) { return n / of }\nreturn part(1)', 'Float'],
    ['let f = x => y => x + y\nreturn f(1)(2)', '_'],
    ['let x = []\nx = [x]\nreturn 1', 'Int'],
    ['param n\nreturn n', '_'],
    ['param n = 3\nreturn n', 'Int'],
  ])('%s', (program, type) => {
    expect(resultType(program)).toBe(type)
  })

  test('an index must be an Int also where the variable becomes a Float later', () => {
    expect(places('let n = 0\nlet xs = [1, 2]\nlet a = xs[n]\nn = n + 0.5\nreturn a')).toEqual(['C020 n'])
  })
})

describe('what does not fit', () => {
  test.each([
    ['return 1 + "a"', ['C021 1 + "a"']],
    ['return [1] + 2', ['C021 [1] + 2']],
    ['return not 1', ['C020 1']],
    ['return -"a"', ['C021 -"a"']],
    ['return 1 and true', ['C020 1']],
    ['return 1 == "a"', ['C023 1 == "a"']],
    ['return [1] == ["a"]', ['C023 [1] == ["a"]']],
    ['return 1 < "a"', ['C021 1 < "a"']],
    ['return true < false', ['C021 true < false']],
    ['return "a" in [1]', ['C023 "a" in [1]']],
    ['return 1 in { a: 1 }', ['C021 1 in { a: 1 }']],
    ['return 1 in "abc"', ['C021 1 in "abc"']],
    ['return 1.5..3', ['C020 1.5']],
    ['return [1, "a"]', ['C022 "a"']],
    ['return if true { 1 } else { "a" }', ['C022 "a"']],
    ['return [1][1.5]', ['C020 1.5']],
    ['return [1]["a"]', ['C020 "a"']],
    ['return { a: 1 }["a"]', ['C028 { a: 1 }']],
    ['return { a: 1 }.b', ['C025 b']],
    ['return "a".foo()', ['C025 foo']],
    ['return "a".length()', ['C027 length']],
    ['return "a".upper', ['C026 upper']],
    ['return [1].map(x => x.foo)', ['C025 foo']],
    ['return [1].filter(x => x)', ['C020 x']],
    ['return [1].map((x, y) => x)', ['C041 (x, y) => x']],
    ['return ["a"].sum()', ['C020 ["a"]']],
    ['return sqrt("a")', ['C020 "a"']],
    ['return min("a", 2)', ['C020 "a"']],
    ['return abs("a")', ['C020 "a"']],
    ['return categorical("a").prob(1)', ['C020 "a"']],
    ['return "a".contains(1)', ['C020 1']],
    ['return "a".matches("a")', ['C020 "a"']],
    ['return exp', ['C029 exp']],
    ['return /a/', ['C084 /a/']],
    ['return json("s.json")', ['C084 json("s.json")']],
    ['return (1)(2)', ['C047 1']],
    ['return bernoulli(0.5)', ['C024 bernoulli(0.5)']],
    ['return bernoulli(0.5).prob(1)', ['C020 1']],
  ])('%s', (program, found) => {
    expect(places(program)).toEqual(found)
  })

  test('one mistake is reported once, however often its value is used', () => {
    expect(places('let a = b + 1\nlet c = a.foo + a[2] * sqrt(a)\nfactor a\nreturn [a, c, "x"]')).toEqual(['C001 b'])
    expect(places('let xs = [1, "a"]\nreturn xs[0] + xs[1]')).toEqual(['C022 "a"'])
  })

  test('several mistakes are reported at once, by position', () => {
    expect(places('let a = x\nlet b = "s".foo\nfactor "a"\nreturn y')).toEqual(['C001 x', 'C025 foo', 'C020 "a"', 'C001 y'])
  })

  test('hints name the edit', () => {
    expect(hint('model lm = "tiny"\nlet s = lm("a")\nreturn s.text == s')).toBe('compare the text: `.text`')
    expect(hint('model lm = "tiny"\nlet s = lm("a")\nreturn s')).toBe('take its text: `.text`')
    expect(hint('return "abc".lenght')).toBe('did you mean `.length`?')
    expect(hint('return [1].push(2)')).toBe('make a longer list: `xs = xs + [x]`')
    expect(hint('return "n: " + 3')).toBe('put the number into the string: `"{n}"`')
    expect(hint('let max = 3\nreturn max(1, 2)')).toContain('hides the built-in `max`')
  })
})

describe('calls', () => {
  const fn = 'fn area(width: Float, height: Float = 2) -> Float { return width * height }\n'
  test.each([
    ['area(1)', []],
    ['area(1, 2)', []],
    ['area(height: 1, width: 2)', []],
    ['area(1, height: 2)', []],
    ['area()', ['C040']],
    ['area(1, 2, 3)', ['C041']],
    ['area(1, depth: 3)', ['C042']],
    ['area(1, width: 3)', ['C043']],
    ['area(width: 3, 1)', ['C044']],
    ['area("a")', ['C020']],
    ['uniform().prob(1)', ['C040']],
    ['normal(0, sigma: 1).prob(1)', ['C042']],
  ])('%s', (call, found) => {
    expect(codes(`${fn}return ${call}`)).toEqual(found)
  })

  test('a misspelt argument gets a suggestion', () => {
    expect(hint(`${fn}return area(1, heigth: 2)`)).toBe('did you mean `height`?')
  })
})

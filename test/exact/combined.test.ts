import { describe, test } from 'vitest'
import { agrees } from './agree.js'
import type { World } from './interpreter.js'
import { markov } from './reference-streams.js'

/*
 * The forms of language.md §6 in one program: patterns, `until`, limits, proposals, blocks, `where`, twists, functions and loops on
 * products, quotients and powers, with tokens that hold one another, against the reference interpreter.
 */

const tokens = ['a', 'b', 'ab', 'E']

const last = [0, 0, 0, 1]
const world: World = {
  models: {
    lm: markov(tokens, [[0.4, 0.3, 0.2, 0.1], [0.2, 0.4, 0.2, 0.2], [0.3, 0.3, 0.3, 0.1], [0.5, 0.1, 0.2, 0.2], last]),
    other: markov(tokens, [[0.1, 0.2, 0.4, 0.3], [0.4, 0.1, 0.3, 0.2], [0.25, 0.25, 0.25, 0.25], [0.1, 0.3, 0.3, 0.3], last]),
  },
}
const open = `model lm = "table"
model other = "table"
let a = lm("")
let b = other("a")
let p = a * b
let q = a ^ 0.5
let r = a / b
`
const programs = [
  'sample x ~ p matching /(ab)+|b/ via other where not x.contains("abab") for up to 3 tokens\nreturn [x, a.text, b.text]',
  'sample x ~ r matching /a?b?/ within 2 tokens\nsample t ~ a\nreturn [x, t, b.text]',
  'sample x ~ q matching /[ab]{0,3}/ for up to 2 tokens via other in blocks of 2 where not x.contains("bb")\nobserve "a" ~ a\nreturn [x]',
  'sample x ~ a matching /aab|ab?/ via lm in blocks of 1 twisted by 1 + x.length\nsample t ~ a via other\nreturn [x, t]',
  'sample x ~ a matching /(ab)*/ for up to 3 tokens via other in blocks of 2 twisted by 1 + x.length\nobserve "b" ~ a\nreturn [x, a.text]',
  'sample x ~ a matching /(?:)/ for up to 2 tokens\nsample t ~ a\nreturn [x, t]',
  'sample x ~ a matching /(?:)/\nsample y ~ a matching /(?:)/\nsample t ~ a\nreturn [x, y, t]',
  'sample x ~ a matching /a?/\nsample y ~ a matching /b?/\nsample t ~ a\nreturn [x, y, t, "{t.end}"]',
  'sample x ~ p matching /a?/\nsample y ~ p matching /b?/ via other\nsample t ~ b\nsample u ~ a\nreturn [x, y, t, u]',
  'sample x ~ a matching /a{1,2}/\nobserve "ab" ~ a\nreturn [x, a.text]',
  'sample x ~ a matching /a{1,2}/\nobserve "" ~ a\nfactor 0.1 + a.prob("b") + a.prob("")\nsample t ~ a where t != "b"\nreturn [x, t]',
  'sample x ~ a matching /b?/\nlet f = a.fork()\nsample t ~ f\nsample u ~ a\nreturn [x, t, u]',
  'sample x ~ a matching /b?/\nforce "a" ~ a\nsample u ~ a\nreturn [x, u, a.text]',
  'sample x ~ a matching /b?/\nsample y ~ a for up to 2 tokens where not y.contains("bb")\nreturn [x, y]',
  'sample x ~ a matching /b?/\nsample y ~ a for up to 2 tokens via other in blocks of 2\nreturn [x, y]',
  'sample x ~ a matching /b?/\nsample y ~ a for 1 tokens via other\nreturn [x, y]',
  'sample x ~ a matching /b?/\nsample y ~ a until "b" within 2 tokens\nreturn [x, y, a.text]',
  'sample x ~ a matching /b?/\nobserve a.tokens ~ b\nreturn [x, b.text]',
  'sample x ~ a matching /b?/\nsample t ~ a\nobserve t ~ b\nobserve t ~ a\nreturn [x, t]',
  'sample x ~ a matching /[ab]*/ until "ab" within 2 tokens via other in blocks of 1\nsample t ~ a\nreturn [x, t, a.text]',
  'sample x ~ a matching /[ab]*/ until /b/ for up to 2 tokens where x != "a"\nsample t ~ a\nreturn [x, t, a.text]',
  'for i in 1..2 { sample x ~ p matching /ab|b/ \n factor 0.1 + x.length + i }\nreturn a.text',
  'sample x ~ lm("b", temperature: 0.5) * other("a") ^ 2 matching /[ab]/\nsample t ~ a\nreturn [x, t]',
  'let h = lm("a", temperature: 2)\nsample x ~ h / a matching /a?b?/ via other("b") where x != "b"\nsample t ~ h\nreturn [x, t, a.text]',
  'sample x ~ a for up to 2 tokens via b in blocks of 1\nreturn [x, b.text]',
  'sample x ~ p ^ 0.5 for up to 2 tokens via lm("a") in blocks of 2 where not x.contains("bb") resampling every 1 tokens\nreturn [x, b.text]',
  'sample x ~ a for 2 tokens where a.prob("a") < 0.45\nreturn x',
  'sample x ~ p for up to 2 tokens where b.prob("b") < 0.28 via other\nreturn x',
  'sample t ~ a\nobserve t.length ~ categorical([0.2, 0.3, 0.5])\nobserve "b" ~ p\nreturn t',
  'sample x ~ p matching /(a|b|ab)*/ within 2 tokens\nreturn [x, "{a.ended}"]',
  'sample x ~ (a / b) ^ 0.5 matching /b?a?/ twisted by if x == "" { 0.2 } else { 2 }\nobserve "a" ~ b\nreturn x',
  'sample x ~ a matching /a?/\nsample y ~ p matching /b?/\nsample z ~ b for up to 1 tokens\nreturn [x, y, z, a.text]',
  'let f = p.fork()\nsample x ~ f matching /ab?/\nobserve x ~ p\nreturn [x, f.text, a.text]',
  'sample x ~ p matching /ab?/\nsample y ~ r for up to 1 tokens\nreturn [x, y]',
  'sample x ~ a matching /a?/ twisted by 0.5\nif x == "" { sample y ~ a matching /b/ \n return y }\nobserve "b" ~ a\nreturn a.text',
  'sample x ~ a matching /(a|ab)b?/ for up to 2 tokens\nreturn x',

  `fn go(c: Context, n: Int) -> String {
  if n == 0 { return "" }
  sample x ~ c matching /a|b?/ via other twisted by 0.3 + x.length
  return x + "|" + go(c, n - 1)
}
return [go(p, 2), a.text, b.text]`,
  `fn go(c: Context, n: Int) -> String {
  sample x ~ c for up to 1 tokens via lm in blocks of 1
  if n == 0 or c.ended { return x }
  return x + "|" + go(c, n - 1)
}
return [go(q, 1), a.text]`,
]

describe('forms of §6 together', () => {
  test.each(programs)('%s', (program) => agrees(open + program, world, [{ particles: 1 }]))
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Program } from '../../src/syntax/ast.js'
import { parse } from '../../src/syntax/parse.js'
import { print } from '../../src/syntax/print.js'
import { scan } from '../../src/syntax/scan.js'
import { program } from './arbitrary.js'
import { bare, programs } from './programs.js'

const read = (text: string): Program => parse({ path: 'p.smc', text })
const comments = (tree: Program): string[] => tree.comments.map((each) => each.text.trimEnd())

/** The three laws: the same tree, the same comments, and nothing left to change. */
function obeys(tree: Program): string {
  const printed = print(tree)
  const again = read(printed)
  expect(bare(again)).toEqual(bare(tree))
  expect(comments(again)).toEqual(comments(tree))
  expect(print(again)).toBe(printed)
  return printed
}

describe('the laws of print', () => {
  test.each(programs)('$path', (source) => {
    const printed = obeys(parse(source))
    for (const line of printed.split('\n')) expect(line).not.toMatch(/\s$/)
  })

  test.each(programs)('$path with a comment in a gap', ({ path, text }) => {
    const { tokens } = scan({ path: 'p', text })
    const strings = tokens.filter((token) => token.kind === 'string')
    const inHole = (at: number) => strings.some((string) => string.start < at && at < string.end)
    for (const [i, token] of tokens.entries()) {
      // Every fifth gap of each program, not the same ones.
      if (inHole(token.start) || i % 5 !== path.length % 5) continue
      const isReturn = tokens[i - 1]?.text === 'return' && !token.startsLine
      if (isReturn) continue
      const commented = `${text.slice(0, token.start)}// gap ${i}\n${text.slice(token.start)}`
      const own = `${text.slice(0, token.start)}\n  // own ${i}\n${text.slice(token.start)}`
      for (const each of [commented, own]) {
        let tree: Program
        try {
          tree = read(each)
        } catch {
          continue // a comment's line break ended the statement
        }
        obeys(tree)
      }
    }
  })

  test('comments in all gaps at once', () => {
    for (const { text } of programs) {
      const { tokens } = scan({ path: 'p', text })
      const strings = tokens.filter((token) => token.kind === 'string')
      let commented = ''
      let last = 0
      for (const [i, token] of tokens.entries()) {
        const inHole = strings.some((string) => string.start < token.start && token.start < string.end)
        if (inHole || token.text === ';' || (tokens[i - 1]?.text === 'return' && !token.startsLine)) continue
        commented += `${text.slice(last, token.start)}// ${i}\n`
        last = token.start
      }
      obeys(read(commented + text.slice(last)))
    }
  })

  test('random programs', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(program, (tree) => {
        obeys(tree)
      }),
      { numRuns: Number(process.env.SMCC_FUZZ_RUNS ?? 400) },
    )
  })

  test('comments in holes, brackets and after return are kept', () => {
    obeys(read('let s = "a {x // one\n} b {y // two\n}" // three\nreturn ( // four\n (a // five\n + b))\n// six'))
    obeys(read('return (\n// one\nx\n// two\n).f( // three\n)\n'))
    obeys(
      read(
        'if a { // one\n // two\n} // three\nelse // four\n { // five\n}\nfn f(a: Int, // six\n b: Int // seven\n) -> Int { return 1 }',
      ),
    )
    obeys(read('let x = [ // one\n]\nlet r = {\n// two\n}\nsample x ~ s // three\n  until "." // four\n  for 5 tokens // five\n'))
  })
})

describe('the form', () => {
  const formatted = (text: string) => print(read(text))
  test.each([
    ['let x=1;let y=2', 'let x = 1\nlet y = 2\n'],
    ['let x = 1\n\n\n\nlet y = 2', 'let x = 1\n\nlet y = 2\n'],
    ['let x = (a+(b*c))*(d)', 'let x = (a + b * c) * d\n'],
    ['let x = a-(b-c)-(d)', 'let x = a - (b - c) - d\n'],
    ['let x = -(-(x^2))', 'let x = - -x ^ 2\n'],
    ['let x = (1 .. 3)', 'let x = 1..3\n'],
    ['let x = (x)=>(x)', 'let x = x => x\n'],
    ['sample x ~ s where a until "." for up to 5 tokens', 'sample x ~ s for up to 5 tokens until "." where a\n'],
    ['sample x ~ s for 1 tokens', 'sample x ~ s for 1 token\n'],
    ['if a { x = 1 }\nelse { x = 2 }', 'if a { x = 1 } else { x = 2 }\n'],
    ['if a {\nx = 1 }', 'if a {\n  x = 1\n}\n'],
    ['repeat 2 { a = 1; b = 2 }', 'repeat 2 {\n  a = 1\n  b = 2\n}\n'],
    ['let x = 1 // one\n// two', 'let x = 1 // one\n// two\n'],
    ['let r = {a:1}', 'let r = { a: 1 }\n'],
    ['let r = {\na:1}', 'let r = {\n  a: 1,\n}\n'],
    ['let s = "\\u{1F600}"', 'let s = "\\u{1F600}"\n'],
    ['fn f() {\n let s = """\n     a\n       b\n """\n}', 'fn f() {\n  let s = """\n  a\n    b\n  """\n}\n'],
    ['', ''],
  ])('%j', (text, expected) => expect(formatted(text)).toBe(expected))

  test('long lines break, at most at 100 columns', () => {
    const long = `let total = ${Array.from({ length: 20 }, (_, i) => `variable${i}`).join(' + ')}\nlet xs = [${Array.from({ length: 40 }, (_, i) => i + 1000).join(', ')}]\nlet y = story.text.words().filter(word => word.length > 3 and word.contains("a")).map(word => word.lower()).join(", ")\nsample text ~ story for up to 30 tokens until "." where not text.contains("something") twisted by psi(story, 2)\n`
    const printed = formatted(long)
    for (const line of printed.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
    expect(printed).toMatchInlineSnapshot(`
      "let total = variable0
        + variable1
        + variable2
        + variable3
        + variable4
        + variable5
        + variable6
        + variable7
        + variable8
        + variable9
        + variable10
        + variable11
        + variable12
        + variable13
        + variable14
        + variable15
        + variable16
        + variable17
        + variable18
        + variable19
      let xs = [
        1000,
        1001,
        1002,
        1003,
        1004,
        1005,
        1006,
        1007,
        1008,
        1009,
        1010,
        1011,
        1012,
        1013,
        1014,
        1015,
        1016,
        1017,
        1018,
        1019,
        1020,
        1021,
        1022,
        1023,
        1024,
        1025,
        1026,
        1027,
        1028,
        1029,
        1030,
        1031,
        1032,
        1033,
        1034,
        1035,
        1036,
        1037,
        1038,
        1039,
      ]
      let y = story.text
        .words()
        .filter(word => word.length > 3 and word.contains("a"))
        .map(word => word.lower())
        .join(", ")
      sample text ~ story
        for up to 30 tokens
        until "."
        where not text.contains("something")
        twisted by psi(story, 2)
      "
    `)
    obeys(read(printed))
  })
})

import { describe, expect, test } from 'vitest'
import type { SmcError } from '../../src/diagnostics/diagnostic.js'
import type { Span } from '../../src/diagnostics/span.js'
import { parse } from '../../src/syntax/parse.js'
import { scan } from '../../src/syntax/scan.js'
import { bare, programs } from './programs.js'

const program = (text: string) => parse({ path: 'p.smc', text })
const value = (text: string) =>
  bare((program(`let x = ${text}`).items[0] as unknown as { value: unknown }).value) as Record<string, unknown>
const code = (text: string): string => {
  try {
    program(text)
    return 'none'
  } catch (error) {
    return (error as SmcError).diagnostics.map((each) => each.code).join(' ')
  }
}
/** An expression with every operator bracketed. */
const shape = (text: string): string => spell(value(text))
// biome-ignore lint/suspicious/noExplicitAny: trees without their types, compared as text
function spell(node: any): string {
  if (node.kind === 'Binary') return `(${spell(node.left)} ${node.operator} ${spell(node.right)})`
  if (node.kind === 'Unary') return `(${node.operator} ${spell(node.operand)})`
  if (node.kind === 'Lambda')
    return `(${node.params.map((each: { text: string }) => each.text).join(' ')} => ${spell(node.body)})`
  if (node.kind === 'Field') return `${spell(node.target)}.${node.name.text}`
  return node.text
}

describe('programs', () => {
  test.each(programs)('$path', (source) => {
    const tree = parse(source)
    expect(tree.items.length).toBeGreaterThan(1)
    // Every node begins and ends with a token: no space, no comment, no bracket of a neighbour.
    const { tokens } = scan(source)
    const starts = new Set(tokens.map((token) => token.start))
    const ends = new Set(tokens.map((token) => token.end))
    let nodes = 0
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      if ('source' in node && node !== tree) return
      const span = 'span' in node && node !== tree ? (node.span as Span) : undefined
      if (span && !('text' in node && String(node.text).startsWith('//'))) {
        nodes++
        expect(starts, `start of ${source.text.slice(span.start, span.end)}`).toContain(span.start)
        expect(ends, `end of ${source.text.slice(span.start, span.end)}`).toContain(span.end)
      }
      for (const [key, child] of Object.entries(node)) if (key !== 'span' && key !== 'source') visit(child)
    }
    visit(tree)
    expect(nodes).toBeGreaterThan(5)
  })
})

describe('expressions', () => {
  test.each([
    ['-x ^ 2', '(- (x ^ 2))'],
    ['2 ^ -x ^ 2', '(2 ^ (- (x ^ 2)))'],
    ['a ^ b ^ c', '(a ^ (b ^ c))'],
    ['a - b - c', '((a - b) - c)'],
    ['a - -b', '(a - (- b))'],
    ['1..n + 1', '(1 .. (n + 1))'],
    ['x in 1..3', '(x in (1 .. 3))'],
    ['not a == b and c or d', '(((not (a == b)) and c) or d)'],
    ['a / b / c', '((a / b) / c)'],
    ['x => y => x + y', '(x => (y => (x + y)))'],
    ['() => 1', '( => 1)'],
    ['x -y', '(x - y)'],
    ['(a + b) * c', '((a + b) * c)'],
    ['from.for', 'from.for'],
    ['from.for / 2 / a.in', '((from.for / 2) / a.in)'],
  ])('%s', (text, expected) => expect(shape(text)).toBe(expected))

  test('numbers know how they were written', () => {
    expect(value('1')).toMatchObject({ value: 1, isInt: true })
    expect(value('1.0')).toMatchObject({ value: 1, isInt: false, text: '1.0' })
    expect(value('25e-1')).toMatchObject({ value: 2.5, isInt: false })
  })
  test('the span of an operator includes the brackets of its operands', () => {
    const text = 'let x = (a + b) * (c)'
    const { value } = program(text).items[0] as unknown as { value: { span: Span } }
    expect(text.slice(value.span.start, value.span.end)).toBe('(a + b) * (c)')
  })
})

describe('strings', () => {
  test.each([
    ['""', []],
    ['"a\\n\\u{1F600}\\{"', ['a\n😀{']],
    ['"}"', ['}']],
    ['"""a"""', ['a']],
    ['"""\n  a\n    b\n  """', ['a\n  b']],
    ['"""\n    a\n\n    b\n"""', ['a\n\nb']],
    ['"""a\n   b\n  c"""', ['a\n b\nc']],
    ['"""\r\n  a\r\n  b\r\n"""', ['a\nb']],
    ['"""\n  \\u{20}a\n  b"""', [' a\nb']],
    ['"""\n\n"""', []],
    ['"""\n\n\n"""', ['\n']],
    ['"""say "hi" """', ['say "hi" ']],
  ])('%s', (text, parts) => expect(value(text).parts).toEqual(parts))
  test('holes alternate with text', () => {
    expect(value('"a {x} b{"c{y}"}"').parts).toMatchObject([
      'a ',
      { kind: 'Name' },
      ' b',
      { kind: 'String', parts: ['c', { kind: 'Name' }] },
    ])
    expect(value('"{{a: 1}.a}"').parts).toMatchObject([{ kind: 'Field' }])
  })
})

describe('lines', () => {
  const kinds = (text: string) => program(text).items.map((item) => item.kind)
  test.each([
    ['let x = 1\n- 2', ['Let']],
    ['let x = f\n(1)', ['Let']],
    ['return\nlet x = 1', ['Return', 'Let']],
    ['sample x ~ s\nfor 5 tokens\nfor y in ys {}', ['Sample', 'For']],
    ['let a = 1; let b = 2;', ['Let', 'Let']],
    ['x = 1\r\ny = 2\rz = 3', ['Assign', 'Assign', 'Assign']],
    ['model = 1\nuse = 2\nuse use from "x"', ['Assign', 'Assign', 'UseDecl']],
    ['let x = s.\nlet', ['Let']],
  ])('%j', (text, expected) => expect(kinds(text)).toEqual(expected))
  test('a line that ends with a lone carriage return ends a comment', () => {
    const { comments } = program('// a\r// b\r\nx = 1 // c')
    expect(comments.map((each) => each.text)).toEqual(['// a', '// b', '// c'])
  })
})

describe('size', () => {
  test('long programs are parsed in pieces that meet without a seam', { timeout: 120_000 }, () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `let x${i} = f(a.b[${i}], name: "s {i + 1}") + 2 * (3 - -x) // ${i}`)
    const text = lines.join('\n')
    const { items, comments } = program(text)
    expect(items.length).toBe(5000)
    expect(comments.length).toBe(5000)
    const { span, name } = items[4321] as unknown as { span: Span; name: { text: string } }
    expect(name.text).toBe('x4321')
    expect(text.slice(span.start, span.end)).toBe(lines[4321]!.replace(/ \/\/.*/, ''))
  })

  const n = 10_000
  const deep: readonly [string, (depth: number) => string][] = [
    ['brackets', (d) => `let x = ${'('.repeat(d)}1${')'.repeat(d)}`],
    ['lists', (d) => `let x = ${'['.repeat(d)}1${']'.repeat(d)}`],
    ['records', (d) => `let x = ${'{a:'.repeat(d)}1${'}'.repeat(d)}`],
    ['calls', (d) => `let x = ${'f('.repeat(d)}1${')'.repeat(d)}`],
    ['holes', (d) => `let x = ${'"{'.repeat(d)}1${'}"'.repeat(d)}`],
    ['types', (d) => `param x: ${'['.repeat(d)}Int${']'.repeat(d)}`],
    ['blocks', (d) => `${'if a { '.repeat(d)}${'}'.repeat(d)}`],
    ['choices', (d) => `let x = ${'if a { '.repeat(d)}1${'} else { 2 }'.repeat(d)}`],
    ['long choices', (d) => `let x = ${'if a { 1 } else '.repeat(d)}{ 2 }`],
    ['else if', (d) => `if a {}${' else if b {}'.repeat(d)}`],
    ['not', (d) => `let x = ${'not '.repeat(d)}a`],
    ['minus', (d) => `let x = ${'- '.repeat(d)}a`],
    ['powers', (d) => `let x = ${'a ^ '.repeat(d)}a`],
    ['sums', (d) => `let x = ${'a + '.repeat(d)}a`],
    ['functions', (d) => `let x = ${'x => '.repeat(d)}a`],
    ['chains', (d) => `let x = a${'.f()'.repeat(d)}`],
    ['generics', (d) => `param x: ${'Dist<'.repeat(d)}Int${'>'.repeat(d)}`],
  ]
  test.each(deep)('%s nested ever deeper are parsed or refused', (_name, text) => {
    expect(code(text(40))).toBe('none')
    for (const depth of [48, 60, 100, 200, 300, 500, 1000, n]) expect(['none', 'S019', 'S020']).toContain(code(text(depth)))
    expect(['S019', 'S020']).toContain(code(text(n)))
  })
  test('a sum of 300 terms is fine', () => expect(code(`let x = ${'a + '.repeat(299)}a`)).toBe('none'))
  test('a program above a million characters is refused', () => expect(code('x = 1\n'.repeat(200_000))).toBe('S020'))
})

test.each(['let s = "[0-9]{1,2}"', 'let s = "{ a: 1 }"', 'sample x ~ c matching json({ pattern: "a{2,3}" })'])(
  'a bracket that was not meant to insert a value: %s',
  (text) => {
    const error = (() => {
      try {
        return program(text)
      } catch (thrown) {
        return thrown as SmcError
      }
    })()
    expect((error as SmcError).diagnostics[0]!.hint).toBe('in a string `{` inserts a value: write `\\{` for the sign itself')
  },
)

import { describe, expect, it, test } from 'vitest'
import { matchingEntries } from '../../src/diagnostics/catalogue/matching.js'
import { type Diagnostic, SmcError } from '../../src/diagnostics/diagnostic.js'
import { positionAt } from '../../src/diagnostics/span.js'
import type { Vocabulary } from '../../src/models/model.js'
import { grammarPattern } from '../../src/patterns/grammar.js'
import type { Pattern } from '../../src/patterns/pattern.js'
import { choicePattern, regexPattern } from '../../src/patterns/regex.js'
import { jsonPattern } from '../../src/patterns/schema.js'
import { singleBytes, vocabularyOf } from './vocabularies.js'

async function errorOf(build: () => Pattern | Promise<Pattern>): Promise<Diagnostic> {
  try {
    await build()
  } catch (error) {
    if (error instanceof SmcError) return error.diagnostics[0]!
    throw error
  }
  throw new Error('there was no error')
}

/** Code, what is underlined (with line and column), message. */
async function told(build: () => Pattern | Promise<Pattern>): Promise<string> {
  const { code, message, span, hint } = await errorOf(build)
  expect(hint).toBeTruthy()
  const place = span && positionAt(span.source, span.start)
  return `${code}${span && place ? ` ${place.line}:${place.column} <${span.source.text.slice(span.start, span.end)}>` : ''} ${message}`
}

const letters = vocabularyOf([...'abcdefghijklmnopqrstuvwxyz ', ''])

describe('malformed regular expressions', () => {
  test.each([
    ['a(b', 'C080 1:2 <(> this `(` is never closed'],
    ['a(?=b)', 'C081 1:2 <(?=> regular expressions here have no look-around'],
    ['(a)\\1', 'C081 1:4 <\\1> regular expressions here have no back-reference'],
    ['a[]', 'P001 1:1 <a[]> no text fits this pattern'],
    ['a\\bb', 'P001 1:1 <a\\bb> no text fits this pattern'],
    ['[A-Z]+', 'P002 no token of the model can begin a text that fits this pattern'],
    ['(?:.{0,900} ){0,900}', 'P003 1:1 <(?:.{0,900} ){0,900}> this pattern needs too many states to follow'],
    ['(?:.*a.{18})', 'P003 1:1 <(?:.*a.{18})> this pattern needs too many states to follow'],
  ])('%s', async (source, expected) => {
    expect(await told(() => regexPattern(source, '', letters))).toBe(expected)
  })

  it('flags', async () => {
    expect(await told(() => regexPattern('a', 'g', letters))).toBe('C082 there is no flag `g`')
  })

  it('no choice at all', async () => {
    expect(await told(() => choicePattern([], letters))).toMatch(/^P001/)
    expect(choicePattern([''], letters).start.accepting).toBe(true)
  })
})

describe('signs of other dialects', () => {
  test.each([
    ["root ::= 'a'", 'texts stand in `"`'],
    ['root ::= \u201ca\u201d', 'texts stand in `"`'],
    ['root ::= "a" // note', 'a note begins with `#`; a regular expression is written in parts, such as `[a-z]+`'],
    ['root ::= "a";', 'leave it out: a rule goes on until the next `name ::=`'],
    ['root ::= "a", "b"', 'leave it out: what follows stands behind what is before'],
    ['<root> ::= "a"', 'names of rules stand without `<` and `>`'],
    ['root ::= \\d+', 'write the characters as a set: `[0-9]` for `\\d`, `[A-Za-z0-9_]` for `\\w`'],
    ['root ::= { "a" }', 'write what is repeated before it, as in `("a" | "b")*`; a note begins with `#`'],
  ])('%s', async (ebnf, hint) => {
    expect((await errorOf(() => grammarPattern(ebnf, letters))).hint).toBe(hint)
  })
})

describe('grammars of many rules', () => {
  const chain = (last: string) =>
    `root ::= r0\n${Array.from({ length: 10_000 }, (_, i) => `r${i} ::= ${i < 9_999 ? `r${i + 1}` : last}`).join('\n')}`

  it('are followed however long the way is', async () => {
    expect((await grammarPattern(chain('"a"'), letters)).start.allowed.count).toBe(1)
    expect((await errorOf(() => grammarPattern(chain('"a" | r0'), letters))).code).toBe('P006')
  })

  it('may have names that begin with a digit', async () => {
    expect((await grammarPattern('root ::= 0-kv\n0-kv ::= "a"', letters)).start.allowed.count).toBe(1)
  })
})

describe('malformed grammars', () => {
  test.each([
    ['root ::= "a"\nx = "b"', 'P004 2:3 <=> expected `::=`, found `=`'],
    ['root "a"', 'P004 1:6 <"> expected `::=` behind the rule name `root`'],
    ['root ::= ("a" | "b"\nx ::= "c"', 'P004 1:10 <(> this `(` is never closed'],
    ['root ::= "a', 'P004 1:10 <"> this `"` is never closed'],
    ['root ::= [a-z', 'P004 1:10 <[> this `[` is never closed'],
    ['root ::= [z-a]', 'P004 1:11 <z-a> the range `z-a` ends before it begins'],
    ['root ::= "\\q"', 'P004 1:11 <\\q> `\\q` means nothing'],
    ['root ::= "\\ud800"', 'P004 1:11 <\\ud800> `\\ud800` is no character'],
    ["root ::= 'a'", "P004 1:10 <'> expected a rule, found `'`"],
    ['root ::= "a")', 'P004 1:13 <)> expected a rule, found `)`'],
    ['root ::= "a"{x}', 'P004 1:13 <{> expected a count behind `{`'],
    ['root ::= "a"{3,2}', 'P004 1:13 <{3,2}> `{3,2}` ends before it begins'],
    ['# nothing', 'P005 1:1 <> this grammar has no rule `root`'],
    ['root ::= digit\ndigits ::= [0-9]', 'P005 1:10 <digit> there is no rule `digit`'],
    ['root ::= "a"\nroot ::= "b"', 'P005 2:1 <root> the rule `root` is defined twice'],
    ['root ::= root "a" | "b"', 'P006 1:1 <root> the rule `root` begins with itself'],
    [
      'root ::= x\nx ::= y* z "a" | "b"\ny ::= "c"\nz ::= "d"? x',
      'P006 2:1 <x> the rule `x` begins with `z`, which begins with `x`',
    ],
    ['root ::= "a" x | "b"\nx ::= "c" x', 'P001 2:1 <x> no text fits the rule `x`'],
    ['root ::= []', 'P001 1:1 <root> no text fits the rule `root`'],
    ['root ::= "a";', 'P004 1:13 <;> expected a rule, found `;`'],
    ['root ::= (* a note *) "a"', 'P004 1:11 <*> there is nothing before `*` to repeat'],
    [`root ::= ${'('.repeat(201)}`, 'P004 1:210 <(> more than 200 parentheses inside each other'],
    ['root ::= "A"', 'P002 no token of the model can begin a text that fits this pattern'],
    ['root ::= (.{900}){900}', 'P003 1:1 <root ::= (.{900}){900}> this grammar needs too many states to follow'],
  ])('%s', async (ebnf, expected) => {
    expect(await told(() => grammarPattern(ebnf, letters))).toBe(expected)
  })
})

it('schemas that are nested too deep', async () => {
  let schema: unknown = true
  for (let i = 0; i < 5000; i++) schema = { type: 'array', items: schema }
  expect(await told(() => jsonPattern(schema, letters))).toBe('P003 this schema is nested more than 200 deep')
})

describe('malformed schemas', () => {
  test.each<[unknown, string]>([
    [3, 'P007 expected a schema, found 3, at `#` in the schema'],
    [{ type: 'sting' }, 'P007 there is no type "sting", at `#/type` in the schema'],
    [
      { type: 'object', properties: { 'a/b': { type: 'string', minLength: -1 } } },
      'P007 expected a whole number, found -1, at `#/properties/a~1b/minLength` in the schema',
    ],
    [{ type: 'string', pattern: 'a(' }, 'P007 this `(` is never closed, at `#/pattern` in the schema'],
    [{ type: 'string', pattern: 'a)(b' }, 'P007 this `)` closes nothing, at `#/pattern` in the schema'],
    [{ type: 'string', pattern: '(?!a)b' }, 'P007 regular expressions here have no look-around, at `#/pattern` in the schema'],
    [{ type: 'string', maxLength: 1e5 }, 'P003 this pattern needs too many states to follow, at `#/maxLength` in the schema'],
    [{ type: 'string', minLength: 3, maxLength: 2 }, 'P007 `maxLength` is below `minLength`, at `#` in the schema'],
    [{ type: 'string', format: 'idn-email' }, 'P008 the format "idn-email" is not supported, at `#/format` in the schema'],
    [
      { type: 'array', uniqueItems: true },
      'P008 different values can only be told apart where they are listed, at `#/uniqueItems` in the schema',
    ],
    [
      { type: 'array', uniqueItems: true, items: { enum: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] } },
      'P003 this schema needs too many states to follow',
    ],
    [
      { type: 'array', items: { unevaluatedItems: false } },
      'P008 the keyword `unevaluatedItems` is not supported, at `#/items` in the schema',
    ],
    [{ type: 'string', not: {} }, 'P001 no value fits, at `#` in the schema'],
    [
      { not: { additionalProperties: { type: 'string' } } },
      'P008 the values that break `additionalProperties` cannot be told, as `not`, `if` or `oneOf` asks, at `#` in the schema',
    ],
    [
      { oneOf: [{ additionalProperties: { type: 'string' } }, { required: ['a'] }] },
      'P008 the values that break `additionalProperties` cannot be told, as `not`, `if` or `oneOf` asks, at `#` in the schema',
    ],
    [
      { not: { type: 'array', uniqueItems: true } },
      'P008 the values that break `uniqueItems` cannot be told, as `not`, `if` or `oneOf` asks, at `#` in the schema',
    ],
    [
      { oneOf: [{ type: 'null' }, { $ref: '#/$defs/a' }], $defs: { a: { type: 'strng' } } },
      'P007 there is no type "strng", at `#/$defs/a/type` in the schema',
    ],
    [{ type: 'object', then: { required: ['a'] } }, 'P007 `then` and `else` say nothing without `if`, at `#` in the schema'],
    [
      { type: 'array', maxContains: 3 },
      'P007 `minContains` and `maxContains` say nothing without `contains`, at `#` in the schema',
    ],
    [
      { type: 'object', dependentRequired: { a: 'b' } },
      'P007 expected a list, found "b", at `#/dependentRequired/a` in the schema',
    ],
    [{ type: 'number', multipleOf: 0 }, 'P007 expected a number above 0, found 0, at `#/multipleOf` in the schema'],
    [{ type: 'integer', multipleOf: 30011 }, 'P003 this schema needs too many states to follow'],
    [{ type: 'number', minumum: 2 }, 'P008 there is no keyword `minumum`, at `#` in the schema'],
    [{ type: 'number', minimum: 1e21 }, 'P008 a bound of 1e+21 is not supported, at `#/minimum` in the schema'],
    [{ patternProperties: { 'a(': {} } }, 'P007 this `(` is never closed, at `#/patternProperties/a(` in the schema'],
    [{ type: 'object', minProperties: 2 }, 'P008 2 properties cannot be told apart here, at `#/minProperties` in the schema'],
    [
      { type: 'object', minProperties: 2, maxProperties: 1 },
      'P007 `maxProperties` is below `minProperties`, at `#` in the schema',
    ],
    [{ enum: ['a'], minLength: 2, type: 'string' }, 'P001 no value fits, at `#` in the schema'],
    [{ $ref: '#/$defs/a' }, 'P007 there is nothing at "#/$defs/a", at `#/$ref` in the schema'],
    [{ $ref: 'http://a.b/c' }, 'P008 a reference to "http://a.b/c" is not supported, at `#/$ref` in the schema'],
    [{ allOf: [{ type: 'string' }, { lenght: 3 }] }, 'P008 there is no keyword `lenght`, at `#` in the schema'],
    [{ allOf: [{ type: 'string' }, { type: 'null' }] }, 'P001 no value fits, at `#` in the schema'],
    [{ allOf: [{ $ref: '#' }, { type: 'string' }] }, 'P008 a schema needs itself here, at `#` in the schema'],
    [{ allOf: [] }, 'P007 expected at least one schema, at `#/allOf` in the schema'],
    [false, 'P001 no value fits, at `#` in the schema'],
    [{ $ref: '#' }, 'P001 no value fits, at `#` in the schema'],
    [{ type: 'integer', minimum: 2, exclusiveMaximum: 3, exclusiveMinimum: 2 }, 'P001 no value fits, at `#` in the schema'],
    [{ type: 'string', pattern: '^a$', minLength: 2 }, 'P001 no value fits, at `#` in the schema'],
    [{ type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }, 'P001 no value fits, at `#` in the schema'],
    [{ type: 'string' }, 'P002 no token of the model can begin a text that fits this pattern'],
    [{ type: 'array', minItems: 1e6, items: {} }, 'P003 this schema needs too many states to follow'],
  ])('%j', async (schema, expected) => {
    expect(await told(() => jsonPattern(schema, letters))).toBe(expected)
  })
})

describe('the catalogue', () => {
  /** Builds the pattern of a program in the catalogue, as the run will. */
  function build(text: string, files: Readonly<Record<string, string>>, vocabulary: Vocabulary): Pattern | Promise<Pattern> {
    const pattern = /matching (.*) for up to/.exec(text)![1]!
    const regex = /^\/(.*)\/$/.exec(pattern)
    if (regex) return regexPattern(regex[1]!, '', vocabulary)
    const grammar = /^grammar\("(.*)"\)$/.exec(pattern)
    if (grammar) return grammarPattern(files[grammar[1]!]!, vocabulary)
    return jsonPattern(JSON.parse(/^json\((.*)\)$/.exec(pattern)![1]!.replace(/(\w+):/g, '"$1":')), vocabulary)
  }
  // P009 is about a span and its limit: test/infer/catalogue.test.ts.
  const { P009: _, ...ofPatterns } = matchingEntries
  test.each(Object.entries(ofPatterns))(
    '%s is reported for its bad program and nothing for the mended one',
    async (code, entry) => {
      const vocabulary = code === 'P002' ? letters : singleBytes
      expect((await errorOf(() => build(entry.bad, entry.files ?? {}, vocabulary))).code).toBe(code)
      await build(entry.mended, entry.files ?? {}, vocabulary)
    },
  )
})

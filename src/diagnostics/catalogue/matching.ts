import type { Entries, Entry } from './entry.js'

/** A program that draws a text that matches a pattern. */
const program = (pattern: string, model = 'tiny') => `model lm = "${model}"
let story = lm("a")
sample s ~ story matching ${pattern} for up to 20 tokens
return s
`

const entry = (
  title: string,
  explanation: string,
  bad: string,
  mended: string,
  files: Readonly<Record<string, string>> = {},
): Entry => ({
  title,
  explanation,
  bad: program(bad),
  mended: program(mended),
  ...(Object.keys(files).length > 0 && { files }),
  stage: 'load',
})

/** Patterns after `matching`, read when the model and the files are known: codes P001 and on. */
export const matchingEntries: Entries = {
  P001: entry(
    'nothing fits a pattern',
    'No text at all fits: a part asks for a character that there is not, bounds contradict each other, or a rule needs itself again without an end.',
    '/a[]/',
    '/a[b]/',
  ),
  P002: {
    title: 'no tokens spell a pattern',
    explanation:
      'The tokens of the model spell no text that fits: a character that every such text needs is in none of them. Every particle would die.',
    bad: program('/C+/', 'table:toy.json'),
    mended: program('/a+/', 'table:toy.json'),
    files: {
      'toy.json': '{"tokens": ["a", "b"], "order": 1, "end": null, "next": {"": [0.5, 0.5], "a": [0.5, 0.5], "b": [0.5, 0.5]}}',
    },
    stage: 'load',
  },
  P003: entry(
    'a pattern is too large',
    'A pattern is followed by an automaton, whose states are numbered in advance or, for grammars and schemas, as texts come there. Counts inside counts multiply them.',
    '/(?:.{0,900} ){0,900}/',
    '/(?:.* )*/',
  ),
  P004: entry(
    'a grammar cannot be read',
    'Grammars are written as for llama.cpp: rules `name ::= "text" [a-z]+ (other | other)* .{2,4}`, notes behind `#`. The rule `root` is the whole text.',
    'grammar("bad.ebnf")',
    'grammar("good.ebnf")',
    { 'bad.ebnf': 'root ::= ("a" | "b"\n', 'good.ebnf': 'root ::= ("a" | "b")\n' },
  ),
  P005: entry(
    'a rule of a grammar is missing, or there twice',
    'Every name in a grammar is defined by one rule `name ::= ...`, and one of them is `root`.',
    'grammar("bad.ebnf")',
    'grammar("good.ebnf")',
    { 'bad.ebnf': 'root ::= digits\ndigit ::= [0-9]\n', 'good.ebnf': 'root ::= digit+\ndigit ::= [0-9]\n' },
  ),
  P006: entry(
    'a rule of a grammar begins with itself',
    'Grammars are followed from the left, and a rule that begins with itself would be entered without end. A repetition says the same.',
    'grammar("bad.ebnf")',
    'grammar("good.ebnf")',
    { 'bad.ebnf': 'root ::= root "+" [0-9] | [0-9]\n', 'good.ebnf': 'root ::= [0-9] ("+" [0-9])*\n' },
  ),
  P007: entry(
    'a JSON schema is malformed',
    'A keyword holds something else than JSON Schema (draft 2020-12) asks for, or a reference leads nowhere. The message names the place by a JSON pointer.',
    'json({type: "text"})',
    'json({type: "string"})',
  ),
  P008: entry(
    'a keyword of a JSON schema is not supported',
    'What a schema asks for must hold for every text that comes out, so no keyword is passed over. Supported are type, enum, const, anyOf, oneOf, allOf, not, if, then, else, dependentRequired, dependentSchemas, $ref inside the schema, properties, required, additionalProperties, patternProperties, propertyNames, minProperties, maxProperties, items, prefixItems, minItems, maxItems, contains, minContains, maxContains, uniqueItems of listed values, minLength, maxLength, pattern, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, true and false.',
    'json({type: "array", uniqueItems: true})',
    'json({type: "array"})',
  ),
  P009: {
    title: 'a pattern needs more tokens than its span has',
    explanation:
      'The shortest text that fits the pattern takes more tokens of this model than the span allows, so every particle would die at the limit.',
    bad: program('/(very ){40}good/'),
    mended: program('/(very ){4}good/'),
    stage: 'load',
  },
}

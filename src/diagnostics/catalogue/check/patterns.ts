import type { Entries } from '../entry.js'

/** Regular expressions and other patterns. */
export const patternsEntries: Entries = {
  C080: {
    title: 'a regular expression cannot be read',
    explanation: 'Patterns are those of JavaScript with the `u` flag.',
    bad: 'return "ab".matches(/(a|b/)',
    mended: 'return "ab".matches(/(a|b)+/)',
    stage: 'check',
  },
  C081: {
    title: 'a regular expression looks around or back',
    explanation: 'Patterns are followed token by token, so that what may come next depends only on what was read.',
    bad: 'return "ab".contains(/a(?=b)/)',
    mended: 'return "ab".contains(/ab/)',
    stage: 'check',
  },
  C082: {
    title: 'a flag of a regular expression is not known',
    explanation:
      'The flags are `i` for either case, `m` for lines, and `s` for a dot that matches line breaks; `u` is always on.',
    bad: 'return "AB".contains(/ab/g)',
    mended: 'return "AB".contains(/ab/i)',
    stage: 'check',
  },
  C083: {
    title: 'a stop matches the empty text',
    explanation: 'The empty text is found before the first token, so that such a span would always be empty.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story until /x*/ for up to 5 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story until /x+/ for up to 5 tokens
return s
`,
    stage: 'check',
  },
  C084: {
    title: 'a pattern stands where a value is expected',
    explanation:
      'Patterns are no values: they follow `until` or `matching`, or are written into `contains`, `matches` and `split`.',
    bad: `
let vowel = /[aeiou]/
return "abc".contains(vowel)
`,
    mended: 'return "abc".contains(/[aeiou]/)',
    stage: 'check',
  },
  C085: {
    title: '`matching` has no pattern',
    explanation: 'After `matching` stands a regular expression, `json(...)` or `grammar("file")`.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story matching "ab" for up to 5 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story matching /ab/ for up to 5 tokens
return s
`,
    stage: 'check',
  },
}

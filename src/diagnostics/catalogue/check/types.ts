import type { Entries } from '../entry.js'

/** Types of values, operators, fields and methods. */
export const typesEntries: Entries = {
  C020: {
    title: 'a value has another type than its place wants',
    explanation:
      'Types are inferred, and every place says what it takes. An Int fits a Float, a Token fits a String, and numbers and Weights fit each other.',
    bad: `
let words: [String] = ["a", "b"]
return words["0"]
`,
    mended: `
let words: [String] = ["a", "b"]
return words[0]
`,
    stage: 'check',
  },
  C021: {
    title: 'an operator does not take these values',
    explanation: 'Arithmetic takes numbers; `+` also joins strings and lists; contexts know `*`, `/` and `^`.',
    bad: `
param n = 3
return "n is " + n
`,
    mended: `
param n = 3
return "n is {n}"
`,
    stage: 'check',
  },
  C022: {
    title: 'values of one place differ in type',
    explanation: 'The elements of a list have one type, and so have the branches of an `if` with a value.',
    bad: 'return [1, 2, "three"]',
    mended: 'return ["1", "2", "three"]',
    stage: 'check',
  },
  C023: {
    title: 'two things are compared that cannot be',
    explanation:
      'Equality compares values. Streams, models, functions and distributions have none, and values of different types are never equal.',
    bad: `
model lm = "tiny"
let a = lm("A")
let b = lm("B")
return a == b
`,
    mended: `
model lm = "tiny"
let a = lm("A")
let b = lm("B")
return a.text == b.text
`,
    stage: 'check',
  },
  C024: {
    title: 'something without a text is printed',
    explanation: 'A string, and the result of a program, hold values. A context is a stream: its text is the field `text`.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample t ~ story
return "so far: {story}"
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample t ~ story
return "so far: {story.text}"
`,
    stage: 'check',
  },
  C025: {
    title: 'a value has no such field or method',
    explanation: 'Each type has its own fields and methods; those of records are the fields that they were made with.',
    bad: `
let name = "Tom"
return name.toUpperCase()
`,
    mended: `
let name = "Tom"
return name.upper()
`,
    stage: 'check',
  },
  C026: {
    title: 'a method lacks its parentheses',
    explanation: 'Data are fields, computations have parentheses.',
    bad: `
let name = "Tom"
return name.upper
`,
    mended: `
let name = "Tom"
return name.upper()
`,
    stage: 'check',
  },
  C027: {
    title: 'a field has parentheses',
    explanation: 'Data are fields, computations have parentheses.',
    bad: `
let name = "Tom"
return name.length()
`,
    mended: `
let name = "Tom"
return name.length
`,
    stage: 'check',
  },
  C028: {
    title: 'something without elements is indexed',
    explanation: 'Only lists have an index. Fields of records follow a dot, and a string is split first.',
    bad: `
let name = "Tom"
return name[0]
`,
    mended: `
let name = "Tom"
return name.split("")[0]
`,
    stage: 'check',
  },
  C029: {
    title: 'a function is used as a value',
    explanation: 'The functions of a program are called where they stand. To hand one to `map` or `filter`, wrap it.',
    bad: `
fn double(n: Int) -> Int { return n * 2 }
return [1, 2].map(double)
`,
    mended: `
fn double(n: Int) -> Int { return n * 2 }
return [1, 2].map(n => double(n))
`,
    stage: 'check',
  },
  C031: {
    title: 'a field is given twice',
    explanation: 'A record holds each field once, and a setting is set once.',
    bad: `
let point = { x: 1, y: 2, x: 3 }
return point
`,
    mended: `
let point = { x: 1, y: 2, z: 3 }
return point
`,
    stage: 'check',
  },
  C032: {
    title: 'a variable gets a value of another type',
    explanation: 'A variable keeps the type of its first value; an Int may become a Float, and a Token a String.',
    bad: `
let answer = 0
answer = "none"
return answer
`,
    mended: `
let answer = ""
answer = "none"
return answer
`,
    stage: 'check',
  },
  C033: {
    title: 'a call without a value is used as one',
    explanation: 'A function without `return x` gives no value. It can only be called as a statement.',
    bad: `
fn punish(n: Int) { factor 0.5 ^ n }
let x = punish(2)
return 1
`,
    mended: `
fn punish(n: Int) { factor 0.5 ^ n }
punish(2)
return 1
`,
    stage: 'check',
  },
  C034: {
    title: 'a number is inserted into a string',
    explanation:
      'In a string, {e} inserts the value of e. The count {4} of a regular expression that stands in a string, as in a JSON schema, would become a 4: write the brackets as \\{ and \\}.',
    bad: `
model lm = "tiny"
sample year ~ lm("The year was ") matching json({ type: "string", pattern: "^[0-9]{4}$" })
return year
`,
    mended: `
model lm = "tiny"
sample year ~ lm("The year was ") matching json({ type: "string", pattern: "^[0-9]\\{4\\}$" })
return year
`,
    stage: 'check',
  },
}

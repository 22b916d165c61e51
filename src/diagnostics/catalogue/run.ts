import type { Entries } from './entry.js'
import { givenEntries } from './given.js'
import { learningEntries } from './learning.js'

const table = JSON.stringify({ tokens: ['a', 'b', 'E'], order: 0, end: 'E', next: { '': [0.5, 0.3, 0.2] } })
const otherTable = JSON.stringify({ tokens: ['a', 'c'], order: 0, end: null, next: { '': [0.5, 0.5] } })

/** Codes R001 and on. */
export const runEntries: Entries = {
  R001: {
    title: 'a result is not a number (NaN)',
    explanation:
      'An operation has no number as its result: 0 / 0, the log or the square root of a negative number, infinity minus infinity. smcc stops where it arises, because a NaN that went on would make every estimate after it worthless without a word.',
    stage: 'run',
    bad: `let hits = 0
let tries = 0
sample x ~ normal(hits / tries, 1)
return x
`,
    mended: `let hits = 0
let tries = 0
sample x ~ normal(if tries == 0 { 0 } else { hits / tries }, 1)
return x
`,
  },
  R002: {
    title: 'a weight is negative or infinite',
    explanation:
      'A `factor` or a `twist` multiplies the weight of a particle, so its value is a number of 0 or more, and finite. A score that may be negative becomes a weight through `exp`: `factor exp(score)`.',
    stage: 'run',
    bad: `sample x ~ uniform(1..3)
factor x - 5
return x
`,
    mended: `sample x ~ uniform(1..3)
factor exp(x - 5)
return x
`,
  },
  R003: {
    title: 'all particles are dead',
    explanation:
      'Every particle has met a condition of weight 0, so nothing is left to go on with and Z-hat is 0. The message names the statement that killed most and shows the best text that died last. Either the condition cannot be met, or it is met so rarely that none of the particles found a way: use more of them, or tell partial texts apart earlier with a graded `factor`, a `twist`, or a condition inside the `sample`.',
    stage: 'run',
    bad: `sample x ~ uniform(1..3)
require x > 3
return x
`,
    mended: `sample x ~ uniform(1..3)
require x > 2
return x
`,
  },
  R004: {
    title: 'an index is out of range',
    explanation:
      'Lists are counted from 0, so the last element of a list of n stands at n - 1. A slice `xs[i..j]` includes both ends.',
    stage: 'run',
    bad: `let xs = [10, 20, 30]
sample i ~ uniform(1..3)
return xs[i]
`,
    mended: `let xs = [10, 20, 30]
sample i ~ uniform(0..2)
return xs[i]
`,
  },
  R005: {
    title: 'a value is of another kind than its place needs',
    explanation:
      'Types are settled before a program runs, but a `param` without a type, or a lambda whose parameter is never settled, can carry anything. What arrives then does not fit the operation.',
    stage: 'run',
    bad: `let twice = x => x + x
let words = [x => twice(x)]
let f = words[0]
return f(true)
`,
    mended: `let twice = x => x + x
let words = [x => twice(x)]
let f = words[0]
return f(2)
`,
  },
  R006: {
    title: 'an argument is outside its domain',
    explanation:
      'The parameter of a distribution, a temperature or a count lies where it has no meaning: a standard deviation of 0 or less, a probability above 1, a negative number of tokens. Often it was computed from a sampled value; keep it inside its domain with `exp`, `abs`, `min` or `max`.',
    stage: 'run',
    bad: `sample spread ~ uniform([0, 1, 2])
sample x ~ normal(0, spread)
return x
`,
    mended: `sample spread ~ uniform([0, 1, 2])
sample x ~ normal(0, exp(spread))
return x
`,
  },
  R007: {
    title: 'there is no such field',
    explanation:
      'A record has just the fields that it was made with; assigning to one that it lacks does not add it. Models without an end token have no `.end`.',
    stage: 'run',
    files: { 'endless.json': otherTable },
    bad: `model lm = "table:endless.json"
let s = lm("")
observe lm.end ~ s
return s.text
`,
    mended: `model lm = "table:endless.json"
let s = lm("")
observe "a" ~ s
return s.text
`,
  },
  R008: {
    title: 'this value has no text of its own',
    explanation:
      'Contexts, models, functions and distributions are not texts or numbers, so they cannot stand in a string, in an answer, or be handed to an extern function. Say what of them is meant, such as `.text`.',
    stage: 'run',
    files: { 'abc.json': table },
    bad: `model lm = "table:abc.json"
let pick = xs => xs[0]
return pick([lm("")])
`,
    mended: `model lm = "table:abc.json"
let pick = xs => xs[0]
return pick([lm("").text])
`,
  },
  R009: {
    title: 'a token comes from another vocabulary',
    explanation:
      'A token is a number in the vocabulary of its model, and means another text in another one. Between models that cut text differently, pass the text.',
    stage: 'run',
    files: { 'abc.json': table, 'ac.json': otherTable },
    bad: `model one = "table:abc.json"
model two = "table:ac.json"
let s = two("")
observe "a" ~ s
let other = one("")
observe s.tokens ~ other
return other.text
`,
    mended: `model one = "table:abc.json"
model two = "table:ac.json"
let s = two("")
observe "a" ~ s
let other = one("")
observe s.text ~ other
return other.text
`,
  },
  R010: {
    title: 'a prompt is longer than the window of the model',
    explanation:
      'A model reads a limited number of tokens, the prompt among them. `smcc models show` tells how many. Shorten the prompt or use a model with a longer window. A classifier reads the beginning of a text that is longer than its window.',
    stage: 'run',
    bad: `model lm = "tiny"
let long = (1..300).map(i => "word").join(" ")
sample t ~ lm(long)
return t
`,
    mended: `model lm = "tiny"
let long = (1..30).map(i => "word").join(" ")
sample t ~ lm(long)
return t
`,
  },
  R011: {
    title: 'a text is not the text of a number',
    explanation:
      '`int(s)` and `float(s)` read a number from a text and stop the run when it holds none. Test first, with `s.matches(/[0-9]+/)`, where a text may hold something else.',
    stage: 'run',
    bad: `sample word ~ uniform(["one", "two"])
return int(word)
`,
    mended: `sample word ~ uniform(["1", "2"])
return int(word)
`,
  },
  R012: {
    title: 'a computation does not come to an end',
    explanation:
      'A function calls itself too deeply, or a loop turns on without a draw between. Give the recursion an end, or the loop a condition that it meets.',
    stage: 'run',
    bad: `fn down(n: Int) -> Int { return 1 + down(n - 1) }
return down(3)
`,
    mended: `fn down(n: Int) -> Int { return if n == 0 { 0 } else { 1 + down(n - 1) } }
return down(3)
`,
  },
  R013: {
    title: 'the window of the model is full',
    explanation:
      'A model reads a limited number of tokens, prompt included. A particle that needs one more has weight 0, so texts that are longer than the window count as impossible. Ask for fewer tokens, shorten the prompt, or use a model with a longer window.',
    stage: 'run',
    bad: `model lm = "tiny"
let long = (1..30).map(i => "word").join(" ")
let s = lm(long)
let kept = s.fork()
sample short ~ uniform([true, false])
if not short { force (1..230).map(i => " word").join("") ~ s }
return kept.text
`,
    mended: `model lm = "tiny"
let long = (1..30).map(i => "word").join(" ")
let s = lm(long)
let kept = s.fork()
sample short ~ uniform([true, false])
if not short { force (1..23).map(i => " word").join("") ~ s }
return kept.text
`,
  },
  R014: {
    title: 'an extern function is not allowed to run',
    explanation:
      'An `extern fn` is JavaScript from a file, and runs with all the rights of your account. smcc runs it only when you say so with `--allow-extern`.',
    stage: 'api',
    files: {
      'program.smc': 'extern fn grade(text: String) -> Float from "./grade.mjs"\nfactor exp(grade("abc"))\nreturn 1\n',
      'grade.mjs': 'export const grade = (texts) => texts.map((t) => t.length)\n',
    },
    bad: 'program.run()',
    mended: 'program.run({}, { allowExtern: true })',
  },
  R015: {
    title: 'an extern function does not answer as it must',
    explanation:
      'An extern function is called once for a batch of particles, with one array for each parameter, and returns an array (or a promise of one) with one value for each row, of the declared type. It must not throw, return NaN, or never answer.',
    stage: 'run',
    files: {
      'grade.mjs': 'export const grade = (texts) => texts.length\nexport const right = (texts) => texts.map((t) => t.length)\n',
    },
    bad: `extern fn grade(text: String) -> Float from "./grade.mjs"
factor exp(grade("abc"))
return 1
`,
    mended: `extern fn right(text: String) -> Float from "./grade.mjs"
factor exp(right("abc"))
return 1
`,
  },
  R016: {
    title: 'the file of an extern function cannot be loaded',
    explanation:
      'The path after `from` is relative to the program, and the file exports a function of the same name as the `extern fn`.',
    stage: 'run',
    files: { 'grade.mjs': 'export const grade = (texts) => texts.map((t) => t.length)\n' },
    bad: `extern fn mark(text: String) -> Float from "./grade.mjs"
factor exp(mark("abc"))
return 1
`,
    mended: `extern fn grade(text: String) -> Float from "./grade.mjs"
factor exp(grade("abc"))
return 1
`,
  },
  R017: {
    title: 'a file cannot be read',
    explanation:
      'The path after `use ... from` is relative to the file that uses it; "std/text", "std/score" and "std/decode" name the standard library.',
    stage: 'load',
    files: { 'lib.smc': 'fn twice(x: Int) -> Int { return 2 * x }\n' },
    bad: `use twice from "./lip.smc"
return twice(2)
`,
    mended: `use twice from "./lib.smc"
return twice(2)
`,
  },
  ...givenEntries,
  R023: {
    title: 'a file of a pattern cannot be read',
    explanation:
      '`json("schema.json")` and `grammar("file.ebnf")` read a file beside the program. It must be there, and a schema must be JSON.',
    bad: `
model lm = "tiny"
let story = lm("A list:")
sample s ~ story matching json("missing.json") for up to 8 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("A list:")
sample s ~ story matching json({type: "boolean"}) for up to 8 tokens
return s
`,
    stage: 'run',
  },
  R024: {
    title: 'a classifier is asked for what it does not have',
    explanation:
      'The labels of a classifier are those of its own files; the message names them. A label that it does not have is taken for a slip and stops the run, where probability 0 would kill every particle without a word. A classifier whose labels do not exclude one another gives each a probability of its own, so there is nothing to draw: ask it with `.prob("label")` or `observe`.',
    stage: 'run',
    bad: `classifier tone = "tiny-sentiment"
factor tone("A fine film.").prob("postive")
return 1
`,
    mended: `classifier tone = "tiny-sentiment"
factor tone("A fine film.").prob("positive")
return 1
`,
  },
  R025: {
    title: 'a product of contexts divides by 0',
    explanation:
      'In `a / b`, or a negative power, a token to which b gives the probability 0 would weigh infinitely much where a gives it a chance. Table models can have zeros; transformers have none.',
    bad: `
model lm = "table:coin.json"
let a = lm("h")
let b = lm("t")
sample x ~ a / b
return x
`,
    mended: `
model lm = "table:coin.json"
let a = lm("h")
let b = lm("t")
sample x ~ b / a
return x
`,
    files: {
      'coin.json': '{"tokens": ["h", "t"], "order": 1, "end": null, "next": {"": [0.5, 0.5], "h": [0.5, 0.5], "t": [0, 1]}}',
    },
    stage: 'run',
  },
  R030: {
    title: 'an exact sample does not fit the program',
    explanation:
      'An upper bound forces an exact sample through the program: every draw takes its value from it, in order. One from another program, from other params or from another model draws other things, or has probability 0 here.',
    stage: 'api',
    files: { 'program.smc': 'sample x ~ categorical([0.5, 0.5])\nreturn x\n' },
    bad: 'program.bound({}, { repeats: 2, exact: [[{ token: 0 }], [{ token: 1 }]] })',
    mended: 'program.bound({}, { repeats: 2, exact: [[{ value: 0 }], [{ value: 1 }]] })',
  },
  ...learningEntries,
}

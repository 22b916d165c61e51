import type { Entries } from '../entry.js'

/** Names: what is declared, where, and what sees it. */
export const namesEntries: Entries = {
  C001: {
    title: 'a name is not declared',
    explanation: 'A name stands for a `let`, a `sample`, a declaration or a built-in function. This one stands for nothing.',
    bad: `
let total = 3
return totl
`,
    mended: `
let total = 3
return total
`,
    stage: 'check',
  },
  C002: {
    title: 'a name is declared twice',
    explanation: 'Within one block, and among the declarations of a file, each name is declared once.',
    bad: `
let n = 1
let n = 2
return n
`,
    mended: `
let n = 1
n = 2
return n
`,
    stage: 'check',
  },
  C003: {
    title: 'a name hides another',
    explanation: 'The inner name is a new variable, and the outer one keeps its value. That is allowed and seldom meant.',
    bad: `
let best = 0
if best == 0 { let best = 1 }
return best
`,
    mended: `
let best = 0
if best == 0 { best = 1 }
return best
`,
    stage: 'check',
  },
  C004: {
    title: 'a function uses a variable of the script',
    explanation:
      'A function sees the params, models, classifiers and functions of its file, and its own variables. Values of the script come in as arguments.',
    bad: `
let limit = 3
fn isShort(text: String) -> Bool { return text.length < limit }
return isShort("ab")
`,
    mended: `
let limit = 3
fn isShort(text: String, limit: Int) -> Bool { return text.length < limit }
return isShort("ab", limit)
`,
    stage: 'check',
  },
  C005: {
    title: 'a variable is used before it is declared',
    explanation: 'A program runs from top to bottom. Only functions, params and models may be named before their declaration.',
    bad: `
let double = n * 2
let n = 4
return double
`,
    mended: `
let n = 4
let double = n * 2
return double
`,
    stage: 'check',
  },
  C006: {
    title: 'a variable is used after its block',
    explanation:
      'A name that is declared inside a block ends with it. A value that is set in both branches of an `if` is declared before it.',
    bad: `
sample coin ~ bernoulli(0.5)
if coin { sample x ~ normal(0, 1) } else { sample x ~ normal(5, 1) }
return x
`,
    mended: `
sample coin ~ bernoulli(0.5)
let x = 0.0
if coin { sample x ~ normal(0, 1) } else { sample x ~ normal(5, 1) }
return x
`,
    stage: 'check',
  },
  C007: {
    title: 'a file has no such function',
    explanation: '`use` takes the functions that a file declares itself.',
    bad: `
use tidi from "./lib.smc"
return tidi(" a ")
`,
    mended: `
use tidy from "./lib.smc"
return tidy(" a ")
`,
    files: { 'lib.smc': 'fn tidy(text: String) -> String { return text.trim() }' },
    stage: 'check',
  },
  C008: {
    title: 'a used file is missing',
    explanation: 'The path of a `use` is relative to the file that it stands in; `std/...` names the standard library.',
    bad: `
use tidy from "./libb.smc"
return tidy(" a ")
`,
    mended: `
use tidy from "./lib.smc"
return tidy(" a ")
`,
    files: { 'lib.smc': 'fn tidy(text: String) -> String { return text.trim() }' },
    stage: 'check',
  },
  C009: {
    title: 'something is assigned that cannot be',
    explanation:
      'Params, models, functions, and the variable of a `for` keep their value. Only variables of `let` and `sample` are assigned.',
    bad: `
param limit = 3
limit = 4
return limit
`,
    mended: `
param limit = 3
let larger = limit + 1
return larger
`,
    stage: 'check',
  },
  C010: {
    title: 'a type is not known',
    explanation: 'Types are Int, Float, Bool, String, Token, Context, Model, Weight, `[T]`, `{a: T}` and `Dist<T>`.',
    bad: `
let n: Integer = 3
return n
`,
    mended: `
let n: Int = 3
return n
`,
    stage: 'check',
  },
  C011: {
    title: 'a used function needs its script',
    explanation:
      'The params and models of a file belong to its script. When the file is used, the script does not run, so its functions get such values as arguments.',
    bad: `
use start from "./needy.smc"
return start("a")
`,
    mended: `
use start from "./lib.smc"
param prefix = "- "
return start(prefix, "a")
`,
    files: {
      'needy.smc': `
param prefix = "- "
fn start(text: String) -> String { return prefix + text }
`,
      'lib.smc': 'fn start(prefix: String, text: String) -> String { return prefix + text }',
    },
    stage: 'check',
  },
  C012: {
    title: 'a used file has a script',
    explanation: 'A file that is used gives its functions; its statements and `infer` do not run.',
    bad: `
use tidy from "./lib.smc"
return tidy(" a ")
`,
    mended: `
use tidy from "./clean.smc"
return tidy(" a ")
`,
    files: {
      'lib.smc': `
fn tidy(text: String) -> String { return text.trim() }
return tidy(" b ")
`,
      'clean.smc': 'fn tidy(text: String) -> String { return text.trim() }',
    },
    stage: 'check',
  },
}

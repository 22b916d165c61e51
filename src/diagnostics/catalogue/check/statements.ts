import type { Entries } from '../entry.js'

/** Statements, and the paths through a program. */
export const statementsEntries: Entries = {
  C050: {
    title: 'the script does not return on every path',
    explanation: 'A program says what it reports: every path of the script ends with `return`.',
    bad: 'sample coin ~ bernoulli(0.5)',
    mended: `
sample coin ~ bernoulli(0.5)
return coin
`,
    stage: 'check',
  },
  C051: {
    title: 'a path through a function ends without a return',
    explanation: 'A function with `->`, or with a value on some path, returns a value on every path.',
    bad: `
fn sign(n: Int) -> Int {
  if n > 0 { return 1 }
  if n < 0 { return -1 }
}
return sign(3)
`,
    mended: `
fn sign(n: Int) -> Int {
  if n > 0 { return 1 }
  if n < 0 { return -1 }
  return 0
}
return sign(3)
`,
    stage: 'check',
  },
  C052: {
    title: 'a return has no value',
    explanation: 'The script, and a function with `->`, return a value.',
    bad: `
sample coin ~ bernoulli(0.5)
if coin { return }
return coin
`,
    mended: `
sample coin ~ bernoulli(0.5)
if coin { return true }
return coin
`,
    stage: 'check',
  },
  C053: {
    title: '`break` or `continue` stands outside a loop',
    explanation: 'They end a loop, or its present turn.',
    bad: `
sample coin ~ bernoulli(0.5)
if coin { break }
return coin
`,
    mended: `
sample coin ~ bernoulli(0.5)
while coin {
  sample coin ~ bernoulli(0.5)
  if not coin { break }
}
return coin
`,
    stage: 'check',
  },
  C054: {
    title: 'a statement is never reached',
    explanation: 'Every path before it returns or leaves the loop.',
    bad: `
sample coin ~ bernoulli(0.5)
return coin
factor 2
`,
    mended: `
sample coin ~ bernoulli(0.5)
factor 2
return coin
`,
    stage: 'check',
  },
  C055: {
    title: 'a recursive function does not say what it returns',
    explanation: 'Types are found from what a function returns; a function that calls itself needs `->`.',
    bad: `
fn trials() {
  sample won ~ bernoulli(0.5)
  if won { return 1 }
  return 1 + trials()
}
let n = trials()
return n
`,
    mended: `
fn trials() -> Int {
  sample won ~ bernoulli(0.5)
  if won { return 1 }
  return 1 + trials()
}
let n = trials()
return n
`,
    stage: 'check',
  },
  C056: {
    title: 'something else stands after `~`',
    explanation: 'A sample or an observe needs a context, `lm("...")`, or a distribution.',
    bad: `
model lm = "tiny"
sample t ~ lm
return t
`,
    mended: `
model lm = "tiny"
sample t ~ lm("Once")
return t
`,
    stage: 'check',
  },
  C057: {
    title: 'text is forced on something else than a context',
    explanation: '`force` moves a stream past a text without weighing it.',
    bad: `
force 1.5 ~ normal(0, 1)
return 1
`,
    mended: `
observe 1.5 ~ normal(0, 1)
return 1
`,
    stage: 'check',
  },
  C058: {
    title: 'the value of a call is not used',
    explanation: 'A call that does not sample or weigh does nothing but compute a value.',
    bad: `
let xs = [1, 2]
xs.sum()
return xs
`,
    mended: `
let xs = [1, 2]
let total = xs.sum()
return total
`,
    stage: 'check',
  },
}

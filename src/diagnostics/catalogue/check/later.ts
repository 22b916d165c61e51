import type { Entries } from '../entry.js'

/** Forms that this version checks and does not run. */
export const laterEntries: Entries = {
  C100: {
    title: '`matching` does not run yet',
    explanation: 'This version checks and prints `matching`, and refuses to run it.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story matching /[a-z ]+/ for up to 5 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens
return s
`,
    stage: 'run',
  },
  C101: {
    title: '`where` does not run yet',
    explanation:
      'This version checks and prints `where`, and refuses to run it. A `require` after each token has the same target.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens where not s.contains("z")
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
let s = ""
repeat 5 {
  sample t ~ story
  require not t.contains("z")
  s = s + t
}
return s
`,
    stage: 'run',
  },
  C102: {
    title: '`via` does not run yet',
    explanation: 'This version checks and prints `via`, and refuses to run it. A proposal does not change the target.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens via lm("Twice")
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens
return s
`,
    stage: 'run',
  },
  C103: {
    title: 'learned twists do not run yet',
    explanation: 'This version checks and prints `learn twist`, and refuses to run it. A twist can be written by hand.',
    bad: `
learn twist psi(story: Context)
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens twisted by psi
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens twisted by exp(-abs(s.length - 20))
return s
`,
    stage: 'run',
  },
  C104: {
    title: 'classifiers do not run yet',
    explanation: 'This version checks and prints `classifier`, and refuses to run it.',
    bad: `
classifier tone = "tiny-sentiment"
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens
observe "positive" ~ tone(s)
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens
if s.contains("good") { factor 2 }
return s
`,
    stage: 'run',
  },
  C105: {
    title: 'contexts do not combine yet',
    explanation:
      'This version checks and prints products, quotients and powers of contexts, and refuses to run them. A product can be written as a loop.',
    bad: `
model lm = "tiny"
let a = lm("A dog")
let b = lm("A cat")
sample t ~ a * b
return t
`,
    mended: `
model lm = "tiny"
let a = lm("A dog")
let b = lm("A cat")
sample t ~ a
observe t ~ b
return t
`,
    stage: 'run',
  },
}

import type { Entries } from '../entry.js'

/** Clauses of `sample`. */
export const clausesEntries: Entries = {
  C060: {
    title: 'a clause is given twice',
    explanation: 'Clauses come in any order, each once.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 4 tokens for 5 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens
return s
`,
    stage: 'check',
  },
  C061: {
    title: 'two clauses exclude each other',
    explanation: 'A span has one limit, and `for n tokens` always takes all of its tokens.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story until "." for 5 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story until "." for up to 5 tokens
return s
`,
    stage: 'check',
  },
  C062: {
    title: '`until` has no limit',
    explanation: 'A stop may never come, so that a span with `until` says how long it may be.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story until "."
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story until "." for up to 30 tokens
return s
`,
    stage: 'check',
  },
  C063: {
    title: 'a clause needs a span',
    explanation: 'Twists and resampling points along a span need a span of several tokens.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story resampling every 2 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 8 tokens resampling every 2 tokens
return s
`,
    stage: 'check',
  },
  C064: {
    title: 'a clause of texts stands on a distribution',
    explanation: 'Only a context gives several tokens. A distribution gives one value.',
    bad: `
sample n ~ poisson(3) for 2 tokens
return n
`,
    mended: `
sample n ~ poisson(3)
return n
`,
    stage: 'check',
  },
  C065: {
    title: 'a number of tokens is too small',
    explanation: 'Spans have 0 or more tokens; resampling and blocks go by 1 or more.',
    bad: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for -5 tokens
return s
`,
    mended: `
model lm = "tiny"
let story = lm("Once")
sample s ~ story for 5 tokens
return s
`,
    stage: 'check',
  },
}

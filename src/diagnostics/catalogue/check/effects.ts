import type { Entries } from '../entry.js'

/** What may happen where, and what is known before the run. */
export const effectsEntries: Entries = {
  C070: {
    title: 'something samples or weighs where nothing may',
    explanation:
      '`=>` functions, `twisted by`, `where` and defaults are evaluated many times, or not at all. They may ask a model with `prob`, and nothing else.',
    bad: `
fn roll() -> Int {
  sample die ~ uniform(1..6)
  return die
}
return [1, 2].map(i => i + roll())
`,
    mended: `
fn roll() -> Int {
  sample die ~ uniform(1..6)
  return die
}
let die = roll()
return [1, 2].map(i => i + die)
`,
    stage: 'check',
  },
  C071: {
    title: 'the default of a param uses something else',
    explanation: 'Params are known before the program runs: a default may use the params before it and built-in functions.',
    bad: `
param double = n * 2
param n = 3
return double
`,
    mended: `
param n = 3
param double = n * 2
return double
`,
    stage: 'check',
  },
  C072: {
    title: 'a param cannot have this type',
    explanation: 'Params come from the command line and from JSON.',
    bad: `
param story: Context
sample t ~ story
return t
`,
    mended: `
model lm = "tiny"
param prompt: String = "Once"
sample t ~ lm(prompt)
return t
`,
    stage: 'check',
  },
}

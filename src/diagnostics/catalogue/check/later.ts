import type { Entries } from '../entry.js'

/** Forms that this version checks and does not run. */
export const laterEntries: Entries = {
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
}

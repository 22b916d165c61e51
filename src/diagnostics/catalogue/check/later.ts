import type { Entries } from '../entry.js'

/** Forms that this version checks and does not run. */
export const laterEntries: Entries = {
  C106: {
    title: '`steer` does not run yet',
    explanation: 'This version runs the methods `smc` and `importance`.',
    bad: `
infer { method: steer }
sample x ~ uniform(1..6)
return x
`,
    mended: `
infer { method: smc }
sample x ~ uniform(1..6)
return x
`,
    stage: 'run',
  },
}

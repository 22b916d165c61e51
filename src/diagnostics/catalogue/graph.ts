import type { Entries } from './entry.js'

/** Codes G001 and on. */
export const graphEntries: Entries = {
  G001: {
    title: 'branches pass different numbers of resampling points',
    explanation:
      'Particles wait for each other at resampling points, which stand before a draw that follows a change of weight. When one branch of an `if` passes more of them than the other, particles meet by the number of points passed, at different places of the program. The estimate stays exact, but particles that have told more of their story compete with particles that have told less, and good ones get lost. Draw as often in both branches, or move the draws behind the `if`.',
    stage: 'check',
    bad: `sample rain ~ bernoulli(0.3)
factor if rain { 0.5 } else { 0.2 }
let hours = 0
if rain {
  sample hours ~ poisson(3)
  factor 1 / (1 + hours)
}
sample late ~ bernoulli(0.1)
return [hours]
`,
    mended: `sample rain ~ bernoulli(0.3)
factor if rain { 0.5 } else { 0.2 }
sample hours ~ poisson(if rain { 3 } else { 0.1 })
factor 1 / (1 + hours)
sample late ~ bernoulli(0.1)
return [hours]
`,
  },
}

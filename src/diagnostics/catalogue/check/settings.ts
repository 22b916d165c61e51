import type { Entries } from '../entry.js'

/** Settings, learned twists and extern functions. */
export const settingsEntries: Entries = {
  C090: {
    title: 'a setting is not known',
    explanation: 'The settings of `infer` are named as the long flags of `smcc run`.',
    bad: `
infer { particels: 64 }
sample x ~ normal(0, 1)
return x
`,
    mended: `
infer { particles: 64 }
sample x ~ normal(0, 1)
return x
`,
    stage: 'check',
  },
  C091: {
    title: 'a setting has a value that it cannot have',
    explanation: 'Settings are written out: numbers, `true`, `false`, and the words of `method`, `resample` and `loss`.',
    bad: `
infer { threshold: 2 }
sample x ~ normal(0, 1)
return x
`,
    mended: `
infer { threshold: 0.5 }
sample x ~ normal(0, 1)
return x
`,
    stage: 'check',
  },
  C092: {
    title: 'the method does not read a setting',
    explanation:
      '`expansion` belongs to `steer`, `sweeps` to `gibbs`; `threshold` and `resample` belong to `smc` and `gibbs`. A setting without an effect is a mistake. Where the command line gives another method, what the program sets for its own is passed over.',
    bad: `
infer { expansion: 3 }
sample x ~ uniform(1..6)
return x
`,
    mended: `
infer { method: steer, expansion: 3 }
sample x ~ uniform(1..6)
return x
`,
    stage: 'check',
  },
  C093: {
    title: 'a learned twist has other parameters',
    explanation: 'A learned twist reads one context first, and then texts, numbers and booleans that condition it.',
    bad: `
learn twist psi(after: String)
return 1
`,
    mended: `
learn twist psi(story: Context, after: String)
return 1
`,
    stage: 'check',
  },
  C094: {
    title: 'a parameter of an extern function has no type',
    explanation: 'JavaScript does not know the types of smc, so that an `extern fn` writes them down.',
    bad: `
extern fn grade(text) -> Float from "./grade.mjs"
factor grade("a")
return 1
`,
    mended: `
extern fn grade(text: String) -> Float from "./grade.mjs"
factor grade("a")
return 1
`,
    files: { 'grade.mjs': 'export const grade = (texts) => texts.map((text) => text.length)' },
    stage: 'check',
  },
}

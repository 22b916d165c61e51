import type { Entries } from './entry.js'

/** Codes R018 to R022: what the caller of a run gives. */
export const givenEntries: Entries = {
  R018: {
    title: 'the program has no model of this name',
    explanation:
      '`--model lm=ID` puts another model in the place of one that the program declares with `model lm = "..."`; the name before `=` is the one in the program.',
    stage: 'api',
    files: { 'program.smc': 'model lm = "tiny"\nreturn lm("a").text\n' },
    bad: 'program.run({}, { models: { llm: "tiny" } })',
    mended: 'program.run({}, { models: { lm: "tiny" } })',
  },
  R019: {
    title: 'the program has no param of this name',
    explanation: '`-D name=value` sets what the program declares with `param name`.',
    stage: 'api',
    files: { 'program.smc': 'param p = 0.5\nsample x ~ bernoulli(p)\nreturn x\n' },
    bad: 'program.run({ q: 0.2 })',
    mended: 'program.run({ p: 0.2 })',
  },
  R020: {
    title: 'the value of a param does not fit its type',
    explanation:
      'A `param` has the type that is written behind its name, or that of its default. `-D` takes a String verbatim and anything else as JSON.',
    stage: 'api',
    files: { 'program.smc': 'param p = 0.5\nsample x ~ bernoulli(p)\nreturn x\n' },
    bad: 'program.run({ p: "0.2" })',
    mended: 'program.run({ p: 0.2 })',
  },
  R021: {
    title: 'a param has no value',
    explanation: 'A `param` without a default is required: give it with `-D name=value` or in a `--params` file.',
    stage: 'api',
    files: { 'program.smc': 'param name: String\nreturn "Hello {name}"\n' },
    bad: 'program.run()',
    mended: 'program.run({ name: "Tom" })',
  },
  R022: {
    title: 'an option of a run is not one',
    explanation:
      'The options of `run` in the TypeScript API are the settings of `infer { ... }` and `models`, `dtype`, `device`, `allowExtern`, `onProgress`, `onWarning`, `onDownload`, `signal`; each has its range, as the flags of `smcc run` have.',
    stage: 'api',
    files: { 'program.smc': 'param p = 0.5\nsample x ~ bernoulli(p)\nreturn x\n' },
    bad: 'program.run({}, { particles: 0 })',
    mended: 'program.run({}, { particles: 8 })',
  },
}

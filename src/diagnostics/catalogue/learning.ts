import type { Entries } from './entry.js'

/** A learned twist of one layer for a model that nobody has; the length of its header stands in eight bytes below 128. */
const strangeTwist = (() => {
  const twist = { signature: '(Context)', tokenizer: '0', loss: 'ctl', model: '0', link: 'exp', role: 'twist' }
  const shape = { hidden: 0, shift: 1, scale: 1, conditions: [], width: 1, depth: 0 }
  const metadata = { format: 'smcc-twist 3', program: '0', twists: JSON.stringify({ psi: { ...twist, shape } }) }
  const tensors = {
    'psi.0.weight': { dtype: 'F32', shape: [35, 2], data_offsets: [0, 280] },
    'psi.0.bias': { dtype: 'F32', shape: [2], data_offsets: [280, 288] },
  }
  const text = JSON.stringify({ ...tensors, __metadata__: metadata })
  let length = text.length
  while (length % 256 > 127) length++
  return `${String.fromCharCode(length % 256, length >> 8)}${'\0'.repeat(6)}${text.padEnd(length)}${'\0'.repeat(288)}`
})()

/** Learned twists: R031 and on. */
export const learningEntries: Entries = {
  R031: {
    title: 'a learned twist belongs to something else',
    explanation:
      'What `smcc train` has learned is written beside the program, with the hashes of the model and its tokenizer and the signature of the twist. It says nothing about another model, so that is an error; a changed program is only told, because any twist is valid.',
    stage: 'run',
    files: { 'program.twist.safetensors': strangeTwist },
    bad: `model lm = "tiny"
learn twist psi(story: Context)
let story = lm("Once")
sample s ~ story for 3 tokens twisted by psi
return s
`,
    mended: `model lm = "tiny"
learn twist other(story: Context)
let story = lm("Once")
sample s ~ story for 3 tokens twisted by other
return s
`,
  },
  R032: {
    title: 'a file of learned twists is damaged',
    explanation:
      'The file beside the program, `NAME.twist.safetensors`, is not what `smcc train` writes. Delete it or train again.',
    stage: 'run',
    files: { 'program.twist.safetensors': 'broken' },
    bad: `model lm = "tiny"
learn twist psi(story: Context)
let story = lm("Once")
sample s ~ story for 3 tokens twisted by psi
return s
`,
    mended: `model lm = "tiny"
let story = lm("Once")
sample s ~ story for 3 tokens
return s
`,
  },
  R033: {
    title: 'there is nothing to learn from',
    explanation:
      '`smcc train` learns from what the program draws under a learned twist, and from how the draws end. A twist that guides no draw cannot be learned, nor can a target that no sample ever meets: a `require` that holds for one text in a million gives no sign of being near, where a graded `factor` does. The loss `fudge` learns a probability, so its factors are at most 1.',
    stage: 'api',
    files: {
      'program.smc':
        'learn twist psi(story: Context)\nparam least = 0\nmodel lm = "tiny"\nlet story = lm("Once")\nsample s ~ story for 2 tokens twisted by psi\nrequire s.length >= least\nreturn s\n',
    },
    bad: 'program.train({ least: 1000 }, { steps: 2, iterate: 1, batch: 4 })',
    mended: 'program.train({}, { steps: 2, iterate: 1, batch: 4 })',
  },
  R034: {
    title: 'there are no exact samples to learn from',
    explanation:
      '`positives: exact` learns from exact samples of the target: all runs listed, runs accepted with the probability of their weight, or runs that draw the observed values, too. What is in the way of each is told. A learned twist may be given an observed value that is drawn where that value is a param which one `observe` of the script observes as it stands, and which is used for nothing else.',
    stage: 'api',
    files: {
      'program.smc':
        'learn twist psi(story: Context)\nmodel lm = "tiny"\nlet story = lm("Once")\nsample s ~ story for 2 tokens twisted by psi\nfactor 2 ^ s.length\nreturn s\n',
    },
    bad: 'program.train({}, { steps: 2, iterate: 1, batch: 4, positives: "exact" })',
    mended: 'program.train({}, { steps: 2, iterate: 1, batch: 4, positives: "smc" })',
  },
  R035: {
    title: 'a training cannot go on',
    explanation:
      '`smcc train --resume` goes on as if the earlier training had not ended, so the program, its params and models, the seed and the settings must be what they were. Only `--steps` and `--iterate` may be more.',
    stage: 'api',
    files: {
      'program.smc':
        'learn twist psi(story: Context)\nmodel lm = "tiny"\nlet story = lm("Once")\nsample s ~ story for 2 tokens twisted by psi\nfactor 2 ^ s.length\nreturn s\n',
    },
    bad: 'program.train({}, { steps: 2, iterate: 1, batch: 4, resume: [1, 2] })',
    mended: 'program.train({}, { steps: 2, iterate: 1, batch: 4 })',
  },
}

import type { Entries } from '../entry.js'

/** Calls and their arguments. */
export const callsEntries: Entries = {
  C040: {
    title: 'a call lacks an argument',
    explanation: 'Parameters without a default need an argument.',
    bad: 'return normal(0).prob(1)',
    mended: 'return normal(0, 1).prob(1)',
    stage: 'check',
  },
  C041: {
    title: 'there are too many arguments',
    explanation:
      'A call gives each parameter one argument, and a function that is handed over takes as many as it will be given.',
    bad: 'return sqrt(4, 2)',
    mended: 'return sqrt(4)',
    stage: 'check',
  },
  C042: {
    title: 'there is no parameter of that name',
    explanation: 'Named arguments use the names of the parameters.',
    bad: `
model lm = "tiny"
let story = lm("Once", temprature: 0.8)
sample t ~ story
return t
`,
    mended: `
model lm = "tiny"
let story = lm("Once", temperature: 0.8)
sample t ~ story
return t
`,
    stage: 'check',
  },
  C043: {
    title: 'an argument is given twice',
    explanation: 'Each parameter takes one argument, by place or by name.',
    bad: 'return normal(0, mean: 1, sd: 2).prob(0)',
    mended: 'return normal(0, sd: 2).prob(0)',
    stage: 'check',
  },
  C044: {
    title: 'an argument without a name follows a named one',
    explanation: 'Arguments without names come first and fill the parameters from the left.',
    bad: 'return normal(mean: 0, 1).prob(0)',
    mended: 'return normal(mean: 0, sd: 1).prob(0)',
    stage: 'check',
  },
  C045: {
    title: 'messages need the chat template',
    explanation: 'A list of messages becomes a prompt through the chat template of the model.',
    bad: `
model lm = "tiny"
let chat = lm([{ role: "user", content: "Hi!" }])
sample t ~ chat
return t
`,
    mended: `
model lm = "tiny"
let chat = lm([{ role: "user", content: "Hi!" }], chat: true)
sample t ~ chat
return t
`,
    stage: 'check',
  },
  C046: {
    title: 'a temperature is not above 0',
    explanation: 'The temperature divides the scores of the model and is part of the target.',
    bad: `
model lm = "tiny"
let story = lm("Once", temperature: 0)
sample t ~ story
return t
`,
    mended: `
model lm = "tiny"
let story = lm("Once", temperature: 0.1)
sample t ~ story
return t
`,
    stage: 'check',
  },
  C047: {
    title: 'something is called that is no function',
    explanation:
      'Functions, models, classifiers and `=>` functions are called. A variable that hides a built-in function is what the name now means.',
    bad: `
let max = 3
return max(1, 2)
`,
    mended: `
let limit = 3
return max(1, limit)
`,
    stage: 'check',
  },
}

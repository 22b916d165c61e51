/** smcc as a peer: the other end of `PeerProcess`, over the TypeScript API. Usage: node peer-smcc.js TASK, a task in JSON. */
import { createInterface } from 'node:readline'
import { compile, type Program, SmcError } from '../src/index.js'
import { openModel } from '../src/models/registry.js'
import type { Transformer } from '../src/models/transformer.js'
import type { Measured, Ready, Task } from './peer-process.js'

const task = JSON.parse(process.argv[2]!) as Task
const answer = (fields: Partial<Ready & Measured> | { missing: string }) => console.log(JSON.stringify(fields))
const span = task.pattern === null ? `for ${task.steps} tokens` : `matching /${task.pattern}/ within ${task.steps} tokens`
const program = await compile(
  `model lm = "tiny"\nparam prompt: String\nlet story = lm(prompt)\nsample text ~ story ${span}\nreturn text\n`,
)
const known = await compile(
  `model lm = "tiny"\nparam prompt: String\nparam known: String\nobserve known ~ lm(prompt)\nreturn 0\n`,
)

/** Whether this version runs the program, or what it says of it. */
function refusal(): string | null {
  try {
    return program.stages.length > 0 ? null : 'it has no stages'
  } catch (error) {
    if (error instanceof SmcError) return error.diagnostics.map(({ message }) => message).join('; ')
    throw error
  }
}

async function serve(): Promise<void> {
  const model = (await openModel(task.file, { base: process.cwd() })) as Transformer
  const models = { lm: model }
  const { prompt } = task
  const run = async (of: Program, params: object, particles: number, seed: number) => {
    // What earlier runs have computed of the prompt is not a help for this one.
    model.forget()
    return of.run({ prompt, ...params }, { models, particles, seed })
  }
  await run(program, {}, 4, 0)
  const { logZ } = await run(known, { known: task.known }, 1, 0)
  if (logZ === null) throw new Error('the known text has probability 0')
  answer({ prompt: model.vocabulary.encodePrompt(prompt), known: logZ })
  for await (const seed of createInterface({ input: process.stdin })) {
    const begin = performance.now()
    const result = await run(program, {}, task.particles, Number(seed))
    answer({
      seconds: (performance.now() - begin) / 1000,
      tokens: result.timing.tokens,
      logZ: result.logZ ?? 'dead',
      text: String(result.posterior[0]?.value ?? ''),
      peak: process.resourceUsage().maxRSS * 1024,
    })
  }
  await model.dispose()
}

const refused = refusal()
if (refused === null) await serve()
else answer({ missing: refused })

import { listModels, showModel } from '../models/registry.js'
import { commandError, exitCodes, notInThisVersion } from './errors.js'
import { choice } from './flags.js'
import type { Io } from './io.js'

/** `smcc models`: the built-in models, or one of any kind in detail. */
export async function models(action: string, id: string | undefined, io: Io): Promise<number> {
  const what = choice('models', action, ['list', 'show', 'pull'] as const)
  if (what === 'pull')
    throw notInThisVersion('downloads of models', 'put the model folder on the disk and name its path: `--model lm=PATH`')
  if (what === 'list') {
    if (id !== undefined) throw commandError('X004', '`smcc models list` takes no model', `write \`smcc models show ${id}\``)
    for (const model of listModels()) io.stdout.write(`${model.id}  ${model.description}\n`)
    return exitCodes.done
  }
  if (id === undefined)
    throw commandError('X003', 'expected the id of a model after `smcc models show`', 'write `smcc models show tiny`')
  const facts = await showModel(id, process.cwd())
  for (const [name, value] of Object.entries(facts)) io.stdout.write(`${name.padEnd(16)}  ${String(value)}\n`)
  return exitCodes.done
}

import { SmcError } from '../diagnostics/diagnostic.js'
import type { ModelDescription } from '../models/registry.js'
import { commandError, exitCodes, notInThisVersion } from './errors.js'
import { choice } from './flags.js'
import type { Io } from './io.js'

/** `smcc models`: the models at hand, or one in detail. A model that is not there is a mistake in the command line. */
export async function models(action: string, id: string | undefined, io: Io): Promise<number> {
  const what = choice('smcc models', action, ['list', 'show', 'pull'])
  if (what === 'pull')
    throw notInThisVersion('downloads of models', 'put the model folder on the disk and name its path: `--model lm=PATH`')
  const { listModels, showModel } = await import('../models/registry.js')
  if (what === 'list') {
    if (id !== undefined) throw commandError('X004', '`smcc models list` takes no model', `write \`smcc models show ${id}\``)
    const listed = await listModels()
    const width = Math.max(...listed.map((model) => model.id.length))
    for (const model of listed) io.stdout.write(`${model.id.padEnd(width)}  ${model.description}\n`)
    return exitCodes.done
  }
  if (id === undefined)
    throw commandError('X003', 'expected the id of a model after `smcc models show`', 'write `smcc models show tiny`')
  try {
    io.stdout.write(facts(await showModel(id, process.cwd())))
  } catch (error) {
    throw error instanceof SmcError ? new SmcError(error.diagnostics, 'command') : error
  }
  return exitCodes.done
}

function facts(model: ModelDescription): string {
  const rows: [string, string][] = [
    ['id', model.id],
    ['path', model.path],
    ['family', model.family],
    ['parameters', `${(model.parameters / 1e6).toFixed(1)} M`],
    ['layers', `${model.layers} of width ${model.width}`],
    ['vocabulary', `${model.vocabulary} tokens (${model.tokenizer})`],
    ['end tokens', model.end.length > 0 ? model.end.join(', ') : 'none'],
    ['context', `${model.contextLength} tokens`],
    ['weights', `${megabytes(model.weightsBytes)} on the disk`],
    [
      'memory',
      `${megabytes(model.memoryBytes)}, and ${(model.stateBytesPerToken / 1024).toFixed(0)} KiB a token of every particle`,
    ],
    ['hash', model.hash],
  ]
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('')
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

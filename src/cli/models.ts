import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import { freeBytes } from '../models/free-memory.js'
import type { ClassifierDescription, ModelDescription, ModelListing, ModelSize } from '../models/registry.js'
import { DownloadLine } from './download-line.js'
import { commandError, exitCodes } from './errors.js'
import { choice } from './flags.js'
import type { Io } from './io.js'

/** `smcc models`: the models at hand, one in detail, or one fetched. A model that is not there is a mistake in the command line. */
export async function models(action: string, id: string | undefined, io: Io): Promise<number> {
  const what = choice('smcc models', action, ['list', 'show', 'pull'])
  if (what === 'list') {
    if (id !== undefined) throw commandError('X004', '`smcc models list` takes no model', `write \`smcc models show ${id}\``)
    const { listClassifiers, listModels } = await import('../models/registry.js')
    io.stdout.write(list(await listModels(), await listClassifiers()))
    return exitCodes.done
  }
  if (id === undefined) {
    const example = what === 'show' ? 'tiny' : 'HuggingFaceTB/SmolLM2-135M'
    throw commandError(
      'X003',
      `expected the id of a model after \`smcc models ${what}\``,
      `write \`smcc models ${what} ${example}\``,
    )
  }
  try {
    if (what === 'pull') await fetchModel(id, io)
    const { showClassifier, showModel } = await import('../models/registry.js')
    const classifier = await showClassifier(id)
    io.stdout.write(classifier ? classifierFacts(classifier) : facts(await showModel(id, process.cwd())))
  } catch (error) {
    throw error instanceof SmcError ? new SmcError(error.diagnostics, 'command') : error
  }
  return exitCodes.done
}

/** Fetches what the hub has now, also when an older version is there. */
async function fetchModel(id: string, io: Io): Promise<void> {
  const { isHubId } = await import('../models/locate.js')
  if (!isHubId(id)) {
    const hint = 'a model on the hub has a name such as HuggingFaceTB/SmolLM2-135M, or HuggingFaceTB/SmolLM2-135M-GGUF/FILE.gguf'
    throw new SmcError(diagnostic('M001', undefined, `${id} is not the name of a model on the hub`, { hint }), 'command')
  }
  const { pull } = await import('../models/hub/pull.js')
  const line = new DownloadLine(io)
  try {
    await pull(id, (progress) => line.update(progress))
  } finally {
    line.clear()
  }
}

type ListedClassifier = ClassifierDescription & { readonly description: string }

function list(listed: readonly ModelListing[], classifiers: readonly ListedClassifier[]): string {
  const width = Math.max(...[...listed, ...classifiers].map(({ id }) => id.length))
  const models = listed
    .map(({ id, description, size }) => {
      const parts = size
        ? [
            size.family,
            millions(size.parameters),
            `${size.contextLength} tokens`,
            megabytes(size.weightsBytes),
            room(size),
            description,
          ]
        : [`cannot be run: ${description}`]
      return `${id.padEnd(width)}  ${parts.join(' · ')}\n`
    })
    .join('')
  return (
    models +
    classifiers
      .map(({ id, parameters, weightsBytes, description }) => {
        const parts = ['classifier', millions(parameters), megabytes(weightsBytes), description]
        return `${id.padEnd(width)}  ${parts.join(' · ')}\n`
      })
      .join('')
  )
}

function classifierFacts({ id, path, labels, parameters, weightsBytes, hash }: ClassifierDescription): string {
  return table([
    ['id', id],
    ['path', path],
    ['family', 'classifier of texts'],
    ['labels', labels.join(', ')],
    ['parameters', millions(parameters)],
    ['weights', `${megabytes(weightsBytes)} on the disk`],
    ['hash', hash],
  ])
}

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('')
}

function facts(model: ModelDescription): string {
  const isTable = model.family === 'table'
  const state = `${(model.stateBytesPerToken / 1024).toFixed(0)} KiB a token of every particle`
  const window = model.window === null ? '' : `, some layers look back ${model.window}`
  const rows: [string, string][] = [
    ['id', model.id],
    ['path', model.path],
    ['family', model.family],
    ['parameters', isTable ? String(model.parameters) : millions(model.parameters)],
    ...(isTable ? [] : ([['layers', `${model.layers} of width ${model.width}`]] as [string, string][])),
    ['vocabulary', `${model.vocabulary} tokens (${model.tokenizer})`],
    ['end tokens', model.end.length > 0 ? model.end.join(', ') : 'none'],
    ['context', Number.isFinite(model.contextLength) ? `${model.contextLength} tokens${window}` : 'texts of any length'],
    ['weights', `${megabytes(model.weightsBytes)} on the disk`],
    ['memory', isTable ? room(model) : `${megabytes(model.memoryBytes)}, and ${state}; ${room(model)}`],
    ['hash', model.hash],
  ]
  return table(rows)
}

/** Whether the model fits in the memory that is free now. */
function room({ memoryBytes }: ModelSize): string {
  const free = freeBytes()
  if (memoryBytes < free) return 'fits in memory'
  return `does not fit: needs ${megabytes(memoryBytes)}, free are ${megabytes(free)}`
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(1)} M`
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

import { type Diagnostic, diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import { suggest } from '../diagnostics/suggest.js'
import type { Graph } from '../graph/ir.js'
import type { DeviceChoice } from '../models/device.js'
import type { OnDownload } from '../models/hub/download.js'
import type { LanguageModel } from '../models/model.js'
import type { ProductType } from '../models/products.js'
import type { Randomness } from '../models/randomness.js'
import { execute } from './executor.js'
import { Externs } from './externs.js'
import { createHost, type Host } from './host/host.js'
import { fromJson } from './host/json.js'
import { link } from './link.js'
import { philoxRandomness } from './philox.js'
import type { Progress, Settings } from './result.js'
import { type Summary, summarise } from './summary.js'
import { ModelValue } from './values.js'

export interface RunOptions extends Partial<Settings> {
  /** Other models for the program's names: `--model lm=ID`. */
  readonly models?: Readonly<Record<string, string | LanguageModel>>
  readonly allowExtern?: boolean
  /** `int8` runs transformers faster, with rounded weights; `fp32` is the default. */
  readonly dtype?: ProductType
  /** What transformers run on; the CPU by default. Where it cannot be used, a warning says so and the CPU goes on. */
  readonly device?: DeviceChoice
  /** Told of a warning when it arises; the result holds all of them. */
  readonly onWarning?: (warning: Diagnostic) => void
  readonly onProgress?: (progress: Progress) => void
  /** Told while a model is fetched from the hub. */
  readonly onDownload?: OnDownload
  readonly signal?: AbortSignal
  /** In place of Philox: tests enumerate all outcomes with it. */
  readonly random?: Randomness
}

export interface Run extends Summary {
  readonly seconds: number
  readonly tokens: number
  readonly models: Readonly<Record<string, { readonly id: string; readonly hash: string }>>
  readonly warnings: readonly Diagnostic[]
}

/**
 * Runs a graph: opens its models, fills its params, and lets the particles go.
 * @param open a model by id
 * @throws SmcError with blame `inference` when all particles die, or a weight is NaN, negative or infinite
 */
export async function run(
  graph: Graph,
  params: Readonly<Record<string, unknown>>,
  settings: Settings,
  options: RunOptions,
  open: (id: string) => Promise<LanguageModel>,
): Promise<Run> {
  const started = performance.now()
  const opened: LanguageModel[] = []
  try {
    const models = await openModels(graph, options, open, opened)
    const host = createHost([...graph.sites], models)
    const externs = await Externs.load(graph, host, options.allowExtern === true)
    const program = link(graph, host)
    fillParams(graph, params, host, program.defaults)
    const random = options.random ?? philoxRandomness(settings.seed)
    const population = await execute(program.script, {
      settings,
      random,
      host,
      externs,
      signal: options.signal,
      onProgress: options.onProgress,
    })
    return {
      ...summarise(population, graph.result, host, 0),
      seconds: (performance.now() - started) / 1000,
      tokens: population.tokens,
      models: Object.fromEntries(models.map((m) => [m.name, { id: m.model.id, hash: m.model.hash }])),
      warnings: [...population.machine.warnings.values()],
    }
  } finally {
    await Promise.all(opened.map((model) => model.dispose()))
  }
}

async function openModels(
  graph: Graph,
  options: RunOptions,
  open: (id: string) => Promise<LanguageModel>,
  opened: LanguageModel[],
): Promise<ModelValue[]> {
  const names = graph.models.map((m) => m.name)
  for (const name of Object.keys(options.models ?? {})) {
    if (names.includes(name)) continue
    const close = suggest(name, names)
    throw new SmcError(
      diagnostic('R018', undefined, `the program has no model \`${name}\``, {
        hint: close ? `did you mean \`${close}\`?` : `it has ${names.join(', ') || 'none'}`,
      }),
      'command',
    )
  }
  // Two names for one id share the weights and the attention state.
  const byId = new Map<string, LanguageModel>()
  const models: ModelValue[] = []
  for (const { name, id, span } of graph.models) {
    const given = options.models?.[name] ?? id
    if (typeof given !== 'string') {
      models.push(new ModelValue(name, given))
      continue
    }
    let model = byId.get(given)
    if (!model) {
      try {
        model = await open(given)
      } catch (error) {
        // The place in the program says nothing of an id that was given from outside.
        throw error instanceof SmcError && given === id
          ? new SmcError(
              error.diagnostics.map((d) => (d.span ? d : { ...d, span })),
              error.blame,
            )
          : error
      }
      byId.set(given, model)
      opened.push(model)
    }
    models.push(new ModelValue(name, model))
  }
  return models
}

function fillParams(
  graph: Graph,
  given: Readonly<Record<string, unknown>>,
  host: Host,
  defaults: readonly (((slots: readonly unknown[]) => unknown) | null)[],
): void {
  const names = graph.params.map((p) => p.decl.name.text)
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    const close = suggest(name, names)
    throw new SmcError(
      diagnostic('R019', undefined, `the program has no param \`${name}\``, {
        hint: close ? `did you mean \`${close}\`?` : `it has ${names.join(', ') || 'none'}`,
      }),
      'command',
    )
  }
  graph.params.forEach(({ decl, type }, i) => {
    const name = decl.name.text
    if (Object.hasOwn(given, name)) {
      host.params[i] = fromJson(given[name], type, (expected, found) => {
        throw new SmcError(
          diagnostic('R020', decl.span, `expected ${expected} for the param \`${name}\`, found ${found}`),
          'command',
        )
      })
      return
    }
    const value = defaults[i]
    if (!value)
      throw new SmcError(
        diagnostic('R021', decl.span, `the param \`${name}\` has no default and no value was given`, {
          hint: `add \`-D ${name}=...\``,
        }),
        'command',
      )
    host.params[i] = value([])
  })
}

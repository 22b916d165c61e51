import { type Diagnostic, diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import { suggest } from '../diagnostics/suggest.js'
import type { Graph } from '../graph/ir.js'
import { Budget, bytesText } from '../models/budget.js'
import type { Classifier } from '../models/classifiers/classifier.js'
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
import { requireRoom } from './room.js'
import { type Summary, summarise } from './summary.js'
import { ClassifierValue, ModelValue } from './values.js'

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
 * @param built the graph as it was before the passes: its spans tell how long texts become
 * @param open a model by id
 * @param openClassifier a classifier by id
 * @throws SmcError with blame `inference` when all particles die, or a weight is NaN, negative or infinite
 */
export async function run(
  graph: Graph,
  built: Graph,
  params: Readonly<Record<string, unknown>>,
  settings: Settings,
  options: RunOptions,
  open: (id: string, budget: Budget) => Promise<LanguageModel>,
  openClassifier: (id: string) => Promise<Classifier>,
): Promise<Run> {
  const started = performance.now()
  const opened: LanguageModel[] = []
  const judges: Classifier[] = []
  try {
    const budget = new Budget(1e9 * settings.maxMemory)
    const models = await openModels(graph, options, (id) => open(id, budget), opened)
    const classifiers = await openClassifiers(graph, openClassifier, judges)
    const host = createHost([...graph.sites], models, classifiers)
    const externs = await Externs.load(graph, host, options.allowExtern === true)
    const program = link(graph, host)
    fillParams(graph, params, host, program.defaults)
    for (const { value, span } of program.patterns) host.prepare(value([]), models, host.siteOf(span))
    requireRoom(built, host, models, { particles: settings.particles, dtype: options.dtype ?? 'fp32', budget, opened })
    const random = options.random ?? philoxRandomness(settings.seed)
    const population = await execute(program, {
      settings,
      random,
      host,
      externs,
      budget,
      signal: options.signal,
      onProgress: options.onProgress,
    })
    return {
      ...summarise(population, graph.result, host, 0),
      seconds: (performance.now() - started) / 1000,
      tokens: population.tokens,
      models: Object.fromEntries(
        [...models.map((m) => [m.name, m.model] as const), ...classifiers.map((c) => [c.name, c.classifier] as const)].map(
          ([name, { id, hash }]) => [name, { id, hash }],
        ),
      ),
      warnings: [...population.machine.warnings.values(), ...shortOfMemory(budget)],
    }
  } finally {
    await Promise.all([...opened, ...judges].map((each) => each.dispose()))
  }
}

function shortOfMemory({ dropped, most }: Budget): Diagnostic[] {
  if (dropped === 0) return []
  const message = `attention state was dropped ${dropped} times to stay within ${bytesText(most)}, and computed again, which takes time`
  const hint = 'use fewer particles or shorter texts, or give the run more with `--max-memory`'
  return [diagnostic('M018', undefined, message, { severity: 'warning', hint })]
}

async function openModels(
  graph: Graph,
  options: RunOptions,
  open: (id: string) => Promise<LanguageModel>,
  opened: (LanguageModel | Classifier)[],
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
      // The place in the program says nothing of an id that was given from outside.
      model = await (given === id ? atPlace(span, open(given)) : open(given))
      byId.set(given, model)
      opened.push(model)
    }
    models.push(new ModelValue(name, model))
  }
  return models
}

async function openClassifiers(
  graph: Graph,
  open: (id: string) => Promise<Classifier>,
  opened: (LanguageModel | Classifier)[],
): Promise<ClassifierValue[]> {
  const byId = new Map<string, Classifier>()
  const values: ClassifierValue[] = []
  for (const { name, id, span } of graph.classifiers) {
    let classifier = byId.get(id)
    if (!classifier) {
      classifier = await atPlace(span, open(id))
      byId.set(id, classifier)
      opened.push(classifier)
    }
    values.push(new ClassifierValue(name, classifier))
  }
  return values
}

/** Errors of the models room know no place in the program: they get this one. */
async function atPlace<T>(span: Span, opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (error) {
    if (!(error instanceof SmcError)) throw error
    throw new SmcError(
      error.diagnostics.map((d) => (d.span ? d : { ...d, span })),
      error.blame,
    )
  }
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

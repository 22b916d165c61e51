import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import { suggest } from '../diagnostics/suggest.js'
import type { Graph } from '../graph/ir.js'
import { Budget } from '../models/budget.js'
import type { Classifier } from '../models/classifiers/classifier.js'
import type { LanguageModel } from '../models/model.js'
import { Externs } from './externs.js'
import { createHost, type Host } from './host/host.js'
import { fromJson } from './host/json.js'
import { type LearnedNote, openTwists, type TwistFile } from './learned/file.js'
import type { LearnedTwist } from './learned/twist.js'
import { type LinkedProgram, link } from './link.js'
import { ClassifierValue, ModelValue } from './values.js'

/** How models and classifiers are opened by id. */
export interface Openers {
  readonly model: (id: string, budget: Budget) => Promise<LanguageModel>
  readonly classifier: (id: string) => Promise<Classifier>
  /** What was learned for the program's twists; left out where they are untrained. */
  readonly learned?: LearnedSource
}

export interface LearnedSource {
  /** null: there is none, or twists are left out. */
  readonly file: TwistFile | null
  readonly programHash: string
}

/** Other models for the program's names, by id or open. */
export interface Replaced {
  readonly models?: Readonly<Record<string, string | LanguageModel>>
}

/** What a program runs with. */
export interface Opened {
  readonly models: readonly ModelValue[]
  readonly classifiers: readonly ClassifierValue[]
  readonly twists: readonly LearnedTwist[]
  readonly notes: readonly LearnedNote[]
  readonly budget: Budget
  /** Models that were opened for this run: the weights of those that it was handed are not its own. */
  readonly opened: readonly LanguageModel[]
  /** Names to ids and hashes. */
  readonly identities: Readonly<Record<string, { readonly id: string; readonly hash: string }>>
}

/** A graph ready to run: its expressions compiled, its params filled. */
export interface Prepared {
  readonly host: Host
  readonly externs: Externs
  readonly program: LinkedProgram
}

/**
 * Opens the models and classifiers of a graph, and closes them when `use` is done.
 * @param maxMemory GB that models may take
 */
export async function withModels<T>(
  graph: Graph,
  options: Replaced,
  maxMemory: number,
  openers: Openers,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened: LanguageModel[] = []
  const judges: Classifier[] = []
  try {
    const budget = new Budget(1e9 * maxMemory)
    const models = await openModels(graph, options, (id) => openers.model(id, budget), opened)
    const classifiers = await openClassifiers(graph, openers.classifier, judges)
    const named = [...models.map((m) => [m.name, m.model] as const), ...classifiers.map((c) => [c.name, c.classifier] as const)]
    const identities = Object.fromEntries(named.map(([name, { id, hash }]) => [name, { id, hash }]))
    const { file = null, programHash = '' } = openers.learned ?? {}
    const { twists, notes } = openTwists(graph.learned, file, models, programHash)
    return await use({ models, classifiers, twists, notes, budget, opened, identities })
  } finally {
    await Promise.all([...opened, ...judges].map((each) => each.dispose()))
  }
}

export async function prepare(
  graph: Graph,
  { models, classifiers, twists }: Opened,
  params: Readonly<Record<string, unknown>>,
  allowExtern: boolean,
): Promise<Prepared> {
  const host = createHost([...graph.sites], models, classifiers, twists)
  host.condition(graph.conditioned)
  const externs = await Externs.load(graph, host, allowExtern)
  const program = link(graph, host)
  fillParams(graph, params, host, program.defaults)
  for (const { value, limit, of } of program.patterns) {
    host.prepare(value([]), models, host.siteOf(of.pattern.span))
    host.requireFit(value([]), limit?.([]) ?? null, models, host.siteOf((of.limit ?? of.pattern).span))
  }
  return { host, externs, program }
}

async function openModels(
  graph: Graph,
  options: Replaced,
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

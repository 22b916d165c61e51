import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { literalTexts } from './check/literals.js'
import { notData } from './check/observed.js'
import { firstRising } from './check/rising.js'
import { writtenSettings } from './check/settings.js'
import { show } from './check/show.js'
import { type Compiled, compileSource } from './compile.js'
import { type Diagnostic, diagnostic, SmcError } from './diagnostics/diagnostic.js'
import type { Stage } from './graph/passes/index.js'
import type { BoundResult } from './infer/bound-result.js'
import type { BoundOptions } from './infer/bound-run.js'
import type { ExactGrounds } from './infer/exact-source.js'
import type { TwistFile } from './infer/learned/file.js'
import type { TrainSettings } from './infer/learned/settings.js'
import type { RoundDone, Trained, TrainProgress } from './infer/learned/trainer.js'
import type { Openers } from './infer/open.js'
import type { RunResult, Settings } from './infer/result.js'
import type { RunOptions } from './infer/run.js'
import type { SelfTestOptions, SelfTestResult } from './infer/self-test/result.js'
import { backendChoice, deviceChoice, productType, requireBoundable, requireKnown, settle } from './infer/settings.js'
import { tracesText } from './infer/traces-file.js'
import { programHash, readSource, readTwist } from './load.js'

export type { Diagnostic, Note } from './diagnostics/diagnostic.js'
export { SmcError } from './diagnostics/diagnostic.js'
export type { BoundRow } from './infer/bound.js'
export type { BoundResult } from './infer/bound-result.js'
export type { BoundOptions } from './infer/bound-run.js'
export type { ExactChoice } from './infer/exact-source.js'
export type { TrainSettings } from './infer/learned/settings.js'
export type { RoundDone, TrainProgress, TrainRound } from './infer/learned/trainer.js'
export type {
  Json,
  Method,
  Moments,
  PosteriorEntry,
  Progress,
  RunResult,
  RunSettings,
  Sample,
  Scheme,
  Settings,
  Step,
  StepTold,
} from './infer/result.js'
export type { RunOptions } from './infer/run.js'
export type { LawResult, SelfTestOptions, SelfTestResult, Verdict } from './infer/self-test/result.js'
export { defaultSettings } from './infer/settings.js'
export type { Device, DeviceChoice } from './models/device.js'
export type { LanguageModel } from './models/model.js'

export interface LoadOptions {
  /** The folder that paths in the program are relative to, and the name shown in diagnostics, for a program without a file. */
  readonly path?: string
}

export interface ParamInfo {
  readonly name: string
  /** As the language writes it: "Int", "[Float]". */
  readonly type: string
  /** The default as it stands in the program; absent where a value must be given. */
  readonly default?: string
}

/** A program that has been read and checked. */
export interface Program {
  readonly path: string
  /** SHA-256 of the text of the program and of every file that it uses, hex. */
  readonly hash: string
  /** Warnings. */
  readonly diagnostics: readonly Diagnostic[]
  readonly params: readonly ParamInfo[]
  /** Names of its models. */
  readonly models: readonly string[]
  /** What its `infer { ... }` sets. */
  readonly settings: Partial<Settings>
  /** The inference graph after every pass. */
  readonly stages: readonly Stage[]
  /**
   * What is wrong with the patterns of `matching` that stand in the program or in files that it names, and need neither a param nor a model: `run`
   * throws the same before it begins.
   */
  checkPatterns(): Promise<readonly Diagnostic[]>
  /**
   * Draws weighted samples of the program's target.
   * @param params values for its params, as JSON
   * @throws SmcError; with blame `inference` when all particles die or a weight is NaN, negative or infinite
   */
  run(params?: Readonly<Record<string, unknown>>, options?: RunOptions): Promise<RunResult>
  /**
   * Bounds log Z from both sides, and with it the distance of what the sampler draws from the target (docs/inference.md).
   * @throws SmcError as `run`; particles that all die are no error here
   */
  bound(params?: Readonly<Record<string, unknown>>, options?: BoundOptions): Promise<BoundResult>
  /**
   * Tries the laws of the language on this program, with small tables in the place of its models and short spans. A law that fails is a
   * result and no error.
   */
  selfTest(params?: Readonly<Record<string, unknown>>, options?: SelfTestOptions): Promise<SelfTestResult>
  /** Fits its learned twists to its own target. Throws SmcError, also where it has none. */
  train(params?: Readonly<Record<string, unknown>>, options?: TrainingOptions): Promise<TrainResult>
}

/** Settings of the fit win over those of `learn twist ... { }`; of `run` those that say where models come from, and the seed. */
export interface TrainingOptions
  extends Partial<TrainSettings>,
    Pick<
      RunOptions,
      'models' | 'allowExtern' | 'dtype' | 'device' | 'backend' | 'seed' | 'maxMemory' | 'onDownload' | 'onWarning' | 'signal'
    > {
  readonly onProgress?: (progress: TrainProgress) => void
  /** Told of every round that is done, with what `resume` goes on from. */
  readonly onRound?: (done: RoundDone) => void
  /** What `onRound` was handed last by an earlier training of the same: it goes on as if that had not ended. */
  readonly resume?: Uint8Array
}

export interface TrainResult extends Omit<Trained, 'twists'> {
  /** Names of the twists that were fitted. */
  readonly twists: readonly string[]
  /** The file for `twistPath(program.path)`, which `run` reads. */
  readonly file: Uint8Array
  readonly seed: number
}

/** Reads and checks the program in a file. Throws SmcError with every error found. */
export async function load(path: string): Promise<Program> {
  return new LoadedProgram(compileSource(readSource(path)), path)
}

/** Checks a program given as text. */
export async function compile(source: string, options: LoadOptions = {}): Promise<Program> {
  const path = options.path ?? 'program.smc'
  return new LoadedProgram(compileSource({ path, text: source }), path)
}

const runOptions = ['models', 'allowExtern', 'dtype', 'device', 'backend', 'onWarning', 'onProgress', 'onDownload', 'signal']
const boundOptions = ['exact', 'onRepeats', 'onExact', 'onTraces']
const trainingOptions = ['seed', 'maxMemory', 'onRound', 'resume', ...runOptions]

class LoadedProgram implements Program {
  readonly diagnostics: readonly Diagnostic[]
  readonly params: readonly ParamInfo[]
  readonly models: readonly string[]
  readonly settings: Partial<Settings>
  readonly hash: string

  constructor(
    private readonly compiled: Compiled,
    readonly path: string,
  ) {
    const { checked } = compiled
    this.diagnostics = compiled.diagnostics
    this.models = checked.models.map((m) => m.name.text)
    this.settings = writtenSettings(checked.infer)
    this.params = checked.params.map((p) => {
      const symbol = checked.symbols.get(p.name)
      const type = symbol?.kind === 'param' ? show(symbol.type) : 'Unknown'
      const { default: value } = p
      return {
        name: p.name.text,
        type,
        ...(value && { default: value.span.source.text.slice(value.span.start, value.span.end) }),
      }
    })
    this.hash = programHash(checked.main)
  }

  get stages(): readonly Stage[] {
    return this.stagesFor(true)
  }

  async checkPatterns(): Promise<readonly Diagnostic[]> {
    const { graph } = this.stages.at(-1)!
    if (graph.patterns.length === 0) return []
    const { patternMistakes } = await import('./infer/check-patterns.js')
    return patternMistakes(graph)
  }

  async run(params: Readonly<Record<string, unknown>> = {}, options: RunOptions = {}): Promise<RunResult> {
    requireKnown(options, [...runOptions, 'random', 'onStep'])
    const settings = settle(this.settings, options)
    const stages = this.stagesFor(settings.fuse)
    const [{ run }, { openers, device, ...told }] = await Promise.all([
      import('./infer/run.js'),
      this.openers(options, settings.twist),
    ])
    const found = await run(stages.at(-1)!.graph, stages[0]!.graph, params, settings, options, openers)
    const { seconds, tokens, models, warnings, learned, ...summary } = found
    return {
      ...this.identity(models),
      settings: { ...settings, device: device.used, ...told },
      ...summary,
      timing: timing(seconds, tokens),
      warnings: [...device.warnings, ...warnings],
      ...(learned.length > 0 && { learned }),
    }
  }

  async bound(params: Readonly<Record<string, unknown>> = {}, options: BoundOptions = {}): Promise<BoundResult> {
    const { particles = [4, 16, 64], repeats = 20, ...others } = options
    requireKnown(others, [...boundOptions, ...runOptions])
    const sizes = [...new Set(particles)].sort((a, b) => a - b)
    const settings = settle(this.settings, { ...others, particles: sizes.at(-1)! })
    for (const size of sizes) settle({}, { particles: size, seed: settings.seed })
    requireBoundable(settings, repeats, options.exact)
    const stages = this.stagesFor(settings.fuse)
    const [{ bound }, { openers, device, ...told }] = await Promise.all([
      import('./infer/bound-run.js'),
      this.openers(options, settings.twist),
    ])
    const graphs = {
      graph: stages.at(-1)!.graph,
      direct: this.stagesFor(false).at(-1)!.graph,
      built: stages[0]!.graph,
      ...this.grounds,
    }
    const plan = { ...others, particles: sizes, repeats }
    const found = await bound(graphs, params, settings, plan, openers)
    const { seconds, tokens, models, warnings, traces, origin, ...figures } = found
    options.onTraces?.(tracesText(traces, { programHash: this.hash, ...origin }))
    return {
      ...this.identity(models),
      settings: { ...settings, device: device.used, ...told },
      ...figures,
      timing: timing(seconds, tokens),
      warnings: [...device.warnings, ...warnings],
    }
  }

  private identity(models: RunResult['models']): Pick<RunResult, 'schema' | 'smcc' | 'program' | 'programHash' | 'models'> {
    return { schema: 1, smcc: version(), program: this.path, programHash: this.hash, models }
  }

  private async openers(options: Pick<RunOptions, 'dtype' | 'device' | 'backend' | 'onWarning' | 'onDownload'>, twist: boolean) {
    const { onDownload, onWarning } = options
    const [{ openModel, openClassifier }, { RunDevice }] = await Promise.all([
      import('./models/registry.js'),
      import('./models/device.js'),
    ])
    const wanted = deviceChoice(options.device)
    const device = new RunDevice(wanted, onWarning)
    const backend = backendChoice(options.backend, wanted)
    const base = dirname(resolve(this.path))
    const dtype = productType(options.dtype)
    const common = { base, dtype, device, backend, ...(onDownload && { onDownload }) }
    const openers: Openers = {
      model: (id, budget) => openModel(id, { ...common, budget }),
      classifier: (id) => openClassifier(id, base, onDownload),
      learned: { file: twist ? this.twistFile() : null, programHash: this.hash },
    }
    return { openers, device, backend, dtype }
  }

  async train(params: Readonly<Record<string, unknown>> = {}, options: TrainingOptions = {}): Promise<TrainResult> {
    const [{ requireTrainOptions, trainSettings }, { train }, { Checkpoint }, { writeTwists }, { openers, backend }] =
      await Promise.all([
        import('./infer/learned/settings.js'),
        import('./infer/learned/train.js'),
        import('./infer/learned/checkpoint.js'),
        import('./infer/learned/file.js'),
        this.openers(options, false),
      ])
    requireTrainOptions(options, trainingOptions)
    const { learnedTwists } = this.compiled.checked
    if (learnedTwists.length === 0) {
      const hint = 'declare one: `learn twist psi(story: Context)`'
      throw new SmcError(diagnostic('R033', undefined, 'the program has no learned twist', { hint }))
    }
    const training = learnedTwists.map((decl) => trainSettings(decl, options))
    const resumed = options.resume ? Checkpoint.read(options.resume, 'what it was to go on from') : null
    const seed = options.seed ?? resumed?.identity.seed
    const own = {
      ...(seed !== undefined && { seed }),
      ...(options.maxMemory && { maxMemory: options.maxMemory }),
    }
    const settings = { ...settle(this.settings, own), fuse: true, twist: true }
    const { twists, ...told } = await train(
      this.stagesFor(true).at(-1)!.graph,
      this.stagesFor(false).at(-1)!.graph,
      params,
      {
        ...pick(options, ['onProgress', 'onRound', 'onWarning']),
        settings,
        training,
        run: pick(options, ['models', 'allowExtern', 'signal']),
        backend,
        resumed,
        grounds: this.grounds,
        programHash: this.hash,
      },
      openers,
    )
    return { ...told, twists: twists.map(({ name }) => name), file: writeTwists(twists, this.hash), seed: settings.seed }
  }

  async selfTest(params: Readonly<Record<string, unknown>> = {}, options: SelfTestOptions = {}): Promise<SelfTestResult> {
    requireKnown(options, ['allowExtern', 'models', 'seed', 'signal', 'onLaw'])
    // The program's own settings are about runs of its own size.
    const settings = settle({}, options.seed === undefined ? {} : { seed: options.seed })
    const [{ selfTest }, { openers }] = await Promise.all([import('./infer/self-test/self-test.js'), this.openers({}, false)])
    const graph = (fuse: boolean, longest: number) => this.compiled.stages({ fuse, longest }).at(-1)!.graph
    const tested = { built: this.stagesFor(true)[0]!.graph, graph, literals: literalTexts(this.compiled.checked) }
    const found = await selfTest(tested, params, settings, options, openers)
    return { schema: 1, smcc: version(), program: this.path, programHash: this.hash, ...found }
  }

  /** What says which ways to exact samples apply. */
  private get grounds(): ExactGrounds {
    const { checked } = this.compiled
    return {
      rising: firstRising(checked),
      risingFactor: firstRising(checked, { observations: false }),
      notData: notData(checked),
    }
  }

  /** What was learned for the twists of this program; null where there is no such file. */
  private twistFile(): TwistFile | null {
    return this.compiled.checked.learnedTwists.length === 0 ? null : readTwist(twistPath(this.path))
  }

  private stagesFor(fuse: boolean): readonly Stage[] {
    return this.compiled.stages({ fuse })
  }
}

/** `infill.smc` -> `infill.twist.safetensors`, where `smcc train` leaves what it has learned. */
export function twistPath(program: string): string {
  return `${program.replace(/\.smc$/, '')}.twist.safetensors`
}

/** Those of these properties that are there. */
function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]))) as Pick<T, K>
}

function timing(seconds: number, tokens: number): RunResult['timing'] {
  return { seconds, tokens, tokensPerSecond: seconds > 0 ? tokens / seconds : 0 }
}

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

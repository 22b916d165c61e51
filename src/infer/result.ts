import type { Diagnostic } from '../diagnostics/diagnostic.js'
import type { Device } from '../models/device.js'
import type { ProductType } from '../models/products.js'
import type { BackendName } from '../tensor/backend.js'
import type { LearnedNote } from './learned/file.js'

export type Scheme = 'systematic' | 'stratified' | 'residual' | 'multinomial'
export type Method = 'smc' | 'importance' | 'steer' | 'gibbs'

/** What `infer { ... }` and the flags of `run` may set. */
export interface Settings {
  readonly particles: number
  readonly seed: number
  readonly method: Method
  readonly resample: Scheme
  /** Resample when ESS < threshold x particles; 0 never, 1 always. */
  readonly threshold: number
  /** Copies of each unfinished particle under `steer`. */
  readonly expansion: number
  /** Sweeps of conditional SMC under `gibbs`. */
  readonly sweeps: number
  readonly fuse: boolean
  readonly twist: boolean
  /** Most rows of one model call. */
  readonly batch: number
  /** Most memory, in GB (10^9 bytes), that models may take: weights, attention state, buffers. */
  readonly maxMemory: number
}

/** The settings of a run as it was. */
export interface RunSettings extends Settings {
  /** What its transformers ran on; `cpu` where there are none. */
  readonly device: Device
  /** What computed it, and the numbers that its transformers computed in. */
  readonly backend: BackendName
  readonly dtype: ProductType
}

/** A value as JSON: numbers, strings, booleans, arrays, objects. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** The result of a run; its fields are those of `--json` (cli.md), `"schema": 1`. */
export interface RunResult {
  readonly schema: 1
  readonly smcc: string
  readonly program: string
  readonly programHash: string
  readonly models: Readonly<Record<string, { readonly id: string; readonly hash: string }>>
  readonly settings: RunSettings
  readonly partial: boolean
  /** log Z-hat; null when every particle is dead. */
  readonly logZ: number | null
  readonly ess: number
  readonly alive: number
  readonly resamples: number
  /** Equal values added up, most probable first. For a real-valued result `moments` say more. */
  readonly posterior: readonly PosteriorEntry[]
  /** Mean, sd and quantiles of a real-valued result, one entry a field (`path` is "" for a plain number). */
  readonly moments: readonly Moments[]
  readonly samples: readonly Sample[]
  /** Under `gibbs` those of the first population, which log Z comes from. */
  readonly steps: readonly Step[]
  /** What the sweeps of `gibbs` say; absent under other methods. */
  readonly sweeps?: readonly Sweep[]
  readonly timing: { readonly seconds: number; readonly tokens: number; readonly tokensPerSecond: number }
  readonly warnings: readonly Diagnostic[]
  /** The learned twists of the program, where it has any. */
  readonly learned?: readonly LearnedNote[]
}

export interface PosteriorEntry {
  readonly value: Json
  readonly probability: number
  readonly count: number
}

export interface Moments {
  /** "mu", "xs[0]", "a.b"; "" for a plain number. */
  readonly path: string
  readonly mean: number
  readonly sd: number
  /** Weighted quantiles at 0.05, 0.25, 0.5, 0.75, 0.95. */
  readonly quantiles: Readonly<Record<'5%' | '25%' | '50%' | '75%' | '95%', number>>
}

export interface Sample {
  /** What the particle returned; null for one that died, or that an interrupted run left unfinished. */
  readonly value: Json
  /** Normalised over the population. */
  readonly weight: number
  /** Absolute; null for a dead particle. */
  readonly logWeight: number | null
}

/**
 * One resampling point of the population. Under `steer` the end is one too, and the figures are those of the population that goes on: live
 * particles only, as many as `ancestors` has, at most N.
 */
export interface Step {
  readonly step: number
  readonly ess: number
  readonly alive: number
  readonly resampled: boolean
  /** log Z-hat of the intermediate target at this point; null when all are dead. */
  readonly logZ: number | null
  /** Slot i was filled from slot ancestors[i]; null when nothing was resampled, except under `steer`, which moves slots at every point. */
  readonly ancestors: readonly number[] | null
  /** Distinct slots of the start that the population descends from. */
  readonly distinctAncestors: number
}

/** One sweep of `gibbs`: a population in which the path drawn from the one before was kept. */
export interface Sweep {
  /** From 1. */
  readonly sweep: number
  /** log Z-hat of the population with its retained path: as soon as that is a sample of the target, above log Z on average. */
  readonly logZ: number
  readonly ess: number
  readonly alive: number
  readonly resamples: number
  /** Share of the choices of the path drawn from this sweep that were made in it; 0 where the retained path was drawn again. */
  readonly renewed: number
}

/** A step as it happens. */
export interface StepTold extends Step {
  /** The particles as they came, before anything was resampled, by slot. */
  readonly population: readonly {
    /** What follows the prompt in the first of its contexts that holds any text. */
    readonly text: string
    /** Null for a dead one. */
    readonly logWeight: number | null
  }[]
}

/** What a running sampler tells at every resampling point and model call. */
export interface Progress {
  readonly step: number
  readonly ess: number
  readonly alive: number
  readonly finished: number
  readonly distinctAncestors: number
  readonly tokens: number
  readonly seconds: number
  /** Under `gibbs`: which sweep it is of how many; 0 for the first population. */
  readonly sweep?: number
  readonly sweeps?: number
}

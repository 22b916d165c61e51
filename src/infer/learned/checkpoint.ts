import type { AdamWState } from '../../tensor/adamw.js'
import type { ExactWay } from '../exact.js'
import { cannotResume } from './errors.js'
import type { Quality } from './figures.js'
import { layerTensors, readLayers } from './file.js'
import { type HeadShape, type Layer, layerSizes } from './head.js'
import type { TrainSettings } from './settings.js'
import { type NamedTensors, type ReadTensors, readTensors, writeTensors } from './tensors.js'
import type { TrainRound } from './trainer.js'
import type { TrainedHead } from './twist.js'

/** What a training is of: all must be the same for it to go on. */
export interface Identity {
  /** Hash of the program, and of the params that it was given. */
  readonly program: string
  readonly params: string
  readonly models: string
  readonly seed: number
  /** Steps and rounds may be more than they were. */
  readonly training: readonly Omit<TrainSettings, 'steps' | 'iterate' | 'positives'>[]
  readonly positives: string
}

/** How far a training has come, after whole rounds. */
export interface Progress {
  /** The round that comes next. */
  readonly next: number
  readonly steps: number
  /** The smallest log weight that was seen; null before the first. */
  readonly least: number | null
  readonly hit: boolean
  readonly exact: ExactWay | null
  readonly best: { readonly round: number; readonly quality: Quality }
  /** For each twist the rounds whose samples are learned from again. */
  readonly remembered: readonly (readonly number[])[]
  /** For each twist what log phi is measured from (losses.ts). */
  readonly levels: readonly (number | null)[]
  readonly rounds: readonly TrainRound[]
}

/** A fit, to go on with. */
interface Fit {
  readonly shape: HeadShape
  readonly layers: readonly Layer[]
  readonly optimiser: AdamWState
}

const format = 'smcc-training 1'

/**
 * A training that goes on later as if it had not ended: parameters and the state of AdamW, and the heads of the best round and of those that
 * drew the samples which are remembered. The samples themselves are drawn again; all else that is random hangs on the seed and the round.
 * @param heads for each twist, by `best` and `drew.ROUND`
 */
export function writeCheckpoint(
  identity: Identity,
  progress: Progress,
  fits: readonly Fit[],
  heads: Readonly<Record<string, readonly TrainedHead[]>>,
): Uint8Array {
  const tensors: NamedTensors[] = []
  fits.forEach(({ shape, layers, optimiser: { first, second } }, i) => {
    tensors.push(layerTensors(`fit.${i}`, shape, layers))
    tensors.push(layerTensors(`first.${i}`, shape, layersOf(shape, first)))
    tensors.push(layerTensors(`second.${i}`, shape, layersOf(shape, second)))
  })
  for (const [name, list] of Object.entries(heads)) {
    list.forEach(({ shape, layers }, i) => {
      tensors.push(layerTensors(`${name}.${i}`, shape, layers))
    })
  }
  const optimisers = fits.map(({ optimiser }) => optimiser.steps)
  const metadata = {
    format,
    identity: JSON.stringify(identity),
    progress: JSON.stringify(progress),
    optimisers: JSON.stringify(optimisers),
  }
  return writeTensors(metadata, Object.assign({}, ...tensors))
}

/** What `writeCheckpoint` has written. */
export class Checkpoint {
  private constructor(
    readonly identity: Identity,
    readonly progress: Progress,
    private readonly optimisers: readonly number[],
    private readonly tensors: ReadTensors,
  ) {}

  /** @param name of the file, for messages. Throws R035 for what is none */
  static read(bytes: Uint8Array, name: string): Checkpoint {
    try {
      const tensors = readTensors(bytes, format)
      const { identity, progress, optimisers } = tensors.metadata
      return new Checkpoint(JSON.parse(identity!), JSON.parse(progress!), JSON.parse(optimisers!), tensors)
    } catch (thrown) {
      throw damaged(name, thrown)
    }
  }

  /** Throws R035 where it was of another program, other params, models, seed or settings. */
  requireSame(other: Identity): void {
    const { identity } = this
    const again = 'train anew, without `--resume`'
    if (identity.program !== other.program) throw cannotResume('the program has changed since it began', again)
    if (identity.params !== other.params) throw cannotResume('it was of other params', again)
    if (identity.models !== other.models) throw cannotResume('it was of another model', again)
    if (identity.seed !== other.seed) {
      throw cannotResume(`it began with the seed ${identity.seed}`, `write \`--seed ${identity.seed}\`, or leave it out`)
    }
    if (identity.positives !== other.positives) throw cannotResume('its samples of the target came from elsewhere', again)
    identity.training.forEach((settings, i) => {
      for (const [name, value] of Object.entries(settings)) {
        const now = other.training[i]?.[name as keyof Identity['training'][number]]
        if (now !== value)
          throw cannotResume(`it began with ${name} ${value}, and now ${name} is ${now}`, `set ${name} as it was`)
      }
    })
  }

  /** The fit of twist number `i`. */
  fit(i: number, shape: HeadShape): { readonly layers: readonly Layer[]; readonly optimiser: AdamWState } {
    const [layers, first, second] = ['fit', 'first', 'second'].map((name) => this.layers(`${name}.${i}`, shape))
    const steps = this.optimisers[i]!
    return { layers: layers!, optimiser: { steps, first: parameters(first!), second: parameters(second!) } }
  }

  layers(name: string, shape: HeadShape): Layer[] {
    try {
      return readLayers(this.tensors, name, shape)
    } catch (thrown) {
      throw damaged('it', thrown)
    }
  }
}

/** Layers as the parameters of an optimiser (fit.ts). */
export function parameters(layers: readonly Layer[]): Record<string, Float32Array> {
  return Object.fromEntries(
    layers.flatMap(({ weight, bias }, i) => [
      [`weight${i}`, weight],
      [`bias${i}`, bias],
    ]),
  )
}

function layersOf(shape: HeadShape, arrays: Readonly<Record<string, Float32Array>>): Layer[] {
  return layerSizes(shape).map((_, i) => ({ weight: arrays[`weight${i}`]!, bias: arrays[`bias${i}`]! }))
}

function damaged(name: string, thrown: unknown) {
  const detail = thrown instanceof Error ? thrown.message : String(thrown)
  return cannotResume(`${name} is damaged: ${detail}`, 'train anew, without `--resume`')
}

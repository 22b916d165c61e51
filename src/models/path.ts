import type { DenseTensor } from '../tensor/session.js'
import type { Row } from './arena.js'
import type { History } from './model.js'

/** A prompt: its tokens, and its attention state once it has been read. The state is stored once for all that follows. */
export interface Prompt {
  readonly tokens: readonly number[]
  /** Per layer [H, P, D]; null until a question needs it. */
  keys: readonly DenseTensor<Float32Array>[] | null
  values: readonly DenseTensor<Float32Array>[] | null
}

let histories = 0

/** A number for a history that no other history of this process has. */
export function nextHistoryId(): number {
  return histories++
}

/**
 * A history of a transformer. The path of tokens is the truth; `hidden`, `row` and `slot` are caches that may be dropped at any
 * time and are computed again from the nearest ancestor that still has state.
 */
export class Path implements History {
  readonly id = nextHistoryId()
  readonly length: number
  /** Children that a particle has stood on, so that equal paths are one object and run once. */
  readonly children = new Map<number, Path>()
  /** The last hidden state. */
  hidden: Float32Array | null = null
  /** The row that holds keys and values up to and including this token. */
  row: Row | null = null
  /** Where a device holds its keys and values; -1 where it does not. */
  slot = -1
  /** Sweep in which the path was last found alive. */
  sweep = 0

  constructor(
    readonly owner: object,
    readonly prompt: Prompt,
    readonly parent: Path | null,
    readonly token: number,
  ) {
    this.length = parent ? parent.length + 1 : prompt.tokens.length
  }

  /** Tokens after the prompt. */
  get own(): number {
    return this.length - this.prompt.tokens.length
  }

  /** Whether keys and values up to and including this token are stored. */
  get stored(): boolean {
    return this.own === 0 || this.slot >= 0 || (this.row !== null && this.row.path[this.own - 1] === this)
  }

  child(token: number): Path {
    let child = this.children.get(token)
    if (!child) {
      child = new Path(this.owner, this.prompt, this, token)
      this.children.set(token, child)
    }
    return child
  }
}

import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { ModelMemory } from './memory.js'

/** That memory ran out while a run was under way: what its particles have so far is a result all the same. */
export class MemoryError extends SmcError {
  constructor(message: string, hint: string) {
    super(diagnostic('M018', undefined, message, { hint }), 'inference')
  }
}

/** The buffers of one call may take this part of what a model has: one over this; the rest is for attention state. */
export const callShare = 4

/** The memory that the models of a run may take together: who takes how much, in bytes. */
export class Budget {
  readonly #taken = new Map<object, number>()

  /** Times that attention state of a text was dropped, to be computed again. */
  dropped = 0

  constructor(readonly most: number) {}

  /** Records what `owner` takes now, in the place of what it took before. */
  record(owner: object, bytes: number): void {
    this.#taken.set(owner, bytes)
  }

  /** What `owner` may take, everything that others take left out. */
  roomFor(owner: object): number {
    let room = this.most
    for (const [other, bytes] of this.#taken) if (other !== owner) room -= bytes
    return room
  }
}

/** Fewest rows of an arena that holds any. */
export const leastRows = 4

/** What a budget leaves room for. */
export interface Limits {
  /** Rows of attention state. */
  readonly rows: number
  /** Buffers of one call, in bytes. */
  readonly callBytes: number
}

/** What of the room of a model the buffers of one call may take. */
function callRoom(room: number, { largestCall }: ModelMemory): number {
  return Math.min(room / callShare, largestCall)
}

/** What of the room of a model is left for attention state, prompts included. */
export function stateRoom(room: number, memory: ModelMemory): number {
  return room - callRoom(room, memory)
}

/** What `owner` has room for where rows hold `length` tokens, beside `prompts` bytes of prompts. Throws MemoryError when that is next to nothing. */
export function limitsOf(
  budget: Budget | undefined,
  owner: object,
  memory: ModelMemory,
  length: number,
  prompts: number,
): Limits {
  if (!budget) return { rows: Number.POSITIVE_INFINITY, callBytes: Number.POSITIVE_INFINITY }
  const room = budget.roomFor(owner)
  // An even number: see `paddedRows` in products.ts.
  const rows = 2 * Math.floor((stateRoom(room, memory) - prompts) / (2 * length * memory.statePerToken))
  if (rows >= leastRows) return { rows, callBytes: callRoom(room, memory) }
  const behind = prompts > 0 ? `, behind prompts of ${bytesText(prompts)},` : ''
  throw new MemoryError(
    `the attention state of texts of ${length} tokens${behind} does not fit into the ${bytesText(Math.max(0, room))} that are left`,
    'give the run more with `--max-memory`, or ask for shorter texts',
  )
}

/** 1.2 GB, 34 MB, 7 kB. */
export function bytesText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`
  return bytes >= 1e7 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e6).toFixed(1)} MB`
}

import type { Ask } from './host/asks.js'
import type { LinkedFunction, Step } from './link.js'
import type { Stream, Value } from './values.js'

/** Where a particle is: it runs, waits for an answer, stands at a resampling point, or is done for good. */
export type Status = 'running' | 'asking' | 'drawing' | 'scoring' | 'atPoint' | 'finished' | 'dead'

/** A call that is under way: the slots of its variables, the twists that are to be divided out, and where it goes back to. */
export interface Frame {
  readonly owner: object
  readonly slots: Value[]
  /** log psi of each twist statement of this call; null before the first. */
  pending: Map<number, number> | null
  readonly caller: Frame | null
  /** The call that waits for the answer. */
  readonly call: Step | null
}

/**
 * One particle: plain data, so that a copy is a few pointers. Frames and streams are shared between copies and replaced on the
 * first write (`owner` tells whose they are).
 */
export class Particle {
  status: Status = 'running'
  /** Absolute log weight (inference.md §1 "the invariant"); -Infinity when dead. */
  logw = 0
  step: Step
  frame: Frame
  streams: readonly Stream[] = []
  /** What the program returned, once finished. */
  value: Value = undefined
  /** Draws since the last point of the population. */
  draws = 0
  /** Whether the point where it stands has been passed. */
  passed = false
  answers: Map<string, Value> | null = null
  asks: Ask[] = []
  /** What it asks of a model when its status is `drawing` (tokens empty) or `scoring`. */
  request: { readonly stream: number; readonly tokens: readonly number[]; readonly draw: number } | null = null
  private owner: object = {}

  constructor(
    readonly slot: number,
    program: LinkedFunction,
  ) {
    this.step = program.entry
    this.frame = this.newFrame(program, null, null)
  }

  /** A copy of this particle for another slot. Afterwards neither owns what they share. */
  copyTo(slot: number): Particle {
    const copy: Particle = Object.create(Particle.prototype)
    Object.assign(copy, this)
    Object.assign(copy, { slot, owner: {}, asks: [], answers: null })
    this.owner = {}
    return copy
  }

  newFrame(f: LinkedFunction, caller: Frame | null, call: Step | null): Frame {
    return { owner: this.owner, slots: new Array(f.slots).fill(undefined), pending: null, caller, call }
  }

  /** The present frame, to be written. */
  ownFrame(): Frame {
    const { frame } = this
    if (frame.owner === this.owner) return frame
    this.frame = { ...frame, owner: this.owner, slots: frame.slots.slice(), pending: frame.pending && new Map(frame.pending) }
    return this.frame
  }

  set(slot: number, value: Value): void {
    this.ownFrame().slots[slot] = value
  }

  addStream(stream: Stream): number {
    this.streams = [...this.streams, stream]
    return this.streams.length - 1
  }

  moveStream(index: number, stream: Stream): void {
    this.streams = this.streams.with(index, stream)
  }

  get done(): boolean {
    return this.status === 'finished' || this.status === 'dead'
  }
}

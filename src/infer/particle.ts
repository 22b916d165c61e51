import type { Note } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { Ask } from './host/asks.js'
import type { Lesson } from './learned/lesson.js'
import type { Guidance, Guide } from './learned/twist.js'
import type { LinkedFunction, Step } from './link.js'
import { type Choice, type Datum, extended, type Trace } from './trace.js'
import { type Factor, type Stream, startOf, tokensSince, type Value } from './values.js'

/** Where a particle is: it runs, waits for an answer, stands at a resampling point, or is done for good. */
export type Status = 'running' | 'asking' | 'drawing' | 'scoring' | 'simulating' | 'settling' | 'atPoint' | 'finished' | 'dead'

/** A question to the models of some streams. */
export interface Request {
  /** The stream, or the factors of a product. */
  readonly target: readonly Factor[]
  /** What is drawn from instead of the target; null: the target itself. */
  readonly proposal: readonly Factor[] | null
  /** Streams that move past the token and do nothing else. */
  readonly beside: readonly Factor[]
  /** What to score; empty for a draw. */
  readonly tokens: readonly number[]
  /** Contexts on which the drawn token is observed afterwards, one after the other. */
  readonly later: readonly (readonly Factor[])[]
  /** Draws since the last point of the population, for the key. */
  readonly draw: number
  /** A learned twist that a draw looks at. */
  readonly guide?: Guide | null
}

/** A call that is under way: the slots of its variables, the twists that are to be divided out, and where it goes back to. */
export class Frame {
  constructor(
    readonly owner: object,
    readonly slots: Value[],
    /** log psi of each twist statement of this call; null before the first. */
    public pending: Map<number, number> | null,
    readonly caller: Frame | null,
    /** The call that waits for the answer. */
    readonly call: Step | null,
    /** Calls that it stands in; 0 for the script. */
    readonly depth: number = caller ? caller.depth + 1 : 0,
  ) {}

  copyFor(owner: object): Frame {
    return new Frame(owner, this.slots.slice(), this.pending && new Map(this.pending), this.caller, this.call)
  }
}

/**
 * One particle: plain data, so that a copy is a few pointers. Frames and streams are shared between copies and replaced on the
 * first write (`owner` tells whose they are).
 */
export class Particle {
  status: Status = 'running'
  /** Absolute log weight (inference.md §1 "the invariant"); -Infinity when dead. */
  logw = 0
  streams: readonly Stream[] = []
  /** What the program returned, once finished. */
  value: Value = undefined
  /** Draws since the last point of the population. */
  draws = 0
  /** Whether the point where it stands has been passed. */
  passed = false
  answers: Map<string, Value> | null = null
  asks: Ask[] = []
  /** Whether it is a copy that only looks ahead. */
  looksAhead = false
  /** What the learned twist of its draw says, while it looks ahead: no other may be asked then. */
  guidance: Guidance | null = null
  /** The last draw that a learned twist may learn from, where that is recorded. */
  lesson: Lesson | null = null
  /** What it asks of a model when its status is `drawing`, `scoring` or `settling`. */
  request: Request | null = null
  /** log of a uniform number: a run whose weight falls to it is rejected (`exact.ts`). */
  bar = Number.NEGATIVE_INFINITY
  /** What it has drawn, where that is recorded. */
  trace: Trace | null = null
  /** What it observes in place of the program's own values, in order, or has drawn in their place; null for those of the program. */
  data: readonly Datum[] | null = null
  /** How many of the data it has observed. */
  observed = 0
  /** What it must draw: all choices of an exact sample that is forced through the program. Its copies draw freely. */
  forced: readonly Choice[] | null = null

  private constructor(
    public slot: number,
    public step: Step,
    public frame: Frame,
    private owner: object,
  ) {}

  static atStart(slot: number, program: LinkedFunction): Particle {
    const owner = {}
    return new Particle(slot, program.entry, new Frame(owner, emptySlots(program), null, null, null), owner)
  }

  /** log weight without the twists that are still to be divided out, those of the callers too. */
  get withoutTwists(): number {
    let log = this.logw
    for (let frame: Frame | null = this.frame; frame; frame = frame.caller)
      for (const pending of frame.pending?.values() ?? []) log -= pending
    return log
  }

  /** A copy of this particle for another slot. Afterwards neither owns what they share. */
  copyTo(slot: number): Particle {
    const copy = new Particle(slot, this.step, this.frame, {})
    this.owner = {}
    copy.status = this.status
    copy.logw = this.logw
    copy.streams = this.streams
    copy.value = this.value
    copy.draws = this.draws
    copy.passed = this.passed
    copy.lesson = this.lesson
    copy.bar = this.bar
    copy.trace = this.trace
    copy.data = this.data
    copy.observed = this.observed
    return copy
  }

  /** Becomes what a copy of it has become; the copy must not be used afterwards. */
  adopt(copy: Particle): void {
    this.step = copy.step
    this.frame = copy.frame
    this.owner = copy.owner
    this.status = copy.status
    this.logw = copy.logw
    this.streams = copy.streams
    this.value = copy.value
    this.draws = copy.draws
    this.passed = copy.passed
    this.answers = copy.answers
    this.lesson = copy.lesson
    this.observed = copy.observed
  }

  newFrame(f: LinkedFunction, caller: Frame | null, call: Step | null): Frame {
    return new Frame(this.owner, emptySlots(f), null, caller, call)
  }

  /** The present frame, to be written. */
  ownFrame(): Frame {
    if (this.frame.owner !== this.owner) this.frame = this.frame.copyFor(this.owner)
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

  /** What it must draw next; undefined where it draws freely. */
  get nextChoice(): Choice | undefined {
    return this.forced?.[this.trace?.length ?? 0]
  }

  record(choice: Choice): void {
    this.trace = extended(this.trace, choice)
  }

  /** Has drawn a value in place of an observed one. */
  note(datum: Datum): void {
    this.data = [...(this.data ?? []), datum]
  }

  get done(): boolean {
    return this.status === 'finished' || this.status === 'dead'
  }
}

function emptySlots(f: LinkedFunction): Value[] {
  return new Array(f.slots).fill(undefined)
}

/** What follows the prompt in the first of its contexts that holds any text. */
export function textOf({ streams }: Particle): string {
  const texts = streams.map((stream) => stream.model.text(tokensSince(stream.history, startOf(stream))))
  return texts.find((text) => text !== '') ?? ''
}

/** The call that led from another file into that of `span`, as a note: an error inside a library says little without it. */
export function callFrom(p: Particle, span: Span | undefined): readonly Note[] {
  // An expression without effects makes no frame: the statement in which it stands may be the call.
  const calls = [p.step.span]
  for (let frame: Frame | null = p.frame; frame?.call; frame = frame.caller) calls.push(frame.call.span)
  const from = span && calls.find(({ source }) => source.path !== span.source.path)
  return from ? [{ message: 'called here', span: from }] : []
}

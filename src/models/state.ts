import type { DecoderShape } from './architectures/shape.js'
import { Arena, type Row } from './arena.js'
import { type Limits, leastRows, limitsOf } from './budget.js'
import {
  again,
  type FillOptions,
  forgetExtended,
  groups,
  type Job,
  jobsFor,
  mostSteps,
  type Need,
  passes,
  roundedLength,
  standing,
} from './jobs.js'
import { type ModelMemory, mostScores, mostTokens } from './memory.js'
import { Path } from './path.js'
import type { Trunk } from './trunk.js'
import { TrunkCalls } from './trunk-calls.js'

/** An arena gives back what it does not need when a call of all jobs would leave this share of its rows. */
const idleShare = 3 / 4
/** Prompts that nobody stands on are remembered while all together take less than this part of the room: one over this. */
const promptShare = 8
/** Calls of `fill` between two looks at whether the arena is too large. */
const fillsALook = 16

/** What a transformer keeps about its histories: in our memory (`State`), or on a device (`DeviceState`). */
export interface AttentionState {
  /** Tokens that the trunk has run, padding not counted. */
  readonly tokens: number
  /** Bytes of attention state held for histories, prompts not counted. */
  readonly bytes: number
  /** Texts whose state was dropped for lack of room, to be computed again when they are needed. */
  readonly dropped: number
  /** Computes the hidden states that are missing. Serves at most `rows` rows at a time, within `budget`. */
  fill(needs: readonly Need[], options: FillOptions): Promise<void>
  /** Forgets everything that can be computed again. */
  drop(): void
}

/** One call of `fill`. */
class Turn {
  reclaimed = false
  /** Whether rows were dropped that somebody may want again. */
  evicted = false
  /** Rows that hold an answer of this turn. */
  readonly served = new Set<Row>()

  constructor(
    readonly live: () => Iterable<unknown>,
    readonly jobs: readonly Job[],
    readonly limits: Limits,
  ) {}
}

/**
 * Attention state of all histories of one model. Distinct histories are run once, prompts are stored once, a row is continued in place by
 * the first child and copied for the others. What a row computes depends on its own tokens and on the population as a whole,
 * never on the size of the batch: lengths are rounded up by the row's own length, and the arena's length is fixed before batches are formed.
 */
export class State implements AttentionState {
  readonly #arena: Arena
  readonly #calls: TrunkCalls
  readonly #shape: DecoderShape
  readonly #memory: ModelMemory
  readonly #prompts: ReadonlyMap<string, Path>
  #sweep = 0
  /** Whose histories they are; known with the first. */
  #owner: object | null = null
  #fills = 0

  /** Rows that were dropped for lack of room, to be computed again when they are needed. */
  dropped = 0
  /** Starts of the prompts whose state is held. */
  readonly #read = new Set<Path>()

  /** `prompts`: those that are kept though nobody stands on them. */
  constructor(trunk: Trunk, memory: ModelMemory, prompts: ReadonlyMap<string, Path>) {
    this.#memory = memory
    this.#prompts = prompts
    this.#shape = trunk.shape
    this.#arena = new Arena(trunk.shape)
    this.#calls = new TrunkCalls(trunk, this.#arena)
  }

  get tokens(): number {
    return this.#calls.tokens
  }

  get bytes(): number {
    return this.#arena.bytes
  }

  /**
   * Computes the hidden states that are missing. Serves at most `rows` rows at a time.
   * Within `budget`, rows that are not needed now are dropped and computed again when they are. Throws MemoryError when not even that helps.
   */
  async fill(needs: readonly Need[], options: FillOptions): Promise<void> {
    const { rows, budget } = options
    const before = this.dropped
    let isNew = false
    for (const { paths } of needs) if (await this.#fillPrompt(paths[0]!)) isNew = true
    const alive = () => standing(needs, options)
    let jobs = jobsFor(needs)
    if (isNew && budget && this.#promptBytes() > budget.roomFor(this) / promptShare) this.#reclaim(alive, jobs, true)
    if (jobs.length === 0) return
    // Nothing to go on from: a new run, or everything was dropped. Start with a small arena, whatever came before.
    if (jobs.every((job) => job.base.own === 0)) this.#reclaim(alive, jobs)
    if (this.#arena.rows.every((row) => row === null)) this.#arena.clear()
    else this.#shrink(alive, jobs)
    const length = Math.max(this.#arena.length, roundedLength(Math.max(...jobs.map((job) => job.tokens.at(-1)!.own))))
    const turn = new Turn(alive, jobs, limitsOf(budget, this, this.#memory, length, this.#promptBytes()))
    if (this.#arena.capacity > turn.limits.rows) {
      this.#free(this.#arena.capacity - turn.limits.rows, turn, [], () => jobs)
      this.#arena.shrink(turn.limits.rows)
      if (turn.evicted) jobs = again(jobs)
    }
    this.#arena.grow(0, length)
    for (let queue = groups(jobs); queue.length > 0; ) {
      const group = queue[0]!
      const batch = group.splice(0, this.#mostRows(group[0]!, rows, turn.limits))
      if (group.length === 0) queue.shift()
      turn.evicted = false
      await this.#serve(batch, turn, () => queue.flat())
      // What waits may have lost the rows it would have gone on from.
      if (turn.evicted) queue = groups(again(queue.flat()))
    }
    if (budget) {
      budget.record(this, this.#arena.bytes + this.#promptBytes())
      budget.dropped += this.dropped - before
    }
    if (!options.remember) forgetExtended(jobs, needs)
  }

  /** Forgets everything that can be computed again. */
  drop(): void {
    for (const row of [...this.#arena.rows]) if (row) this.#release(row, 0)
    this.#arena.clear()
    for (const path of this.#read) {
      this.#forgetPrompt(path)
      const stack = [...path.children.values()]
      for (let next = stack.pop(); next; next = stack.pop()) {
        next.hidden = null
        stack.push(...next.children.values())
      }
    }
  }

  /** Whether the prompt had to be read. */
  async #fillPrompt(path: Path): Promise<boolean> {
    let start = path
    while (start.parent) start = start.parent
    if (start.hidden && start.prompt.keys) return false
    start.hidden = await this.#calls.readPrompt(start.prompt, mostSteps)
    this.#read.add(start)
    this.#owner = start.owner
    return true
  }

  #forgetPrompt(path: Path): void {
    path.prompt.keys = path.prompt.values = null
    path.hidden = null
    this.#read.delete(path)
  }

  #promptBytes(): number {
    let tokens = 0
    for (const { length } of this.#read) tokens += length
    return tokens * this.#memory.statePerToken
  }

  /** A whole batch of jobs that take the same steps: finds rows, moves them together, runs, and lets go of what is not kept. */
  async #serve(jobs: Job[], turn: Turn, waiting: () => readonly Job[]): Promise<void> {
    jobs.sort((a, b) => (a.base.row?.index ?? Infinity) - (b.base.row?.index ?? Infinity) || 0)
    const claimed = new Set<Row>()
    for (const job of jobs) {
      const from = job.base.own > 0 ? job.base.row! : null
      job.fresh = !from || from.path.length !== job.base.own || claimed.has(from)
      if (job.fresh) continue
      job.row = from
      claimed.add(from!)
    }
    const fresh = jobs.filter((job) => job.fresh)
    // What lies between rows must be moved, which costs less where nobody stands on it.
    if (this.#arena.areApart(claimed)) this.#reclaimOnce(turn)
    this.#makeRoom(fresh.length, turn, jobs, waiting)
    for (const job of fresh) job.row = this.#arena.place(this.#arena.free(), job.base.own > 0 ? job.base.row : null, job.base.own)
    const ordered = this.#gather(jobs)
    let done = 0
    for (const steps of passes(ordered[0]!.tokens.length)) {
      const stretches = ordered.map((job) => ({
        row: job.row!,
        at: job.base.own + done,
        tokens: job.tokens.slice(done, done + steps),
      }))
      const hidden = await this.#calls.run(ordered[0]!.base.prompt, stretches, steps)
      ordered.forEach((job, i) => {
        stretches[i]!.tokens.forEach((path, j) => {
          if (job.wanted.has(path)) path.hidden ??= hidden(i, j)
        })
      })
      done += steps
    }
    for (const job of ordered) {
      turn.served.add(job.row!)
      this.#record(job)
    }
  }

  #record(job: Job): void {
    const row = job.row!
    for (const path of job.tokens) {
      if (path.own > job.keep.own) break
      row.path.push(path)
      if (!path.stored) path.row = row
    }
    // A copy that adds nothing which is not stored elsewhere.
    if (job.fresh && row.path.at(-1)?.row !== row) this.#release(row, 0)
    job.row = null
  }

  /** Free slots for `count` new rows of the batch `jobs`, while `waiting` waits. */
  #makeRoom(count: number, turn: Turn, jobs: readonly Job[], waiting: () => readonly Job[]): void {
    if (this.#arena.vacant < count) this.#reclaimOnce(turn)
    const missing = count - this.#arena.vacant
    if (missing <= 0) return
    this.#arena.grow(Math.min(turn.limits.rows, Math.max(leastRows, even(this.#arena.capacity + missing))), 0)
    if (this.#arena.vacant < count) this.#free(count, turn, jobs, waiting)
  }

  /** Drops rows until `count` slots are free. Those that `waiting` goes on from come last, those of the batch `jobs` are never dropped. */
  #free(count: number, turn: Turn, jobs: readonly Job[], waiting: () => readonly Job[]): void {
    this.#reclaimOnce(turn)
    const missing = count - this.#arena.vacant
    if (missing <= 0) return
    const bases = new Set(waiting().map(({ base }) => base.row))
    const fixed = new Set(jobs.flatMap(({ row, base }) => [row, base.row]))
    // First what nobody asks for now, then what was asked for already.
    const rank = (row: Row) => (bases.has(row) ? 2 : turn.served.has(row) ? 1 : 0)
    const rows = this.#arena.rows.filter((row): row is Row => row !== null && !fixed.has(row))
    for (const row of rows.sort((a, b) => rank(a) - rank(b)).slice(0, missing)) this.#release(row, 0)
    this.dropped += missing
    turn.evicted = true
  }

  #reclaimOnce(turn: Turn): void {
    if (!turn.reclaimed) this.#reclaim(turn.live, turn.jobs)
    turn.reclaimed = true
  }

  /** After a resampling that left few, most rows may be of histories that nobody stands on. What rows compute does not depend on it. */
  #shrink(live: () => Iterable<unknown>, jobs: readonly Job[]): void {
    const few = (rows: number) => rows <= (1 - idleShare) * this.#arena.capacity && this.#arena.capacity > leastRows
    if (++this.#fills % fillsALook !== 0 || !few(jobs.length)) return
    this.#reclaim(live, jobs)
    const used = this.#arena.capacity - this.#arena.vacant
    if (few(used + jobs.length)) this.#arena.shrink(Math.max(leastRows, even(used + jobs.length)))
  }

  /** Moves the rows of a batch next to each other; gives the jobs back in the order of their rows. */
  #gather(jobs: readonly Job[]): Job[] {
    const count = jobs.length
    const wanted = new Set(jobs.map((job) => job.row!.index))
    let best = 0
    let most = -1
    for (let start = 0, inside = 0; start < this.#arena.capacity; start++) {
      if (wanted.has(start)) inside++
      if (start >= count && wanted.has(start - count)) inside--
      const begin = start - count + 1
      if (begin >= 0 && inside > most) {
        most = inside
        best = begin
      }
    }
    const holes: number[] = []
    for (let index = best; index < best + count; index++) if (!wanted.has(index)) holes.push(index)
    for (const job of jobs) {
      const { index } = job.row!
      if (index < best || index >= best + count) this.#arena.exchange(index, holes.pop()!)
    }
    return [...jobs].sort((a, b) => a.row!.index - b.row!.index)
  }

  #mostRows(job: Job, rows: number, limits: Limits): number {
    const { heads } = this.#shape
    const steps = passes(job.tokens.length)[0]!
    const keys = job.base.prompt.tokens.length + this.#arena.length + steps
    const most = Math.min(
      rows,
      mostTokens / steps,
      mostScores / (heads * steps * keys),
      limits.callBytes / this.#memory.call(steps, keys),
      // A batch may need as many new rows as it has rows to copy from.
      limits.rows / 2,
    )
    return Math.max(1, Math.floor(most))
  }

  /** Drops the state and the tree of histories that no particle and no job stands on; of prompts those that are not remembered, or all. */
  #reclaim(live: () => Iterable<unknown>, jobs: readonly Job[], allPrompts = false): void {
    const sweep = ++this.#sweep
    const found: Path[] = []
    const needed = new Map<Row, number>()
    const need = (row: Row, count: number) => needed.set(row, Math.max(needed.get(row) ?? 0, count))
    const visit = (tip: Path) => {
      let path: Path | null = tip
      while (path && !path.stored) path = path.parent
      if (path?.row && path.own > 0) need(path.row, path.own)
      for (let at: Path | null = tip; at && at.sweep !== sweep; at = at.parent) {
        at.sweep = sweep
        found.push(at)
      }
    }
    for (const history of live()) if (history instanceof Path && history.owner === this.#owner) visit(history)
    for (const job of jobs) {
      visit(job.tokens.at(-1)!)
      visit(job.base)
      if (job.row) need(job.row, job.row.path.length)
    }
    for (const row of [...this.#arena.rows]) if (row) this.#release(row, needed.get(row) ?? 0)
    for (const path of found) {
      for (const [token, child] of path.children) if (child.sweep !== sweep) path.children.delete(token)
    }
    const remembered = new Set(this.#prompts.values())
    for (const path of this.#read) {
      if (path.sweep === sweep) continue
      path.children.clear()
      if (allPrompts || !remembered.has(path)) this.#forgetPrompt(path)
    }
  }

  /** Shortens a row to its first `count` tokens; without any its slot is free. */
  #release(row: Row, count: number): void {
    while (row.path.length > count) {
      const path = row.path.pop()!
      if (path.row === row) path.row = null
    }
    if (count === 0) this.#arena.rows[row.index] = null
  }
}

/** An even number of rows, so that one can be added to any odd number of them: see `paddedRows`. */
function even(rows: number): number {
  return 2 * Math.ceil(rows / 2)
}

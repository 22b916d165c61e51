import type { DecoderShape } from './architectures/shape.js'
import { Arena, type Row } from './arena.js'
import { Path, type Prompt } from './path.js'
import type { Trunk } from './trunk.js'
import { TrunkCalls } from './trunk-calls.js'

/** What a question needs: the last hidden state of some histories on one path. */
export interface Need {
  /** From the shallowest to the deepest, each the parent of the next. */
  readonly paths: readonly Path[]
  /** The deepest path whose attention state is worth keeping. */
  readonly keep: Path
}

/** What a transformer keeps about its histories: in our memory (`State`), or on a device (`DeviceState`). */
export interface AttentionState {
  /** Tokens that the trunk has run, padding not counted. */
  readonly tokens: number
  /** Bytes of attention state held for histories, prompts not counted. */
  readonly bytes: number
  /** Computes the hidden states that are missing. Serves at most `rows` rows at a time. */
  fill(needs: readonly Need[], rows: number, live: () => Iterable<unknown>): Promise<void>
  /** Forgets everything that can be computed again. */
  drop(prompts: Iterable<Path>): void
}

/** One stretch of tokens to run. */
export interface Job {
  readonly tokens: readonly Path[]
  /** The nearest ancestor with attention state; the prompt when its `own` is 0. */
  readonly base: Path
  readonly keep: Path
  readonly wanted: ReadonlySet<Path>
  row: Row | null
  /** Whether the row was made for this job rather than continued. */
  fresh: boolean
}

/** Most new tokens of one row in one call. */
export const mostSteps = 64
/** Most new tokens of one call, and most attention scores per layer: what bounds its memory. */
export const mostTokens = 4096
export const mostScores = 1 << 24

/**
 * Attention state of all histories of one model. Distinct histories are run once, prompts are stored once, a row is continued in place by
 * the first child and copied for the others. What a row computes depends on its own tokens and on the population as a whole,
 * never on the size of the batch: lengths are rounded up by the row's own length, and the arena's length is fixed before batches are formed.
 */
export class State implements AttentionState {
  readonly #arena: Arena
  readonly #calls: TrunkCalls
  readonly #shape: DecoderShape
  #sweep = 0

  constructor(trunk: Trunk) {
    this.#shape = trunk.shape
    this.#arena = new Arena(trunk.shape)
    this.#calls = new TrunkCalls(trunk, this.#arena)
  }

  /** Tokens that the trunk has run, padding not counted. */
  get tokens(): number {
    return this.#calls.tokens
  }

  /** Bytes of attention state held for histories, prompts not counted. */
  get bytes(): number {
    return this.#arena.bytes
  }

  /** Computes the hidden states that are missing. Serves at most `rows` rows at a time. */
  async fill(needs: readonly Need[], rows: number, live: () => Iterable<unknown>): Promise<void> {
    for (const { paths } of needs) await this.#fillPrompt(paths[0]!)
    const jobs = jobsFor(needs)
    if (jobs.length === 0) return
    // Nothing to go on from: a new run, or everything was dropped. Start with a small arena, whatever came before.
    if (jobs.every((job) => job.base.own === 0)) this.#reclaim(live, jobs)
    if (this.#arena.rows.every((row) => row === null)) this.#arena.clear()
    this.#arena.grow(0, roundedLength(Math.max(...jobs.map((job) => job.tokens.at(-1)!.own))))
    let reclaimed = false
    const reclaim = () => {
      if (!reclaimed) this.#reclaim(live, jobs)
      reclaimed = true
    }
    for (const group of groups(jobs)) {
      const most = this.#mostRows(group[0]!, rows)
      for (let at = 0; at < group.length; at += most) await this.#serve(group.slice(at, at + most), reclaim)
    }
    // A history that was just extended is seldom asked again: its hidden state is not worth its memory.
    const wanted = new Set(needs.flatMap((need) => need.paths))
    for (const { base } of jobs) if (base.own > 0 && !wanted.has(base)) base.hidden = null
  }

  /** Forgets everything that can be computed again. */
  drop(prompts: Iterable<Path>): void {
    for (const row of [...this.#arena.rows]) if (row) this.#release(row, 0)
    this.#arena.clear()
    for (const path of prompts) {
      path.prompt.keys = path.prompt.values = null
      path.hidden = null
      const stack = [...path.children.values()]
      for (let next = stack.pop(); next; next = stack.pop()) {
        next.hidden = null
        stack.push(...next.children.values())
      }
    }
  }

  async #fillPrompt(path: Path): Promise<void> {
    let start = path
    while (start.parent) start = start.parent
    if (start.hidden && start.prompt.keys) return
    start.hidden = await this.#calls.readPrompt(start.prompt, mostSteps)
  }

  /** A whole batch of jobs that take the same steps: finds rows, moves them together, runs, and lets go of what is not kept. */
  async #serve(jobs: Job[], reclaim: () => void): Promise<void> {
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
    this.#makeRoom(fresh.length, reclaim)
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
    for (const job of ordered) this.#record(job)
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

  #makeRoom(count: number, reclaim: () => void): void {
    const free = () => this.#arena.rows.reduce((total, row) => total + (row ? 0 : 1), 0)
    if (free() < count) reclaim()
    const missing = count - free()
    if (missing > 0) this.#arena.grow(Math.max(4, Math.ceil(this.#arena.capacity * 1.25), this.#arena.capacity + missing), 0)
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

  #mostRows(job: Job, rows: number): number {
    const { heads } = this.#shape
    const steps = passes(job.tokens.length)[0]!
    const keys = job.base.prompt.tokens.length + this.#arena.length + steps
    const most = Math.min(rows, Math.floor(mostTokens / steps), Math.floor(mostScores / (heads * steps * keys)))
    return Math.max(1, most)
  }

  /** Drops the state and the tree of histories that no particle and no job stands on. */
  #reclaim(live: () => Iterable<unknown>, jobs: readonly Job[]): void {
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
    for (const history of live()) if (history instanceof Path && history.owner === this.#owner(jobs)) visit(history)
    for (const job of jobs) {
      visit(job.tokens.at(-1)!)
      visit(job.base)
      if (job.row) need(job.row, job.row.path.length)
    }
    for (const row of [...this.#arena.rows]) if (row) this.#release(row, needed.get(row) ?? 0)
    for (const path of found) {
      for (const [token, child] of path.children) if (child.sweep !== sweep) path.children.delete(token)
    }
  }

  #owner(jobs: readonly Job[]): object {
    return jobs[0]!.base.owner
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

/** What to run for needs, each end once. */
export function jobsFor(needs: readonly Need[]): Job[] {
  const jobs: Job[] = []
  const seen = new Map<Path, Path>()
  for (const need of needs) {
    const deepest = need.paths.at(-1)!
    if (seen.get(deepest) === need.paths[0]) continue
    seen.set(deepest, need.paths[0]!)
    const job = jobFor(need)
    if (job) jobs.push(job)
  }
  return jobs
}

/** The tokens to run for a need; null when nothing is missing. */
function jobFor({ paths, keep }: Need): Job | null {
  const first = paths.findIndex((path) => path.hidden === null)
  if (first < 0) return null
  const wanted = new Set(paths.slice(first))
  const tokens: Path[] = []
  let path = paths.at(-1)!
  while (path.own >= paths[first]!.own || !path.stored) {
    tokens.push(path)
    path = path.parent!
  }
  return { tokens: tokens.reverse(), base: path, keep, wanted, row: null, fresh: false }
}

/** Jobs that can share a call: the same prompt and the same steps, in the order of their first member. */
export function groups(jobs: readonly Job[]): Job[][] {
  const byPrompt = new Map<Prompt, Map<string, Job[]>>()
  for (const job of jobs) {
    const bySteps = byPrompt.get(job.base.prompt) ?? new Map<string, Job[]>()
    byPrompt.set(job.base.prompt, bySteps)
    const key = passes(job.tokens.length).join()
    const group = bySteps.get(key)
    if (group) group.push(job)
    else bySteps.set(key, [job])
  }
  return [...byPrompt.values()].flatMap((bySteps) => [...bySteps.values()])
}

/** Steps of the calls that `count` tokens take, the last one padded. A function of the count alone. */
export function passes(count: number): number[] {
  const list: number[] = []
  for (let left = count; left > 0; left -= mostSteps) list.push(left >= mostSteps ? mostSteps : roundedSteps(left))
  return list
}

function roundedSteps(count: number): number {
  const unit = count <= 2 ? 1 : count <= 8 ? 2 : count <= 32 ? 4 : 16
  return Math.ceil(count / unit) * unit
}

/** Tokens that a row can hold: 16, 32, 48, 72, 108, ... so that growing costs little however long texts become. */
export function roundedLength(count: number): number {
  let length = 16
  while (length < count) length = length < 48 ? length + 16 : Math.ceil(length * 1.5)
  return length
}

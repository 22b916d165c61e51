import type { Row } from './arena.js'
import type { ServeOptions } from './model.js'
import type { Path, Prompt } from './path.js'

/** `ServeOptions`, of whatever histories. */
export type FillOptions = Omit<ServeOptions, 'live'> & { live(): Iterable<unknown> }

/** What a question needs: the last hidden state of some histories on one path. */
export interface Need {
  /** From the shallowest to the deepest, each the parent of the next. */
  readonly paths: readonly Path[]
  /** The deepest path whose attention state is worth keeping. */
  readonly keep: Path
}

/** One stretch of tokens to run. */
export interface Job {
  readonly need: Need
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

/** The tokens to run for a need; null when nothing is missing. */
export function jobFor(need: Need): Job | null {
  const { paths, keep } = need
  const first = paths.findIndex((path) => path.hidden === null)
  if (first < 0) return null
  const wanted = new Set(paths.slice(first))
  const tokens: Path[] = []
  let path = paths.at(-1)!
  while (path.own >= paths[first]!.own || !path.stored) {
    tokens.push(path)
    path = path.parent!
  }
  return { need, tokens: tokens.reverse(), base: path, keep, wanted, row: null, fresh: false }
}

/** A need for each history; histories whose hidden state is missing and that follow one another are one, which runs them together. */
export function stretches(histories: ReadonlySet<Path>): Need[] {
  const missing = [...histories].filter((path) => path.hidden === null).sort((a, b) => b.own - a.own)
  const open = new Set(missing)
  const needs: Need[] = []
  for (const end of missing) {
    const paths: Path[] = []
    for (let path: Path | null = end; path && open.delete(path); path = path.parent) paths.push(path)
    if (paths.length > 0) needs.push({ paths: paths.reverse(), keep: end })
  }
  for (const path of histories) if (path.hidden !== null) needs.push({ paths: [path], keep: path })
  return needs
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

/** What a call of `fill` may not lose: what somebody stands on, and where its own needs begin. */
export function* standing(needs: readonly Need[], options: FillOptions): Iterable<unknown> {
  yield* options.live()
  for (const { paths } of needs) yield paths[0]
}

/** A history that was just extended is seldom asked again: its hidden state is not worth its memory, unless it was asked for now. */
export function forgetExtended(jobs: readonly Job[], needs: readonly Need[]): void {
  const wanted = new Set(needs.flatMap((need) => need.paths))
  for (const { base } of jobs) if (base.own > 0 && !wanted.has(base)) base.hidden = null
}

/** The jobs anew, after rows were dropped. */
export function again(jobs: readonly Job[]): Job[] {
  return jobs.flatMap(({ need }) => jobFor(need) ?? [])
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

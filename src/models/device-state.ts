import { windowsOf } from './architectures/windows.js'
import { CallFeeds } from './call-feeds.js'
import { DevicePools, type PromptSlots } from './device-pools.js'
import type { DeviceTrunk } from './device-trunk.js'
import {
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
import { mostScores, mostTokens } from './memory.js'
import { Path, type Prompt } from './path.js'
import type { AttentionState } from './state.js'
import { hiddenScore } from './trunk.js'

/** New tokens of one row, behind a path whose tokens all have slots. */
interface Stretch {
  readonly before: Path
  readonly tokens: readonly Path[]
}

/**
 * Attention state of all histories of one model in the memory of a device. Each token of the tree of histories has one slot, whoever
 * shares it, and a row is the list of its slots: to resample is to name other slots, and no state moves. Only token ids, slots and
 * masks go to the device, only the last hidden states come back. A path that has a slot follows paths that have slots.
 */
export class DeviceState implements AttentionState {
  tokens = 0
  /** A budget bounds the memory of the computer, not that of the device: nothing is dropped for it. */
  readonly dropped = 0
  readonly #trunk: DeviceTrunk
  readonly #feeds: CallFeeds
  readonly #windows: readonly number[]
  readonly #pools: DevicePools
  readonly #prompts = new Map<Prompt, PromptSlots>()
  /** Slots that were needed when the pools were last compacted. */
  #needed = 0
  #sweep = 0

  /** `leastSlots`: below so many slots, compacting is not worth a call. */
  constructor(
    trunk: DeviceTrunk,
    private readonly leastSlots = 1024,
  ) {
    this.#trunk = trunk
    this.#feeds = new CallFeeds(trunk.shape)
    this.#windows = windowsOf(trunk.shape)
    this.#pools = new DevicePools(trunk)
  }

  get bytes(): number {
    let slots = this.#pools.size
    for (const prompt of this.#prompts.values()) slots -= prompt.slots.length
    return this.#pools.bytes(slots)
  }

  async fill(needs: readonly Need[], options: FillOptions): Promise<void> {
    for (const { paths } of needs) await this.#fillPrompt(paths[0]!)
    const alive = () => standing(needs, options)
    const jobs = jobsFor(needs)
    if (jobs.length === 0) return
    // Nothing to go on from: a new run, or everything was dropped.
    if (jobs.every((job) => job.base.own === 0)) await this.#makeRoom(0, alive, jobs, this.leastSlots)
    const T = roundedLength(Math.max(...jobs.map((job) => job.tokens.at(-1)!.own)))
    const kept = new Set(jobs.flatMap(({ tokens, keep }) => tokens.filter((path) => path.own <= keep.own)))
    for (const group of groups(jobs)) {
      // Calls that keep nothing leave the pools as they are.
      for (const keeps of [true, false]) {
        const alike = group.filter((job) => job.keep.own > job.base.own === keeps)
        const most = alike.length > 0 ? this.#mostRows(alike[0]!, T, options.rows) : 1
        for (let at = 0; at < alike.length; at += most) {
          const batch = alike.slice(at, at + most)
          await this.#makeRoom(batch.length * batch[0]!.tokens.length, alive, jobs)
          await this.#serve(batch, T, kept)
        }
      }
    }
    if (!options.remember) forgetExtended(jobs, needs)
  }

  drop(): void {
    this.#pools.clear()
    this.#needed = 0
    for (const [prompt, known] of this.#prompts) {
      const stack = [...known.start.children.values()]
      for (let next = stack.pop(); next; next = stack.pop()) {
        next.hidden = null
        stack.push(...next.children.values())
      }
      this.#forget(prompt, known)
    }
  }

  /** Reads a prompt, at most `mostSteps` tokens a call. */
  async #fillPrompt(path: Path): Promise<void> {
    let start = path
    while (start.parent) start = start.parent
    const { prompt } = start
    const known = this.#prompts.get(prompt)
    if (known) known.used = true
    if (known && start.hidden) return
    let slots = new Int32Array(0)
    const count = prompt.tokens.length
    for (let done = 0; done < count; done += mostSteps) {
      const tokens = prompt.tokens.slice(done, done + mostSteps)
      const steps = tokens.length
      const ids = BigInt64Array.from(tokens, BigInt)
      const positions = Int32Array.from(tokens, (_, i) => done + i)
      const { outputs, kept } = await this.#run(ids, positions, new Int32Array(1), steps, slots, new Int32Array(1))
      const first = this.#pools.take(kept, steps)
      slots = Int32Array.from({ length: done + steps }, (_, i) => (i < done ? slots[i]! : first + i - done))
      start.hidden = (outputs.hidden!.data as Float32Array).slice(-this.#trunk.shape.width)
      this.tokens += steps
    }
    this.#prompts.set(prompt, { start, slots, used: true })
  }

  #forget(prompt: Prompt, { start }: PromptSlots): void {
    start.hidden = null
    this.#prompts.delete(prompt)
  }

  /** A batch of jobs that take the same steps. `kept`: the paths whose state is worth keeping. */
  async #serve(jobs: readonly Job[], T: number, kept: ReadonlySet<Path>): Promise<void> {
    const given: Path[] = []
    const steps = passes(jobs[0]!.tokens.length)
    let done = 0
    for (const [i, most] of steps.entries()) {
      const stretches = jobs.map((job) => ({
        before: done === 0 ? job.base : job.tokens[done - 1]!,
        tokens: job.tokens.slice(done, done + most),
      }))
      const stores = i < steps.length - 1 || jobs.some((job) => job.keep.own > job.base.own)
      const { hidden, first } = await this.#call(stretches, most, T, stores)
      jobs.forEach((job, row) => {
        stretches[row]!.tokens.forEach((path, j) => {
          if (job.wanted.has(path)) path.hidden ??= hidden(row, j)
          if (!stores || path.slot >= 0) return
          this.#pools.give(path, first + row * most + j)
          given.push(path)
        })
      })
      done += most
    }
    for (const path of given) if (!kept.has(path)) this.#pools.withdraw(path)
  }

  /**
   * Runs stretches that share a prompt, each padded to `steps` tokens. Gives the hidden state after token j of stretch i, and where `stores`
   * the slot of the very first token: that of token j of stretch i is first + i · steps + j.
   */
  async #call(stretches: readonly Stretch[], steps: number, T: number, stores: boolean) {
    const { width } = this.#trunk.shape
    const rows = stretches.length
    const { prompt } = stretches[0]!.before
    const P = prompt.tokens.length
    const ids = new BigInt64Array(rows * steps)
    const positions = new Int32Array(rows * steps)
    const filled = new Int32Array(rows)
    const past = new Int32Array(rows * T)
    stretches.forEach(({ before, tokens }, row) => {
      const at = before.own
      filled[row] = at
      for (let j = 0; j < steps; j++) {
        positions[row * steps + j] = P + at + j
        ids[row * steps + j] = BigInt(tokens[j]?.token ?? 0)
      }
      for (let path = before; path.own > 0; path = path.parent!) past[row * T + path.own - 1] = path.slot
      this.tokens += tokens.length
    })
    const { slots } = this.#prompts.get(prompt)!
    const { outputs, kept } = await this.#run(ids, positions, filled, steps, slots, past)
    let first = -1
    if (stores) first = this.#pools.take(kept, rows * steps)
    else for (const tensor of Object.values(kept)) tensor.dispose()
    const states = outputs.hidden!.data as Float32Array
    const hidden = (i: number, j: number) => states.slice((i * steps + j) * width, (i * steps + j + 1) * width)
    return { hidden, first }
  }

  /** A call of the trunk. `prompt`: slots of the prompt's tokens, may be empty; `past` [n, T]: those of each row's own. */
  #run(ids: BigInt64Array, positions: Int32Array, filled: Int32Array, steps: number, prompt: Int32Array, past: Int32Array) {
    const P = Math.max(1, prompt.length)
    const T = past.length / filled.length
    const feeds = this.#feeds.of(ids, positions, filled, steps, P, T)
    this.#windows.forEach((window, w) => {
      const shape = [1, 1, 1, 1, P]
      if (prompt.length === 0) feeds[`promptMask.${w}`] = { data: Float32Array.of(hiddenScore), shape }
      else if (!Number.isFinite(window)) feeds[`promptMask.${w}`] = { data: new Float32Array(P), shape }
    })
    return this.#trunk.session.runKept({
      ...feeds,
      promptSlots: { data: prompt.length === 0 ? new Int32Array(1) : prompt, shape: [1, P] },
      pastSlots: { data: past, shape: [filled.length, 1, 1, T] },
      ...this.#pools.feeds,
    })
  }

  #mostRows(job: Job, T: number, rows: number): number {
    const { heads } = this.#trunk.shape
    const steps = passes(job.tokens.length)[0]!
    const keys = job.base.prompt.tokens.length + T + steps
    return Math.max(1, Math.min(rows, Math.floor(mostTokens / steps), Math.floor(mostScores / (heads * steps * keys))))
  }

  /** Compacts the pools when `added` more slots would make them larger than twice what was needed last time. */
  async #makeRoom(added: number, live: () => Iterable<unknown>, jobs: readonly Job[], least = 2 * this.#needed): Promise<void> {
    if (this.#pools.size + added <= Math.max(this.leastSlots, least)) return
    const found = this.#findNeeded(live, jobs)
    const prompts = new Set(jobs.map((job) => job.base.prompt))
    for (const path of found) prompts.add(path.prompt)
    for (const [prompt, known] of this.#prompts) {
      if (!known.used && !prompts.has(prompt)) {
        known.start.children.clear()
        this.#forget(prompt, known)
      }
      known.used = false
    }
    await this.#pools.compact(this.#prompts.values(), (path) => path.sweep === this.#sweep)
    this.#needed = this.#pools.size
    for (const path of found) {
      for (const [token, child] of path.children) if (child.sweep !== this.#sweep) path.children.delete(token)
    }
  }

  /** The histories that a particle or a job stands on, with all their ancestors. */
  #findNeeded(live: () => Iterable<unknown>, jobs: readonly Job[]): Path[] {
    const sweep = ++this.#sweep
    const found: Path[] = []
    const visit = (tip: Path) => {
      for (let at: Path | null = tip; at && at.sweep !== sweep; at = at.parent) {
        at.sweep = sweep
        found.push(at)
      }
    }
    const { owner } = jobs[0]!.base
    for (const history of live()) if (history instanceof Path && history.owner === owner) visit(history)
    for (const job of jobs) visit(job.tokens.at(-1)!)
    return found
  }
}

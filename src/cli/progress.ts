import type { Progress } from '../infer/result.js'
import { truncate } from '../report/value.js'
import type { Output } from './io.js'

const refresh = 100
const clear = '\r\u001b[2K'

/** The line on stderr while a run goes on: written at most ten times a second, erased at the end. */
export class LiveLine {
  #shown = false
  #next = 0

  constructor(
    private readonly output: Output,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param particles size of the population, where it is known beforehand */
  update(progress: Progress, particles?: number): void {
    const time = this.now()
    if (time < this.#next) return
    this.#next = time + refresh
    this.#shown = true
    this.output.write(clear + truncate(liveText(progress, particles), (this.output.columns ?? 80) - 1))
  }

  /** Takes the line away for good, so that other text can follow. */
  erase(): void {
    if (this.#shown) this.output.write(clear)
    this.#shown = false
    this.#next = Number.POSITIVE_INFINITY
  }
}

/** `step 7 · ESS 41 · 64 alive · 12 finished · 23 ancestors · 312 tokens/s · 1.9 s` */
export function liveText(progress: Progress, particles?: number): string {
  const { step, ess, alive, finished, distinctAncestors, tokens, seconds } = progress
  const sweep = progress.sweep ? [`sweep ${progress.sweep} of ${progress.sweeps}`] : []
  const of = particles === undefined ? '' : ` of ${particles}`
  return [
    ...sweep,
    `step ${step}`,
    `ESS ${ess.toFixed(0)}${of}`,
    `${alive} alive`,
    ...(finished > 0 ? [`${finished} finished`] : []),
    `${distinctAncestors} ${distinctAncestors === 1 ? 'ancestor' : 'ancestors'}`,
    ...(tokens > 0 && seconds > 0 ? [`${(tokens / seconds).toFixed(0)} tokens/s`] : []),
    `${seconds.toFixed(1)} s`,
  ].join(' · ')
}

/** One line on stderr that says how far something is; nothing where `shows` is false. */
export class StatusLine {
  #shown = false

  constructor(
    private readonly output: Output,
    private readonly shows: boolean,
  ) {}

  update(text: string): void {
    if (!this.shows) return
    this.#shown = true
    this.output.write(`${clear}${text}`)
  }

  erase(): void {
    if (this.#shown) this.output.write(clear)
    this.#shown = false
  }
}

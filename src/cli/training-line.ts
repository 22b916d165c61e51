import type { TrainProgress, TrainRound } from '../infer/learned/trainer.js'
import { truncate } from '../report/value.js'
import type { Io } from './io.js'

const refresh = 200
const clear = '\r\u001b[2K'

/** The line on stderr while `smcc train` goes on: on a terminal rewritten, elsewhere a line a round. */
export class TrainingLine {
  #next = 0
  #round = -1
  #shown = false

  constructor(
    private readonly io: Io,
    private readonly quiet: boolean,
    private readonly now: () => number = () => performance.now(),
  ) {}

  update(progress: TrainProgress): void {
    if (this.quiet) return
    const { stderr, env } = this.io
    if (!stderr.isTTY || env.CI || env.TERM === 'dumb') {
      if (progress.round !== this.#round) stderr.write(`${trainingText(progress)}\n`)
      this.#round = progress.round
      return
    }
    const time = this.now()
    if (time < this.#next) return
    this.#next = time + refresh
    this.#shown = true
    stderr.write(clear + truncate(trainingText(progress), (stderr.columns ?? 80) - 1))
  }

  erase(): void {
    if (this.#shown) this.io.stderr.write(clear)
    this.#shown = false
  }
}

/** `round 3 of 8 · step 120 of 400 · loss 1.21 · ESS/N 0.42 · 100 % alive · KL 0.31 and 0.28 · 34 s left` */
export function trainingText(progress: TrainProgress): string {
  const { round, rounds, step, steps, loss, ess, particles, alive, left } = progress
  return [
    `round ${round + 1} of ${rounds}`,
    `step ${step} of ${steps}`,
    ...(loss === null ? [] : [`loss ${loss.toFixed(3)}`]),
    `ESS/N ${(ess / particles).toFixed(2)}`,
    `${(100 * alive).toFixed(0)} % alive`,
    ...distances(progress),
    `${left.toFixed(0)} s left`,
  ].join(' · ')
}

/** KL(q||sigma) and KL(sigma||q), where exact samples tell of them; the first is infinite where a sample has died. */
export function distances({ upper, klProposalTarget, klTargetProposal }: TrainRound): string[] {
  if (upper === null) return []
  const shown = (kl: number | null) => (kl === null ? 'inf' : kl.toFixed(2))
  return [`KL ${shown(klProposalTarget)} and ${shown(klTargetProposal)}`]
}

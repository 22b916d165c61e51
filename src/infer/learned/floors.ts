import { logSumExp } from '../../models/log-sum.js'

/** A sample of the twisted proposal, without resampling: u at its end, before and behind each draw (losses.ts); all weigh alike but for `weight`. */
interface Rollout {
  readonly weight?: number
  readonly final: number
  readonly draws: readonly { readonly before: number; readonly after: number }[]
}

/**
 * How low `ctl` can be behind each draw t, whatever psi is. With sigma_t the target of the first t draws, pi_t that of the twist, Z_t its total, and
 * phi what weighs up to a draw and behind it,
 *
 *     -E_sigma[log psi_t] + log Z_t = KL(sigma_t‖pi_t) - E_sigma[log sigma_t / (p0 phi_1:t)] >= log Z - E_sigma[log phi_>t],
 *
 * for KL(sigma_t‖pi_t) >= 0, and what the first t draws tell of sigma all of them tell too. A few samples know no such bound: where those of the
 * target are other texts than the rollouts, log psi of them may grow for ever and the total does not see it. Both sides of the bound are taken from
 * the rollouts, by their weights: [longest + 1], the last for all t behind; undefined where none of them lives.
 */
export function floorsOf(rollouts: readonly Rollout[]): Float64Array | undefined {
  const logs = rollouts.map(({ weight = 1 / rollouts.length, final }) => Math.log(weight) + final)
  const logZ = logSumExp(logs)
  if (logZ === Number.NEGATIVE_INFINITY) return undefined
  const most = rollouts.reduce((length, { draws }) => Math.max(length, draws.length), 0)
  const floors = new Float64Array(most + 1).fill(logZ)
  rollouts.forEach(({ final, draws }, k) => {
    const share = Math.exp(logs[k]! - logZ)
    if (share === 0) return
    // log phi behind a draw is all that weighs later but the draws themselves, which weigh p0 / q.
    let rest = final
    for (let t = draws.length - 1; t >= 0; t--) {
      const { before, after } = draws[t]!
      floors[t]! -= share * (rest - after)
      rest -= after - before
    }
  })
  return floors
}

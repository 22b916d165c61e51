import { normalise } from '../weights.js'

/**
 * A trust region on weights (inference.md §3): the largest tau in (0, 1] such that KL(w^tau normalised ‖ uniform) <= most, by bisection; the same as a
 * perplexity of at least N e^-most. `most` in nats; weights of 0 stay 0 and are not counted in N.
 */
export function tempered(logw: Float64Array, most: number): { readonly weights: Float64Array; readonly tau: number } {
  const at = (tau: number) => normalise(logw.map((log) => (log === Number.NEGATIVE_INFINITY ? log : tau * log)))
  const count = logw.reduce((n, log) => n + (log > Number.NEGATIVE_INFINITY ? 1 : 0), 0)
  const distance = (weights: Float64Array) => weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w * count) : 0), 0)
  const whole = at(1)
  if (distance(whole) <= most) return { weights: whole, tau: 1 }
  let [low, high] = [0, 1]
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    if (distance(at(middle)) <= most) low = middle
    else high = middle
  }
  return { weights: at(low), tau: low }
}

/** log sum_i exp(logs_i); -Infinity when all are or there are none. One plus infinity gives it, a NaN gives NaN. */
export function logSumExp(logs: ArrayLike<number>): number {
  const at = largest(logs)
  if (at < 0) return -Infinity
  const top = logs[at]!
  if (!Number.isFinite(top)) return top
  let rest = 0
  for (let i = 0; i < logs.length; i++) if (i !== at) rest += Math.exp(logs[i]! - top)
  return top + Math.log1p(rest)
}

/** log (exp a + exp b). */
export function logAddExp(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN
  const top = Math.max(a, b)
  return Number.isFinite(top) ? top + Math.log1p(Math.exp(Math.min(a, b) - top)) : top
}

/** Where the largest log weight stands, a NaN counting as the largest; -1 when all are dead. */
export function largest(logw: ArrayLike<number>): number {
  let at = -1
  let top = -Infinity
  for (let i = 0; i < logw.length; i++) {
    const value = logw[i]!
    if (value > top) {
      top = value
      at = i
    } else if (Number.isNaN(value)) return i
  }
  return at
}

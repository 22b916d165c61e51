/**
 * The log gamma function and its relatives, to about 1e-15 relative error, for positive arguments.
 *
 * log Gamma(2 + w) = (1 - gamma) w + sum_k (-1)^k (zeta(k) - 1) w^k / k for |w| < 2 (Abramowitz & Stegun 6.1.33), used for
 * |w| <= 1/2, so that nothing cancels near the zeros at 1 and 2; Stirling's series (6.1.41) from 10 on; the recurrence between.
 */

/** log(2 pi) / 2 */
export const HALF_LOG_TWO_PI = 0.9189385332046728

/** 1 - Euler's constant. */
const LINEAR = 0.42278433509846713

/** (-1)^k (zeta(k) - 1) / k for k = 2 .. 28. */
const TAYLOR = [
  0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986, 0.0028905103307415234,
  -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939, 9.945751278180853e-5, -4.492623673813314e-5,
  2.050721277567069e-5, -9.439488275268397e-6, 4.374866789907488e-6, -2.039215753801366e-6, 9.55141213040742e-7,
  -4.492469198764566e-7, 2.1207184805554665e-7, -1.0043224823968099e-7, 4.7698101693639804e-8, -2.2711094608943164e-8,
  1.0838659214896955e-8, -5.183475041970047e-9, 2.4836745438024785e-9, -1.1921401405860912e-9, 5.731367241678862e-10,
  -2.7595228851242334e-10, 1.330476437424449e-10,
]

/** B_2k / (2k (2k - 1)) for k = 1 .. 8. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400]

/** Where Stirling's series takes over. */
const LARGE = 10

/** log Gamma(x) for x >= 0; Infinity at 0, NaN below. */
export function logGamma(x: number): number {
  if (!(x >= 0)) return NaN
  if (x === 0 || x === Infinity) return Infinity
  if (x < 0.5) return aboveTwo(x) - Math.log1p(x) - Math.log(x)
  if (x < 1.5) return aboveTwo(x - 1) - Math.log1p(x - 1)
  if (x >= LARGE) return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + stirlingSeries(x)
  let product = 1
  let rest = x
  while (rest > 2.5) product *= --rest
  return aboveTwo(rest - 2) + Math.log(product)
}

/** log Gamma(2 + w) for |w| <= 1/2. */
function aboveTwo(w: number): number {
  let sum = 0
  for (let k = TAYLOR.length - 1; k >= 0; k--) sum = (sum + TAYLOR[k]!) * w
  return (LINEAR + sum) * w
}

function stirlingSeries(x: number): number {
  const square = 1 / (x * x)
  let sum = 0
  for (let k = STIRLING.length - 1; k >= 0; k--) sum = sum * square + STIRLING[k]!
  return sum / x
}

/** What Stirling's formula lacks: log Gamma(x + 1) - [(x + 1/2) log x - x + log(2 pi) / 2], for x > 0. */
export function stirlingError(x: number): number {
  return x >= LARGE ? stirlingSeries(x) : logGamma(x + 1) - (x + 0.5) * Math.log(x) + x - HALF_LOG_TWO_PI
}

/** log B(a, b) = log Gamma(a) + log Gamma(b) - log Gamma(a + b) for positive a and b, without cancellation where one is large. */
export function logBeta(a: number, b: number): number {
  const small = Math.min(a, b)
  const large = Math.max(a, b)
  if (large < LARGE) return logGamma(small) + logGamma(large) - logGamma(small + large)
  const error = stirlingSeries(large) - stirlingSeries(small + large)
  const ratio = Math.log1p(small / large)
  if (small < LARGE) return logGamma(small) + error + small - (large - 0.5) * ratio - small * Math.log(small + large)
  return (
    HALF_LOG_TWO_PI -
    0.5 * Math.log(large) +
    stirlingSeries(small) +
    error +
    (small - 0.5) * Math.log(small / (small + large)) -
    large * ratio
  )
}

/**
 * log of m^x e^-m / Gamma(x + 1), the Poisson probability of x where x is an integer, for x >= 0, m >= 0. Loader, "Fast and
 * accurate computation of binomial probabilities" (2000): large terms cancel on paper, not in floating point.
 */
export function logPoisson(x: number, m: number): number {
  if (x === 0) return -m
  if (m === 0) return -Infinity
  return -0.5 * Math.log(x) - HALF_LOG_TWO_PI - stirlingError(x) - deviance(x, m)
}

/** log of Gamma(n + 1) / (Gamma(x + 1) Gamma(n - x + 1)) p^x (1 - p)^(n - x), for 0 <= x <= n, 0 <= p <= 1; Loader (2000). */
export function logBinomial(x: number, n: number, p: number): number {
  if (p === 0 || p === 1) return x === n * p ? 0 : -Infinity
  if (x === 0) return n * Math.log1p(-p)
  if (x === n) return n * Math.log(p)
  const rest = n - x
  const errors = stirlingError(n) - stirlingError(x) - stirlingError(rest)
  const scale = -HALF_LOG_TWO_PI - 0.5 * (Math.log(x) + Math.log1p(-x / n))
  return scale + errors - deviance(x, n * p) - deviance(rest, n * (1 - p))
}

/** x log(x / m) + m - x for positive x and m: 0 where they are equal, with no loss of digits near there. */
function deviance(x: number, m: number): number {
  const difference = x - m
  if (Math.abs(difference) >= 0.1 * (x + m)) return x * (Math.log(x) - Math.log(m)) - difference
  // log(x / m) = 2 artanh(v) = 2 (v + v^3 / 3 + ...), and 2 x v - (x - m) = (x - m) v.
  const v = difference / (x + m)
  let sum = difference * v
  let power = 2 * x * v
  for (let k = 3; ; k += 2) {
    power *= v * v
    const next = sum + power / k
    if (next === sum) return sum
    sum = next
  }
}

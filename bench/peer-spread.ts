import { logGamma } from '../src/infer/special.js'
import type { Measured } from './peer-process.js'

/** log Z-hat of some runs with different seeds. */
export interface Estimates {
  /** Of the runs that did not die out. */
  readonly alive: readonly number[]
  readonly dead: number
  readonly mean: number
  /** Over those alive. */
  readonly variance: number
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

/** With n - 1. */
const varianceOf = (values: readonly number[]) => {
  const centre = mean(values)
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1)
}

/** null where fewer than two runs have an estimate. */
export function estimates(runs: readonly Measured[]): Estimates | null {
  const alive = runs.map(({ logZ }) => logZ).filter((value) => typeof value === 'number')
  if (alive.length < 2) return null
  return { alive, dead: runs.length - alive.length, mean: mean(alive), variance: varianceOf(alive) }
}

/**
 * log of the mean of Z-hat, dead runs counted as 0: what all unbiased samplers of one target agree on. `error` is 1.96 standard errors, by the
 * delta method: too small where the mean is that of a few runs.
 */
export function ofMean({ alive, dead }: Estimates): { readonly value: number; readonly error: number } {
  const highest = Math.max(...alive)
  const values = [...alive.map((value) => Math.exp(value - highest)), ...Array.from({ length: dead }, () => 0)]
  const centre = mean(values)
  return { value: highest + Math.log(centre), error: (1.96 * Math.sqrt(varianceOf(values) / values.length)) / centre }
}

/** Of the first to the second, with the 95 % interval of Fisher's F for normal samples. */
export function ratioOfVariances(
  a: Estimates,
  b: Estimates,
): { readonly ratio: number; readonly low: number; readonly high: number } {
  const ratio = a.variance / b.variance
  const degrees = [a.alive.length - 1, b.alive.length - 1] as const
  return { ratio, low: ratio / quantileF(0.975, ...degrees), high: ratio / quantileF(0.025, ...degrees) }
}

/** The value below which an F variable with these degrees of freedom lies with probability p, by bisection in log x. */
export function quantileF(p: number, m: number, n: number): number {
  let [low, high] = [-20, 20]
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (distributionF(Math.exp(middle), m, n) < p) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}

/** P(F < x) = I_z(m / 2, n / 2) with z = m x / (m x + n), by the trapezoidal rule in t = log(z / (1 - z)), where the integrand falls off at both ends. */
function distributionF(x: number, m: number, n: number): number {
  const [a, b] = [m / 2, n / 2]
  const logBeta = logGamma(a) + logGamma(b) - logGamma(a + b)
  const density = (t: number) => Math.exp(-a * Math.log1p(Math.exp(-t)) - b * Math.log1p(Math.exp(t)) - logBeta)
  const end = Math.log((m * x) / n)
  const width = 60 / Math.min(a, b, 1)
  const steps = 20_000
  let sum = density(end) / 2
  for (let i = 1; i <= steps; i++) sum += density(end - (i * width) / steps)
  return (sum * width) / steps
}

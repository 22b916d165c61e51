import { ParameterError } from './distribution.js'

/** Shapes below this have draws whose logarithms leave the floating-point range. */
const SMALLEST_SHAPE = 1e-300

export function requireFinite(distribution: string, parameter: string, value: number): void {
  if (!Number.isFinite(value)) throw new ParameterError(distribution, parameter, 'a finite number', String(value))
}

export function requirePositive(distribution: string, parameter: string, value: number): void {
  if (!(value > 0 && value < Infinity))
    throw new ParameterError(distribution, parameter, 'a finite number above 0', String(value))
}

export function requireNonNegative(distribution: string, parameter: string, value: number): void {
  if (!(value >= 0 && value < Infinity))
    throw new ParameterError(distribution, parameter, 'a finite number from 0', String(value))
}

export function requireShape(distribution: string, parameter: string, value: number): void {
  if (!(value >= SMALLEST_SHAPE && value < Infinity))
    throw new ParameterError(distribution, parameter, `a finite number from ${SMALLEST_SHAPE}`, String(value))
}

export function requireProbability(distribution: string, parameter: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new ParameterError(distribution, parameter, 'a number from 0 to 1', String(value))
}

/** Returns the sum of weights that are non-negative, finite and not all 0. */
export function requireWeights(distribution: string, parameter: string, weights: readonly number[]): number {
  let total = 0
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!
    if (!(weight >= 0 && weight < Infinity))
      throw new ParameterError(distribution, parameter, 'finite numbers from 0', String(weight))
    total += weight
  }
  if (total === 0)
    throw new ParameterError(distribution, parameter, 'at least one number above 0', weights.length ? 'only 0' : 'none')
  if (total === Infinity) throw new ParameterError(distribution, parameter, 'numbers with a finite sum', 'an infinite sum')
  return total
}

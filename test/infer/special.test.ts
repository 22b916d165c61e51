import { describe, expect, it } from 'vitest'
import { logBeta, logBinomial, logGamma, logPoisson, stirlingError } from '../../src/infer/special.js'

/** Relative error, or absolute error where the value is below 1e-300. */
function error(found: number, expected: number): number {
  return Math.abs(found - expected) / Math.max(Math.abs(expected), 1e-300)
}

// All numbers: mpmath 1.3 with 50 to 80 digits, rounded to the nearest double.
describe('logGamma', () => {
  it.each([
    [1e-300, 690.7755278982137],
    [1e-10, 23.025850929882736],
    [0.1, 2.252712651734206],
    [0.49, 0.592249629335267],
    [0.5, 0.5723649429247001],
    [0.999999, 5.772164873855652e-7],
    [1, 0],
    [1.0000001, -5.772155829918507e-8],
    [1.4999, -0.12078588195849393],
    [1.5, -0.12078223763524522],
    [1.9999, -4.227520877215346e-5],
    [2.00001, 4.22787559764836e-6],
    [2.5, 0.2846828704729192],
    [2.51, 0.29173891549286796],
    [3, Math.LN2],
    [7.3, 7.147892523022248],
    [9.99, 12.779315214350193],
    [10, 12.801827480081469],
    [10.5, 13.940625219403763],
    [100, 359.1342053695754],
    [12345.678, 103959.91990554606],
    [1e10, 220258509288.81058],
    [1e17, 3.8143946580898775e18],
    [1e300, 6.897755278982137e302],
  ])('of %d is %d', (x, expected) => {
    expect(error(logGamma(x), expected)).toBeLessThan(3e-15)
  })

  it('satisfies the recurrence over every seam between its formulas', () => {
    for (let x = 0.05; x < 15; x += 0.0137) {
      const [left, right] = [logGamma(x + 1), logGamma(x) + Math.log(x)]
      expect(Math.abs(left - right)).toBeLessThan(2e-14)
    }
  })

  it('has its limits', () => {
    expect([logGamma(0), logGamma(Infinity), logGamma(-1), logGamma(NaN)]).toEqual([Infinity, Infinity, NaN, NaN])
  })
})

it('stirlingError does not jump where its series takes over', () => {
  for (const x of [0.3, 5, 9.999, 10, 50]) {
    const direct = logGamma(x + 1) - ((x + 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI))
    expect(Math.abs(stirlingError(x) - direct)).toBeLessThan(1e-13)
  }
})

describe('logBeta', () => {
  it.each([
    [0.5, 0.5, 1.1447298858494002],
    [1e-5, 3, 11.512910465032729],
    [3, 4, -4.0943445622221],
    [2, 1e10, -46.051701859980916],
    [0.3, 50, -0.07570613638955179],
    [20, 30, -33.968820791977386],
    [1e8, 2e8, -190954258.57711312],
    [1e10, 11, -238.17994766176952],
  ])('of %d and %d is %d, in either order', (a, b, expected) => {
    expect(error(logBeta(a, b), expected)).toBeLessThan(5e-14)
    expect(logBeta(b, a)).toBe(logBeta(a, b))
  })
})

describe('logPoisson', () => {
  it.each([
    [0.1, 0, -0.1],
    [0.1, 3, -8.799514748210193],
    [4, 2, -1.920558458320164],
    [15, 20, -3.174612438709284],
    [1e6, 1e6, -7.826693895520143],
    [1e6, 1002345, -10.57523083684317],
    [1e15, 1000000012345678, -18.264534619159082],
    [1e-300, 2, -1382.2442029769873],
  ])('of mean %d at %d is %d', (mean, x, expected) => {
    expect(error(logPoisson(x, mean), expected)).toBeLessThan(2e-14)
  })

  it('of mean 0 is certain', () => {
    expect(Math.abs(logPoisson(0, 0))).toBe(0)
    expect(logPoisson(1, 0)).toBe(-Infinity)
  })
})

describe('logBinomial', () => {
  it.each([
    [10, 0.3, 4, -1.6088333502186696],
    [10, 0.3, 0, -3.5667494393873236],
    [64, 0.5, 32, -2.3091389854253754],
    [65, 0.01, 3, -3.7539857704625765],
    [1e6, 0.25, 250123, -7.030209479467083],
    [1e12, 1e-9, 1010, -4.427708007615218],
    [100, 0.999, 100, -0.10005003335835344],
  ])('of %d trials with %d at %d is %d', (n, p, x, expected) => {
    expect(error(logBinomial(x, n, p), expected)).toBeLessThan(2e-14)
  })

  it('of probability 0 or 1 is certain', () => {
    expect([logBinomial(0, 5, 0), logBinomial(1, 5, 0), logBinomial(5, 5, 1), logBinomial(4, 5, 1)]).toEqual([
      0,
      -Infinity,
      0,
      -Infinity,
    ])
    for (const p of [0, 0.3, 1]) expect(Math.abs(logBinomial(0, 0, p))).toBe(0)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ess, logAddExp, logMeanExp, logSumExp, normalise, resamplingLaw } from '../../src/infer/weights.js'

const dead = -Infinity
const of = (...values: number[]) => Float64Array.from(values)

describe('equal weights', () => {
  it.each([1, 2, 3, 7, 49, 1000])('give exact answers for %i particles', (count) => {
    for (const logw of [0, -1e5, -0.1, 700]) {
      const weights = new Float64Array(count).fill(logw)
      expect(ess(weights)).toBe(count)
      expect(logMeanExp(weights)).toBe(logw)
      expect([...normalise(weights)]).toEqual(new Array(count).fill(1 / count))
    }
  })
})

describe('dead particles', () => {
  it('count in N and nowhere else', () => {
    expect(logMeanExp(of(0, dead, dead, dead))).toBe(-Math.log(4))
    expect(logSumExp(of(dead, 3, dead))).toBe(3)
    expect(ess(of(0, dead, 0, dead))).toBe(2)
    expect([...normalise(of(dead, 5, 5))]).toEqual([0, 0.5, 0.5])
  })

  it('leave nothing when all are', () => {
    for (const logw of [of(dead, dead), of()]) {
      expect(logSumExp(logw)).toBe(-Infinity)
      expect(logMeanExp(logw)).toBe(-Infinity)
      expect(ess(logw)).toBe(0)
      expect([...normalise(logw)]).toEqual([...logw].map(() => 0))
    }
    expect(logAddExp(dead, dead)).toBe(-Infinity)
  })
})

describe('what is no weight', () => {
  it('stays NaN', () => {
    for (const logw of [of(NaN), of(dead, NaN), of(0, NaN, 1), of(NaN, Infinity), of(NaN, dead, 2)]) {
      expect(logSumExp(logw)).toBeNaN()
      expect(logMeanExp(logw)).toBeNaN()
      expect(ess(logw)).toBeNaN()
      expect([...normalise(logw)].every(Number.isNaN)).toBe(true)
    }
    expect(logAddExp(NaN, dead)).toBeNaN()
    expect(logAddExp(Infinity, NaN)).toBeNaN()
  })

  it('is not hidden where it is +Infinity', () => {
    const logw = of(0, Infinity, dead)
    expect([logSumExp(logw), logMeanExp(logw), logAddExp(0, Infinity)]).toEqual([Infinity, Infinity, Infinity])
    expect(ess(logw)).toBeNaN()
  })
})

describe('accuracy', () => {
  it('keeps the digits of small terms', () => {
    expect(logSumExp(of(0, -40))).toBe(Math.log1p(Math.exp(-40)))
    expect(logAddExp(-40, 0)).toBe(Math.log1p(Math.exp(-40)))
    expect(logAddExp(-1000, -1000)).toBe(-1000 + Math.LN2)
    expect(logSumExp(of(-1e6, -1e6 - 1))).toBeCloseTo(-1e6 + Math.log1p(Math.exp(-1)), 9)
  })

  it('agrees with the definitions wherever these can be computed directly', () => {
    const weights = fc.array(fc.double({ min: 1e-30, max: 1e30, noNaN: true }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(weights, (w) => {
        const logw = Float64Array.from(w, Math.log)
        const sum = w.reduce((a, b) => a + b, 0)
        expect(logSumExp(logw)).toBeCloseTo(Math.log(sum), 10)
        expect(logMeanExp(logw)).toBeCloseTo(Math.log(sum / w.length), 10)
        expect(ess(logw)).toBeCloseTo(1 / w.reduce((a, b) => a + (b / sum) ** 2, 0), 9)
        expect(ess(logw)).toBeLessThanOrEqual(w.length)
        normalise(logw).forEach((p, i) => {
          expect(p).toBeCloseTo(w[i]! / sum, 12)
        })
      }),
      { seed: 1 },
    )
  })
})

describe('resamplingLaw', () => {
  it('is the weights themselves, and the mean for every copy, where all are of one order', () => {
    const logw = Float64Array.of(Math.log(1), -Infinity, Math.log(3))
    const { chances, copies } = resamplingLaw(logw)
    expect([...chances]).toEqual([...normalise(logw)])
    expect([...copies]).toEqual([0, 0, 0].map(() => logMeanExp(logw)))
  })

  it('keeps the expected weight of the copies of a particle that doubles would never pick', () => {
    const logw = Float64Array.of(0, -1000, -Infinity, -30, 0.5)
    const { chances, copies } = resamplingLaw(logw)
    expect(chances[1]).toBeCloseTo(1e-6, 11)
    expect(chances[2]).toBe(0)
    // N x chance x weight of a copy = own weight
    for (const i of [0, 1, 3, 4]) expect(Math.log(logw.length * chances[i]!) + copies[i]!).toBeCloseTo(logw[i]!, 9)
  })
})

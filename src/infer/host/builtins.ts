import { type Distribution, ParameterError } from '../distributions/distribution.js'
import * as distributions from '../distributions/index.js'
import { isRecord, type Value, Weight } from '../values.js'
import { type Fail, shown } from './failure.js'
import { plain } from './members.js'
import type { operators } from './operators.js'

/** The functions that every program sees (language.md §8, §9); each takes the number of its place first. */
export function builtins(fail: Fail, op: ReturnType<typeof operators>) {
  function build(site: number, make: () => Distribution<unknown>): Distribution<unknown> {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error
      return fail('R006', site, `expected ${error.expected} as \`${error.parameter}\`, found ${error.found}`)
    }
  }
  const { number, int } = op
  function numbers(v: Value, site: number): readonly number[] {
    const list = op.list(v, site)
    return list.every(isNumber) ? list : list.map((x) => number(x, site))
  }

  /** Weights up to a common factor, which a categorical does not see: the largest is 1, however far below what numbers hold they lie. */
  function relative(values: readonly Value[], site: number): readonly number[] {
    if (!values.some((x) => x instanceof Weight)) return values.map((x) => number(x, site))
    const logs = values.map((x) => op.logWeight(x, site))
    const top = Math.max(...logs)
    return logs.map((log) => (top === Number.NEGATIVE_INFINITY ? 0 : Math.exp(log - top)))
  }

  function extreme(site: number, args: readonly Value[], better: (a: Value, b: Value) => boolean): Value {
    const items = args.length === 1 && Array.isArray(args[0]) ? args[0] : args
    if (items.length === 0) return fail('R004', site, 'the list is empty: it has no least and no greatest')
    return items.reduce((a, b) => (better(b, a) ? b : a))
  }

  return {
    bernoulli: (site: number, p: Value) => build(site, () => distributions.bernoulli(number(p, site))),
    categorical: (site: number, weights: Value) => {
      if (isRecord(weights)) {
        const names = Object.keys(weights)
        const values = relative(Object.values(weights), site)
        return build(site, () => distributions.categorical(Object.fromEntries(names.map((name, i) => [name, values[i]!]))))
      }
      const list = op.list(weights, site)
      return build(site, () => distributions.categorical(list.every(isNumber) ? list : relative(list, site)))
    },
    uniform: (site: number, a: Value, b?: Value) => {
      if (b === undefined) {
        const values = op.list(a, site)
        return build(site, () => distributions.uniform(values.map(plain)))
      }
      return build(site, () => distributions.uniform(number(a, site), number(b, site)))
    },
    geometric: (site: number, p: Value) => build(site, () => distributions.geometric(number(p, site))),
    poisson: (site: number, rate: Value) => build(site, () => distributions.poisson(number(rate, site))),
    binomial: (site: number, n: Value, p: Value) => build(site, () => distributions.binomial(number(n, site), number(p, site))),
    normal: (site: number, mean: Value, sd: Value) =>
      build(site, () => distributions.normal(number(mean, site), number(sd, site))),
    beta: (site: number, a: Value, b: Value) => build(site, () => distributions.beta(number(a, site), number(b, site))),
    gamma: (site: number, shape: Value, rate: Value) =>
      build(site, () => distributions.gamma(number(shape, site), number(rate, site))),
    exponential: (site: number, rate: Value) => build(site, () => distributions.exponential(number(rate, site))),
    dirichlet: (site: number, concentrations: Value) => {
      const list = numbers(concentrations, site)
      return build(site, () => distributions.dirichlet(list))
    },
    exp(site: number, x: Value): Weight {
      const log = number(x, site)
      return Number.isNaN(log) ? fail('R001', site, 'this is not a number (NaN)') : new Weight(log)
    },
    log: (site: number, x: Value): number => (x instanceof Weight ? x.log : op.ok(Math.log(number(x, site)), site)),
    sqrt: (site: number, x: Value): number => op.ok(Math.sqrt(number(x, site)), site),
    abs: (site: number, x: Value): number => Math.abs(number(x, site)),
    min: (site: number, ...args: readonly Value[]) => extreme(site, args, (a, b) => op.lt(a, b, site)),
    max: (site: number, ...args: readonly Value[]) => extreme(site, args, (a, b) => op.gt(a, b, site)),
    floor: (site: number, x: Value): number => Math.floor(number(x, site)),
    round: (site: number, x: Value): number => Math.round(number(x, site)),
    int(site: number, s: Value): number {
      const text = op.text(s)
      if (text === null) return int(s, site)
      return /^\s*[+-]?\d+\s*$/.test(text)
        ? int(Number(text), site)
        : fail('R011', site, `expected the text of an Int, found ${shown(text)}`)
    },
    float(site: number, s: Value): number {
      const text = op.text(s)
      if (text === null) return number(s, site)
      return /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text)
        ? Number(text)
        : fail('R011', site, `expected the text of a number, found ${shown(text)}`)
    },
  }
}

function isNumber(v: Value): v is number {
  return typeof v === 'number'
}

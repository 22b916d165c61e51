import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { type BoundOptions, type BoundResult, compile, load, type Program } from '../../src/index.js'
import { philoxRandomness } from '../../src/infer/philox.js'
import { defaultSettings } from '../../src/infer/settings.js'
import { readTraces } from '../../src/infer/traces-file.js'
import { sampler, table } from '../exact/measure.js'
import { zeroOne as lm, oracleA as loop } from '../exact/programs.js'

/* `bound` as callers see it: against oracle A's exact expectations, and closed forms. Tolerances are 4.5 standard errors of the mean. */

const oracleA = loop()
const logZ = Math.log(0.2848)
const widened = 4.5 / 1.96
const base = { models: { lm }, seed: 5, fuse: false, resample: 'multinomial', threshold: 1 } as const

function near(found: number | null, error: number | null, exact: number): void {
  expect(Math.abs(found! - exact)).toBeLessThan(widened * error!)
}

describe.each(['enumerate', 'reject'] as const)('oracle A with exact samples by %s', (exact) => {
  let result: BoundResult
  beforeAll(async () => {
    result = await (await compile(oracleA)).bound({}, { ...base, exact, particles: [1, 2, 3], repeats: 600 })
  }, 40_000)

  test.each([
    ['smc', 1, -1.592595, -0.915584],
    ['smc', 2, -1.473878, -1.044282],
    ['smc', 3, -1.415526, -1.102664],
    ['importance', 2, -1.455734, -1.065537],
    ['importance', 3, -1.395321, -1.124536],
  ] as const)('%s, N = %i', (sampler, particles, lower, upper) => {
    const row = result.rows.find((each) => each.sampler === sampler && each.particles === particles)!
    near(row.lower, row.lowerError, lower)
    near(row.upper, row.upperError, upper)
    expect(row).toMatchObject({ dead: 0, repeats: 600 })
    expect(Math.abs(row.logMean! - logZ)).toBeLessThan(0.15)
  })

  test('log Z and the distances', () => {
    if (exact === 'enumerate') expect(result.logZ.estimate).toBeCloseTo(logZ, 12)
    else {
      expect(result.logZ.low!).toBeLessThan(logZ)
      expect(result.logZ.high!).toBeGreaterThan(logZ)
      // Accepted with probability Z.
      expect(result.acceptance).toBeGreaterThan(0.2)
      expect(result.acceptance).toBeLessThan(0.37)
    }
    near(result.klProposalTarget, result.klProposalTargetError, 0.336627)
    near(result.klTargetProposal, result.klTargetProposalError, 0.340384)
    near(result.klSymmetrised, result.klSymmetrisedError, 0.677011)
    expect(result).toMatchObject({ exact, partial: false, refused: [] })
  })
})

test('repeats side by side are the runs that each would be alone', async () => {
  const program = await compile(oracleA)
  const { rows } = await program.bound({}, { ...base, particles: [3], repeats: 4, method: 'importance' })
  const alone = await sampler(oracleA, { lm }, { fuse: false })
  const logs = []
  for (let repeat = 0; repeat < 4; repeat++) {
    const { estimate } = await alone.run(philoxRandomness(5, repeat), { ...defaultSettings, particles: 3, method: 'importance' })
    logs.push(Math.log(estimate))
  }
  expect(rows[0]!.lower).toBeCloseTo(logs.reduce((a, b) => a + b) / 4, 12)
})

test('the same seed gives the same bounds, whatever the batch', async () => {
  const program = await compile(oracleA)
  const options: BoundOptions = { ...base, particles: [2], repeats: 5 }
  const [one, two] = [await program.bound({}, options), await program.bound({}, { ...options, batch: 1 })]
  expect(one.rows).toEqual(two.rows)
})

test('traces are written and read back, and give the bounds that they gave', async () => {
  const program = await compile(`${oracleA.replace('return', 'sample y ~ normal(0, 1)\nreturn')}`)
  let text = ''
  const options: BoundOptions = { ...base, particles: [2], repeats: 5 }
  const first = await program.bound({}, { ...options, exact: 'reject', onTraces: (traces) => (text = traces) })
  const traces = readTraces(text, program.hash, 'traces.jsonl')
  expect(traces.traces).toHaveLength(5)
  const second = await program.bound({}, { ...options, exact: traces })
  expect(second.rows).toEqual(first.rows)
  expect(second.exact).toBe('file')
  expect(() => readTraces(text, 'another', 'traces.jsonl')).toThrow(/another program/)
  expect(() => readTraces('{"choices": 3}', program.hash, 'traces.jsonl')).toThrow(/where its samples come from/)
  const [head] = text.split('\n')
  expect(() => readTraces(`${head}\n{"choices": 3}`, program.hash, 'traces.jsonl')).toThrow(/line 2 what is not an exact sample/)
})

test('an exact sample whose value the program cannot draw is refused', async () => {
  const program = await compile('sample x ~ uniform([1, 2])\nfactor 1 / x\nreturn x')
  const exact = [[{ value: 7 }], [{ value: 1 }]]
  await expect(program.bound({}, { seed: 1, particles: [2], repeats: 2, exact })).rejects.toThrow(
    /what it draws has probability 0/,
  )
})

test('traces of other params or another model are refused: they would be samples of another target', async () => {
  const program = await compile('model lm = "table"\nparam n = 2\nsample x ~ lm("") for n tokens\nfactor 0.5\nreturn x')
  const other = table({ tokens: ['0', '1'], next: { '': [0.5, 0.5], '0': [0.8, 0.2], '1': [0.4, 0.6] } })
  let text = ''
  const options = { seed: 1, particles: [2], repeats: 3, models: { lm } } as const
  await program.bound({}, { ...options, onTraces: (traces) => (text = traces) })
  const exact = readTraces(text, program.hash, 'traces.jsonl')
  expect((await program.bound({ n: 2 }, { ...options, exact })).exact).toBe('file')
  await expect(program.bound({ n: 3 }, { ...options, exact })).rejects.toThrow(/drawn with `n` = 2, and it is 3 now/)
  await expect(program.bound({}, { ...options, models: { lm: other }, exact })).rejects.toThrow(/another model as `lm`/)
})

test('rejection tells how many it has accepted, and gives up with the time that it would need', async () => {
  const seen: [number, number][] = []
  const program = await compile('sample x ~ uniform(1..6)\nrequire x == 6\nreturn x')
  const found = await program.bound(
    {},
    { seed: 1, particles: [2], repeats: 100, exact: 'reject', onExact: (accepted, tried) => seen.push([accepted, tried]) },
  )
  expect(found.acceptance).toBeCloseTo(1 / 6, 1)
  expect(seen.length).toBeGreaterThan(0)
  for (const [accepted, tried] of seen) expect(accepted).toBeLessThan(tried)
})

test('the repeats of a row are asked of the model together', async () => {
  let calls = 0
  const counting = new Proxy(lm, {
    get(target, name) {
      const value = Reflect.get(target, name, target)
      if (name === 'draw' || name === 'score' || name === 'logProbs') calls++
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const program = await compile('model lm = "table"\nsample x ~ lm("") for 6 tokens\nfactor 0.5\nreturn x')
  const callsOf = async (repeats: number) => {
    calls = 0
    const options = { models: { lm: counting }, seed: 1, particles: [64], repeats, method: 'importance', batch: 4096 } as const
    await program.bound({}, { ...options, exact: Array.from({ length: repeats }, () => new Array(6).fill({ token: 0 })) })
    return calls
  }
  const two = await callsOf(2)
  expect(two).toBeGreaterThan(5)
  expect(await callsOf(20)).toBe(two)
})

describe('all dead', () => {
  const source = 'sample x ~ categorical([0.5, 0.5])\nsample y ~ categorical([0.5, 0.5])\nrequire x + y == 2\nreturn x'

  test('counts as 0: the mean of logs is minus infinity, the log of the mean is not', async () => {
    const result = await (await compile(source)).bound({}, { seed: 1, particles: [1, 16], repeats: 100, fuse: false })
    const [one] = result.rows
    expect(one).toMatchObject({ lower: null, lowerError: null })
    expect(one!.dead).toBeGreaterThan(50)
    expect(one!.logMean).toBeCloseTo(Math.log((100 - one!.dead) / 100), 12)
    // A proposal that may die is infinitely far from the target, which is not infinitely far from it.
    expect(result).toMatchObject({ klProposalTarget: null, exact: 'enumerate' })
    expect(result.klTargetProposal).toBeCloseTo(Math.log(4), 9)
  })
})

describe('what cannot be bounded from above says why', () => {
  const refused = async (source: string, options: BoundOptions = {}) => {
    const program: Program = await compile(source)
    const result = await program.bound({}, { seed: 1, particles: [2], repeats: 2, ...options })
    expect(result.rows.every(({ upper }) => upper === null)).toBe(true)
    expect(result).toMatchObject({ exact: null, klTargetProposal: null, logZ: { high: null } })
    expect(result.verdict).toMatch(/nothing is known from above/)
    return Object.fromEntries(result.refused.map(({ way, why }) => [way, why]))
  }

  test('a power of what is at most 1 is not above 1, unless a param makes it so', async () => {
    const source = (power: number) =>
      `param power = ${power}\nsample x ~ normal(0, 1)\nlet near = exp(-abs(x))\nlet twice = near * near\nfactor twice ^ power\nreturn x`
    const { exact } = await (await compile(source(2))).bound({}, { seed: 1, particles: [2], repeats: 2 })
    expect(exact).toBe('reject')
    expect((await refused(source(-2))).reject).toMatch(/multiplied by .*only factors up to 1/)
    expect((await refused('sample x ~ normal(0, 1)\nlet f = 1\nf = exp(x)\nfactor f\nreturn x')).reject).toMatch(
      /factor may be above 1/,
    )
  })

  test('a factor that may be above 1', async () => {
    const why = await refused('sample x ~ normal(0, 1)\nfactor exp(x)\nreturn x')
    expect(why.enumerate).toMatch(/too many outcomes/)
    expect(why.reject).toMatch(/factor may be above 1/)
    expect(why.simulate).toMatch(/observes nothing/)
  })

  test('a factor that is above 1, when rejection is asked for all the same', async () => {
    const why = await refused('sample x ~ normal(0, 1)\nfactor exp(x)\nreturn x', { exact: 'reject' })
    expect(why.reject).toMatch(/multiplied by/)
  })

  test.each([
    ['let y = 0.3\nsample x ~ normal(0, 1)\nobserve y ~ normal(x, 1)\nreturn x + y', /`y` is used here too/],
    ['sample x ~ normal(0, 1)\nobserve x + 1 ~ normal(0, 1)\nreturn x', /computed from what is drawn/],
    ['sample x ~ normal(0, 1)\nif x > 0 { observe 1 ~ normal(x, 1) }\nreturn x', /depends on what is drawn/],
    [
      'fn f(x: Float, y: Float) { observe y ~ normal(x, 1) }\nsample x ~ normal(0, 1)\nf(0, x)\nreturn x',
      /computed from what is drawn/,
    ],
    [
      'fn f(x: Float) { if x > 0 { observe 1 ~ normal(x, 1) } }\nsample x ~ normal(0, 1)\nf(x)\nreturn x',
      /depends on what is drawn/,
    ],
    [
      'let ps = [{x: 1, y: 2}]\nsample a ~ normal(0, 1)\nfor p in ps { observe p.y ~ normal(a * p.y, 1) }\nreturn a',
      /used here too/,
    ],
    [
      'let ys = [1, 2]\nsample x ~ normal(0, 1)\nfor y in ys { observe y ~ normal(x, 1) }\nreturn ys[0] * x',
      /`ys` is used here too/,
    ],
  ])('an observation that is not data: %s', async (source, why) => {
    expect((await refused(source)).simulate).toMatch(why)
  })

  test('runs that do not all observe the same, which only the run tells', async () => {
    const source = 'sample x ~ normal(0, 1)\nif x > 0 { return 1 }\nobserve 1 ~ normal(x, 1)\nreturn 0'
    expect((await refused(source, { particles: [16], repeats: 4 })).simulate).toMatch(/do not all observe the same/)
  })

  test('steer', async () => {
    const program = await compile('infer { method: steer }\nsample x ~ bernoulli(0.5)\nreturn x')
    await expect(program.bound()).rejects.toThrow(/no upper bound/)
  })
})

test('proposals are passed over by what draws exact samples: their quotients rise above 1', async () => {
  const source = `
model lm = "table"
sample a ~ categorical([0.5, 0.5]) via categorical([0.1, 0.9])
sample x ~ lm("0") for 2 tokens via lm("1")
require a == 1 or x.contains("0")
return x
`
  const program = await compile(source)
  const found = await program.bound({}, { models: { lm }, seed: 1, particles: [4], repeats: 100, exact: 'reject' })
  expect(found).toMatchObject({ exact: 'reject', refused: [] })
  // 1 - .5 x P("11")
  expect(Math.abs(found.acceptance! - (1 - 0.5 * 0.2 * 0.6))).toBeLessThan(0.1)
  const [row] = found.rows
  expect(row!.upper! + widened * row!.upperError!).toBeGreaterThan(Math.log(0.94))
  expect(row!.lower! - widened * row!.lowerError!).toBeLessThan(Math.log(0.94))
})

describe('simulated data', () => {
  /** E[log Z] over data y ~ N(0, I + x x^T), which has the entropy of that normal law. */
  const regression = { xs: [1, 2, -1], exact: -1.5 * Math.log(2 * Math.PI * Math.E) - 0.5 * Math.log(7) }
  test.each([
    ['fields of records', 'for p in points { observe p.y ~ normal(a * p.x, 1) }'],
    ['a function', 'for p in points { seen(a * p.x, p.y) }'],
    ['a function of a whole list', 'all(a, points)'],
    ['a while loop', 'let i = 0\nwhile i < points.length { observe points[i].y ~ normal(a * points[i].x, 1)\n i += 1 }'],
    ['a function that calls itself', 'later(a, points, 0)'],
  ])('observed in %s', async (_name, body) => {
    const source = `
param points = [{x: 1, y: 0.3}, {x: 2, y: 1}, {x: -1, y: 0}]
fn seen(mean: Float, y: Float) { observe y ~ normal(mean, 1) }
fn all(a: Float, ps: [{x: Float, y: Float}]) { for p in ps { observe p.y ~ normal(a * p.x, 1) } }
fn later(a: Float, ps: [{x: Float, y: Float}], i: Int) -> Int {
  if i == ps.length { return i }
  let p = ps[i]
  observe p.y ~ normal(a * p.x, 1)
  return later(a, ps, i + 1)
}
sample a ~ normal(0, 1)
${body}
return a`
    const result = await (await compile(source)).bound({}, { seed: 2, particles: [64], repeats: 300, method: 'importance' })
    expect(result).toMatchObject({ exact: 'simulate', acceptance: 1 })
    const [row] = result.rows
    near(row!.lower, row!.lowerError! + 0.05, regression.exact)
    near(row!.upper, row!.upperError! + 0.05, regression.exact)
  })

  test('of a text that the standard library observes', async () => {
    const source = 'use infill from "std/text"\nmodel lm = "table"\nlet s = lm("")\nlet x = infill(s, "01", 2)\nreturn x'
    const found = await (await compile(source)).bound(
      {},
      { models: { lm }, seed: 1, particles: [8], repeats: 40, exact: 'simulate' },
    )
    expect(found).toMatchObject({ exact: 'simulate', refused: [] })
  })

  test.each(['infill/infill.smc', 'hmm/hmm.smc', 'kalman/kalman.smc'])('apply to examples/%s', async (path) => {
    const program = await load(fileURLToPath(new URL(`../../examples/${path}`, import.meta.url)))
    const params = path.startsWith('infill') ? { gap: 2 } : {}
    const found = await program.bound(params, { seed: 1, particles: [4], repeats: 3, exact: 'simulate' })
    expect(found).toMatchObject({ exact: 'simulate', refused: [], partial: false })
    expect(found.rows.every(({ upper }) => upper !== null)).toBe(true)
  })

  test('are given up where a value turns out to depend on what is drawn', async () => {
    // No assignment tells by itself that `i` does.
    const source = `
let ys = [0, 5]
let i = 0
sample x ~ normal(0, 1)
if x > 0 { i = 1 }
observe ys[i] ~ normal(x, 1)
return x`
    const found = await (await compile(source)).bound({}, { seed: 1, particles: [4], repeats: 10, exact: 'simulate' })
    expect(found.exact).toBe(null)
    expect(found.refused[0]!.why).toMatch(/not the same in every run/)
  })

  test('of a normal mean: E[log Z] over the data is minus the entropy of their law', async () => {
    const source = 'param ys = [1, 2, 3]\nsample mu ~ normal(0, 1)\nfor y in ys { observe y ~ normal(mu, 1) }\nreturn mu'
    const result = await (await compile(source)).bound({}, { seed: 2, particles: [256], repeats: 600, method: 'importance' })
    // ys ~ N(0, I + 1 1^T), whose determinant is 4; at N = 256 the bounds are 0.02 apart.
    const exact = -1.5 * Math.log(2 * Math.PI * Math.E) - 0.5 * Math.log(4)
    const [row] = result.rows
    near(row!.lower, row!.lowerError! + 0.02, exact)
    near(row!.upper, row!.upperError! + 0.02, exact)
    expect(row!.upper! - row!.lower!).toBeGreaterThan(-0.01)
    expect(result).toMatchObject({ exact: 'simulate', acceptance: 1 })
  })

  test('divergences are means over the data of what each has with its own log Z', async () => {
    const source = 'sample mu ~ normal(0, 1)\nobserve 1 ~ normal(mu, 1)\nreturn mu'
    const options = { seed: 5, particles: [128], repeats: 400, exact: 'simulate' } as const
    const result = await (await compile(source)).bound({}, options)
    // y ~ N(0, 2): E[log Z(y) - E_mu log N(y; mu, 1)] = 1 - log(2) / 2, and the other way the mutual information log(2) / 2.
    near(result.klProposalTarget, result.klProposalTargetError!, 1 - Math.log(2) / 2)
    near(result.klTargetProposal, result.klTargetProposalError!, Math.log(2) / 2)
    // What differs between data is in log Z and F alike, and is not in the error of their difference.
    expect(result.klProposalTargetError! + result.klTargetProposalError!).toBeLessThan(0.3)
  })

  test('of a text, drawn from the model: E over drawn texts of bounds on log p', async () => {
    const source = 'model lm = "table"\nsample x ~ lm("")\nlet s = lm(x)\nobserve "00" ~ s\nreturn x'
    // y = (y1, y2) given x: the entropy of y is a sum over four texts.
    const after = { '': [0.7, 0.3], '0': [0.8, 0.2], '1': [0.4, 0.6] } as const
    let exact = 0
    for (const a of [0, 1] as const)
      for (const b of [0, 1] as const) {
        const p = ([0, 1] as const).reduce((sum: number, x) => sum + after[''][x] * after[`${x}`][a] * after[`${a}`][b], 0)
        exact += p * Math.log(p)
      }
    const result = await (await compile(source)).bound(
      {},
      { models: { lm }, seed: 3, particles: [64], repeats: 400, exact: 'simulate' },
    )
    const row = result.rows.find(({ sampler }) => sampler === 'importance')!
    near(row.lower, row.lowerError! + 0.01, exact)
    near(row.upper, row.upperError! + 0.01, exact)
  })

  test('with a requirement: all of it is drawn anew until it holds', async () => {
    const source = 'sample mu ~ normal(0, 1)\nobserve 1 ~ normal(mu, 1)\nrequire mu > 0\nfactor 0.5\nreturn mu'
    const result = await (await compile(source)).bound({}, { seed: 4, particles: [4, 64], repeats: 300 })
    expect(result.exact).toBe('simulate')
    expect(result.acceptance).toBeGreaterThan(0.2)
    expect(result.acceptance).toBeLessThan(0.3)
    const [, , , row] = result.rows
    expect(row!.upper! + row!.upperError!).toBeGreaterThan(row!.lower! - row!.lowerError!)
  })
})

test('interrupted: what is done is told', async () => {
  const interruption = new AbortController()
  const program = await compile(oracleA)
  const result = await program.bound(
    {},
    {
      ...base,
      particles: [2, 4],
      repeats: 3,
      signal: interruption.signal,
      onRepeats: (done) => done === 6 && interruption.abort(),
    },
  )
  expect(result.partial).toBe(true)
  expect(result.rows).toHaveLength(1)
})

test('where all runs are listed and none has any weight, that is said, and nothing is drawn in vain', async () => {
  const program = await compile('sample x ~ uniform(1..3)\nrequire x > 5\nreturn x')
  const tried: number[] = []
  const found = await program.bound({}, { seed: 1, particles: [4], repeats: 2, onExact: (_accepted, runs) => tried.push(runs) })
  expect(found).toMatchObject({ exact: null, logZ: { estimate: null, low: null, high: null } })
  expect(found.verdict).toMatch(/^Z is 0/)
  expect(found.refused.find(({ way }) => way === 'reject')?.why).toBe('every run has weight 0')
  expect(tried).toEqual([])
  // Data of its own may be drawn all the same: 7 is not among those that can come.
  const data = await compile('sample x ~ uniform(1..3)\nobserve 7 ~ uniform(x..5)\nreturn x')
  expect(await data.bound({}, { seed: 1, particles: [4], repeats: 2 })).toMatchObject({ exact: 'simulate' })
})

test('all particles dead in all repeats, and no list of the runs', async () => {
  const source = 'sample x ~ normal(0, 1)\nfactor 2\nrequire x > 40\nreturn x'
  const found = await (await compile(source)).bound({}, { seed: 1, particles: [1], repeats: 2 })
  expect(found.verdict).toMatch(/^in all repeats all particles died/)
})

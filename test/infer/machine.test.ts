import { describe, expect, test } from 'vitest'
import { compile, type RunOptions, type RunResult, SmcError } from '../../src/index.js'
import { distance, expected, measureOf, sampler, table } from '../exact/measure.js'

const lm = table({
  tokens: ['a', 'b', 'E'],
  end: 'E',
  next: { '': [0.5, 0.3, 0.2], a: [0.2, 0.6, 0.2], b: [0.7, 0.1, 0.2], E: [0, 0, 1] },
})

async function run(source: string, options: RunOptions = {}): Promise<RunResult> {
  const program = await compile(source, { path: 'test.smc' })
  return program.run({}, { seed: 1, particles: 20, ...(source.includes('model lm') && { models: { lm } }), ...options })
}

async function failure(source: string, options: RunOptions = {}): Promise<SmcError> {
  const error = await run(source, options).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(SmcError)
  return error as SmcError
}

/** The answer of a program that draws nothing. */
async function answer(body: string): Promise<unknown> {
  const { posterior, logZ } = await run(body, { particles: 1 })
  expect(logZ).toBe(0)
  return posterior[0]!.value
}

describe('what is wrong is told with its place, the particle and the step', () => {
  test.each([
    ['NaN in an expression', 'let x = exp(0 / 0)', 'R001', '0 / 0', 'inference'],
    ['NaN from a logarithm', 'let x = log(0.0 - 1)', 'R001', 'log(0.0 - 1)', 'inference'],
    ['infinity minus infinity', 'let x = 1 / 0 - 1 / 0', 'R001', '1 / 0 - 1 / 0', 'inference'],
    ['a negative weight', 'factor a - 3', 'R002', 'a - 3', 'inference'],
    ['a negative twist', 'twist a - 3', 'R002', 'a - 3', 'inference'],
    ['an infinite weight', 'factor 1 / 0', 'R002', '1 / 0', 'inference'],
    ['an infinite exponential', 'factor exp(1 / 0)', 'R002', 'exp(1 / 0)', 'inference'],
    ['an infinite twist', 'twist exp(1 / 0)', 'R002', 'exp(1 / 0)', 'inference'],
    ['an infinite density', 'observe 0.0 ~ beta(0.5, 0.5)', 'R002', 'observe 0.0 ~ beta(0.5, 0.5)', 'inference'],
    ['an index out of range', 'let x = [1, 2][a + 5]', 'R004', '[1, 2][a + 5]', 'program'],
    ['a negative index', 'let x = [1, 2][-1]', 'R004', '[1, 2][-1]', 'program'],
    ['an index into nothing', 'let xs = [1, 2]\nlet ys = xs.filter(x => x > 5)\nlet y = ys[0]', 'R004', 'ys[0]', 'program'],
    ['a slice out of range', 'let x = [1, 2][0..a + 5]', 'R004', '[1, 2][0..a + 5]', 'program'],
    ['an assignment out of range', 'let xs = [1, 2]\nxs[5] = 1', 'R004', 'xs[5] = 1', 'program'],
    ['no Int in a text', 'let x = int("12x")', 'R011', 'int("12x")', 'program'],
    ['no number in a text', 'let x = float("")', 'R011', 'float("")', 'program'],
    ['a parameter out of its domain', 'sample x ~ normal(0, 0.0 - a)', 'R006', 'normal(0, 0.0 - a)', 'program'],
    ['a probability out of its domain', 'sample x ~ bernoulli(1.0 + a)', 'R006', 'bernoulli(1.0 + a)', 'program'],
    ['a negative count', 'repeat 0 - a - 1 { factor 1 }', 'R006', '0 - a - 1', 'program'],
    ['endless recursion', 'let x = deep(1)', 'R012', null, 'program'],
    ['endless recursion with effects inside', 'let x = deeper(1)', 'R012', null, 'program'],
  ])('%s', async (_name, statement, code, place, blame) => {
    const source = `fn deep(n: Int) -> Int { return 1 + deep(n + 1) }
fn deeper(n: Int) -> Int { factor 1
  return deep(n) }
sample a ~ categorical([1, 1])
factor 0.5 + a
sample b ~ bernoulli(0.5)
${statement}
return 1`
    const error = await failure(source, { threshold: 1 })
    expect(error.blame).toBe(blame)
    expect(error.diagnostics).toHaveLength(1)
    const [d] = error.diagnostics
    expect(d!.code).toBe(code)
    if (place) expect(d!.span!.source.text.slice(d!.span!.start, d!.span!.end)).toBe(place)
    expect(d!.span).toBeDefined()
    expect(d!.notes.at(-1)!.message).toMatch(/^particle \d+, after 1 resampling point$/)
  })

  test('a loop that does not end in a function without effects', async () => {
    const [d] = (await failure('fn spin(n: Int) -> Int { while n > 0 { n = 1 }\n  return n }\nreturn spin(1)', { particles: 1 }))
      .diagnostics
    expect(d!.code).toBe('R012')
    expect(d!.span).toBeDefined()
  })
})

describe('a twist', () => {
  /** Weights at each point of a run in which everything drawn is 0. */
  const logZs = async (source: string) => {
    const program = await sampler(source)
    const { steps, estimate } = await program.run(
      { index: () => 0, uniform: () => 0.5, resampling: (_, n) => new Float64Array(n).fill(0.5) },
      { particles: 1, threshold: 0 },
    )
    return [...steps.map((s) => Math.exp(s.logZ!)), estimate].map((x) => Number(x.toFixed(9)))
  }
  const draw = 'sample x ~ categorical([1, 1])'

  test('divides out its own value before, and is divided out when its loop ends', async () => {
    expect(await logZs(`${draw}\nfor i in 1..3 { twist 2 * i\n ${draw} }\n${draw}\nreturn 1`)).toEqual([2, 4, 6, 1, 1])
  })

  test('of an outer loop stays while an inner one turns', async () => {
    expect(
      await logZs(`${draw}
for i in 1..2 {
  twist 3 * i
  for j in 1..2 { twist 10 * j
    ${draw} }
  ${draw}
}
return 1`),
    ).toEqual([30, 60, 3, 60, 120, 6, 1])
  })

  test('ends with its call, and not with a call inside it', async () => {
    expect(
      await logZs(`fn inner(n: Int) -> Int { twist 5 * n
  ${draw}
  if n > 1 { let y = inner(n - 1) }
  return n }
twist 3
let y = inner(2)
${draw}
untwist
${draw}
return 1`),
    ).toEqual([30, 150, 3, 1, 1])
  })

  test('that two statements give: each has its own pending value, `untwist` ends both', async () => {
    expect(await logZs(`twist 2\ntwist 3\n${draw}\nuntwist\n${draw}\nreturn 1`)).toEqual([6, 1, 1])
  })

  test('in a span ends with it', async () => {
    const program = await sampler(
      'model lm = "table"\nlet s = lm("")\nsample x ~ s for 3 tokens twisted by 1 + x.length\nsample y ~ s\nreturn x',
      { lm },
    )
    const { steps } = await program.run(
      { index: () => 0, uniform: () => 0.5, resampling: (_, n) => new Float64Array(n).fill(0.5) },
      { particles: 1, threshold: 0 },
    )
    const mass = [0.8, 0.8, 0.8]
    const logs = [0, mass[0]! * 2, mass[0]! * mass[1]! * 3, mass[0]! * mass[1]! * mass[2]!]
    expect(steps.slice(-3).map((s) => Math.exp(s.logZ!).toFixed(9))).toEqual(logs.slice(-3).map((x) => x.toFixed(9)))
  })

  test('is left out with `twist: false`, its expression too', async () => {
    const result = await run('twist exp(0 / 0)\nsample x ~ bernoulli(0.5)\nreturn 1', { twist: false })
    expect(result.logZ).toBe(0)
  })
})

describe('evaluation from left to right', () => {
  test('calls with effects in an expression see what stands left of them as it was', async () => {
    const source = `model lm = "table"
fn go(s: Context, text: String) -> Int { force text ~ s
  return s.text.length }
let s = lm("")
let told = "{s.text}|{go(s, "a")}|{s.text}|{go(s, "bb")}|{s.text}"
let list = [s.text.length, go(s, "a"), s.text.length]
let chosen = if go(s, "b") > 4 and go(s, "b") > 100 { "{go(s, "aaa")}" } else { s.text }
let kept = s.text.length > 100 and go(s, "aaaa") > 0
return [told, "{list}", chosen, "{kept}", s.text]`
    expect(await answer(source)).toEqual(['|1|a|3|abb', '[3,4,4]', 'abbabb', 'false', 'abbabb'])
  })

  test('defaults and named arguments are in their places', async () => {
    const source = `fn f(a: Int, b: Int = a + 1, c: Int = b * 10) -> String { factor 1
  return "{a} {b} {c}" }
return [f(1), f(1, 5), f(1, c: 7), f(c: 1, a: 2, b: 3)]`
    expect(await answer(source)).toEqual(['1 2 20', '1 5 50', '1 2 7', '2 3 1'])
  })

  test('a loop turns over what it was given at its start', async () => {
    expect(
      await answer(
        'let n = 0\nlet last = 3\nfor i in 1..last { n += i\n  last = 1 }\nlet xs = [1, 2]\nfor x in xs { xs = xs + [x]\n  factor 1 }\nreturn [n, xs.length]',
      ),
    ).toEqual([6, 4])
  })

  test('a lambda keeps what it saw', async () => {
    expect(await answer('let k = 1\nlet f = x => x + k\nk = 5\nreturn [1, 2].map(f)')).toEqual([2, 3])
  })
})

describe('a copied particle', () => {
  test('shares nothing that either may change: lists, records, streams, frames of callers', async () => {
    const source = `model lm = "table"
fn walk(s: Context, n: Int) -> [String] {
  let seen = ["{n}"]
  let r = {count: 0, last: ""}
  for i in 1..2 {
    sample t ~ s for 1 tokens
    r.count += 1
    r.last = t
    seen = seen + [t]
    seen[0] = "{n}{t}"
    factor if t == "a" { 0.5 } else { 1.5 }
  }
  return seen + ["{r.count}{r.last}"]
}
let s = lm("")
let rest = walk(s, 1)
return rest + [s.text]`
    const p = { '': [0.5, 0.3], a: [0.2, 0.6], b: [0.7, 0.1] } as const
    const weight = [0.5, 1.5]
    const target = measureOf(
      [0, 1].flatMap((i) =>
        [0, 1].map((j): [string[], number] => {
          const [t, u] = ['ab'[i]!, 'ab'[j]!] as ['a' | 'b', 'a' | 'b']
          return [[`1${u}`, t, u, `2${u}`, t + u], p[''][i]! * weight[i]! * p[t][j]! * weight[j]!]
        }),
      ),
    )
    const program = await sampler(source, { lm })
    for (const particles of [2, 3])
      expect(distance(target, (await expected(program, { particles, threshold: 1 })).measure)).toBeLessThan(1e-9)
  })
})

describe('the window of a model', () => {
  test('a particle that needs more has weight 0, and a warning tells where', async () => {
    const small = table({ tokens: ['a', 'E'], end: 'E', next: { '': [1, 0], a: [1, 0], E: [0, 1] } })
    const windowed = { ...methodsOf(small), contextLength: 3 }
    const source = `model lm = "table"
let s = lm("a")
sample n ~ uniform(1..4)
sample x ~ s for n tokens
return n`
    const result = await run(source, { models: { lm: windowed }, particles: 40 })
    expect(result.posterior.map((p) => p.value).sort()).toEqual([1, 2])
    expect(result.warnings).toHaveLength(1)
    expect(result.warnings[0]).toMatchObject({ code: 'R013', severity: 'warning' })
    const { span } = result.warnings[0]!
    expect(source.slice(span!.start, span!.end)).toBe('sample x ~ s for n tokens')
  })
})

function methodsOf(model: ReturnType<typeof table>) {
  return {
    id: model.id,
    hash: model.hash,
    vocabulary: model.vocabulary,
    start: model.start.bind(model),
    extend: model.extend.bind(model),
    draw: model.draw.bind(model),
    urns: model.urns.bind(model),
    measure: model.measure.bind(model),
    logProbs: model.logProbs.bind(model),
    score: model.score.bind(model),
    dispose: model.dispose.bind(model),
  }
}

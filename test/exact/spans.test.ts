import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/infer/result.js'
import { distance, expected, measureOf, sampler, table, totalOf } from './measure.js'

/*
 * Sampling from a context (language.md §6) against a walk over the table, which knows nothing of the compiler: the target of a span is
 * what it would be if its tokens were drawn freely and a `require` followed each.
 */

const tokens = ['a', 'b', '.', 'E', 'b.'] as const
type Letter = (typeof tokens)[number]
const rows: Record<string, readonly number[]> = {
  '': [0.45, 0.2, 0.15, 0.1, 0.1],
  a: [0.3, 0.35, 0.2, 0.1, 0.05],
  b: [0.5, 0.1, 0.1, 0.2, 0.1],
  '.': [0.25, 0.2, 0.25, 0.25, 0.05],
  E: [0, 0, 0, 1, 0],
  'b.': [0.4, 0.3, 0.1, 0.1, 0.1],
}
const lm = table({ tokens, end: 'E', next: rows })

type Path = readonly Letter[]
interface Walked {
  readonly path: Path
  readonly mass: number
}

const start: Walked = { path: [], mass: 1 }
const ended = (path: Path) => path.at(-1) === 'E'
const text = (path: Path) => path.filter((t) => t !== 'E').join('')

/** Every next token, its probability at a temperature in the mass. */
function next(w: Walked, temperature = 1): Walked[] {
  if (ended(w.path)) return []
  const powers = rows[w.path.at(-1) ?? '']!.map((p) => p ** (1 / temperature))
  const total = powers.reduce((a, b) => a + b, 0)
  return tokens.map((t, i) => ({ path: [...w.path, t], mass: (w.mass * powers[i]!) / total }))
}

/** The probability of going on with these tokens. */
function on(w: Walked, more: Path, temperature = 1): Walked {
  let at = w
  for (const t of more) at = next(at, temperature)[tokens.indexOf(t)] ?? { path: at.path, mass: 0 }
  return at
}

interface Spanned extends Walked {
  /** The value of the span. */
  readonly value: string
}

/** All ways of a span. */
function span(
  from: Walked,
  kind: 'exactly' | 'upTo' | 'within',
  limit: number,
  options: { until?: RegExp; temperature?: number } = {},
): Spanned[] {
  const found: Spanned[] = []
  const visit = (w: Walked) => {
    const own = w.path.slice(from.path.length)
    const value = text(own)
    const match = options.until ? value.search(options.until) : -1
    if (own.length > 0 && match >= 0) found.push({ ...w, value: value.slice(0, match) })
    else if (kind !== 'exactly' && ended(w.path)) found.push({ ...w, value })
    else if (own.length === limit) {
      if (kind !== 'within') found.push({ ...w, value })
    } else for (const n of next(w, options.temperature)) if (kind !== 'exactly' || !ended(n.path)) visit(n)
  }
  visit(from)
  return found
}

async function agrees(body: string, target: ReadonlyMap<string, number>): Promise<void> {
  const source = `model lm = "table"\nlet s = lm("")\n${body}`
  for (const fuse of [true, false]) {
    const program = await sampler(source, { lm }, { fuse })
    for (const settings of [
      { particles: 1 },
      { particles: 2, threshold: 0.5 },
      { particles: 2, threshold: 1 },
      { particles: 2, threshold: 1, twist: false },
      { particles: 2, method: 'importance' },
    ] as const) {
      const found = await expected(program, settings, { limit: 100_000 })
      const label = `fuse ${fuse}, ${JSON.stringify(settings)}`
      expect(found.estimate, label).toBeCloseTo(totalOf(target), 9)
      expect(distance(target, found.measure), label).toBeLessThan(1e-9)
    }
  }
}

const valueOf = (ways: readonly Spanned[]) => measureOf(ways.map((w) => [[w.value, text(w.path), `${ended(w.path)}`], w.mass]))

describe('limits', () => {
  test('`for n tokens`: the end token is excluded, and what it had lowers the weight', async () => {
    const target = valueOf(span(start, 'exactly', 2))
    expect(totalOf(target)).toBeCloseTo(0.9 - 0.45 * 0.1 - 0.2 * 0.2 - 0.15 * 0.25 - 0.1 * 0.1, 12)
    await agrees('sample x ~ s for 2 tokens\nreturn [x, s.text, "{s.ended}"]', target)
  })

  test.each(['upTo', 'within'] as const)('%s 2 tokens', async (kind) => {
    const words = { upTo: 'for up to', within: 'within' }[kind]
    const until = kind === 'within' ? ' until "."' : ''
    await agrees(
      `sample x ~ s${until} ${words} 2 tokens\nreturn [x, s.text, "{s.ended}"]`,
      valueOf(span(start, kind, 2, until ? { until: /\./ } : {})),
    )
  })

  test('`for up to n` costs nothing: neither the cut nor the end', () => {
    expect(totalOf(valueOf(span(start, 'upTo', 3)))).toBeCloseTo(1, 12)
  })

  test('`for 0 tokens` and `for up to 0 tokens` are the empty text', () =>
    agrees('sample x ~ s for 0 tokens\nsample y ~ s for up to 0 tokens\nreturn x + y', measureOf([['', 1]])))

  test('a limit may be drawn', () =>
    agrees(
      'sample n ~ uniform(1..2)\nsample x ~ s for n tokens\nreturn x',
      measureOf([1, 2].flatMap((n) => span(start, 'exactly', n).map((w): [Json, number] => [w.value, w.mass / 2]))),
    ))
})

describe('until', () => {
  test.each([
    ['"."', /\./],
    ['"b"', /b/],
    ['"ba"', /ba/],
    ['/b+\\.?/', /b+\.?/],
    ['/[b.]$/', /[b.]$/],
    ['/aa|\\./', /aa|\./],
  ])('%s: the text before the first match; the token stays whole in the stream', async (stop, until) => {
    for (const [words, kind] of [
      ['for up to', 'upTo'],
      ['within', 'within'],
    ] as const)
      await agrees(
        `sample x ~ s until ${stop} ${words} 2 tokens\nreturn [x, s.text, "{s.ended}"]`,
        valueOf(span(start, kind, 2, { until })),
      )
  })

  test('a twist, points only before every second token, and a factor at the end', () =>
    agrees(
      `sample x ~ s until "." for up to 3 tokens twisted by exp(x.count("a") - 0.5 * x.length) resampling every 2 tokens
factor 0.2 + x.count("b")
return x`,
      measureOf(span(start, 'upTo', 3, { until: /\./ }).map((w) => [w.value, w.mass * (0.2 + w.value.split('b').length - 1)])),
    ))
})

describe('after a span', () => {
  test('the next one goes on where it stopped; one that has ended gives the empty text', () =>
    agrees(
      'sample x ~ s for up to 1 tokens\nsample y ~ s until "b" for up to 2 tokens\nreturn [x, y]',
      measureOf(
        span(start, 'upTo', 1).flatMap((w) =>
          span(w, 'upTo', 2, { until: /b/ }).map((v): [Json, number] => [[w.value, v.value], v.mass]),
        ),
      ),
    ))

  test.each([
    ['a one-token draw', 'sample t ~ s', (w: Walked) => next(w)],
    ['`for n tokens`', 'sample t ~ s for 1 tokens', (w: Walked) => span(w, 'exactly', 1).filter(() => !ended(w.path))],
    ['an observe', 'observe "b" ~ s', (w: Walked) => [on(w, ['b'])]],
    ['an observe of the end token', 'observe lm.end ~ s', (w: Walked) => [on(w, ['E'])]],
    ['an observe of nothing', 'observe "" ~ s', (w: Walked) => [w]],
    [
      '`within`, satisfied at once where it has ended',
      'sample t ~ s within 1 tokens until "b"',
      (w: Walked) => span(w, 'within', 1, { until: /b/ }),
    ],
  ] as const)('an ended stream: %s', (_name, statement, goesOn) =>
    agrees(
      `sample x ~ s for up to 1 tokens\n${statement}\nreturn [x, s.text, "{s.ended}"]`,
      measureOf(
        span(start, 'upTo', 1).flatMap((w) =>
          goesOn(w).map((v): [Json, number] => [[w.value, text(v.path), `${ended(v.path)}`], v.mass]),
        ),
      ),
    ),
  )
})

describe('one token', () => {
  test('the end token among them; its id, its text and `.end`', () =>
    agrees(
      'sample t ~ s\nsample u ~ lm("a")\nreturn [t, "{t.end}", "{t.id}", u, "{t == lm.end}", "{t == u}"]',
      measureOf(
        next(start).flatMap((w) =>
          next(on(start, ['a'])).map((v): [Json, number] => {
            const [t, u] = [w.path[0]!, v.path[1]!]
            const shown = (x: Letter) => (x === 'E' ? '' : x)
            const mass = w.mass * (v.mass / 0.45)
            return [[shown(t), `${t === 'E'}`, `${tokens.indexOf(t)}`, shown(u), `${t === 'E'}`, `${t === u}`], mass]
          }),
        ),
      ),
    ))

  test('a loop over tokens until the stream has ended', () =>
    agrees(
      `let n = 0
while not s.ended and n < 3 {
  sample t ~ s
  n += 1
  factor if t == "b" { 0.5 } else { 1.2 }
}
return s.tokens`,
      measureOf(
        span(start, 'upTo', 3).map((w) => [
          w.path.map((t) => (t === 'E' ? '' : t)),
          w.mass * w.path.reduce((m, t) => m * (t === 'b' ? 0.5 : 1.2), 1),
        ]),
      ),
    ))
})

describe('observe, force and prob', () => {
  test('text is cut into the longest tokens', () =>
    agrees('observe "ab.a" ~ s\nreturn s.tokens', measureOf([[['a', 'b.', 'a'], 0.45 * 0.05 * 0.4]])))

  test('a list of tokens is another path of the same text', () =>
    agrees(
      'let dot = lm("")\nforce "." ~ dot\nlet bee = lm("")\nforce "b" ~ bee\nobserve bee.tokens + dot.tokens ~ s\nreturn s.tokens',
      measureOf([[['b', '.'], 0.2 * 0.1]]),
    ))

  test('an end token in the middle has weight 0, at the end it ends the stream', async () => {
    await agrees(
      `sample go ~ bernoulli(0.5)
let a = lm("")
force "a" ~ a
if go { observe a.tokens + [lm.end] ~ s } else { observe [lm.end] + a.tokens ~ s }
return "{go} {s.ended}"`,
      measureOf([['true true', 0.5 * 0.45 * 0.1]]),
    )
  })

  test('force moves the stream and weighs nothing', () =>
    agrees(
      'force "ab" ~ s\nsample t ~ s\nreturn [s.text, t]',
      measureOf(next({ path: ['a', 'b'], mass: 1 }).map((w) => [[text(w.path), text(w.path.slice(2))], w.mass])),
    ))

  test('prob is what observe would multiply, and moves nothing', () =>
    agrees(
      `sample t ~ s
let before = s.text
factor 0.1 + s.prob("b.")
factor 1 + s.prob("")
factor 1 + s.prob(lm.end)
observe "b" ~ s
return [before, s.text]`,
      measureOf(
        next(start).map((w) => {
          const p = (more: Path) => on({ ...w, mass: 1 }, more).mass
          const weight = (0.1 + p(['b.'])) * (1 + 1) * (1 + p(['E'])) * p(['b'])
          return [[text(w.path), `${text(w.path)}b`], ended(w.path) ? 0 : w.mass * weight]
        }),
      ),
    ))

  test('prob of several texts in one lambda', () =>
    agrees(
      'sample t ~ s\nfactor ["a", "b", "ab"].map(x => s.prob(x)).sum() + 0.01\nreturn t',
      measureOf(
        next(start).map((w) => {
          const p = (more: Path) => on({ ...w, mass: 1 }, more).mass
          return [text(w.path), w.mass * (p(['a']) + p(['b']) + p(['a', 'b']) + 0.01)]
        }),
      ),
    ))
})

test('a fork is a stream of its own; another name is the same stream', () =>
  agrees(
    `sample t ~ s
let other = s.fork()
let same = s
sample u ~ other
observe "b" ~ same
return [s.text, other.text, same.text]`,
    measureOf(
      next(start).flatMap((w) =>
        next(w).map((v): [Json, number] => {
          const after = on({ ...w, mass: 1 }, ['b'])
          return [[text(after.path), text(v.path), text(after.path)], v.mass * after.mass]
        }),
      ),
    ),
  ))

test('temperature tempers sample, observe and prob alike', () =>
  agrees(
    `let warm = lm("", temperature: 1.7)
sample x ~ warm for up to 1 tokens
factor 0.1 + warm.prob("b")
observe "a" ~ warm
return x`,
    measureOf(
      span(start, 'upTo', 1, { temperature: 1.7 }).map((w) => {
        const p = (more: Path) => on({ ...w, mass: 1 }, more, 1.7).mass
        return [w.value, ended(w.path) ? 0 : w.mass * (0.1 + p(['b'])) * p(['a'])]
      }),
    ),
  ))

test('a cold context keeps the mass of its excluded end token', () =>
  agrees(
    'let cold = lm("b", temperature: 0.5)\nsample x ~ cold for 1 tokens\nreturn x',
    measureOf(span({ path: ['b'], mass: 1 }, 'exactly', 1, { temperature: 0.5 }).map((w) => [w.value, w.mass])),
  ))

test('fusion lowers the variance of `for n tokens`', async () => {
  const source = 'model lm = "table"\nlet s = lm("")\nsample x ~ s for 2 tokens\nreturn x'
  const log = async (fuse: boolean) => {
    const found = await expected(await sampler(source, { lm }, { fuse }), { particles: 1 })
    return { dead: found.dead, estimate: found.estimate }
  }
  expect((await log(true)).dead).toBe(0)
  expect((await log(false)).dead).toBeGreaterThan(0.1)
})

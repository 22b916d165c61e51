import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { agrees, few, ways } from './agree.js'
import { meaning, type World } from './interpreter.js'
import { distance, expected, measureOf, sampler, table, totalOf } from './measure.js'
import { finite, type Markov } from './reference-streams.js'

/*
 * `matching` (language.md §6, inference.md §1 "stop mass"). The table and the numbers are those of an independent enumeration in another
 * language; programs beside them are held against the reference interpreter.
 */

const lm: Markov = {
  tokens: ['a', 'b', '.', 'E'],
  end: 'E',
  next: {
    '': [0.5, 0.2, 0.2, 0.1],
    a: [0.3, 0.4, 0.2, 0.1],
    b: [0.6, 0.1, 0.1, 0.2],
    '.': [0.25, 0.25, 0.25, 0.25],
    E: [0, 0, 0, 1],
  },
}
const world: World = { models: { lm } }
const open = 'model lm = "table"\nlet s = lm("")\n'
const round = (target: ReadonlyMap<string, number>) =>
  Object.fromEntries([...target].map(([value, mass]) => [JSON.parse(value), Number(mass.toFixed(9))]))

describe('/a{1,2}/', () => {
  const span = 'sample x ~ s matching /a{1,2}/'

  test('the mass of a stop is that of all tokens that would leave', async () => {
    await agrees(`${open}${span}\nreturn x`, world, ways)
    expect(round(meaning(`${open}${span}\nreturn x`, world))).toEqual({ a: 0.35, aa: 0.15 })
  })

  test.each([
    ['for up to 1 tokens', { a: 0.5 }],
    ['for up to 2 tokens', { a: 0.35, aa: 0.15 }],
    ['for up to 3 tokens', { a: 0.35, aa: 0.15 }],
    ['for up to 0 tokens', {}],
    // Where nothing more can follow it stops of itself, which is no cut.
    ['within 3 tokens', { a: 0.35, aa: 0.15 }],
  ])('%s', async (limit, masses) => {
    await agrees(`${open}${span} ${limit}\nreturn x`, world, ways)
    expect(round(meaning(`${open}${span} ${limit}\nreturn x`, world))).toEqual(masses)
  })

  test('then `observe "."` gives what the model gives (.130); a stop that is forgotten gives .100', async () => {
    const source = `${open}${span}\nobserve "." ~ s\nreturn x`
    await agrees(source, world, ways)
    const target = meaning(source, world)
    expect(totalOf(target)).toBeCloseTo(0.13, 12)
    expect(round(target)).toEqual({ a: 0.1, aa: 0.03 })
    for (const fuse of [true, false])
      expect((await expected(await sampler(source, { lm: table(lm) }, { fuse }), { particles: 2 })).estimate).toBeCloseTo(0.13, 9)
  })

  test.each([
    ['a draw', 'sample t ~ s\nreturn [x, t, "{t.end}"]'],
    ['two draws', 'sample t ~ s\nsample u ~ s\nreturn [x, t, u]'],
    ['a draw with a factor', 'sample t ~ s\nfactor if t == "b" { 0.2 } else { 1.5 }\nreturn [x, t]'],
    ['prob', 'factor 0.1 + s.prob(".") * 2\nfactor 0.3 + s.prob("a") + s.prob("ba") + s.prob(lm.end)\nreturn x'],
    ['prob of the empty text', 'factor s.prob("")\nobserve "" ~ s\nobserve "b" ~ s\nreturn x'],
    ['an observe of a token that would not have left', 'observe "a" ~ s\nreturn x'],
    ['an observe of the end', 'observe lm.end ~ s\nreturn x'],
    ['an observe of several tokens', 'observe "ba." ~ s\nreturn x'],
    ['a fork, which remembers as well', 'let f = s.fork()\nsample t ~ f\nobserve "." ~ s\nreturn [x, t]'],
    ['two forks', 'let f = s.fork()\nsample t ~ f\nsample u ~ s.fork()\nreturn [x, t, u]'],
    ['force, which forgets', 'force "a" ~ s\nsample t ~ s\nreturn [x, t, s.text]'],
    ['force of nothing, which does not', 'force "" ~ s\nsample t ~ s\nreturn [x, t]'],
    ['another pattern', 'sample y ~ s matching /b?a?/\nreturn [x, y]'],
    ['another pattern and an observe', 'sample y ~ s matching /b*/ for up to 2 tokens\nobserve "." ~ s\nreturn [x, y]'],
    ['the same pattern, whose first token has just been refused', 'sample y ~ s matching /a{0,1}/\nreturn [x, y]'],
    ['a limit', 'sample y ~ s for 1 tokens\nreturn [x, y]'],
    ['an `until`', 'sample y ~ s until "." for up to 2 tokens\nreturn [x, y, "{s.ended}"]'],
    ['a token of a copy', 'sample t ~ s\nobserve t ~ lm("b")\nreturn [x, t]'],
  ])('then %s', (_what, then) => agrees(`${open}${span}\n${then}`, world))

  test('in a loop, each stop divides out the one before', () =>
    agrees(
      `${open}let n = 0
for i in 1..2 {
  sample x ~ s matching /a?b?/ for up to 1 tokens
  n += x.length
  factor 0.5 + x.length
}
observe "." ~ s
return "{n} {s.text}"`,
      world,
      ways,
    ))

  test('twists, points and a factor behind it', () =>
    agrees(
      `${open}${span} twisted by exp(1.5 * x.length) resampling every 2 tokens\nfactor [0.2, 3][x.length - 1]\nreturn x`,
      world,
      ways,
    ))

  test('a twist that is 0 before the end cannot kill', () =>
    agrees(`${open}${span} twisted by if x.length == 1 { 0 } else { 2 }\nobserve "." ~ s\nreturn x`, world))

  test('a twist that is 0 after one of two tokens cannot kill, and what is drawn of it weighs as much less', () =>
    agrees(
      `${open}sample x ~ s matching /a?b{1,2}/ twisted by if x.length == 1 and x != "b" { 0 } else { 2 }\nobserve "." ~ s\nreturn x`,
      world,
      ways,
    ))

  test('at a temperature', () =>
    agrees(
      'model lm = "table"\nlet s = lm("", temperature: 0.6)\nsample x ~ s matching /a{1,2}/\nsample t ~ s\nreturn [x, t]',
      world,
    ))
})

describe('limits, the end and empty texts', () => {
  test.each([
    ['an optional text may be empty', 'sample x ~ s matching /(ab)?/'],
    ['after the end the empty text is all there is', 'sample t ~ s\nsample x ~ s matching /a?/'],
    ['after the end a pattern that needs a token has weight 0', 'sample t ~ s\nsample x ~ s matching /[ab]/'],
    ['a limit cuts only where the pattern accepts', 'sample x ~ s matching /(ab)+/ for up to 3 tokens'],
    ['`within` needs a stop', 'sample x ~ s matching /[ab]+/ within 2 tokens'],
    ['a drawn limit', 'sample n ~ uniform(1..2)\nsample x ~ s matching /a+/ for up to n tokens'],
    ['a stop at once', 'sample x ~ s matching /(b\\.)?/ for up to 2 tokens\nsample t ~ s'],
    ['no text of the model fits', 'sample x ~ s matching /ac|b/'],
    ['`until` beside it', 'sample x ~ s matching /[ab]+/ until "ab" for up to 3 tokens'],
    ['`until` within the pattern', 'sample x ~ s matching /[ab.]*/ until "." within 2 tokens'],
    ['`where` beside it', 'sample x ~ s matching /[ab]{1,2}/ where not x.contains("bb")'],
    ['`where`, `until` and a twist', 'sample x ~ s matching /[ab.]{1,2}/ until "b" where x != "a" twisted by 0.2 + x.length'],
  ])('%s', (_what, span) => agrees(`${open}${span}\nreturn [x, s.text, "{s.ended}"]`, world))
})

describe('tokens that reach over the boundary of a pattern', () => {
  const long: Markov = {
    tokens: ['a', 'ab', 'b', 'b.', 'E'],
    end: 'E',
    next: {
      '': [0.3, 0.25, 0.2, 0.15, 0.1],
      a: [0.1, 0.2, 0.3, 0.3, 0.1],
      ab: [0.25, 0.25, 0.2, 0.2, 0.1],
      b: [0.3, 0.1, 0.2, 0.2, 0.2],
      'b.': [0.2, 0.2, 0.2, 0.2, 0.2],
      E: [0, 0, 0, 0, 1],
    },
  }
  test.each(['/ab?/', '/a|ab/', '/(ab)+/', '/a*b/', '/(a|b)b?\\./'])('%s', (pattern) =>
    agrees(`${open}sample x ~ s matching ${pattern} for up to 2 tokens\nsample t ~ s\nreturn [x, s.text, t, "{t.end}"]`, {
      models: { lm: long },
    }),
  )
})

test('characters of several bytes', async () => {
  const accents: Markov = {
    tokens: ['é', 'e', 'è', '日本', '日', 'E'],
    end: 'E',
    next: Object.fromEntries(
      ['', 'é', 'e', 'è', '日本', '日', 'E'].map((t, i) => [
        t,
        t === 'E' ? [0, 0, 0, 0, 0, 1] : [2 + i, 2, 1, 3, 1, 1].map((w) => w / (10 + i)),
      ]),
    ),
  }
  await agrees(
    `${open}sample x ~ s matching /[éè]{1,2}|日./ for up to 3 tokens\nsample t ~ s\nreturn [x, t]`,
    { models: { lm: accents } },
    few,
    [{ particles: 1 }],
  )
})

test('tokens that are parts of a character', async () => {
  // The two bytes of é and è: the first alone is allowed, since it can become one of them.
  const bytes = [[0xc3], [0xa9], [0xa8], [0x65], []]
  const half = table({
    tokens: ['C3', 'A9', 'A8', 'e', 'E'],
    end: 'E',
    next: {
      '': [0.4, 0.1, 0.1, 0.3, 0.1],
      C3: [0.1, 0.5, 0.2, 0.1, 0.1],
      A9: [0.3, 0.1, 0.1, 0.2, 0.3],
      A8: [0.2, 0.2, 0.2, 0.2, 0.2],
      e: [0.25, 0.05, 0.2, 0.4, 0.1],
      E: [0, 0, 0, 0, 1],
    },
  })
  Object.assign(half.vocabulary, { bytes: (token: number) => Uint8Array.from(bytes[token]!) })
  const source = `${open}sample x ~ s matching /[eé]{1,2}/\nobserve lm.end ~ s\nreturn x`
  const target = measureOf([
    ['é', 0.4 * 0.5 * 0.3],
    ['éé', 0.4 * 0.5 * 0.3 * 0.5 * 0.3],
    ['ée', 0.4 * 0.5 * 0.2 * 0.1],
    ['e', 0.3 * 0.1],
    ['ee', 0.3 * 0.4 * 0.1],
    ['eé', 0.3 * 0.25 * 0.5 * 0.3],
  ])
  for (const fuse of [true, false]) {
    const program = await sampler(source, { lm: half }, { fuse })
    for (const each of fuse ? few : [{ particles: 1 }])
      expect(distance(target, (await expected(program, each)).measure)).toBeLessThan(1e-9)
  }
})

describe('json and grammar', () => {
  const braces: Markov = {
    tokens: ['[', ']', '1', ',', '1]', 'E'],
    end: 'E',
    next: Object.fromEntries(
      ['', '[', ']', '1', ',', '1]', 'E'].map((t, i) => {
        if (t === 'E') return [t, [0, 0, 0, 0, 0, 1]]
        const weights = [3, 1 + i, 2, 1 + (i % 3), 1, 1]
        const total = weights.reduce((a, b) => a + b, 0)
        return [t, weights.map((w) => w / total)]
      }),
    ),
  }
  const languages = finite(['[1]', '[1,1]'])
  const rest = 'for up to 5 tokens\nobserve lm.end ~ s\nreturn x'

  test('a schema', () => {
    const schema = 'json({type: "array", items: {const: 1}, minItems: 1, maxItems: 2})'
    const source = `${open}sample x ~ s matching ${schema} ${rest}`
    return agrees(source, { models: { lm: braces }, languages: { [schema]: languages } }, few, [{ particles: 1 }])
  })

  test('a grammar', () => {
    const folder = mkdtempSync(join(tmpdir(), 'smcc-grammar-'))
    const file = join(folder, 'ones.ebnf')
    writeFileSync(file, 'root ::= "[" "1" ("," "1")? "]"\n')
    const grammar = `grammar(${JSON.stringify(file)})`
    const source = `${open}sample x ~ s matching ${grammar} ${rest}`
    const world = { models: { lm: braces }, languages: { [grammar]: languages } }
    return agrees(source, world, few, [{ particles: 1 }]).finally(() => rmSync(folder, { recursive: true }))
  })
})

describe('what fusion is for', () => {
  test('no particle dies of a pattern, and Z-hat of one particle varies less', async () => {
    const source = `${open}sample x ~ s matching /[ab]{2}/\nreturn x`
    const [fused, free] = await Promise.all(
      [true, false].map(async (fuse) => expected(await sampler(source, { lm: table(lm) }, { fuse }), { particles: 1 })),
    )
    expect(fused!.dead).toBe(0)
    expect(free!.dead).toBeGreaterThan(0.3)
    expect(fused!.estimate).toBeCloseTo(free!.estimate, 12)
  })
})

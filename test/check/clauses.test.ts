import { describe, expect, test } from 'vitest'
import { checkText, codes, places, resultType } from './program.js'

const lm = 'model lm = "tiny"\nmodel small = "tiny"\nlet story = lm("Once")\nparam n = 5\n'

describe('clauses', () => {
  test.each([
    ['for n tokens', []],
    ['for up to n + 1 tokens', []],
    ['within 3 tokens', []],
    ['until "." for up to 3 tokens', []],
    ['until /[.!]/ within 3 tokens', []],
    ['matching /a+/', []],
    ['matching json({ type: ["string", 1], enum: [1, "a", true] }) for up to 9 tokens', []],
    ['matching json("schema.json") within 9 tokens', []],
    ['matching grammar("g.ebnf") for up to 9 tokens', []],
    ['where x.contains("a")', []],
    ['for 3 tokens where x.length < 9 twisted by exp(-x.length) resampling every 2 tokens', []],
    ['via small', []],
    ['for n tokens via small("a") in blocks of 4', []],
    ['for 3 tokens for 4 tokens', ['C060']],
    ['for 3 tokens within 4 tokens', ['C061']],
    ['for 3 tokens until "."', ['C061']],
    ['for 3 tokens matching /a+/', ['C061']],
    ['until "."', ['C062']],
    ['twisted by 2', ['C063']],
    ['resampling every 2 tokens', ['C063']],
    ['via small in blocks of 4', ['C063']],
    ['for -1 tokens', ['C065']],
    ['for up to 3 tokens resampling every 0 tokens', ['C065']],
    ['for 2.5 tokens', ['C020']],
    ['for "a" tokens', ['C020']],
    ['until 3 for up to 3 tokens', ['C020']],
    ['until "" for up to 3 tokens', ['C083']],
    ['until /a*/ for up to 3 tokens', ['C083']],
    ['until /(a/ for up to 3 tokens', ['C080']],
    ['matching "a" for up to 3 tokens', ['C085']],
    ['matching json() for up to 3 tokens', ['C085']],
    ['matching grammar(3) for up to 3 tokens', ['C020']],
    ['for 3 tokens where x', ['C020']],
    ['for 3 tokens twisted by "a"', ['C020']],
    ['for 3 tokens via 3', ['C020']],
    ['for 3 tokens where y', ['C001']],
    ['for x tokens', ['C001']],
  ])('sample x ~ story %s', (clauses, found) => {
    expect(codes(`${lm}sample x ~ story ${clauses}\nreturn x`)).toEqual(found)
  })

  test.each([
    ['normal(0, 1) for 3 tokens', ['C064']],
    ['normal(0, 1) until "a"', ['C064']],
    ['normal(0, 1) where x > 0', []],
    ['normal(0, 1) via normal(1, 2)', []],
    ['normal(0, 1) via bernoulli(0.5)', ['C020']],
    ['normal(0, 1) via small', ['C020']],
  ])('sample x ~ %s', (rest, found) => {
    expect(codes(`${lm}sample x ~ ${rest}\nreturn x`)).toEqual(found)
  })

  test('one token is a Token, a span a String', () => {
    expect(resultType(`${lm}sample x ~ story\nreturn x`)).toBe('Token')
    expect(resultType(`${lm}sample x ~ story for 1 tokens\nreturn x`)).toBe('String')
    expect(resultType(`${lm}sample x ~ story matching /a/\nreturn x`)).toBe('String')
  })

  test('contexts combine', () => {
    expect(codes(`${lm}sample x ~ story * small("a") / lm("b") ^ 0.5 for 3 tokens\nreturn x`)).toEqual([])
    expect(places(`${lm}sample x ~ story * 2 for 3 tokens\nreturn x`)).toEqual(['C021 story * 2'])
  })

  test('the name is one variable in the clauses and after them', () => {
    const { symbols } = checkText(`${lm}sample x ~ story for 3 tokens where x.length < 9\nreturn x`)
    const uses = [...symbols].flatMap(([node, symbol]) =>
      'kind' in node && node.kind === 'Name' && node.text === 'x' ? [symbol] : [],
    )
    expect(uses).toHaveLength(2)
    expect(new Set(uses).size).toBe(1)
  })
})

describe('prompts', () => {
  test.each([
    ['lm("a", temperature: 0.5)', []],
    ['lm("a", chat: true)', []],
    ['lm([{ role: "user", content: "a" }], chat: true)', []],
    ['lm([{ role: "user", content: "a" }])', ['C045']],
    ['lm([{ role: "user", text: "a" }], chat: true)', ['C020']],
    ['lm("a", temperature: 0)', ['C046']],
    ['lm("a", temperature: -1)', ['C046']],
    ['lm(3)', ['C020']],
    ['lm()', ['C040']],
    ['lm("a", temprature: 1)', ['C042']],
  ])('%s', (call, found) => {
    expect(codes(`${lm}sample t ~ ${call}\nreturn t`)).toEqual(found)
  })
})

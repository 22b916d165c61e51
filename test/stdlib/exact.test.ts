import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectedMeasure, p, sum, tempered, texts } from './expectations.js'

/*
 * Each function of the standard library against its target, as the comment above it states: on a table model the sampler's own random
 * choices are enumerated, so that E[Z-hat P-hat(x)] must equal target(x) to rounding, for every x.
 */

const words = (text: string) => text.replace('$', '')

interface Case {
  readonly name: string
  readonly program: string
  readonly target: ReadonlyMap<string, number>
  /** Populations of two are enumerated where the paths stay few. */
  readonly most: number
  /** Another table than the usual one. */
  readonly model?: object
}

/** Texts of exactly `n` tokens, none of which is the end. */
const whole = (n: number) => texts(n).filter((text) => words(text).length === n)

/** Texts as `for up to n tokens` gives them. */
const upTo = (n: number) => texts(n).filter((text) => text.length === n || text.endsWith('$'))

const five = ' ababababa'
const two = ' aba'
const seven = ' ababababababa'
const usual = [0.25, 0.2, 0.15, 0, 0.3, 0.1]
/** Words of five, seven and two syllables; behind that of five may follow two syllables that make it the word of seven. */
const verses = {
  tokens: [five, seven, two, 'baba', '.', '$'],
  order: 1,
  end: '$',
  next: {
    '': usual,
    [five]: [0.2, 0.2, 0.1, 0.1, 0.3, 0.1],
    [seven]: usual,
    [two]: usual,
    baba: usual,
    '.': usual,
    $: [0, 0, 0, 0, 0, 1],
  },
}
const haiku = (middle: string) => `ababababa\n${middle.trim()}\nababababa.`

const cases: Case[] = [
  {
    name: 'infill',
    program: `use infill from "std/text"
      model lm = "table:t.json"
      return infill(lm("a"), "b.", 2)`,
    target: sum(
      texts(2)
        .filter((text) => words(text).length === 2)
        .map((middle) => [middle, p(`${middle}b.`, 'a')]),
    ),
    most: 2,
  },
  {
    name: 'choose, and a text observed behind it',
    program: `use choose from "std/text"
      model lm = "table:t.json"
      let story = lm("a")
      let option = choose(story, ["a", "b.", "ab", "bbb"])
      observe "a" ~ story
      return option`,
    target: sum(['a', 'b.', 'ab', 'bbb'].map((option) => [option, p(`${option}a`, 'a')])),
    most: 2,
  },
  {
    name: 'choose behind a draw whose value decides what fits',
    program: `use choose from "std/text"
      model lm = "table:t.json"
      let story = lm("")
      sample first ~ story
      let option = choose(story, ["b", "."])
      return "{first}{option}"`,
    target: sum(['a', 'b', '.', '$'].flatMap((first) => ['b', '.'].map((o) => [first + o, p(first + o)] as const))),
    most: 2,
  },
  {
    name: 'choose among nothing has no weight, and other particles go on',
    program: `use choose from "std/text"
      model lm = "table:t.json"
      let story = lm("")
      sample first ~ story
      let options = if first == "a" { ["b", "."] } else { [] }
      return choose(story, options)`,
    target: sum([
      ['b', p('ab')],
      ['.', p('a.')],
    ]),
    most: 2,
  },
  {
    name: 'mention',
    program: `use mention from "std/text"
      model lm = "table:t.json"
      return mention(lm(""), ["a", "."], 2)`,
    target: sum(
      texts(2)
        .filter((text) => text.length === 2 || text.endsWith('$'))
        .filter((text) => text.includes('a') && text.includes('.'))
        .map((text) => [words(text), p(text)]),
    ),
    most: 2,
  },
  {
    name: 'mention, three tokens',
    program: `use mention from "std/text"
      model lm = "table:t.json"
      return mention(lm("b"), ["ab"], 3)`,
    target: sum(
      texts(3)
        .filter((text) => (text.length === 3 || text.endsWith('$')) && text.includes('ab'))
        .map((text) => [words(text), p(text, 'b')]),
    ),
    most: 1,
  },
  {
    name: 'sentence',
    program: `use sentence from "std/text"
      model lm = "table:t.json"
      return sentence(lm("a"), 2)`,
    target: sum(
      texts(2)
        .filter((text) => /^[ab]*[.$]$/.test(text))
        .map((text) => [words(text), p(text, 'a')]),
    ),
    most: 2,
  },
  {
    name: 'without',
    program: `use without from "std/text"
      model lm = "table:t.json"
      return without(lm("a"), "Aq", 2)`,
    target: sum(
      whole(2)
        .filter((text) => !text.includes('a'))
        .map((text) => [text, p(text, 'a')]),
    ),
    most: 2,
  },
  {
    name: 'avoid: words as a whole, in the middle and at the end',
    program: `use avoid from "std/text"
      model lm = "table:t.json"
      return avoid(lm(""), ["B", "ba"], 3)`,
    target: sum(
      upTo(3)
        .filter((text) => !/^(.*\.)?(b|ba)(\..*)?$/.test(words(text)))
        .map((text) => [words(text), p(text)]),
    ),
    most: 1,
  },
  {
    name: 'fresh: no word twice',
    program: `use fresh from "std/text"
      model lm = "table:t.json"
      return fresh(lm(""), 1, 3)`,
    target: sum(
      upTo(3)
        .filter((text) => !/^(a\.a|b\.b)$/.test(words(text)))
        .map((text) => [words(text), p(text)]),
    ),
    most: 1,
  },
  {
    name: 'fresh: no pair twice',
    program: `use fresh from "std/text"
      model lm = "table:t.json"
      return fresh(lm("a"), 2, 5)`,
    target: sum(
      upTo(5)
        .filter((text) => !/^([ab])\.\1\.\1$/.test(words(text)))
        .map((text) => [words(text), p(text, 'a')]),
    ),
    most: 1,
  },
  {
    name: 'chances weigh nothing and move nothing',
    program: `use chances from "std/text"
      model lm = "table:t.json"
      let story = lm("a")
      let all = chances(story, ["a", "b."])
      sample next ~ story
      return [round(10000 * all[0]), round(10000 * all[1]), if next.end { 1 } else { 0 }]`,
    target: sum(
      [0.9, 0.1].map((chance, end) => [
        [...['a', 'b.'].map((text) => Math.round((10000 * p(text, 'a')) / (p('a', 'a') + p('b.', 'a')))), end],
        chance,
      ]),
    ),
    most: 2,
  },
  {
    name: 'haiku',
    program: `use haiku from "std/text"
      model lm = "table:t.json"
      return haiku(lm(""))`,
    target: sum([
      [haiku(seven), 0.25 * 0.2 * 0.25 * 0.3],
      [haiku(`${five}baba`), 0.25 * 0.2 * 0.1 * 0.25 * 0.3],
      [haiku(five + two), 0.25 * 0.2 * 0.1 * 0.25 * 0.3],
      [haiku(two + five), 0.25 * 0.1 * 0.25 * 0.2 * 0.3],
    ]),
    most: 1,
    model: verses,
  },
  {
    name: 'power',
    program: `use power from "std/decode"
      model lm = "table:t.json"
      return power(lm("a"), 2, 2)`,
    target: sum(upTo(2).map((text) => [words(text), p(text, 'a') ** 2])),
    most: 1,
  },
  {
    name: 'contrast',
    program: `use contrast from "std/decode"
      model lm = "table:t.json"
      return contrast(lm("a"), lm("b"), 2, 0.7)`,
    target: sum(upTo(2).map((text) => [words(text), p(text, 'a') ** 1.7 / p(text, 'b') ** 0.7])),
    most: 1,
  },
  {
    name: 'speculate',
    program: `use speculate from "std/decode"
      model lm = "table:t.json"
      return speculate(lm("a", temperature: 2), lm, 3, 1)`,
    target: sum(upTo(3).map((text) => [words(text), tempered(text, 'a', 2)])),
    most: 1,
  },
  {
    name: 'intersect of three',
    program: `use intersect from "std/decode"
      model lm = "table:t.json"
      return intersect([lm("a"), lm("b"), lm("")], 2)`,
    target: sum(
      texts(2)
        .filter((text) => text.length === 2 || text === '$')
        .map((text) => [words(text), p(text, 'a') * p(text, 'b') * p(text)]),
    ),
    most: 2,
  },
  {
    name: 'intersect of one is the context itself',
    program: `use intersect from "std/decode"
      model lm = "table:t.json"
      return intersect([lm("a")], 1)`,
    target: sum(['a', 'b', '.', '$'].map((text) => [words(text), p(text, 'a')])),
    most: 2,
  },
]

describe.each(cases)('$name', ({ program, target, most, model }) => {
  const populations = [1, 2].filter((particles) => particles <= most)
  test.each(populations.flatMap((particles) => [0, 0.5, 1].map((threshold) => ({ particles, threshold }))))(
    '$particles particles, threshold $threshold',
    async (settings) => {
      const measure = await expectedMeasure(program, settings, model)
      expect([...measure.keys()].sort()).toEqual([...target.keys()].sort())
      for (const [value, weight] of target) expect(measure.get(value)).toBeCloseTo(weight, 9)
    },
  )
})

test('every function that moves a context or weighs is here', () => {
  const library = new URL('../../stdlib/', import.meta.url)
  for (const file of readdirSync(library)) {
    const functions = readFileSync(new URL(file, library), 'utf8').matchAll(/^fn (\w+)\(\w+: \[?Context/gm)
    for (const [, name] of functions) expect(cases.some(({ program }) => program.includes(`use ${name} from`))).toBe(true)
  }
})

test('the targets are not trivial', () => {
  for (const { target } of cases) expect(target.size).toBeGreaterThan(1)
})

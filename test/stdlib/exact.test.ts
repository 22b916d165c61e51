import { describe, expect, test } from 'vitest'
import { expectedMeasure, p, sum, texts } from './expectations.js'

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
}

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

describe.each(cases)('$name', ({ program, target, most }) => {
  const populations = [1, 2].filter((particles) => particles <= most)
  test.each(populations.flatMap((particles) => [0, 0.5, 1].map((threshold) => ({ particles, threshold }))))(
    '$particles particles, threshold $threshold',
    async (settings) => {
      const measure = await expectedMeasure(program, settings)
      expect([...measure.keys()].sort()).toEqual([...target.keys()].sort())
      for (const [value, weight] of target) expect(measure.get(value)).toBeCloseTo(weight, 9)
    },
  )
})

test('the targets are not trivial', () => {
  for (const { target } of cases) expect(target.size).toBeGreaterThan(1)
})

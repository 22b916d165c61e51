import * as ohm from 'ohm-js'
import { describe, expect, test } from 'vitest'
import { compiled } from '../../src/syntax/grammar.js'
import { grammarText, matchesRule, ruleNames } from '../../src/syntax/parse.js'
import { clauseWords, declarationWords, innerWords, reservedWords } from '../../src/syntax/words.js'

interface Example {
  readonly rule: string
  readonly text: string
  readonly fits: boolean
}

/** `//+ "text", ...` above a rule must match it, `//- ...` must not; the texts are JSON strings. */
function examples(): Example[] {
  const found: Example[] = []
  let waiting: Omit<Example, 'rule'>[] = []
  for (const line of grammarText.split('\n')) {
    const example = /^\s*\/\/([+-]) (.*)$/.exec(line)
    if (example) {
      const texts = JSON.parse(`[${example[2]}]`) as string[]
      waiting.push(...texts.map((text) => ({ text, fits: example[1] === '+' })))
      continue
    }
    const rule = /^\s*([A-Za-z]+)(?: \([^)]*\))?\s*=/.exec(line)?.[1]
    if (rule === undefined) continue
    found.push(...waiting.map((each) => ({ ...each, rule })))
    waiting = []
  }
  return found
}

describe('the examples in grammar/smc.ohm', () => {
  test('are read', () => {
    expect(examples().length).toBeGreaterThan(150)
    expect(new Set(examples().map((each) => each.rule)).size).toBeGreaterThan(35)
    for (const { rule } of examples()) expect(ruleNames()).toContain(rule)
  })
  for (const { rule, text, fits } of examples()) {
    test(`${rule} ${fits ? 'takes' : 'refuses'} ${JSON.stringify(text)}`, () => {
      expect(matchesRule(text, rule)).toBe(fits)
    })
  }
})

describe('the words of words.ts', () => {
  test.each([...reservedWords])('%s is no name', (word) => expect(matchesRule(word, 'name')).toBe(false))
  test.each([...declarationWords, ...innerWords])('%s is free as a name', (word) => expect(matchesRule(word, 'name')).toBe(true))
  test('are all that the grammar reserves', () => {
    const rule = /reserved = .*?\n\n?.*?~wordPart/s.exec(grammarText)![0]
    const words = [...rule.matchAll(/"([a-z]+)"/g)].map((match) => match[1]!).filter((word) => word.length > 1)
    expect(new Set(words)).toEqual(reservedWords)
    expect([...clauseWords].every((word) => reservedWords.has(word))).toBe(true)
  })
})

test('a compiled grammar is used as long as it was made of this text', () => {
  // The types of ohm leave it out.
  const made = ohm.grammar(grammarText) as ohm.Grammar & { toRecipe(): string }
  const recipe = JSON.parse(made.toRecipe())
  const fresh = compiled(JSON.stringify({ text: grammarText, recipe }))
  expect(Object.keys(fresh?.rules ?? {})).toEqual(Object.keys(made.rules))
  expect(compiled(JSON.stringify({ text: `${grammarText} `, recipe }))).toBeUndefined()
})

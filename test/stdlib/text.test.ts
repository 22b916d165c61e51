import { expect, test } from 'vitest'
import { compile } from '../../src/index.js'

async function value(expression: string): Promise<unknown> {
  const program = await compile(
    `use syllables from "std/text"\nuse sentiment, profanity from "std/score"\nreturn ${expression}`,
    { path: 'test.smc' },
  )
  const result = await program.run({}, { particles: 1, seed: 1 })
  return result.samples[0]!.value
}

test.each([
  ['The cat sat on the mat.', 6],
  ['little table, whale', 5],
  ['jumped wanted boxes makes', 6],
  ['beautiful banana', 6],
  ["I don't know!", 3],
  ['once upon a time', 5],
  ['... --', 0],
  ['', 0],
])('syllables of %j', async (text, count) => {
  expect(await value(`syllables(${JSON.stringify(text)})`)).toBe(count)
})

test.each([
  ['A wonderful, happy film.', 1],
  ['A terrible film.', -1],
  ['Good, but sad.', 0],
  ['It was not good.', -1],
  ["I don't like it.", -1],
  ['I don\u2019t like it.', -1],
  ['It was never bad, and fun.', 1],
  ['A film of two hours.', 0],
  ['nice nice nice awful', 0.5],
])('sentiment of %j', async (text, score) => {
  expect(await value(`sentiment(${JSON.stringify(text)})`)).toBe(score)
})

test.each([
  ['Damn! What the hell?', 2],
  ['Hello, shell.', 0],
])('profanity of %j', async (text, count) => {
  expect(await value(`profanity(${JSON.stringify(text)})`)).toBe(count)
})

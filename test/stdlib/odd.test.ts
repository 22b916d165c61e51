import { describe, expect, test } from 'vitest'
import { positionAt } from '../../src/diagnostics/span.js'
import { compile, type SmcError } from '../../src/index.js'
import { TableModel } from '../../src/models/table.js'
import { table } from './expectations.js'

/** What a call of the library fails with, and which part of the program it says to have called it. */
async function failure(library: string, call: string) {
  const name = call.slice(0, call.indexOf('('))
  const program = await compile(`use ${name} from "std/${library}"\nmodel lm = "table"\nlet s = lm("a")\nreturn ${call}`, {
    path: 'test.smc',
  })
  const models = { lm: TableModel.parse('table', JSON.stringify(table)) }
  const error: SmcError = await program.run({}, { seed: 1, particles: 4, models }).then(
    () => {
      throw new Error('this run was to fail')
    },
    (error) => error,
  )
  const { code, message, hint, notes } = error.diagnostics[0]!
  const place = notes.find((note) => note.message === 'called here')?.span
  const from = place && {
    line: positionAt(place.source, place.start).line,
    text: place.source.text.slice(place.start, place.end),
  }
  return { code, message, hint, from }
}

describe('an error inside the library tells where the program called it', () => {
  test.each([
    ['text', 'infill(s, "b", -1)', 'R006', 'expected a count of 0 or more, found -1'],
    ['text', 'sentence(s, 0)', 'R003', 'all particles are dead: log Z-hat is minus infinity'],
    ['decode', 'speculate(s, lm, 2, 0)', 'R006', 'expected blocks of 1 token or more, found 0'],
    ['decode', 'intersect([], 2)', 'R004', 'index 0 is out of range: the list is empty'],
    ['text', 'choose(s, [])', 'R003', 'all particles are dead: log Z-hat is minus infinity'],
  ])('%s: %s', async (library, call, code, message) => {
    expect(await failure(library, call)).toMatchObject({ code, message, from: { line: 4, text: call } })
  })

  test('from an expression too, which makes no call of its own', async () => {
    expect(await failure('text', 'chances(s, ["x"])')).toMatchObject({
      code: 'M009',
      from: { line: 4, text: 'chances(s, ["x"])' },
    })
  })
})

test('a span whose limit nothing reaches says so', async () => {
  expect((await failure('text', 'sentence(s, 0)')).hint).toBe(
    'no text came to its end within the limit of this span: raise it, or weaken what else the text must meet',
  )
  expect((await failure('text', 'haiku(s, 2)')).hint).toMatch(/within the limit/)
})

test('a condition that no token meets says that beginnings must meet it', async () => {
  expect((await failure('text', 'without(s, "ab.", 2)')).hint).toMatch(/must hold of every beginning of the text/)
})

describe('letters that change their length with their case', () => {
  const tokens = ['i', 'I', '\u0130', '\u{1F600}', '\u03c2', '\u03a3', '$']
  const row = tokens.map(() => 1 / 7)
  const model = { tokens, order: 1, end: '$', next: Object.fromEntries(['', ...tokens].map((token) => [token, row])) }
  test.each([
    ['\u0130', ['I', 'i', '\u03a3', '\u03c2', '\u{1F600}']],
    ['i', ['\u0130', '\u03a3', '\u03c2', '\u{1F600}']],
    ['\u{1F601}', ['I', 'i', '\u0130', '\u03a3', '\u03c2', '\u{1F600}']],
    ['\u03a3', ['I', 'i', '\u0130', '\u03c2', '\u{1F600}']],
    ['', ['I', 'i', '\u0130', '\u03a3', '\u03c2', '\u{1F600}']],
  ])('without %j', async (letters, left) => {
    const program = await compile(`use without from "std/text"\nmodel lm = "table"\nreturn without(lm(""), "${letters}", 1)`, {
      path: 'test.smc',
    })
    const models = { lm: TableModel.parse('table', JSON.stringify(model)) }
    const { posterior } = await program.run({}, { seed: 1, particles: 300, models })
    expect(posterior.map(({ value }) => value).sort()).toEqual([...left].sort())
  })
})

test('an apostrophe is one in either form', async () => {
  const tokens = ['don\u2019t', "don't", 'do', '$']
  const row = [0.3, 0.3, 0.3, 0.1]
  const model = { tokens, order: 1, end: '$', next: Object.fromEntries(['', ...tokens].map((token) => [token, row])) }
  for (const word of ["don't", 'DON\u2019T']) {
    const program = await compile(`use avoid from "std/text"\nmodel lm = "table"\nreturn avoid(lm(""), ["${word}"], 1)`, {
      path: 'test.smc',
    })
    const models = { lm: TableModel.parse('table', JSON.stringify(model)) }
    const { posterior } = await program.run({}, { seed: 1, particles: 100, models })
    expect(posterior.map(({ value }) => value).sort()).toEqual(['', 'do'])
  }
})

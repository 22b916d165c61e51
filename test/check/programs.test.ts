import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { check } from '../../src/check/check.js'
import { unsupported } from '../../src/check/unsupported.js'
import { SmcError } from '../../src/diagnostics/diagnostic.js'
import { checkText, type Files, moduleOf } from './program.js'

/* Programs as users would write them. The files that they use stand here by their signatures. */

const files: Files = {
  'std/text': `
    fn infill(story: Context, after: String, gap: Int) -> String {
      sample middle ~ story for gap tokens
      observe after ~ story
      return middle
    }
    fn choose(story: Context, options: [String]) -> String {
      sample at ~ categorical(options.map(each => story.prob(each)))
      force options[at] ~ story
      return options[at]
    }
    fn syllables(text: String) -> Int { return text.words().length }`,
  './lib/clean.smc':
    'fn clean(text: String) -> String { return text.trim() }\nfn tidy(text: String) -> String { return clean(text) }',
}

const folder = new URL('../programs/', import.meta.url)
const programs = readdirSync(folder)
  .filter((name) => name.endsWith('.smc'))
  .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const)

test('the programs are there', () => {
  expect(programs.length).toBeGreaterThanOrEqual(40)
})

test.each(programs)('%s', (_, text) => {
  const checked = checkText(text, files)
  expect(checked.diagnostics.map((each) => `${each.code} ${each.message}`)).toEqual([])
  for (const exp of checked.types.values()) expect(exp.kind).toBeTruthy()
})

test('only forms that come later are refused', () => {
  const refused = programs
    .filter(([, text]) => unsupported(checkText(text, files)).length > 0)
    .map(([name]) =>
      name
        .split('-')
        .slice(0, name.startsWith('l') ? 2 : 1)
        .join('-')
        .replace('.smc', ''),
    )
  expect(refused).toEqual(['15', '38', 'language-learned'])
})

test('programs that are damaged are reported and never thrown', () => {
  const words = programs.map(([, text]) => text.split(/(?<=[^\w"])|(?=[^\w"])/))
  const damage = fc.record({
    program: fc.nat(words.length - 1),
    edits: fc.array(
      fc.record({
        at: fc.nat(300),
        from: fc.nat(words.length - 1),
        pick: fc.nat(300),
        kind: fc.constantFrom('drop', 'put', 'swap'),
      }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  })
  let reached = 0
  fc.assert(
    fc.property(damage, ({ program, edits }) => {
      const text = [...(words[program] ?? [])]
      for (const { at, from, pick, kind } of edits) {
        const other = words[from] ?? []
        const place = at % text.length
        const word = other[pick % other.length] ?? ''
        if (kind === 'drop') text.splice(place, 1)
        else if (kind === 'put') text.splice(place, 0, word)
        else text[place] = word
      }
      try {
        const module = moduleOf(text.join(''), files)
        reached++
        const checked = check(module)
        unsupported(checked)
        for (const { message, hint } of checked.diagnostics) {
          expect(message).toMatch(/^[a-z`"]/)
          expect(message).not.toMatch(/invalid|undefined|[.!]$/i)
          expect(hint, message).toBeTruthy()
        }
        const starts = checked.diagnostics
          .filter((each) => each.span?.source === module.program.source)
          .map((each) => each.span?.start ?? 0)
        expect(starts).toEqual([...starts].sort((a, b) => a - b))
      } catch (error) {
        if (!(error instanceof SmcError)) throw error
        expect(error.diagnostics.every((each) => each.code.startsWith('S'))).toBe(true)
      }
    }),
    { numRuns: 400, seed: 7 },
  )
  expect(reached).toBeGreaterThan(50)
})

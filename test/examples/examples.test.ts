import { describe, expect, test } from 'vitest'
import { load } from '../../src/index.js'
import { expectedOf, type Near, names, pathOf, readmeOf } from './expected.js'

function expectNear(found: number | null | undefined, { value, tolerance }: Near): void {
  expect(found).toBeTypeOf('number')
  expect(Math.abs(found! - value)).toBeLessThanOrEqual(tolerance)
}

test('the examples are there', () => {
  expect(names).toEqual([
    'bridge',
    'cheerful',
    'coin',
    'haiku',
    'hmm',
    'infill',
    'intersect',
    'kalman',
    'letter',
    'no-e',
    'query',
    'red-team',
    'seven-words',
    'speculative',
    'three-words',
  ])
})

describe.each(names)('%s', (name) => {
  const expected = expectedOf(name)

  test('gives what expected.json says', async () => {
    const program = await load(pathOf(name))
    expect(program.diagnostics).toEqual([])
    const result = await program.run({}, expected.settings)
    expectNear(result.logZ, expected.logZ)
    for (const { value, probability, tolerance } of expected.posterior ?? []) {
      const entry = result.posterior.find((candidate) => JSON.stringify(candidate.value) === JSON.stringify(value))
      expectNear(entry?.probability, { value: probability, tolerance })
    }
    for (const { path, mean, sd } of expected.moments ?? []) {
      const entry = result.moments.find((candidate) => candidate.path === path)
      expectNear(entry?.mean, mean)
      expectNear(entry?.sd, sd)
    }
    const { everyValue } = expected
    if (everyValue) {
      const texts = result.samples.filter((s) => s.weight > 0).map((s) => String(s.value))
      expect(texts.length).toBeGreaterThan(0)
      for (const text of texts) {
        if ('words' in everyValue) expect(text.trim().split(/\s+/)).toHaveLength(everyValue.words)
        else expect(text).toMatch(new RegExp(`^(?:${everyValue.matches})$`, 'u'))
      }
    }
  })

  test('has a README with the command, an output that agrees and the target', () => {
    const readme = readmeOf(name)
    expect(readme).toContain(`npx smcc run examples/${name}/${name}.smc`)
    expect(readme).toContain('**Target.**')
    const shown = /^log Z +(-?\d+\.\d+)$/m.exec(readme)?.[1]
    // A smaller population than that of expected.json may spread more.
    expectNear(Number(shown), { ...expected.logZ, tolerance: 2 * expected.logZ.tolerance })
  })
})

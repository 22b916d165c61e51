import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Diagnostic, SmcError } from '../../src/diagnostics/diagnostic.js'
import type { Source } from '../../src/diagnostics/span.js'
import { expectations, reported } from './expectations.js'

/** Tests that each program of a folder beside this file reports what it says inline, and nothing else. */
export function testBadPrograms(folder: string, report: (source: Source) => readonly Diagnostic[]): void {
  const place = new URL(`./${folder}/`, import.meta.url)
  describe(`test/bad/${folder}`, () => {
    for (const path of readdirSync(place).filter((each) => each.endsWith('.smc'))) {
      test(path, () => {
        const source: Source = { path, text: readFileSync(new URL(path, place), 'utf8') }
        const expected = expectations(source)
        expect(expected.length, 'a bad program expects something').toBeGreaterThan(0)
        expect(reported(report(source), expected)).toEqual(expected)
      })
    }
  })
}

/** The diagnostics that a stage throws as an SmcError, or none; any other throw is passed on. */
export function thrown(stage: () => unknown): readonly Diagnostic[] {
  try {
    stage()
    return []
  } catch (error) {
    if (error instanceof SmcError) return error.diagnostics
    throw error
  }
}

import { describe, expect, test } from 'vitest'
import { checkEntries } from '../../src/diagnostics/catalogue/check.js'
import type { Entry } from '../../src/diagnostics/catalogue/entry.js'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.js'
import { checkText } from './program.js'

/* Each code's own programs: the bad one reports exactly that code, the mended one nothing. */

function found({ files }: Entry, program: string): readonly Diagnostic[] {
  return checkText(program, files).diagnostics
}

describe.each(Object.entries(checkEntries))('%s', (code, entry) => {
  test(`bad: ${entry.title}`, () => {
    expect(found(entry, entry.bad).map((each) => each.code)).toEqual([code])
  })

  test('mended', () => {
    expect(found(entry, entry.mended)).toEqual([])
  })
})

test('every diagnostic says what to do, in the tone of the others', () => {
  for (const entry of Object.values(checkEntries)) {
    for (const { message, hint } of found(entry, entry.bad)) {
      expect(message).toMatch(/^[a-z`"]/)
      expect(message).not.toMatch(/invalid|[.!]$/i)
      expect(hint, message).toBeTruthy()
    }
  }
})

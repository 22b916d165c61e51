import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { matchingEntries } from '../../src/diagnostics/catalogue/matching.js'
import { runEntries } from '../../src/diagnostics/catalogue/run.js'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.js'
import { load, SmcError } from '../../src/index.js'

/* Each code's own programs, run as they stand: the bad one reports exactly that code, the mended one nothing. */

const folder = mkdtempSync(join(tmpdir(), 'smcc-run-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** All that loading and running a program reports. */
async function report(name: string, text: string, files: Readonly<Record<string, string>>): Promise<readonly Diagnostic[]> {
  const place = join(folder, name)
  mkdirSync(place, { recursive: true })
  for (const [path, content] of Object.entries(files)) writeFileSync(join(place, path), content)
  writeFileSync(join(place, 'program.smc'), text)
  try {
    const program = await load(join(place, 'program.smc'))
    const result = await program.run({}, { seed: 1, particles: 64, allowExtern: true })
    return [...program.diagnostics, ...result.warnings]
  } catch (error) {
    if (error instanceof SmcError) return error.diagnostics
    throw error
  }
}

/** What is wrong with a pattern alone is tested in test/patterns/errors.test.ts. */
const ofSpans = { P009: matchingEntries.P009! }
const entries = Object.entries({ ...runEntries, ...ofSpans }).filter(([, { stage }]) => stage === 'run' || stage === 'load')

describe.each(entries)('%s', (code, { bad, mended, title, files = {} }) => {
  test(`bad: ${title}`, async () => {
    const found = await report(`${code}-bad`, bad, files)
    expect(found.map((d) => d.code)).toEqual([code])
    const [{ message, span }] = found as [Diagnostic]
    expect(message).toMatch(/^[a-z`"]/)
    expect(message).not.toMatch(/invalid|[.!]$/i)
    expect(span?.source.text).toBe(bad)
  })

  test('mended', async () => {
    expect(await report(`${code}-mended`, mended, files)).toEqual([])
  })
})

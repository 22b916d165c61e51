import { expect, test } from 'vitest'
import { commandEntries } from '../../src/diagnostics/catalogue/command.js'
import { inEmptyFolder, smcc } from './console.js'

const { write } = inEmptyFolder()

/** Splits a command line at spaces that do not stand in double quotes, as a shell does. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''))
}

test.each(Object.entries(commandEntries))(
  '%s is what its bad command line reports, and the mended one runs',
  async (code, entry) => {
    write(entry.files ?? {})
    const [program, ...bad] = words(entry.bad)
    expect(program).toBe('smcc')
    const told = await smcc(bad)
    expect(told.err.match(/[A-Z]\d{3}/g)?.slice(0, 1)).toEqual([code])
    expect(told.err.match(/^error/gm)).toHaveLength(1)
    expect([told.code, told.out]).toEqual([2, ''])
    const mended = await smcc(words(entry.mended).slice(1))
    expect(mended.err).toBe('')
    expect(mended.code).toBe(0)
    expect(mended.out).not.toBe('')
  },
)

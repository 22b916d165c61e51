import { describe, expect, test } from 'vitest'
import { catalogue } from '../../src/diagnostics/catalogue/index.js'
import { explain } from '../../src/diagnostics/explain.js'
import { decode, parse } from '../../src/syntax/parse.js'
import { print } from '../../src/syntax/print.js'
import { thrown } from '../bad/run.js'

/** The bytes of a program in the catalogue: U+DC80 to U+DCFF stand for bytes that are no text. */
function bytes(text: string): Uint8Array {
  const encoder = new TextEncoder()
  return Uint8Array.from(
    [...text].flatMap((each) => (/[\udc80-\udcff]/.test(each) ? [each.charCodeAt(0) & 0xff] : [...encoder.encode(each)])),
  )
}

const syntax = (text: string) => thrown(() => parse(decode(bytes(text), 'p.smc')))

describe('entries', () => {
  for (const [code, entry] of Object.entries(catalogue)) {
    test(`${code} is told in full`, () => {
      expect(code).toMatch(/^[A-Z]\d{3}$/)
      expect(entry.title).toMatch(/^[^A-Z\s].*[^.]$|^[A-Z=]/)
      expect(entry.explanation).toMatch(/\.$/)
      expect(explain(code)).toContain(entry.title)
    })
    if (entry.stage === 'syntax') {
      test(`${code}: the bad program reports it alone, the mended one nothing`, () => {
        expect(syntax(entry.bad).map((each) => each.code)).toEqual([code])
        expect(syntax(entry.mended)).toEqual([])
        expect(print(parse({ path: 'p.smc', text: entry.mended }))).toMatch(/return/)
      })
    } else if (entry.stage !== 'command') {
      test(`${code}: both programs parse`, () => {
        expect(syntax(entry.bad)).toEqual([])
        expect(syntax(entry.mended)).toEqual([])
      })
    }
  }
  test('an unknown code has no text', () => expect(explain('S999')).toBeUndefined())
})

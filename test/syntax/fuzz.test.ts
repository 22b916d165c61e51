import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderHuman } from '../../src/diagnostics/render.js'
import { decode, parse } from '../../src/syntax/parse.js'
import { print } from '../../src/syntax/print.js'
import { scan, type Token } from '../../src/syntax/scan.js'
import { thrown } from '../bad/run.js'
import { programs } from './programs.js'

/** Either a program, which can be printed, or one diagnostic whose place lies in the text; never another throw. */
function survives(text: string): void {
  const found = thrown(() => print(parse({ path: 'p.smc', text })))
  expect(found.length).toBeLessThanOrEqual(1)
  for (const { span, message } of found) {
    expect(span!.start, message).toBeLessThanOrEqual(span!.end)
    expect(span!.end, message).toBeLessThanOrEqual(text.length)
    expect(message).not.toMatch(/undefined|\[object|something else|\bnot "/)
    expect(renderHuman(found)).toContain(message)
  }
}

const stride = Number(process.env.SMCC_FUZZ_STRIDE ?? 13)

function tokensOf(text: string): readonly Token[] {
  return scan({ path: 'p', text }).tokens
}

describe('damaged programs', () => {
  test.each(programs)('$path cut short', ({ text }) => {
    for (let end = 0; end < text.length; end += stride) survives(text.slice(0, end))
  })
  test.each(programs)('$path with a token gone, doubled, or swapped with the next', ({ text }) => {
    const tokens = tokensOf(text)
    for (let i = stride % 7; i < tokens.length; i += Math.ceil(stride / 4)) {
      const { start, end } = tokens[i]!
      const next = tokens[i + 1]
      survives(text.slice(0, start) + text.slice(end))
      survives(`${text.slice(0, end)} ${text.slice(start)}`)
      if (next && next.start >= end) {
        survives(
          text.slice(0, start) +
            text.slice(next.start, next.end) +
            text.slice(end, next.start) +
            text.slice(start, end) +
            text.slice(next.end),
        )
      }
    }
  })
  test('tokens of one program in another', () => {
    const all = programs.flatMap(({ text }) => tokensOf(text).map((token) => text.slice(token.start, token.end)))
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { maxLength: 12 }), fc.constantFrom(' ', '\n'), (words, gap) =>
        survives(words.join(gap)),
      ),
      {
        numRuns: 1500,
      },
    )
  })
  test('signs', () => {
    const sign = fc.constantFrom(...'(){}[]"\'\\/~=<>!.,:;+-*^%&|#@ \n\r\t\0a1é😀\u2028'.split(/(?:)/u))
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 25 }), (signs) => survives(signs.join(''))),
      { numRuns: 3000 },
    )
  })
  test('bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const [found] = thrown(() => survives(decode(bytes, 'p.smc').text))
        if (found) expect(['S021', 'S022']).toContain(found.code)
      }),
      { numRuns: 1500 },
    )
  })
})

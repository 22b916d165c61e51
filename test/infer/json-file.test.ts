import { expect, test } from 'vitest'
import { SmcError } from '../../src/diagnostics/diagnostic.js'
import { positionAt } from '../../src/diagnostics/span.js'
import { parseJsonFile } from '../../src/infer/host/json-file.js'

test.each([
  ['{\n "a": 1, }', '2:10 expected double-quoted property name'],
  ['{\n "a": x }', "2:7 unexpected token 'x'"],
  ['[1, tru]', "1:8 unexpected token ']'"],
  ['[1\n 2]', "2:2 expected ',' or ']' after array element"],
  ['{ "a": "x', '1:10 unterminated string'],
  ['', '1:1 unexpected end of JSON input'],
  ['{} x', '1:4 unexpected non-whitespace character after JSON'],
])('%j says where a reader stops', (text, expected) => {
  try {
    parseJsonFile(text, 'schema.json')
    expect.unreachable()
  } catch (error) {
    if (!(error instanceof SmcError)) throw error
    const { code, span, message } = error.diagnostics[0]!
    const { line, column } = positionAt(span!.source, span!.start)
    expect(span!.source.path).toBe('schema.json')
    expect(`${code} ${line}:${column} ${message}`).toBe(`R023 ${expected.replace(' ', ' `schema.json` is not JSON: ')}`)
  }
})

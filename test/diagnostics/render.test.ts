import { describe, expect, test } from 'vitest'
import { diagnostic } from '../../src/diagnostics/diagnostic.js'
import { renderHuman, renderJson, renderShort, width } from '../../src/diagnostics/render.js'
import { lineAt, positionAt, type Source } from '../../src/diagnostics/span.js'

const source: Source = { path: 'p.smc', text: 'let a = 1\r\n\tlet 漢 = b + 😀\rend' }
const at = source.text.indexOf('b +')
const found = diagnostic('C001', { source, start: at, end: at + 5 }, 'no such name', {
  hint: 'declare it',
  notes: [{ message: 'first use', span: { source, start: 4, end: 5 } }, { message: 'a fact' }],
})

describe('renderHuman', () => {
  test('shows the line with carets under the span', () => {
    expect(renderHuman([found])).toBe(
      [
        'p.smc:2:10: error C001: no such name',
        '  2 |   let 漢 = b + 😀',
        '    |            ^^^^^^'.replace('^^^^^^', '^^^^^'),
        'note: p.smc:1:5: first use',
        '  1 | let a = 1',
        '    |     ^',
        'note: a fact',
        'hint: declare it',
        '',
      ].join('\n'),
    )
  })
  test('cuts a long line around the span', () => {
    const long: Source = { path: 'p', text: `${'x'.repeat(500)}!${'y'.repeat(500)}` }
    const [, shown, carets] = renderHuman([diagnostic('S001', { source: long, start: 500, end: 501 }, 'm')]).split('\n')
    expect(shown!.length).toBeLessThan(125)
    expect(shown![carets!.indexOf('^')]).toBe('!')
  })
  test('colours only when asked, and leaves the text alone', () => {
    expect(renderHuman([found])).not.toContain('\u001b')
    const coloured = renderHuman([found], { colour: true })
    expect(coloured).toContain('\u001b[31m')
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(renderHuman([found]))
  })
  test('never sends control characters to a terminal', () => {
    const bad: Source = { path: 'p', text: 'a\u001b[31m\u202eb' }
    expect(renderHuman([diagnostic('S023', { source: bad, start: 1, end: 2 }, 'm')])).not.toMatch(/\u001b|\u202e/)
  })
  test('is empty for none', () => expect(renderHuman([])).toBe(''))
})

test('renderShort', () => {
  expect(renderShort([found, diagnostic('X001', undefined, 'two\nlines', { severity: 'warning' })])).toBe(
    'p.smc:2:10: error C001: no such name\nwarning X001: two lines\n',
  )
})

test('renderJson', () => {
  const [json] = JSON.parse(renderJson([found]))
  expect(json).toMatchObject({ code: 'C001', severity: 'error', message: 'no such name', hint: 'declare it' })
  expect(json.span).toEqual({ path: 'p.smc', line: 2, column: 10, endLine: 2, endColumn: 15, start: at, end: at + 5 })
  expect(json.notes[1]).toEqual({ message: 'a fact', span: null })
  expect(renderJson([])).toBe('[]\n')
})

test('positions count code points, and all three line ends', () => {
  expect(positionAt(source, source.text.length)).toEqual({ line: 3, column: 4 })
  expect(positionAt(source, source.text.indexOf('end') - 1)).toEqual({ line: 2, column: 15 })
  const { start, end } = lineAt(source, at)
  expect(source.text.slice(start, end)).toBe('\tlet 漢 = b + 😀')
})

test('width counts columns of a terminal', () => {
  expect(width('ab')).toBe(2)
  expect(width('漢😀')).toBe(4)
  expect(width('e\u0301')).toBe(1)
})

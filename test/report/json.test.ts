import { expect, test } from 'vitest'
import { diagnostic } from '../../src/diagnostics/diagnostic.js'
import { jsonText, resultJson } from '../../src/report/json.js'
import { example } from './example.js'

test('has the fields of the contract, in its order', () => {
  const json = JSON.parse(jsonText(resultJson(example)))
  expect(Object.keys(json).filter((name) => name !== 'moments' && name !== 'warnings')).toEqual(
    'schema smcc program programHash models settings partial logZ ess alive resamples posterior samples steps timing'.split(' '),
  )
  const { warnings: _, ...rest } = example
  expect(json).toEqual({ ...rest, warnings: [] })
})

test('a record of a list stands on a line of its own', () => {
  expect(jsonText({ a: 1, b: [], c: [{ x: [1, 2] }, { x: [] }] })).toBe(
    '{\n  "a": 1,\n  "b": [],\n  "c": [\n    {"x":[1,2]},\n    {"x":[]}\n  ]\n}\n',
  )
})

test('a dead particle has null, and a number that is not finite is refused', () => {
  const samples = [{ value: null, weight: 0, logWeight: null }]
  expect(resultJson({ ...example, samples }).samples).toEqual(samples)
  expect(() => resultJson({ ...example, logZ: Number.NEGATIVE_INFINITY })).toThrow('result.logZ is -Infinity')
  expect(() => resultJson({ ...example, samples: [{ value: { a: [Number.NaN] }, weight: 1, logWeight: 0 }] })).toThrow(
    'result.samples.0.value.a.0 is NaN',
  )
})

test('warnings carry places, not sources', () => {
  const source = { path: 'infill.smc', text: 'let x = 1\nlet y = 2\n' }
  const warning = diagnostic('R001', { source, start: 14, end: 15 }, 'the window is full', {
    severity: 'warning',
    hint: 'shorten it',
  })
  expect(resultJson({ ...example, warnings: [warning] }).warnings).toEqual([
    {
      code: 'R001',
      severity: 'warning',
      message: 'the window is full',
      hint: 'shorten it',
      span: { path: 'infill.smc', line: 2, column: 5, endLine: 2, endColumn: 6, start: 14, end: 15 },
      notes: [],
    },
  ])
})

import { expect, test } from 'vitest'
import { unsupported } from '../../src/check/unsupported.js'
import { checkText } from './program.js'

const start = 'model lm = "tiny"\nlet a = lm("A")\nlet b = lm("B")\n'

test.each([
  ['sample s ~ a for 3 tokens twisted by 2\nreturn s', []],
  ['sample s ~ a matching /a+/\nreturn s', []],
  ['sample s ~ a for 3 tokens where true\nreturn s', []],
  ['sample s ~ a for 3 tokens via lm\nreturn s', []],
  [
    'learn twist psi(story: Context)\nsample s ~ a for 3 tokens twisted by psi(a)\nreturn s',
    ['C103 learn twist psi(story: Context)'],
  ],
  ['classifier tone = "tiny-sentiment"\nobserve "positive" ~ tone("good")\nreturn 1', []],
  ['sample s ~ a * b ^ 0.5 / a for 3 tokens\nreturn s', []],
  ['infer { method: steer, expansion: 2 }\nreturn 1', []],
])('%s', (program, found) => {
  const checked = checkText(start + program)
  expect(checked.diagnostics).toEqual([])
  expect(unsupported(checked).map(({ code, span }) => `${code} ${span?.source.text.slice(span.start, span.end)}`)).toEqual(found)
})

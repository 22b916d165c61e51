import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { runTemplate } from '../../src/models/chat-template.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

// Each result is what Python's Jinja gives.
it.each([
  ["{{ '\\n \\n a \\n'.lstrip('\\n') }}", ' \n a \n'],
  ["{{ '\\n a \\n\\n'.rstrip('\\n') }}", '\n a '],
  ["{{ '\\n a \\n'.strip('\\n') }}", ' a '],
  ["{{ 'xyayx'.strip('yx') }}{{ ' a '.strip() }}{{ '😀a😀'.strip('😀') }}", 'aaa'],
  ["{{ m.text.split('</t>')[-1].lstrip('\\n') }}", ' so'],
  ["{% set x = {'a': '--b'.lstrip('-')} %}{% for k in ['-c'] %}{{ x.a ~ k.lstrip('-') }}{% endfor %}", 'bc'],
  ["{{ m.strip('a') }}", Error('no text')],
])('%s', (template, expected) => {
  const run = () => runTemplate(template, { m: { text: '<t>hm</t>\n\n so' } })
  if (expected instanceof Error) expect(run).toThrow('no text')
  else expect(run()).toBe(expected)
})

it('the time is told as Python tells it', () => {
  vi.setSystemTime(new Date(2026, 4, 3, 0, 7, 9))
  const told = (format: string) => runTemplate('{% if strftime_now is defined %}{{ strftime_now(f) }}{% endif %}', { f: format })
  expect(told('%d %b %Y|%A, %B %d, %y|%Y-%m-%d|%a %I:%M:%S %p %H%%')).toBe(
    '03 May 2026|Sunday, May 03, 26|2026-05-03|Sun 12:07:09 AM 00%',
  )
})

it('and in English, whatever the language of the machine', () => {
  vi.setSystemTime(new Date(2026, 11, 3))
  const ofMachine = vi.spyOn(Intl, 'DateTimeFormat')
  expect(runTemplate("{{ strftime_now('%b') }}", {})).toBe('Dec')
  expect(ofMachine).not.toHaveBeenCalled()
})

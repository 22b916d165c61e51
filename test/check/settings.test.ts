import { expect, test } from 'vitest'
import { hint, places } from './program.js'

test.each([
  [
    'particles: 64, seed: 7, method: smc, resample: systematic, threshold: 0.5, fuse: false, twist: true, batch: 8, maxMemory: 1.5',
    [],
  ],
  ['method: "importance", threshold: 1', []],
  ['particels: 64', ['C090 particels']],
  ['particles: 0', ['C091 0']],
  ['particles: 1.5', ['C091 1.5']],
  ['particles: -3', ['C091 -3']],
  ['particles: n', ['C091 n']],
  ['seed: "a"', ['C091 "a"']],
  ['method: smcc', ['C091 smcc']],
  ['resample: fast', ['C091 fast']],
  ['threshold: 1.5', ['C091 1.5']],
  ['fuse: 1', ['C091 1']],
  ['method: steer, expansion: 3', []],
  ['expansion: 3', ['C092 expansion']],
  ['method: smc, expansion: 3', ['C092 expansion']],
  ['threshold: 0.7, method: "steer", resample: residual', ['C092 threshold', 'C092 resample']],
  ['method: steer, expansion: 0', ['C091 0']],
  ['method: steer, expansion: 1001', ['C091 1001']],
  ['method: stear, expansion: 2', ['C091 stear']],
  ['seed: 1, seed: 2', ['C031 seed']],
])('infer { %s }', (settings, found) => {
  expect(places(`infer { ${settings} }\nreturn 1`)).toEqual(found)
})

test('suggestions', () => {
  expect(hint('infer { particels: 64 }\nreturn 1')).toBe('did you mean `particles`?')
  expect(hint('infer { resample: sytematic }\nreturn 1')).toBe('did you mean `systematic`?')
})

test.each([
  ['psi(story: Context)', []],
  ['psi(story: Context, after: String, n: Float) { loss: ctl, width: 128, rate: 0.1 }', []],
  ['psi(story: Context) { loss: best }', ['C091 best']],
  ['psi(story: Context) { width: 0 }', ['C091 0']],
  ['psi(story: Context) { rate: 1 + 1 }', ['C091 1 + 1']],
  ['psi()', ['C093 psi']],
  ['psi(story: String)', ['C093 story: String']],
  ['psi(story: Context, other: Context)', ['C093 other: Context']],
])('learn twist %s', (twist, found) => {
  expect(places(`learn twist ${twist}\nreturn 1`)).toEqual(found)
})

test('a learned twist without more parameters may stand by its name', () => {
  const start = 'model lm = "tiny"\nlet s = lm("a")\n'
  expect(places(`${start}learn twist psi(story: Context)\nsample x ~ s for 3 tokens twisted by psi\nreturn x`)).toEqual([])
  expect(places(`${start}learn twist psi(story: Context, n: Int)\nsample x ~ s for 3 tokens twisted by psi\nreturn x`)).toEqual([
    'C040 psi',
  ])
  expect(places(`${start}learn twist psi(story: Context)\nlet w = psi\nreturn 1`)).toEqual(['C029 psi'])
})

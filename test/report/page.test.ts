import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/infer/result.js'
import { htmlPage } from '../../src/report/html.js'
import { page } from '../../src/report/page.js'
import { example, numeric } from './example.js'

describe('page', () => {
  test('of texts', () => {
    expect(page(example)).toBe(`infill.smc · tiny · 4 particles · seed 7
  0.620  ×2  She opened it and looked inside.
  0.300  ×1  She⏎ran.
  0.080  ×1  (empty text)
log Z        -21.37
ESS          3.4 of 4      ok
ancestry     2 of 4        ok
dead         0             ok
312 tokens/s · 1.9 s
`)
  })

  test('says how it was steered', () => {
    const steered = { ...example, settings: { ...example.settings, method: 'steer' as const, expansion: 5 } }
    expect(page(steered)).toMatch(/^infill.smc · tiny · 4 particles · steer × 5 · seed 7\n/)
    expect(htmlPage(steered)).toContain('4 particles · steer × 5 · seed 7')
  })

  test('of numbers, without a model', () => {
    expect(
      page({ ...numeric, settings: { ...numeric.settings, method: 'importance' } }),
    ).toBe(`svol.smc · 4 particles · importance · seed 7
           mean      sd     5%   25%    50%   75%    95%
  mu   -0.03214  0.9871  -1.62  -0.7  -0.01  0.61  1.634
  phi      1e-9     0.5   -0.9  -0.4      0   0.4    0.9
log Z        -21.37
ESS          3.4 of 4      ok
ancestry     2 of 4        ok
dead         0             ok
0.04 s
`)
  })

  test('of numbers leaves out the draws, of numbers beside texts does not', () => {
    const of = (value: Json) => page({ ...numeric, posterior: [{ value, probability: 1, count: 4 }] })
    expect(of({ mu: 0.25, xs: [1, 2] })).toBe(page(numeric))
    expect(of({ mu: 0.25, reply: 'no' })).toContain('{"mu":0.25,"reply":"no"}')
  })

  test('every warning says what it means and what to try', () => {
    const samples = example.samples.map((sample, slot) => (slot === 1 ? { ...sample, weight: 0, logWeight: null } : sample))
    const steps = [{ ...example.steps[0]!, step: 3, resampled: true, ancestors: [2, 2, 2, 2] }]
    const low = { ...example, samples, steps, ess: 3.04, alive: 24, settings: { ...example.settings, particles: 64 } }
    expect(page(low).split('\n').slice(4, 8).join('\n')).toBe(
      `log Z        -21.37
ESS          3.0 of 64     warn  few particles carry the weight, so the probabilities are rough: more particles, or a twist
ancestry     warn  all final particles share one ancestor at step 3: more particles, or a twist
dead         40            warn  conditions kill most particles: check them earlier, or use graded factors in place of requires`,
    )
  })

  test('when every particle is dead there is no log Z', () => {
    const samples = example.samples.map(() => ({ value: null, weight: 0, logWeight: null }))
    const text = page({ ...example, samples, posterior: [], logZ: null, ess: 0, alive: 0 })
    expect(text).toContain('log Z        none          warn  every particle is dead, so Z is estimated as 0\n')
    expect(text).toContain('dead         4             warn  no particle meets every condition')
    expect(text).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('a partial result says so twice', () => {
    const samples = example.samples.map((sample, slot) => (slot < 3 ? { ...sample, value: null } : sample))
    const text = page({ ...example, samples, partial: true })
    expect(text).toContain('seed 7 · partial\n')
    expect(text).toContain(
      'partial      warn  ended early, after step 3, 1 of 4 particles had finished: run again for the whole answer\n',
    )
  })

  test('a run may end before its first resampling point', () => {
    expect(page({ ...example, steps: [], partial: true })).toContain('ended early, before the first resampling point, 4 of 4')
  })

  test('one particle says that it is not enough', () => {
    const one = {
      ...example,
      settings: { ...example.settings, particles: 1 },
      ess: 1,
      alive: 1,
      samples: example.samples.slice(0, 1),
      steps: [],
    }
    expect(page(one)).toContain('· 1 particle ·')
    expect(page(one)).toContain('ESS          1 of 1        warn  one particle cannot say how sure the answer is')
  })

  test('lists ten values and counts the rest', () => {
    const posterior = Array.from({ length: 33 }, (_, index) => ({
      value: index,
      probability: 1 / 33,
      count: index === 0 ? 12 : 1,
    }))
    const lines = page({ ...example, posterior }).split('\n')
    expect(lines[1]).toBe('  0.030  ×12  0')
    expect(lines[10]).toBe('  0.030  ×1   9')
    expect(lines[11]).toBe('  … and 23 more, together 0.70')
  })

  test('lines fit a terminal, and are whole in a pipe', () => {
    const value = 'word '.repeat(40)
    const result = { ...example, posterior: [{ value, probability: 1, count: 4 }] }
    expect(page(result, { width: 40 }).split('\n')[1]).toBe('  1.00  ×4  word word word word word wo…')
    expect(page(result).split('\n')[1]).toBe(`  1.00  ×4  ${value}`)
  })

  test('style marks parts and changes no text', () => {
    const mark = (text: string) => `<${text}>`
    const text = page(example, { style: { bold: mark, dim: mark, ok: mark, warn: mark } })
    expect(text).toContain('<infill.smc> · tiny')
    expect(text.replace(/[<>]/g, '')).toBe(page(example))
  })
})

import { expect, test } from 'vitest'
import type { BoundResult } from '../../src/infer/bound-result.js'
import { boundHtml, boundPicture } from '../../src/report/bound-html.js'
import { boundPage } from '../../src/report/bound-page.js'
import { boundJson, jsonText } from '../../src/report/json.js'
import { example } from './example.js'

const { schema, smcc, program, programHash, models, settings, timing } = example
const row = { repeats: 20, lowerError: 0.2, upperError: 0.3, logMean: -21.5, dead: 0 }
const bounded: BoundResult = {
  ...{ schema, smcc, program, programHash, models, settings, timing },
  partial: false,
  rows: [
    { ...row, particles: 4, sampler: 'smc', lower: -23.1, upper: -19.8 },
    { ...row, particles: 4, sampler: 'importance', lower: null, lowerError: null, upper: -19.1, dead: 3 },
    { ...row, particles: 64, sampler: 'smc', lower: -21.6, upper: -21.2 },
    { ...row, particles: 64, sampler: 'importance', lower: -22, upper: -20 },
  ],
  logZ: { estimate: -21.4, low: -21.8, high: -20.9 },
  klProposalTarget: 1.2,
  klProposalTargetError: 0.1,
  klTargetProposal: 1.1,
  klTargetProposalError: 0.12,
  klSymmetrised: 2.3,
  klSymmetrisedError: 0.11,
  exact: 'reject',
  acceptance: 0.024,
  refused: [{ way: 'enumerate', why: 'a draw has too many outcomes' }],
  verdict: 'SMC with 64 particles is close: its bounds are 0.40 nats apart.',
  warnings: [],
}

test('the page says all figures, draws the bounds on one scale and ends with the verdict', () => {
  const lines = boundPage(bounded).split('\n')
  expect(lines[0]).toBe('infill.smc · tiny · 20 repeats · seed 7')
  expect(lines[2]).toMatch(/^ +4 {2}smc +-23\.10 ± 0\.20 {2}-19\.80 ± 0\.30 +-21\.50$/)
  expect(lines[3]).toMatch(/importance +-inf/)
  const plotted = lines.slice(6, 10)
  expect(plotted[0]!.indexOf('[')).toBeLessThan(plotted[2]!.indexOf('['))
  expect(plotted[0]!.indexOf(']')).toBeGreaterThan(plotted[2]!.indexOf(']'))
  expect(new Set(plotted.map((line) => line.indexOf('|'))).size).toBe(1)
  const text = lines.join('\n')
  for (const part of [
    '-21.40  -21.80 to -20.90',
    '1.20 ± 0.10',
    '1.10 ± 0.12',
    '2.30 ± 0.11',
    '2.4 % of the runs',
    '3 of 20 with 4',
  ])
    expect(text).toContain(part)
  expect(text).toContain(`\n${bounded.verdict}\n`)
})

test('a log Z that nothing is known of is not called exact', () => {
  const nothing = { estimate: null, low: null, high: null }
  const line = boundPage({ ...bounded, logZ: nothing })
    .split('\n')
    .find((each) => each.startsWith('log Z'))
  expect(line).toMatch(/^log Z +unknown *$/)
})

test('what is unknown is said, and never shown as a number', () => {
  const open: BoundResult = {
    ...bounded,
    rows: [
      {
        ...row,
        particles: 4,
        sampler: 'importance',
        lower: null,
        lowerError: null,
        upper: null,
        upperError: null,
        logMean: null,
        dead: 20,
      },
    ],
    logZ: { estimate: null, low: null, high: null },
    klProposalTarget: null,
    klTargetProposal: null,
    klSymmetrised: null,
    exact: null,
    acceptance: null,
  }
  const text = boundPage(open)
  expect(text).toContain('unknown')
  expect(text).toContain('not by enumerate: a draw has too many outcomes')
  expect(text + boundHtml(open)).not.toMatch(/NaN|undefined|Infinity|null/)
  expect(boundPicture(open)).toBe('')
})

test('a proposal whose particles die is infinitely far', () => {
  expect(boundPage({ ...bounded, klProposalTarget: null })).toMatch(/KL\(q\|\|sigma\) +infinite/)
})

test('the picture has a line a side and sampler, an interval a point, and log Z', () => {
  const picture = boundPicture(bounded)
  expect(picture.match(/<polyline/g)).toHaveLength(4)
  expect(picture.match(/class="line" points="[^"]+"/g)!.every((line) => line.split(',').length === 3)).toBe(true)
  expect(picture.match(/class="limit"/g)).toHaveLength(1)
  expect(picture).not.toMatch(/NaN|undefined/)
})

test('the HTML page is safe and complete', () => {
  const evil = '<script>alert(1)</script>'
  const page = boundHtml({ ...bounded, program: evil, verdict: evil, refused: [{ way: 'reject', why: evil }] })
  expect(page).not.toContain('<script')
  expect(page).toContain('−∞')
  expect(page).not.toMatch(/https?:|src=|@import|url\(/)
})

test('the JSON has the fields of cli.md', () => {
  const json = JSON.parse(jsonText(boundJson(bounded)))
  expect(json.rows[0]).toMatchObject({
    particles: 4,
    sampler: 'smc',
    lower: -23.1,
    lowerError: 0.2,
    upper: -19.8,
    upperError: 0.3,
    repeats: 20,
  })
  expect(json).toMatchObject({
    schema: 1,
    logZ: { estimate: -21.4, low: -21.8, high: -20.9 },
    klProposalTarget: 1.2,
    klTargetProposal: 1.1,
    exact: 'reject',
  })
  expect(() => boundJson({ ...bounded, klSymmetrised: Number.NaN })).toThrow(/NaN/)
})

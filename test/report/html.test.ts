import { expect, test } from 'vitest'
import { diagnostic } from '../../src/diagnostics/diagnostic.js'
import { escapeHtml, htmlPage } from '../../src/report/html.js'
import { example, numeric } from './example.js'

const evil = `</script><script>alert("x")</script><img src=x onerror='y'>&amp;`

test('text of the run never becomes markup', () => {
  const page = htmlPage({
    ...example,
    program: evil,
    programHash: evil,
    models: { [evil]: { id: evil, hash: evil } },
    posterior: [
      { value: evil, probability: 0.5, count: 2 },
      { value: { [evil]: evil }, probability: 0.5, count: 2 },
    ],
    moments: [{ ...numeric.moments[0]!, path: evil }],
    samples: [{ value: evil, weight: 1, logWeight: 0 }],
    warnings: [diagnostic(evil, { source: { path: evil, text: '' }, start: 0, end: 0 }, evil, { hint: evil })],
  })
  expect(page).not.toMatch(/<script|<img|onerror='/)
  expect(page.match(/&lt;\/script&gt;/g)!.length).toBeGreaterThan(10)
  expect(escapeHtml(`<a b="c" d='e'>&`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;')
})

test('the page asks for nothing from anywhere', () => {
  const page = htmlPage(example)
  expect(page).not.toMatch(/https?:|src=|@import|url\(/)
  expect(page).toContain(`default-src 'none'`)
})

test('holds the answer, the checks, the samples and the settings', () => {
  const page = htmlPage(example)
  for (const text of [
    'She opened it and looked inside.',
    '-21.37',
    '3.4 of 4',
    'systematic',
    'seed 7',
    'ab12',
    'cd34',
    '601 tokens',
  ])
    expect(page).toContain(text)
  expect(page).not.toMatch(/NaN|undefined|Infinity/)
  expect(page).toContain('width:100.00%')
})

test('sections without content are left out', () => {
  const page = htmlPage({ ...numeric, steps: [] })
  expect(page).toContain('95%')
  for (const title of ['Posterior', 'Ancestry', 'Effective sample size', 'Warnings']) expect(page).not.toContain(`<h2>${title}`)
})

test('a run whose particles are all dead, and a partial one, have pages too', () => {
  const samples = example.samples.map(() => ({ value: null, weight: 0, logWeight: null }))
  const page = htmlPage({ ...example, samples, posterior: [], logZ: null, alive: 0, ess: 0, partial: true })
  expect(page).toContain('every particle is dead')
  expect(page).toContain('was interrupted')
  expect(page).not.toMatch(/NaN|undefined|Infinity/)
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { load, SmcError, type TrainingOptions, twistPath } from '../../src/index.js'
import type { Choice } from '../../src/infer/trace.js'

/*
 * Training on exact samples of a table model, whose target is known by enumeration: what is shown of the distances, and a twist that is given
 * the observed text and learns it for every text.
 */

const folder = mkdtempSync(join(tmpdir(), 'smcc-exact-'))
afterAll(() => rmSync(folder, { recursive: true }))

const chain = (text: string) => (text.endsWith('1') ? [0.4, 0.6] : text === '' ? [0.7, 0.3] : [0.8, 0.2])
const texts = (length: number) => Array.from({ length: 2 ** length }, (_, i) => i.toString(2).padStart(length, '0'))
const states = ['', ...texts(1), ...texts(2), ...texts(3)]
const toy = { tokens: ['0', '1'], order: 3, end: null, next: Object.fromEntries(states.map((text) => [text, chain(text)])) }
writeFileSync(join(folder, 'toy.json'), JSON.stringify(toy))
const p0 = (text: string, before = '') =>
  [...text].reduce((mass, token, t) => mass * chain(before + text.slice(0, t))[Number(token)]!, 1)

async function program(name: string, source: string) {
  const path = join(folder, `${name}.smc`)
  writeFileSync(path, source)
  return load(path)
}

const phi = [0.1, 0.2, 0.5, 0.9]
const counted = `model lm = "table:toy.json"
learn twist psi(story: Context) { width: 24 }
let s = lm("")
sample x ~ s for 3 tokens twisted by psi
factor [0.1, 0.2, 0.5, 0.9][x.count("1")]
return x
`
const mass = (x: string) => p0(x) * phi[x.split('1').length - 1]!
const Z = texts(3).reduce((sum, x) => sum + mass(x), 0)

describe('the distances of an untrained twist', () => {
  // The last token is drawn from the model times the factor, so the weight is their sum over it.
  const weight = (x: string) => ['0', '1'].reduce((sum, last) => sum + mass(x.slice(0, 2) + last), 0) / p0(x.slice(0, 2))
  const q = (x: string) => mass(x) / weight(x)
  const moments = (share: (x: string) => number) => {
    const mean = texts(3).reduce((sum, x) => sum + share(x) * Math.log(weight(x)), 0)
    const variance = texts(3).reduce((sum, x) => sum + share(x) * (Math.log(weight(x)) - mean) ** 2, 0)
    return { mean, error: Math.sqrt(variance / 2000) }
  }
  const below = moments(q)
  const above = moments((x) => mass(x) / Z)

  test.each([
    ['exact', 'enumerate', 0],
    // log Z is the middle of bounds by 2000 samples: nearer than this.
    ['reject', 'reject', 0.005],
  ] as const)('%s', async (positives, way, unsure) => {
    const made = await program(positives, counted)
    const result = await made.train({}, { seed: 4, steps: 1, iterate: 1, batch: 2000, positives })
    expect(result.exact).toBe(way)
    const [first] = result.rounds
    expect(Math.abs(first!.klProposalTarget! - (Math.log(Z) - below.mean))).toBeLessThan(4.5 * below.error + unsure)
    expect(Math.abs(first!.klTargetProposal! - (above.mean - Math.log(Z)))).toBeLessThan(4.5 * above.error + unsure)
    expect(Math.abs(first!.upper! - above.mean)).toBeLessThan(4.5 * above.error)
    expect(first!.positives).toBe(8)
  })
})

test('samples that are given are learned as they are: what they leave out is not', { timeout: 60_000 }, async () => {
  const made = await program('given', counted)
  const traces: Choice[][] = ['110', '110', '110', '011'].map((x) => [...x].map((token) => ({ token: Number(token) })))
  const learned = await made.train({}, { seed: 1, loss: 'dpg', positives: traces, steps: 300, iterate: 3, l2: 0 })
  expect(learned.exact).toBe('file')
  writeFileSync(twistPath(made.path), learned.file)
  const { posterior } = await made.run({}, { seed: 1, particles: 2000, method: 'importance' })
  // Weights stay exact, so the posterior is the target's; the draws follow the samples.
  const drawn = (begin: string) =>
    posterior.reduce((sum, { value, count }) => sum + (String(value).startsWith(begin) ? count / 2000 : 0), 0)
  expect(drawn('11')).toBeGreaterThan(0.65)
  expect(drawn('01')).toBeGreaterThan(0.15)
  expect(drawn('00') + drawn('10')).toBeLessThan(0.05)
  await expect(made.train({}, { positives: [[{ token: 7 }]], steps: 1, iterate: 1 })).rejects.toThrow(SmcError)
})

const conditional = `model lm = "table:toy.json"
learn twist psi(story: Context, after: String) { width: 24 }
param after = "11"
let s = lm("")
sample x ~ s for 3 tokens twisted by psi(s, after)
observe after ~ s
return x
`

describe('a twist that is given the observed text', () => {
  test('learns it for all texts at once, from texts that are drawn with their beginnings', { timeout: 240_000 }, async () => {
    const made = await program('conditional', conditional)
    const options: TrainingOptions = { seed: 3, loss: 'pcl', rate: 0.01, steps: 300, iterate: 6, positives: 'exact' }
    const learned = await made.train({}, options)
    expect(learned.exact).toBe('simulate')
    writeFileSync(twistPath(made.path), learned.file)
    for (const after of texts(2)) {
      const exact = { seed: 1, particles: [1], repeats: 400, exact: 'enumerate' } as const
      const before = await made.bound({ after }, { ...exact, twist: false })
      const found = await made.bound({ after }, exact)
      expect(found.klProposalTarget!).toBeLessThan(0.01)
      expect(found.klTargetProposal!).toBeLessThan(0.01)
      expect(before.klProposalTarget!).toBeGreaterThan(0.02)
    }
    // With drawn data in place of the program's own, the twist is given what was drawn: log Z averages to minus the entropy of the text.
    const drawn = await made.bound({}, { seed: 2, particles: [1], repeats: 2000, exact: 'simulate' })
    const law = texts(2).map((after) => texts(3).reduce((sum, x) => sum + p0(x) * p0(after, x), 0))
    const entropy = law.reduce((sum, p) => sum - p * Math.log(p), 0)
    expect(drawn.refused).toEqual([])
    const row = drawn.rows.find(({ sampler }) => sampler === 'importance')!
    expect(Math.abs(row.lower! + entropy)).toBeLessThan((4.5 / 1.96) * row.lowerError! + 0.01)
    expect(Math.abs(row.upper! + entropy)).toBeLessThan((4.5 / 1.96) * row.upperError! + 0.01)
    expect(drawn.klSymmetrised!).toBeLessThan(0.02 + (4.5 / 1.96) * drawn.klSymmetrisedError!)
  })

  test.each([
    ['return x', 'return x + after', /not by simulate: the observed value `after` is used here too/],
    ['psi(s, after)', 'psi(s, after + "0")', /not by simulate: the observed value `after` is used here too/],
    ['for 3 tokens', 'for after.length tokens', /not by simulate: the observed value `after` is used here too/],
    ['observe after ~ s', 'observe after ~ s\nobserve after ~ s', /not by simulate: the observed value `after` is used here too/],
    ['param after', 'let after', /not by simulate: the observed value `after` is used here too/],
  ])('%s -> %s', async (part, other, message) => {
    const made = await program('refused', conditional.replace(part, other))
    const refused = made.train({}, { seed: 1, steps: 1, iterate: 1, positives: 'simulate' })
    const error = await refused.catch((thrown: unknown) => thrown)
    expect((error as SmcError).diagnostics[0]).toMatchObject({ code: 'R034', message: expect.stringMatching(message) })
  })
})

test('a number that is observed is given as it was drawn', { timeout: 120_000 }, async () => {
  const source = conditional
    .replace('after: String)', 'y: Float)')
    .replace('param after = "11"', 'param y = 2.5')
    .replace('psi(s, after)', 'psi(s, y)')
    .replace('observe after ~ s', 'observe y ~ normal(x.count("1"), 1)')
  const made = await program('number', source)
  const learned = await made.train({}, { seed: 3, loss: 'pcl', rate: 0.01, steps: 400, iterate: 8, positives: 'simulate' })
  writeFileSync(twistPath(made.path), learned.file)
  for (const y of [-0.5, 2.5]) {
    const exact = { seed: 1, particles: [1], repeats: 400, exact: 'enumerate' } as const
    expect((await made.bound({ y }, { ...exact, twist: false })).klProposalTarget!).toBeGreaterThan(0.3)
    expect((await made.bound({ y }, exact)).klProposalTarget!).toBeLessThan(0.05)
  }
})

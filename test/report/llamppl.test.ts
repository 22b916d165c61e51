import { expect, test } from 'vitest'
import { compile, type StepTold } from '../../src/index.js'
import { llampplText } from '../../src/report/llamppl.js'
import { table } from '../exact/measure.js'

const lm = table({ tokens: ['a', 'b'], end: null, next: { '': [0.5, 0.5], a: [0.7, 0.3], b: [0.2, 0.8] } })

async function recorded(source: string, particles: number, threshold: number) {
  const steps: StepTold[] = []
  const program = await compile(source)
  const result = await program.run(
    {},
    { models: { lm }, seed: 4, particles, threshold, fuse: false, onStep: (step) => steps.push(step) },
  )
  return { steps, result, record: JSON.parse(llampplText(steps, result)) }
}

test('the record has the population as it came to each point, where each comes from, and the end', async () => {
  const source =
    'model lm = "table"\nlet s = lm("")\nrepeat 3 {\nsample t ~ s\nfactor if t == "a" { 1 } else { 0.25 }\n}\nreturn s.text'
  const { steps, result, record } = await recorded(source, 5, 1)
  expect(steps.map(({ population: _, ...step }) => step)).toEqual(result.steps)
  expect(record.map((entry: { mode: string }) => entry.mode)).toEqual(['init', 'resample', 'resample', 'resample'])
  expect(record.map((entry: { step: number }) => entry.step)).toEqual([1, 2, 3, 4])
  const numbers = (entry: { particles: { logweight: string }[] }) => entry.particles.map(({ logweight }) => Number(logweight))
  // The factors are log 1 and log 1/4; every survivor of a resampling has the mean weight of those before it.
  for (let i = 1; i < record.length; i++) {
    const [before, entry] = [record[i - 1], record[i]]
    expect(entry.ancestors).toEqual(result.steps[i - 1]!.ancestors)
    const mean = Math.log(numbers(before).reduce((sum, log) => sum + Math.exp(log) / 5, 0))
    entry.particles.forEach((p: { contents: string; logweight: string; weight_incr: string }, slot: number) => {
      const parent = before.particles[entry.ancestors[slot]]
      expect(p.contents.startsWith(parent.contents)).toBe(true)
      const factor = p.contents.endsWith('a') ? 0 : Math.log(0.25)
      expect(Number(p.logweight)).toBeCloseTo(mean + factor, 12)
      expect(Number(p.weight_incr)).toBeCloseTo(Number(p.logweight) - Number(parent.logweight), 12)
    })
  }
  const end = numbers(record.at(-1))
  expect(Math.log(end.reduce((sum, log) => sum + Math.exp(log) / 5, 0))).toBeCloseTo(result.logZ!, 12)
})

test('dead particles weigh minus infinity; without resampling nobody has an ancestor', async () => {
  const source = 'model lm = "table"\nlet s = lm("")\nrepeat 2 {\nsample t ~ s\nrequire t == "a"\n}\nreturn { text: s.text }'
  const { record } = await recorded(source, 6, 0)
  expect(record.map((entry: { mode: string }) => entry.mode).slice(1)).not.toContain('resample')
  const weights = record.at(-1).particles.map(({ logweight }: { logweight: string }) => Math.exp(Number(logweight)).toFixed(12))
  expect(new Set(weights)).toEqual(new Set(['1.000000000000', '0.000000000000']))
  expect(record.at(-1).particles.some(({ contents }: { contents: string }) => contents === '<<<>>>{"text":"aa"}')).toBe(true)
})

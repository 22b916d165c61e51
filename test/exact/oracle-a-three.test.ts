import { describe, expect, test } from 'vitest'
import { resampleConditionally } from '../../src/infer/conditional-resample.js'
import { enumerate } from '../../src/infer/enumerate.js'
import { resample } from '../../src/infer/resample.js'
import type { Scheme } from '../../src/infer/result.js'
import { expected, expectedUpper, type Sampler, sampler } from './measure.js'
import { zeroOne as lm, oracleA } from './programs.js'

/*
 * Oracle A for three particles, whose multinomial resampling has too many paths to be listed: 216,000 to 2 million. Here populations that hold
 * the same texts are merged after every resampling, which their slots and what they come from do not tell apart. What one particle draws and
 * weighs is taken from the sampler itself, running alone; who survives from its two resamplings, all of whose outcomes are enumerated. That
 * this is the same sampler shows where both can be computed: with two particles.
 */

const length = 3
const Z = 0.2848

/** What one particle does behind a text: the next tokens, their chances, and the factors that its weight takes up to the next point. */
type Steps = ReadonlyMap<string, readonly { readonly text: string; readonly chance: number; readonly weight: number }[]>

async function stepsOf(program: Sampler): Promise<Steps> {
  const weights = new Map<string, number>([['', 1]])
  const chances = new Map<string, number>()
  for await (const { probability, result } of enumerate((random) => program.run(random, { particles: 1, threshold: 1 }))) {
    const text = JSON.parse(result.answers[0]!.value) as string
    // The first point stands before the first draw, where all weigh 1.
    expect(result.steps[0]!.logZ).toBe(0)
    const logs = [...result.steps.slice(1).map(({ logZ }) => logZ!), Math.log(result.estimate)]
    expect(logs).toHaveLength(length)
    for (let t = 0; t <= length; t++) {
      const start = text.slice(0, t)
      chances.set(start, (chances.get(start) ?? 0) + probability)
      if (t > 0) weights.set(start, Math.exp(logs[t - 1]!))
    }
  }
  const steps = new Map<string, { text: string; chance: number; weight: number }[]>()
  for (const [text, chance] of chances) {
    if (text === '') continue
    const before = text.slice(0, -1)
    const step = { text, chance: chance / chances.get(before)!, weight: weights.get(text)! / weights.get(before)! }
    steps.set(before, [...(steps.get(before) ?? []), step])
  }
  return steps
}

/** E over all runs. `kept`: the exact sample, whose particle is the first; null for plain SMC. */
async function expectations(steps: Steps, particles: number, scheme: Scheme, kept: string | null) {
  let populations = new Map([[JSON.stringify(new Array(particles).fill('')), { probability: 1, estimate: 1, inverse: 1 }]])
  let log = 0
  for (let t = 1; t <= length; t++) {
    const next: typeof populations = new Map()
    for (const [key, before] of populations) {
      for (const { chance, texts, weights } of draws(JSON.parse(key), steps, kept?.slice(0, t) ?? null)) {
        const mean = weights.reduce((a, b) => a + b, 0) / particles
        const share = {
          probability: before.probability * chance,
          estimate: before.estimate * chance * mean,
          inverse: (before.inverse * chance) / mean,
        }
        log += share.probability * Math.log(mean)
        for (const [ancestors, odds] of t === length ? lastly : await survivors(scheme, weights, kept !== null)) {
          const after = ancestors.map((ancestor) => texts[ancestor]!)
          // Slots are alike under multinomial resampling, but for the one of the exact sample.
          const merged = JSON.stringify(kept === null ? after.sort() : [after[0], ...after.slice(1).sort()])
          const sum = next.get(merged) ?? { probability: 0, estimate: 0, inverse: 0 }
          for (const name of ['probability', 'estimate', 'inverse'] as const) sum[name] += odds * share[name]
          next.set(merged, sum)
        }
      }
    }
    populations = next
  }
  const [end] = [...populations.values()]
  expect(end!.probability).toBeCloseTo(1, 12)
  return { log, estimate: end!.estimate, inverse: end!.inverse }
}

/** At the end nobody is resampled, and all populations are one. */
const lastly: [number[], number][] = [[[], 1]]

/** All that the particles of a population may draw next; the first draws what it must. */
function draws(texts: readonly string[], steps: Steps, forced: string | null) {
  let all: { chance: number; texts: string[]; weights: number[] }[] = [{ chance: 1, texts: [], weights: [] }]
  texts.forEach((text, slot) => {
    const must = slot === 0 && forced !== null
    const ways = steps.get(text)!.filter((step) => !must || step.text === forced)
    all = all.flatMap((some) =>
      ways.map(({ text, chance, weight }) => ({
        chance: some.chance * (must ? 1 : chance),
        texts: [...some.texts, text],
        weights: [...some.weights, weight],
      })),
    )
  })
  return all
}

const known = new Map<string, [number[], number][]>()

/** Every outcome of a resampling, the retained particle standing first where there is one. */
async function survivors(scheme: Scheme, weights: readonly number[], conditional: boolean): Promise<[number[], number][]> {
  const name = JSON.stringify([scheme, weights, conditional])
  const before = known.get(name)
  if (before) return before
  const w = Float64Array.from(weights)
  const found: [number[], number][] = []
  for await (const { probability, result } of enumerate((random) =>
    conditional ? resampleConditionally(scheme, w, 0, random, 0) : { ancestors: resample(scheme, w, random, 0), retained: 0 },
  )) {
    expect(result.retained).toBe(0)
    found.push([[...result.ancestors], probability])
  }
  known.set(name, found)
  return found
}

/** E[log Z-hat] below and above. */
async function bounds(source: string, fuse: boolean, particles: number) {
  const program = await sampler(source, { lm }, { fuse })
  const steps = await stepsOf(program)
  const below = await expectations(steps, particles, 'multinomial', null)
  expect(below.estimate).toBeCloseTo(Z, 12)
  let [upper, inverse] = [0, 0]
  for (let bits = 0; bits < 2 ** length; bits++) {
    const text = bits.toString(2).padStart(length, '0')
    const mass = massOf(text)
    const above = await expectations(steps, particles, 'multinomial', text)
    upper += (mass / Z) * above.log
    inverse += (mass / Z) * above.inverse
  }
  expect(inverse * Z).toBeCloseTo(1, 9)
  return { program, lower: below.log, upper }
}

function massOf(text: string): number {
  const next: Readonly<Record<string, readonly number[]>> = { '': [0.7, 0.3], '0': [0.8, 0.2], '1': [0.4, 0.6] }
  const p = [...text].reduce((product, x, t) => product * next[t === 0 ? '' : text[t - 1]!]![Number(x)]!, 1)
  return p * [0.1, 0.2, 0.5, 0.9][[...text].filter((x) => x === '1').length]!
}

const question = 'if t == 3 { require s.prob("0") > 0 }'

describe.each([
  ['q = p0', oracleA(''), false, -1.415526, -1.102664],
  ['q = q^pi', oracleA(question), true, -1.337079, -1.177826],
] as const)('oracle A, %s, multinomial, always', (_name, source, fuse, lower, upper) => {
  test('for three particles', async () => {
    const found = await bounds(source, fuse, 3)
    expect(found.lower).toBeCloseTo(lower, 6)
    expect(found.upper).toBeCloseTo(upper, 6)
  })

  test('for two, as listing all paths of the whole sampler gives it', async () => {
    const { program, ...found } = await bounds(source, fuse, 2)
    const settings = { particles: 2, threshold: 1, resample: 'multinomial' } as const
    expect(found.lower).toBeCloseTo((await expected(program, settings)).log, 9)
    expect(found.upper).toBeCloseTo((await expectedUpper(program, settings)).log, 9)
  })
})

import { expect, test } from 'vitest'
import { floorsOf } from '../../src/infer/learned/floors.js'
import { losses, type Sequence } from '../../src/infer/learned/losses.js'

/*
 * Two tokens, texts that end behind "0" or after three tokens; a text weighs by its number of "1", some of it behind the first of them. All texts
 * stand for the samples, each with its probability, so that the loss is an exact expectation.
 */

const texts = ['0', '10', '110', '111']
const p1 = [0.6, 0.5, 0.3]
const p0 = (text: string) => [...text].reduce((mass, token, t) => mass * (token === '1' ? p1[t]! : 1 - p1[t]!), 1)
const early = (text: string) => (text.startsWith('1') ? 4 : 0.5)
const late = (text: string) => [0.3, 0.7, 0.2, 1.5][text.split('1').length - 1]!
const Z = texts.reduce((sum, text) => sum + p0(text) * early(text) * late(text), 0)
const sigma = (text: string) => (p0(text) * early(text) * late(text)) / Z

/** Of a proposal q that is not the model: u is log (target so far / q so far). The factor `early` lies behind the first draw. */
const q = (text: string, t: number) => (text[t] === '1' ? 0.55 : 0.45)
function path(text: string, weight: number): Sequence {
  let u = 0
  const draws = [...text].map((token, t) => {
    if (t === 1) u += Math.log(early(text))
    const before = u
    u += Math.log((token === '1' ? p1[t]! : 1 - p1[t]!) / q(text, t))
    return { row: 3 * texts.indexOf(text) + t, before, after: u }
  })
  return { weight, final: u + Math.log(late(text)) + (text.length === 1 ? Math.log(early(text)) : 0), draws }
}
const drawn = (text: string) => [...text].reduce((mass, _, t) => mass * q(text, t), 1)
const rollouts = texts.map((text) => path(text, drawn(text)))
const positives = texts.map((text) => path(text, sigma(text)))

/** log psi and L of every row. */
function numbers(logPsi: (prefix: string) => number) {
  const [psi, total] = [new Float64Array(12), new Float64Array(12)]
  texts.forEach((text, x) => {
    for (let t = 0; t < text.length; t++) {
      const prefix = text.slice(0, t)
      psi[3 * x + t] = logPsi(text.slice(0, t + 1))
      total[3 * x + t] = Math.log((1 - p1[t]!) * Math.exp(logPsi(`${prefix}0`)) + p1[t]! * Math.exp(logPsi(`${prefix}1`)))
    }
  })
  return [psi, total] as const
}

/** What is still to come behind a prefix: `early` counts once the first token has been passed. */
const star = (prefix: string) => {
  const those = texts.filter((text) => text.startsWith(prefix))
  const mass = those.reduce((sum, text) => sum + p0(text) * late(text) * (prefix.length === 1 ? early(text) : 1), 0)
  return Math.log(mass / those.reduce((sum, text) => sum + p0(text), 0))
}

/** The loss behind draw t alone. */
const term = (t: number, logPsi: (prefix: string) => number) => {
  const upTo = (count: number) => {
    const cut = (each: Sequence) => ({ ...each, draws: each.draws.slice(0, count) })
    return losses.ctl({ positives: positives.map(cut), rollouts: rollouts.map(cut) }, ...numbers(logPsi)).value
  }
  return upTo(t + 1) - upTo(t)
}

test('no twist is below the floor, and psi* of the last draw stands on it', () => {
  const floors = floorsOf(rollouts)!
  expect(floors.length).toBe(4)
  const floor = (t: number) => floors[t]!
  for (const t of [0, 1, 2]) expect(term(t, star)).toBeGreaterThan(floor(t) - 1e-9)
  expect(term(2, star)).toBeCloseTo(floor(2), 9)
  expect(floor(3)).toBeCloseTo(Math.log(Z), 9)
  let seed = 1
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  for (let trial = 0; trial < 200; trial++) {
    const psi = new Map(texts.flatMap((text) => [1, 2, 3].map((length) => [text.slice(0, length), 12 * random() - 6])))
    const wild = (prefix: string) => psi.get(prefix) ?? 0
    for (const t of [0, 1, 2]) expect(term(t, wild)).toBeGreaterThan(floor(t) - 1e-9)
  }
})

test('texts that no rollout has are learned as far as the target goes, and no further', () => {
  const few = positives.filter(({ draws }) => draws.length === 3)
  const others = rollouts.filter(({ draws }) => draws.length < 3)
  const last = (log: number, floors?: Float64Array) => {
    const { onPsi } = losses.ctl({ positives: few, rollouts: others, floors }, ...numbers(() => log))
    return onPsi.filter((_, row) => row % 3 === 2)
  }
  const floors = floorsOf(rollouts)
  expect(Math.min(...last(-3, floors))).toBeLessThan(-0.1)
  expect(last(50, floors).every((slope) => slope === 0)).toBe(true)
  expect(last(50)).toEqual(last(-3))
})

test('there is none where no rollout lives', () => {
  expect(floorsOf(rollouts.map((each) => ({ ...each, final: Number.NEGATIVE_INFINITY })))).toBe(undefined)
})

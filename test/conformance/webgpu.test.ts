import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { probeDevice } from '../../src/models/device.js'
import { reason } from '../../src/models/errors.js'
import { freely, type History } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import { setOf } from '../../src/models/token-set.js'
import type { Transformer } from '../../src/models/transformer.js'
import { largestDifference, openWithDeviceState } from '../models/device-model.js'
import { hashed, key } from '../models/fixed-randomness.js'
import { drawing } from '../models/requests.js'

// Software adapters take seconds for what a card does in milliseconds, so texts are short here; test/models/device-state.test.ts asks more.
const absent = await probeDevice('webgpu').then(
  () => null,
  (thrown) => reason(thrown).trim().split('. ').at(-1)!,
)
if (absent !== null) console.warn(`the tests on WebGPU are skipped: ${absent}`)

const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url))

describe.skipIf(absent !== null)('on WebGPU', () => {
  // Grouped heads, windows over prompt and text with capped logits, positions in the embedding with layer norms, partial rotary with biases.
  it.each(['grouped', 'gemma2', 'gpt2', 'gpt-neox'])(
    'the %s fixture agrees with PyTorch',
    async (name) => {
      const { ids, logProbs } = JSON.parse(readFileSync(`${fixtures}/${name}/expected.json`, 'utf8')) as {
        ids: number[]
        logProbs: number[]
      }
      const model = await openWithDeviceState(name, fixtures, 'webgpu')
      for (const prompt of [1, 17]) {
        const history = model.start(ids.slice(0, prompt))
        const [first, ...rest] = ids.slice(prompt)
        const options = { rows: 8, live: () => [history] }
        const [one] = await model.score([{ history, temperature: 1, tokens: [first!], keep: true }], options)
        const asked = { history: model.extend(history, first!), temperature: 1, tokens: rest, keep: false }
        const [others] = await model.score([asked], options)
        for (const [i, score] of [...one!, ...others!].entries()) {
          expect(Math.abs(score - logProbs[prompt - 1 + i]!)).toBeLessThan(1e-3)
        }
      }
      await model.dispose()
    },
    120_000,
  )

  it('state that is moved at every step is the same state', async () => {
    const host = (await openModel('grouped', { base: fixtures })) as Transformer
    const device = await openWithDeviceState('grouped', fixtures, 'webgpu')
    expect(await largestDifference(host, device, 5)).toBeLessThan(1e-3)
    await host.dispose()
    await device.dispose()
  }, 120_000)

  it('products, potentials, sets and whole distributions are those of the CPU', async () => {
    const host = (await openModel('grouped', { base: fixtures })) as Transformer
    const device = await openWithDeviceState('grouped', fixtures, 'webgpu')
    const [a, b] = [await posteriors(host), await posteriors(device)]
    expect(b.tokens).toEqual(a.tokens)
    expect(b.logs.length).toBe(a.logs.length)
    for (const [i, log] of a.logs.entries()) expect(Math.abs(b.logs[i]! - log)).toBeLessThan(1e-3)
    await host.dispose()
    await device.dispose()
  }, 120_000)

  it('tiny draws, scores, forks and forgets as on the CPU', async () => {
    const host = (await openModel('tiny', { base: '.' })) as Transformer
    const device = await openWithDeviceState('tiny', '.', 'webgpu')
    const [a, b] = [await population(host), await population(device)]
    expect(b.map(({ token }) => token)).toEqual(a.map(({ token }) => token))
    for (const [i, { logProb, logMass }] of a.entries()) {
      expect(Math.abs(b[i]!.logProb - logProb)).toBeLessThan(1e-3)
      expect(Math.abs(b[i]!.logMass - logMass)).toBeLessThan(1e-3)
    }
    expect(device.tokensRun).toBe(host.tokensRun)
    await host.dispose()
    await device.dispose()
  }, 300_000)
})

/** What draws from a product under a potential, within a set and with a set to leave by gives, the mass of that set, and every token's log probability. */
async function posteriors(model: Transformer) {
  const { size } = model.vocabulary
  const [one, two] = [model.start([3, 1, 4]), model.start([1, 5])]
  const experts = [
    { history: one, temperature: 1, power: 0.5 },
    { history: two, temperature: 0.8, power: -0.25 },
  ]
  const every = (step: number) =>
    setOf(
      Array.from({ length: size }, (_, token) => token).filter((token) => token % step === 0),
      size,
    )
  const posterior = {
    ...freely(one, 1),
    experts,
    potential: Float64Array.from({ length: size }, (_, token) => Math.sin(token)),
    within: every(2),
    leaving: every(3),
    stop: 0,
  }
  const options = { rows: 8, live: () => [one, two] }
  const asked = Array.from({ length: 6 }, (_, slot) => ({ ...posterior, random: hashed, key: key(slot) }))
  const drawn = await model.draw(asked, options)
  const urn = (await model.urns([posterior], options))[0]!
  const masses = await model.measure([posterior], options)
  const logs = await model.logProbs(experts, options)
  return {
    tokens: drawn.map(({ token }) => token),
    logs: [
      ...drawn.flatMap(({ logProb, logMass, logLeaving }) => [logProb, logMass, logLeaving]),
      urn.logMass,
      ...masses,
      ...logs.flatMap((each) => [...each]),
    ],
  }
}

/** Draws of four particles under both masks and two temperatures; one is resampled, a text is scored, and state is dropped once. */
async function population(model: Transformer) {
  const start = model.start(model.vocabulary.encodePrompt('Once upon'))
  let particles: History[] = Array.from({ length: 4 }, () => start)
  const options = { rows: 3, live: () => particles }
  const seen: { token: number; logProb: number; logMass: number }[] = []
  for (let step = 0; step < 3; step++) {
    if (step === 2) model.forget()
    const drawn = await model.draw(
      particles.map((history, slot) =>
        drawing(model, history, slot % 3 === 0 ? 'notEnd' : 'all', { temperature: slot % 2 ? 1 : 0.8, at: key(slot, step) }),
      ),
      options,
    )
    seen.push(...drawn)
    particles = [0, 1, 1, 3].map((from) => model.extend(particles[from]!, drawn[from]!.token))
  }
  const asked = particles.map((history, i) => ({ history, temperature: 1, tokens: [262, 786].slice(i % 2), keep: i < 2 }))
  for (const scores of await model.score(asked, options))
    for (const logProb of scores) seen.push({ token: -1, logProb, logMass: 0 })
  return seen
}

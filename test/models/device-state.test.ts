import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DrawReply, History, LanguageModel } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import type { Transformer } from '../../src/models/transformer.js'
import { largestDifference, openWithDeviceState } from './device-model.js'
import { key } from './fixed-randomness.js'
import { drawing } from './requests.js'

// What is tested here is where state is kept, not who computes: everything runs on the CPU. test/conformance/webgpu.test.ts runs it on WebGPU.
let host: Transformer
let device: Transformer
beforeAll(async () => {
  host = (await openModel('tiny', { base: '.' })) as Transformer
  device = await openWithDeviceState('tiny', '.', 'cpu')
})
afterAll(async () => {
  await host.dispose()
  await device.dispose()
})

const prompts = ['Lily found a small key in the garden.', 'Once upon a time', 'word '.repeat(80)]

/** A population on several prompts that draws under masks and temperatures, is resampled, observes now and then; everything it saw. */
async function population(model: Transformer, slots: number, steps: number, rows: number, forget = false) {
  const starts = prompts.map((prompt) => model.start(model.vocabulary.encodePrompt(prompt)))
  const observed = model.vocabulary.encodeContinuation(' She was very happy.')
  let particles: History[] = Array.from({ length: slots }, (_, slot) => starts[slot % starts.length]!)
  const options = { rows, live: () => particles }
  const replies: DrawReply[][] = []
  const scores: Float64Array[][] = []
  for (let step = 0; step < steps; step++) {
    if (step % 2) particles = particles.map((_, slot) => particles[(slot * slot + step) % slots]!)
    if (forget) model.forget()
    const drawn = await model.draw(
      particles.map((history, slot) =>
        drawing(model, history, slot % 3 === 0 ? 'notEnd' : 'all', { temperature: slot % 2 ? 1 : 0.8, at: key(slot, step) }),
      ),
      options,
    )
    replies.push(drawn)
    particles = particles.map((history, i) => model.extend(history, drawn[i]!.token))
    if (step % 3 !== 2) continue
    const asked = particles.map((history, i) => ({
      history,
      temperature: 1,
      tokens: observed.slice(0, 1 + (i % observed.length)),
      keep: i % 2 === 0,
    }))
    scores.push(await model.score(asked, options))
    particles = particles.map((history, i) =>
      asked[i]!.keep ? asked[i]!.tokens.reduce((at, token) => model.extend(at, token), history) : history,
    )
  }
  return { replies, scores, particles }
}

type Seen = Awaited<ReturnType<typeof population>>

function expectClose(a: Seen, b: Seen): void {
  expect(b.replies.flat().map(({ token }) => token)).toEqual(a.replies.flat().map(({ token }) => token))
  const logs = ({ replies, scores }: Seen) => [
    ...replies.flat().flatMap(({ logProb, logMass }) => [logProb, logMass]),
    ...scores.flat().flatMap((each) => [...each]),
  ]
  const [one, two] = [logs(a), logs(b)]
  expect(two.length).toBe(one.length)
  for (const [i, log] of one.entries()) expect(Math.abs(two[i]! - log)).toBeLessThan(1e-3)
}

describe('state as on a device', () => {
  it('gives the draws and scores of state in our memory, and runs as many tokens', async () => {
    for (const rows of [3, 64]) {
      host.forget()
      device.forget()
      const before = [host.tokensRun, device.tokensRun] as const
      expectClose(await population(host, 13, 9, rows), await population(device, 13, 9, rows))
      expect(device.tokensRun - before[1]).toBe(host.tokensRun - before[0])
    }
  })

  it('is computed again after it was dropped', async () => {
    device.forget()
    const kept = await population(device, 5, 7, 8)
    expectClose(kept, await population(device, 5, 7, 8, true))
  })

  it('lets go of the dead, keeps the living, and computes nothing twice', async () => {
    host.forget()
    device.forget()
    const before = [host.tokensRun, device.tokensRun] as const
    expectClose(await population(host, 40, 32, 64), await population(device, 40, 32, 64))
    expect(device.tokensRun - before[1]).toBe(host.tokensRun - before[0])
    // What all tokens that were run would take.
    const { layers, keyValueHeads, headWidth } = device.shape
    const ran = 8 * layers * keyValueHeads * headWidth * (device.tokensRun - before[1])
    expect(ran / device.stateBytes).toBeGreaterThan(1.2)
  })

  it('that is moved at every step is the same state', async () => {
    expect(await largestDifference(host, device, 20)).toBeLessThan(1e-3)
  })

  it('takes no room for texts that are scored and not kept', async () => {
    device.forget()
    const history = device.extend(device.start(device.vocabulary.encodePrompt(prompts[0]!)), 1153)
    const options = { rows: 64, live: () => [history] }
    await device.draw([drawing(device, history)], options)
    const bytes = device.stateBytes
    await device.score(
      Array.from({ length: 200 }, (_, i) => ({ history, temperature: 1, tokens: [262, 786, 1 + i, 14], keep: false })),
      options,
    )
    expect(device.stateBytes).toBe(bytes)
    await device.score([{ history, temperature: 1, tokens: [262, 786], keep: true }], options)
    expect(device.stateBytes).toBeGreaterThan(bytes)
  })

  it('runs a history that several particles share once, and a prompt once', async () => {
    device.forget()
    const start = device.start(device.vocabulary.encodePrompt(prompts[0]!))
    const ask = (histories: readonly History[]) =>
      device.draw(
        histories.map((history, slot) => drawing(device, history, 'all', { at: key(slot) })),
        { rows: 64, live: () => histories },
      )
    const before = device.tokensRun
    await ask(Array.from({ length: 40 }, () => start))
    expect(device.tokensRun - before).toBe(start.length)
    await ask(Array.from({ length: 20 }, () => device.extend(start, 786)))
    expect(device.tokensRun - before).toBe(start.length + 1)
  })

  it('reads texts longer than a call takes', async () => {
    device.forget()
    host.forget()
    const tokens = Array.from({ length: 150 }, (_, i) => 1 + ((i * 37) % 4000))
    const score = async (model: LanguageModel, keep: boolean) => {
      const history = model.start(model.vocabulary.encodePrompt(prompts[0]!))
      const asked = { history, temperature: 1, tokens, keep }
      return (await model.score([asked], { rows: 8, live: () => [history] }))[0]!
    }
    const expected = await score(host, false)
    for (const keep of [false, true]) {
      const scores = await score(device, keep)
      for (const [i, value] of expected.entries()) expect(Math.abs(scores[i]! - value)).toBeLessThan(1e-3)
    }
  })
})

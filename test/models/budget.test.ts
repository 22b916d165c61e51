import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Budget, bytesText, MemoryError, stateRoom } from '../../src/models/budget.js'
import type { History } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import type { Transformer } from '../../src/models/transformer.js'
import { key } from './fixed-randomness.js'
import { drawing } from './requests.js'

let model: Transformer
beforeAll(async () => {
  model = (await openModel('tiny', { base: '.' })) as Transformer
})
afterAll(() => model.dispose())

const slots = 9

/** Draws `steps` tokens for every slot; slots are copied now and then, and two of them score a text besides. */
async function population(steps: number, budget?: Budget) {
  model.forget()
  const droppedBefore = model.rowsDropped
  const start = model.start(model.vocabulary.encodePrompt('Lily found a small key in the garden.'))
  let particles: History[] = Array.from({ length: slots }, () => start)
  const options = { rows: 5, live: () => particles, budget }
  const tokens: number[][] = []
  const logs: number[] = []
  let most = 0
  for (let step = 0; step < steps; step++) {
    if (step % 6 === 5) particles = particles.map((_, slot) => particles[(slot * slot) % slots]!)
    const replies = await model.draw(
      particles.map((history, slot) => drawing(model, history, 'all', { at: key(slot, step) })),
      options,
    )
    particles = particles.map((history, i) => model.extend(history, replies[i]!.token))
    const asked = particles.slice(0, 2).map((history) => ({ history, temperature: 1, tokens: [262, 786, 14], keep: false }))
    for (const scores of await model.score(asked, options)) logs.push(...scores)
    tokens.push(replies.map(({ token }) => token))
    logs.push(...replies.map(({ logProb }) => logProb))
    most = Math.max(most, model.stateBytes)
  }
  return { tokens, logs, most, dropped: model.rowsDropped - droppedBefore }
}

/** A budget in which `rows` rows of `length` tokens have room. */
function budgetFor(rows: number, length: number): Budget {
  const prompt = 40
  // A quarter is for calls: see budget.ts.
  return new Budget(((rows * length + prompt) * model.memory.statePerToken * 4) / 3)
}

describe('a budget', () => {
  it('changes no token, however little it leaves, and is kept', async () => {
    const free = await population(20)
    expect(free.dropped).toBe(0)
    for (const rows of [4, 6]) {
      const budget = budgetFor(rows, 32)
      const tight = await population(20, budget)
      expect(tight.dropped).toBeGreaterThan(0)
      expect(tight.tokens).toEqual(free.tokens)
      tight.logs.forEach((log, i) => {
        expect(log).toBeCloseTo(free.logs[i]!, 4)
      })
      expect(tight.most).toBeLessThanOrEqual(stateRoom(budget.most, model.memory))
      expect(free.most).toBeGreaterThan(stateRoom(budget.most, model.memory))
    }
  }, 60_000)

  it('that is large enough changes not a bit', async () => {
    const free = await population(12)
    const roomy = await population(12, new Budget(1e9))
    expect(roomy.logs).toEqual(free.logs)
    expect(roomy.dropped).toBe(0)
  })

  it('too small for the longest text is an error that says so', async () => {
    await expect(population(20, budgetFor(3, 32))).rejects.toThrow(MemoryError)
    await expect(population(20, budgetFor(3, 32))).rejects.toThrow(/M018.*texts of 32 tokens/)
  })

  it('counts what others take', async () => {
    const budget = budgetFor(8, 32)
    budget.record({}, budget.most / 2)
    expect((await population(20, budget)).most).toBeLessThanOrEqual(stateRoom(budget.most / 2, model.memory))
  })
})

describe('weights', () => {
  it('that do not fit are not read, and 8 bits are named where they fit', async () => {
    const { fp32, int8 } = { fp32: model.memory.weights('fp32'), int8: model.memory.weights('int8') }
    expect(int8).toBeLessThan(fp32 / 2)
    const open = (most: number, dtype: 'fp32' | 'int8') => openModel('tiny', { base: '.', dtype, budget: new Budget(most) })
    await expect(open(fp32 - 1, 'fp32')).rejects.toMatchObject({
      diagnostics: [{ code: 'M018', hint: expect.stringContaining('--dtype int8') }],
    })
    await expect(open(int8 - 1, 'fp32')).rejects.toMatchObject({
      diagnostics: [{ hint: expect.not.stringContaining('int8') }],
    })
    await expect(open(int8 - 1, 'int8')).rejects.toThrow(MemoryError)
    await (await open(int8, 'int8')).dispose()
  })
})

describe('what nobody stands on', () => {
  it('is a prompt that makes room where there is little', async () => {
    model.forget()
    const draw = (text: string, budget?: Budget) => {
      const history = model.start(model.vocabulary.encodePrompt(text))
      const request = drawing(model, history)
      return model.draw([request], { rows: 4, live: () => [history], budget })
    }
    const first = await draw('The first of many prompts that are remembered.')
    for (let i = 0; i < 30; i++) await draw(`This is prompt number ${i}, which is not short, for it shall take some room.`)
    const before = model.tokensRun
    expect(await draw('The first of many prompts that are remembered.')).toEqual(first)
    expect(model.tokensRun).toBe(before)
    await draw('Another one.', budgetFor(4, 16))
    expect(await draw('The first of many prompts that are remembered.', budgetFor(4, 16))).toEqual(first)
    expect(model.tokensRun).toBeGreaterThan(before + 10)
    expect(await population(8, budgetFor(6, 16))).toMatchObject({ tokens: (await population(8)).tokens })
  })

  it('goes with the next run: arena, histories, prompts that are not remembered', async () => {
    const roomy = await population(20)
    expect(roomy.most).toBeGreaterThan(0)
    const start = model.start(model.vocabulary.encodePrompt('Another text.'))
    await model.draw([drawing(model, start)], {
      rows: 4,
      live: () => [],
    })
    const next = model.extend(start, 262)
    await model.draw([drawing(model, next)], {
      rows: 4,
      live: () => [],
    })
    expect(model.stateBytes).toBe(4 * 16 * model.memory.statePerToken)
  })

  it('goes while the others go on', async () => {
    model.forget()
    const start = model.start(model.vocabulary.encodePrompt('Once'))
    let histories: History[] = Array.from({ length: 60 }, (_, i) => model.extend(start, 100 + i))
    let held = 0
    for (let step = 0; step < 40; step++) {
      if (step === 5) histories = histories.slice(0, 2)
      const replies = await model.draw(
        histories.map((history, slot) => drawing(model, history, 'all', { at: key(slot, step) })),
        { rows: 64, live: () => histories },
      )
      histories = histories.map((history, i) => model.extend(history, replies[i]!.token))
      if (step === 4) held = model.stateBytes
    }
    expect(held).toBe(60 * 16 * model.memory.statePerToken)
    expect(model.stateBytes).toBeLessThan((held * 3) / 10)
  })
})

it('sizes are told as people do', () => {
  expect([1.24e9, 34.4e6, 1.26e6, 140_100, 0].map(bytesText)).toEqual(['1.2 GB', '34 MB', '1.3 MB', '141 kB', '0 kB'])
})

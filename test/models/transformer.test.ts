import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Arena } from '../../src/models/arena.js'
import { type DrawReply, type DrawRequest, type History, nothing, stopped } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import { complement, setOf } from '../../src/models/token-set.js'
import { Transformer } from '../../src/models/transformer.js'
import { key, uniforms } from './fixed-randomness.js'
import { drawing, type Mask } from './requests.js'

const original = Arena.prototype.exchange
let model: Transformer
beforeAll(async () => {
  const opened = await openModel('tiny', { base: '.' })
  if (!(opened instanceof Transformer)) throw new Error('tiny is a transformer')
  model = opened
})
afterAll(() => model.dispose())

const prompt = 'Lily found a small key in the garden.'
const start = () => model.start(model.vocabulary.encodePrompt(prompt))
const alone = { rows: 64, live: () => [] }

/** log p of every token after a history, from `score` alone. */
async function logProbs(history: History, temperature = 1): Promise<Float64Array> {
  const requests = Array.from({ length: model.vocabulary.size }, (_, token) => ({
    history,
    temperature,
    tokens: [token],
    keep: false,
  }))
  return Float64Array.from(await model.score(requests, { ...alone, rows: 1024 }), (scores) => scores[0]!)
}

const request = (history: History, slot: number, draw = 0, mask: Mask = 'all', temperature = 1): DrawRequest =>
  drawing(model, history, mask, { temperature, at: key(slot, draw) })

describe('probabilities', () => {
  it('sum to one, at any temperature', async () => {
    for (const temperature of [1, 0.5, 2]) {
      const total = (await logProbs(start(), temperature)).reduce((sum, log) => sum + Math.exp(log), 0)
      expect(total).toBeCloseTo(1, 5)
    }
  })

  it('at a temperature are those at 1, sharpened', async () => {
    const plain = await logProbs(start())
    const sharp = await logProbs(start(), 0.5)
    const normaliser = Math.log(plain.reduce((sum, log) => sum + Math.exp(2 * log), 0))
    for (const token of [0, 14, 368, 4000]) expect(sharp[token]).toBeCloseTo(2 * plain[token]! - normaliser, 3)
  })
})

describe('a draw', () => {
  for (const mask of ['all', 'notEnd'] as const) {
    for (const temperature of [1, 0.7]) {
      it(`inverts the cumulative distribution in two levels (${mask}, temperature ${temperature})`, async () => {
        const history = start()
        const logs = await logProbs(history, temperature)
        const masses = logs.map(Math.exp)
        if (mask === 'notEnd') masses[model.vocabulary.end[0]!] = 0
        const left = masses.reduce((a, b) => a + b, 0)
        // Numbers next to 0 and 1, and in between, but not within rounding of a boundary.
        const numbers = [1e-12, 0.031, 0.2, 0.37, 0.5, 0.631, 0.77, 0.9, 0.999, 1 - 2 ** -53]
        const pairs = numbers.flatMap((first) => numbers.map((second) => ({ first, second })))
        const requests = pairs.map(({ first, second }, slot) => ({
          ...request(history, slot, 0, mask, temperature),
          random: uniforms((_, attempt) => (attempt === 0 ? first : second)),
        }))
        const replies = await model.draw(requests, alone)
        let checked = 0
        pairs.forEach(({ first, second }, i) => {
          const expected = invert(masses, left, first, second)
          const reply = replies[i]!
          if (expected.nearBoundary) return
          checked++
          expect(reply.token).toBe(expected.token)
          expect(reply.logProb).toBeCloseTo(logs[expected.token]!, 4)
          if (mask === 'all') expect(reply.logMass).toBe(0)
          else expect(reply.logMass).toBeCloseTo(Math.log(left), 5)
        })
        expect(checked).toBeGreaterThan(50)
      })
    }
  }

  it('never returns an end token under the mask', async () => {
    const end = model.vocabulary.end[0]!
    const history = model.start(model.vocabulary.encodePrompt('The end.'))
    const requests = Array.from({ length: 300 }, (_, slot) => request(history, slot, 0, 'notEnd'))
    const free = requests.map((each) => ({ ...each, allowed: null }))
    expect((await model.draw(requests, alone)).map(({ token }) => token)).not.toContain(end)
    expect((await model.draw(free, alone)).some(({ token }) => token === end)).toBe((await logProbs(history))[end]! > -4)
  })
})

describe('a draw that is forced', () => {
  it('tells what a free draw of that token tells', async () => {
    const history = start()
    const { size } = model.vocabulary
    const sets = [null, setOf([368, 14, 4000, 77], size), complement(setOf([3, 5], size), size)]
    const potential = Float64Array.from({ length: size }, (_, v) => Math.sin(v))
    const asked = sets.flatMap((allowed) =>
      [null, potential].flatMap((added) =>
        [0, 1, 2, 3].map(
          (slot): DrawRequest => ({
            ...request(history, slot, 0, 'all', 0.8),
            allowed,
            potential: added,
            leaving: allowed,
            stop: null,
          }),
        ),
      ),
    )
    const free = await model.draw(asked, alone)
    const forced = await model.draw(
      asked.map((each, i) => ({ ...each, forced: free[i]!.token, random: uniforms(() => 0.5) })),
      alone,
    )
    forced.forEach(({ token, logProb, logMass, logLeaving }, i) => {
      expect(token).toBe(free[i]!.token)
      expect(logProb).toBeCloseTo(free[i]!.logProb, 4)
      expect(logMass).toBeCloseTo(free[i]!.logMass, 6)
      expect(logLeaving).toBe(free[i]!.logLeaving)
    })
  })

  it('may be a stop, and gives nothing where it has no mass', async () => {
    const { size } = model.vocabulary
    const allowed = setOf([368, 14], size)
    const leaving = complement(allowed, size)
    const stopping: DrawRequest = { ...request(start(), 0), allowed, leaving, stop: 0 }
    const [stop, outside] = await model.draw(
      [
        { ...stopping, forced: stopped },
        { ...stopping, forced: 77 },
      ],
      alone,
    )
    expect(stop).toMatchObject({ token: stopped, logProb: stop!.logLeaving })
    expect(stop!.logMass).toBeCloseTo(0, 5)
    expect(outside).toMatchObject({ token: nothing, logProb: Number.NEGATIVE_INFINITY })
  })
})

/** The draw of head.ts in double precision: blocks of 64, then the token inside. */
function invert(masses: Float64Array, total: number, first: number, second: number) {
  const find = (weights: readonly number[], u: number) => {
    const sum = weights.reduce((a, b) => a + b, 0)
    let cumulative = 0
    let near = false
    const index = weights.findIndex((weight) => {
      near ||= weight > 0 && Math.abs(cumulative + weight - u * sum) < 1e-5 * sum
      return (cumulative += weight) > u * sum
    })
    return { index: index < 0 ? weights.findLastIndex((weight) => weight > 0) : index, near }
  }
  const sums = Array.from({ length: masses.length / 64 }, (_, b) =>
    masses.subarray(b * 64, b * 64 + 64).reduce((a, x) => a + x, 0),
  )
  expect(sums.reduce((a, b) => a + b, 0)).toBeCloseTo(total, 8)
  const block = find(sums, first)
  const inside = find([...masses.subarray(block.index * 64, block.index * 64 + 64)], second)
  return { token: block.index * 64 + inside.index, nearBoundary: block.near || inside.near }
}

/** A population that draws, is resampled by a pattern, observes now and then; everything it saw. */
async function population(rows: number, ancestors: readonly (readonly number[])[], forget = false) {
  let particles: History[] = ancestors[0]!.map(() => start())
  const options = { rows, live: () => particles }
  const replies: DrawReply[][] = []
  const scores: Float64Array[][] = []
  const observed = model.vocabulary.encodeContinuation(' She was very happy.')
  for (let step = 0; step < ancestors.length; step++) {
    particles = ancestors[step]!.map((from) => particles[from]!)
    if (forget) model.forget()
    const drawn = await model.draw(
      particles.map((history, slot) => request(history, slot, step, slot % 3 === 0 ? 'notEnd' : 'all', slot % 2 ? 1 : 0.8)),
      options,
    )
    replies.push(drawn)
    particles = particles.map((history, i) => model.extend(history, drawn[i]!.token))
    if (step % 3 === 2) {
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
  }
  return { replies, scores, particles }
}

const pattern = (slots: number, steps: number) =>
  Array.from({ length: steps }, (_, step) =>
    Array.from({ length: slots }, (_, slot) => (step % 2 ? (slot * slot + step) % slots : slot)),
  )

function tokensOf(history: History): number[] {
  const tokens: number[] = []
  for (let at: History = history; at.parent; at = at.parent) tokens.unshift(at.token)
  return tokens
}

describe('state', () => {
  it('does not change a bit with the batch size', async () => {
    const runs = []
    for (const rows of [1, 3, 64]) {
      model.forget()
      runs.push(await population(rows, pattern(13, 8)))
    }
    for (const run of runs.slice(1)) {
      expect(run.replies).toEqual(runs[0]!.replies)
      expect(run.scores).toEqual(runs[0]!.scores)
    }
  })

  it('does not change a bit when a run is repeated in one process', async () => {
    const first = await population(5, pattern(7, 12))
    await population(64, pattern(20, 4))
    const again = await population(5, pattern(7, 12))
    expect(again.replies).toEqual(first.replies)
    expect(again.scores).toEqual(first.scores)
  })

  it('is computed again after it was dropped', async () => {
    const kept = await population(8, pattern(5, 7))
    const dropped = await population(8, pattern(5, 7), true)
    kept.replies.forEach((replies, step) => {
      replies.forEach((reply, i) => {
        expect(dropped.replies[step]![i]!.token).toBe(reply.token)
        expect(dropped.replies[step]![i]!.logProb).toBeCloseTo(reply.logProb, 4)
      })
    })
    kept.scores.flat().forEach((scores, i) => {
      const others = dropped.scores.flat()[i]!
      scores.forEach((score, j) => {
        expect(others[j]).toBeCloseTo(score, 4)
      })
    })
  })

  it('gives what scoring from scratch gives, whatever is resampled', async () => {
    const slots = 6
    const resampling = fc.array(fc.array(fc.nat(slots - 1), { minLength: slots, maxLength: slots }), {
      minLength: 2,
      maxLength: 9,
    })
    await fc.assert(
      fc.asyncProperty(resampling, fc.integer({ min: 1, max: 8 }), async (ancestors, rows) => {
        const { replies, particles } = await population(rows, ancestors)
        const last = replies.at(-1)!
        const observes = (ancestors.length - 1) % 3 === 2
        for (let i = 0; i < slots; i++) {
          const tokens = tokensOf(particles[i]!)
          const drawnAt = tokens.length - 1 - (observes && i % 2 === 0 ? 1 + (i % 5) : 0)
          model.forget()
          const [scores] = await model.score([{ history: start(), temperature: i % 2 ? 1 : 0.8, tokens, keep: false }], alone)
          if (tokens[drawnAt] === last[i]!.token) expect(scores![drawnAt]).toBeCloseTo(last[i]!.logProb, 3)
          else throw new Error('the path does not hold the drawn token')
        }
      }),
      { numRuns: 12, seed: 3 },
    )
  }, 120_000)

  it('runs a history that several particles share once', async () => {
    model.forget()
    const history = [1153, 262].reduce((at, token) => model.extend(at, token), start())
    await model.draw([request(history, 0)], alone)
    const before = model.tokensRun
    const children = Array.from({ length: 20 }, () => model.extend(history, 786))
    await model.draw(
      children.map((child, slot) => request(child, slot)),
      alone,
    )
    expect(model.tokensRun - before).toBe(1)
  })

  it('exchanges no row with one that nobody stands on', async () => {
    model.forget()
    let particles: History[] = Array.from({ length: 12 }, (_, i) => model.extend(start(), 300 + i))
    const all = { rows: 64, live: () => particles }
    const ask = () =>
      model.draw(
        [...new Set(particles)].map((history, slot) => request(history, slot)),
        all,
      )
    await ask()
    const moves: (readonly [boolean, boolean])[] = []
    const exchange = vi.spyOn(Arena.prototype, 'exchange').mockImplementation(function (this: Arena, a, b) {
      moves.push([this.rows[a] !== null, this.rows[b] !== null])
      return original.call(this, a, b)
    })
    particles = [0, 0, 3, 3, 4, 7, 7, 7, 9, 11, 11, 11].map((i) => model.extend(particles[i]!, 786))
    await ask()
    exchange.mockRestore()
    expect(moves.length).toBeGreaterThan(0)
    expect(moves.filter(([from, to]) => from && to)).toEqual([])
  })

  it('reads a prompt once, however many rows go on from it', async () => {
    model.forget()
    const before = model.tokensRun
    const length = model.vocabulary.encodePrompt(prompt).length
    await model.draw(
      Array.from({ length: 40 }, (_, slot) => request(start(), slot)),
      alone,
    )
    expect(model.tokensRun - before).toBe(length)
  })

  it('takes no room for texts that are scored and not kept', async () => {
    model.forget()
    const history = model.extend(start(), 1153)
    await model.draw([request(history, 0)], { rows: 4, live: () => [history] })
    const many = Array.from({ length: 200 }, (_, i) => ({ history, temperature: 1, tokens: [262, 786, 1 + i, 14], keep: false }))
    await model.score(many, { rows: 4, live: () => [history] })
    const bytesPerRow = model.stateBytes / 16
    expect(bytesPerRow).toBeLessThan(6 * 4 * 32 * 16 * 8)
  })
})

describe('limits', () => {
  it('refuses a text longer than the window', async () => {
    const tokens = Array.from({ length: model.contextLength + 1 }, () => 14)
    await expect(model.score([{ history: start(), temperature: 1, tokens, keep: false }], alone)).rejects.toThrow(/M015/)
  })

  it('refuses an empty prompt', () => {
    expect(() => model.start([])).toThrow(/M014/)
  })

  it('reads a text as long as the window', async () => {
    const length = model.contextLength - start().length
    const tokens = Array.from({ length }, (_, i) => 1 + ((i * 37) % 4000))
    const [scores] = await model.score([{ history: start(), temperature: 1, tokens, keep: false }], alone)
    expect(scores!.every((score) => Number.isFinite(score) && score < 0)).toBe(true)
  })
})

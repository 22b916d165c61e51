import { describe, expect, it } from 'vitest'
import { TableModel } from '../../src/models/table.js'
import { key, uniforms } from './fixed-randomness.js'
import { drawing } from './requests.js'

const toy = {
  tokens: ['a', 'b', 'ab', '.'],
  order: 1,
  end: '.',
  next: { '': [0.5, 0.25, 0.125, 0.125], a: [0.1, 0.2, 0.3, 0.4], b: [0.25, 0.25, 0.25, 0.25], ab: [0, 0, 0, 1] },
}
const parse = (fields: Record<string, unknown> = {}) => TableModel.parse('table:toy.json', JSON.stringify({ ...toy, ...fields }))

describe('a table model', () => {
  it('cuts text by the longest match, and never into the end token', () => {
    const { vocabulary } = parse()
    expect(vocabulary.encodePrompt('aabb')).toEqual([0, 2, 1])
    expect(() => vocabulary.encodeContinuation('a.')).toThrow(/M009.*"\."/)
    expect(vocabulary.encodePrompt('')).toEqual([])
  })

  it('gives no bytes to the end token', () => {
    const { vocabulary } = parse()
    expect([...vocabulary.bytes(2)]).toEqual([97, 98])
    expect(vocabulary.bytes(3)).toHaveLength(0)
    expect(vocabulary.end).toEqual([3])
  })

  it('scores by the last `order` tokens', async () => {
    const model = parse()
    const [scores] = await model.score([{ history: model.start([0]), temperature: 1, tokens: [1, 0, 3], keep: true }])
    expect([...scores!]).toEqual([Math.log(0.2), Math.log(0.25), Math.log(0.4)])
  })

  it('knows shorter states at the start when the order is above one', async () => {
    const next = { '': [1, 0], a: [0, 1], ab: [0.5, 0.5], ba: [0.25, 0.75], bb: [0.5, 0.5] }
    const model = TableModel.parse('table:t', JSON.stringify({ tokens: ['a', 'b'], order: 2, end: null, next }))
    const [scores] = await model.score([{ history: model.start([]), temperature: 1, tokens: [0, 1, 0, 1], keep: false }])
    expect([...scores!]).toEqual([0, 0, Math.log(0.5), Math.log(0.75)])
  })

  it('draws by the weights that the mask leaves, and tells their mass', async () => {
    const model = parse()
    const history = model.start([0])
    for (const [u, token] of [
      [0.1, 0],
      [0.2, 1],
      [0.49, 1],
      [0.51, 2],
      [0.99, 2],
    ] as const) {
      const random = uniforms(() => u)
      const [reply] = await model.draw([drawing(model, history, 'notEnd', { random })])
      expect(reply!.token).toBe(token)
      expect(reply!.logProb).toBeCloseTo(Math.log([0.1, 0.2, 0.3][token]!), 12)
      expect(reply!.logMass).toBeCloseTo(Math.log(0.6), 12)
    }
  })

  it('returns -1 when the mask leaves nothing', async () => {
    const model = parse()
    const [reply] = await model.draw([drawing(model, model.start([2]), 'notEnd')])
    expect(reply).toEqual({ token: -1, logProb: -Infinity, logMass: -Infinity, logLeaving: -Infinity })
  })

  it('sharpens by the temperature without underflow', async () => {
    const model = parse()
    const history = model.start([0])
    const score = async (temperature: number, token: number) =>
      (await model.score([{ history, temperature, tokens: [token], keep: false }]))[0]![0]!
    const squares = 0.01 + 0.04 + 0.09 + 0.16
    expect(await score(0.5, 1)).toBeCloseTo(Math.log(0.04 / squares), 12)
    expect(await score(0.001, 3)).toBeCloseTo(0, 12)
    expect(await score(1e-6, 0)).toBe(-Infinity)
  })

  it('says which row is missing when a text reaches it', async () => {
    const model = parse({ next: { '': toy.next[''] } })
    await expect(model.score([{ history: model.start([1]), temperature: 1, tokens: [0], keep: false }])).rejects.toThrow(
      /M013.*"b"/,
    )
  })

  it('serves ten thousand particles in well under a second', async () => {
    const model = parse()
    let histories = Array.from({ length: 10_000 }, () => model.start([0]))
    const begin = performance.now()
    for (let step = 0; step < 5; step++) {
      const replies = await model.draw(
        histories.map((history, slot) => drawing(model, history, 'notEnd', { at: key(slot, step) })),
      )
      histories = histories.map((history, i) => (replies[i]!.token < 0 ? history : model.extend(history, replies[i]!.token)))
    }
    expect(performance.now() - begin).toBeLessThan(2000)
  })

  for (const [fact, fields] of [
    ['`extra` is not a field', { extra: 1 }],
    ['tokens: expected a list of strings', { tokens: 'ab' }],
    ['"a" stands there twice', { tokens: ['a', 'b', 'a', '.'] }],
    ['order: expected a number from 0', { order: -1 }],
    ['end: expected one of the tokens or null', { end: 'z' }],
    ['next: expected an object', { next: [] }],
    ['expected 4 probabilities, found 2', { next: { '': [0.5, 0.5] } }],
    ['the probabilities sum to 0.9', { next: { '': [0.5, 0.2, 0.1, 0.1] } }],
    ['expected probabilities, found -0.1', { next: { '': [0.5, 0.5, 0.1, -0.1] } }],
  ] as const) {
    it(`refuses a table where ${fact}`, () => {
      expect(() => parse(fields)).toThrow(expect.objectContaining({ message: expect.stringContaining(fact) }))
      expect(() => parse(fields)).toThrow(/M012/)
    })
  }
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { impossible } from '../../src/infer/learned/fit.js'
import { type HeadShape, scaleOf, untrainedLayers } from '../../src/infer/learned/head.js'
import type { Lesson } from '../../src/infer/learned/lesson.js'
import { pathsOf, Texts } from '../../src/infer/learned/pupil.js'
import { LearnedTwist } from '../../src/infer/learned/twist.js'
import type { Particle } from '../../src/infer/particle.js'
import { philoxRandomness } from '../../src/infer/philox.js'
import { ModelValue } from '../../src/infer/values.js'
import { logWeights } from '../../src/models/dense.js'
import type { LanguageModel } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'
import { setOf } from '../../src/models/token-set.js'

/* What a twist learns from on a transformer: log g of every token as a product with the output embedding. */

let lm: LanguageModel
beforeAll(async () => {
  lm = await openModel('tiny', { base: '.' })
})
afterAll(() => lm.dispose())

const options = { rows: 8, live: () => [] }

test('a vector and a mask stand for log g of every token', async () => {
  const output = lm.output!
  const matrix = (await output.matrix())!
  const { size } = lm.vocabulary
  const sizes = { hidden: output.hiddenWidth, shift: output.shiftWidth, scale: scaleOf(matrix, size) }
  const shape: HeadShape = { ...sizes, conditions: [], width: 4, depth: 1 }
  const layers = untrainedLayers(shape, philoxRandomness(1))
  const twist = new LearnedTwist('psi', [], { shape, layers, model: lm.hash, link: 'exp', role: 'twist' })
  const [one, other] = ['Once upon a time', 'The dog'].map((text) => lm.start(lm.vocabulary.encodePrompt(text)))
  const within = setOf([5, 17, 260, 300], size)
  const posteriors: Lesson['posterior'][] = [
    { experts: [{ model: lm, history: one!, temperature: 1, power: 1 }], within: null, allowed: null },
    {
      experts: [
        { model: lm, history: one!, temperature: 0.7, power: 1.5 },
        { model: lm, history: other!, temperature: 1, power: -0.5 },
      ],
      within,
      allowed: setOf([17, 260, 299], size),
    },
  ]
  const model = new ModelValue('lm', lm)
  const particles = posteriors.map((posterior): Particle => {
    const guide = { twist, stream: 0, model, history: one!, position: 0, condition: { key: '[]', parts: [] } }
    const lesson: Lesson = { parent: null, guide, posterior, token: 260, before: 0, after: 0 }
    return { logw: 0, lesson } as Particle
  })
  const paths = await pathsOf(twist, particles, new Texts(), options)
  for (const [i, { experts, within, allowed }] of posteriors.entries()) {
    const { vector, mask } = paths[i]!.draws[0]!.state
    const dense = logWeights({ within, potential: null }, await lm.logProbs(experts, options))
    for (let v = 0; v < size; v += v < 400 ? 1 : 97) {
      const row = vector.reduce((sum, x, k) => sum + x * (k === sizes.shift ? 1 : sizes.scale * matrix[v * sizes.shift + k]!), 0)
      if (allowed && ![17, 260].includes(v)) expect(row + mask[v]!).toBeLessThan(impossible / 2)
      else expect(row + mask[v]!).toBeCloseTo(dense[v]!, 3)
    }
  }
})

test('what is said of a text is what the network makes of its features, however far the text has grown since', async () => {
  const output = lm.output!
  const shape: HeadShape = {
    hidden: output.hiddenWidth,
    shift: output.shiftWidth,
    scale: 1,
    conditions: ['number'],
    width: 6,
    depth: 1,
  }
  const random = philoxRandomness(3)
  const layers = untrainedLayers(shape, random).map(({ weight, bias }, slot) => ({
    weight: weight.map((w, draw) => w || random.uniform({ slot: 10 + slot, generation: 0, draw }, 0) - 0.5),
    bias,
  }))
  const twist = new LearnedTwist('psi', ['number'], { shape, layers, model: lm.hash, link: 'exp', role: 'twist' })
  const model = new ModelValue('lm', lm)
  const texts = [lm.start(lm.vocabulary.encodePrompt('Once'))]
  for (const token of [260, 17, 300, 260, 5]) texts.push(lm.extend(texts.at(-1)!, token))
  const other = lm.extend(texts[2]!, 18)
  // The fourth before the third, one that branches off, and one whose prompt is longer.
  const asked = [
    ...[0, 4, 2, 5].map((position) => ({ history: texts[position]!, position })),
    { history: other, position: 3 },
    { history: texts[4]!, position: 1 },
  ].map((place) => ({ ...place, model, condition: twist.condition([2]) }))
  for (const question of asked) {
    const [said] = await twist.prepare([question], options, false)
    const [x] = await twist.features([question], options)
    const inner = Array.from({ length: 6 }, (_, o) =>
      x!.reduce((sum, value, i) => sum + value * layers[0]!.weight[i * 6 + o]!, 0),
    )
    const outer = (o: number) =>
      inner.reduce((sum, a, i) => sum + (a / (1 + Math.exp(-a))) * layers[1]!.weight[i * (shape.shift + 1) + o]!, 0)
    expect(said!.level).toBeCloseTo(outer(shape.shift), 4)
    for (const o of [0, 100, 255]) expect(said!.shift[o]!).toBeCloseTo(outer(o), 4)
  }
})

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

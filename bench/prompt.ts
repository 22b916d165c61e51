/**
 * What a particle's step costs behind prompts of 16 to 1,024 tokens: 32 particles on the 135 M shape, each with a text of its own. The prompt is stored once
 * and the queries of all rows are one product with it, so the cost should hardly grow. The prompts take turns, a step each, so that what
 * else the machine does meets all of them; the figures are medians over the rounds of the time beside that of the shortest prompt.
 * Usage: npm run bench:prompt [-- fp32 | int8 [PARTICLES]]
 */
import { philoxRandomness } from '../src/infer/philox.js'
import { freely, type History } from '../src/models/model.js'
import { withoutEnd } from '../src/models/token-set.js'
import { generator } from '../test/xorshift.js'
import { randomModel } from './random-model.js'

const lengths = [16, 64, 256, 512, 1024]
const [type = 'fp32', count = '32'] = process.argv.slice(2)
const particles = Number(count)
const rounds = 24
const warmUp = 3

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

const model = await randomModel(type === 'int8' ? 'int8' : 'fp32')
const random = generator(5)
const populations: History[][] = lengths.map((length) => {
  const start = model.start(Array.from({ length }, () => 1 + Math.floor(random() * 40_000)))
  return Array.from({ length: particles }, () => start)
})
const times: number[][] = lengths.map(() => [])
for (let round = 0; round < rounds + warmUp; round++) {
  for (const [i, histories] of populations.entries()) {
    const begin = performance.now()
    const replies = await model.draw(
      histories.map((history, slot) => ({
        ...freely(history, 1),
        allowed: withoutEnd(model.vocabulary),
        random: philoxRandomness(1),
        key: { slot, generation: round, draw: i },
      })),
      { rows: 256, live: () => populations.flat() },
    )
    populations[i] = histories.map((history, slot) => model.extend(history, replies[slot]!.token))
    if (round >= warmUp) times[i]!.push(performance.now() - begin)
  }
}
await model.dispose()
console.log(`${type}, ${particles} particles: prompt  ms a step  beside the shortest`)
times.forEach((row, i) => {
  const ratio = median(row.map((time, round) => time / times[0]![round]!))
  console.log(`${String(lengths[i]).padStart(29)} ${median(row).toFixed(1).padStart(10)} ${ratio.toFixed(2).padStart(20)}`)
})

/*
 * How often the intervals of `smcc bound` hold what they should: on the built-in model, for infilling 2 -> 1 (a gap of two tokens, one token
 * observed), 128 particles, 20 repeats, over seeds. log Z comes from a sum over the vocabulary (test/conformance/gap-sums.ts). The interval
 * for log Z runs from the lower end of the lower bound's 95 % interval to the upper end of the upper one's, so it should hold log Z in at
 * least 95 % of the seeds; each bound alone lies on the wrong side by more than its error in at most 2.5 %, and more often on the right one.
 *
 *     npm run bench:coverage -- [--seeds 100] [--gap 2]
 */
import { parseArgs } from 'node:util'
import { compile } from '../src/index.js'
import { openModel } from '../src/models/registry.js'
import { gapProgram, gapSums } from '../test/conformance/gap-sums.js'

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '100' }, gap: { type: 'string', default: '2' } } })
const gap = Number(values.gap) as 1 | 2
const model = await openModel('tiny', { base: '.' })
const { [gap]: exact } = await gapSums(model, gap === 1 ? 1 : 2e-7)
console.log(`log Z is between ${exact.low.toFixed(4)} and ${exact.high.toFixed(4)}`)

const program = await compile(gapProgram(gap))
const counts = { seeds: 0, holds: 0, lowerAbove: 0, upperBelow: 0 }
let [width, gapOfBounds] = [0, 0]
for (let seed = 0; seed < Number(values.seeds); seed++) {
  const options = { seed, particles: [128], repeats: 20, method: 'importance', models: { lm: model }, batch: 1024 } as const
  const { rows, logZ } = await program.bound({}, options)
  const [{ lower, lowerError, upper, upperError }] = rows as [(typeof rows)[number]]
  counts.seeds++
  if (logZ.low! <= exact.high && logZ.high! >= exact.low) counts.holds++
  if (lower! - lowerError! > exact.high) counts.lowerAbove++
  if (upper! + upperError! < exact.low) counts.upperBelow++
  width += logZ.high! - logZ.low!
  gapOfBounds += upper! - lower!
  if (counts.seeds % 10 === 0) console.log(JSON.stringify(counts), `mean width ${(width / counts.seeds).toFixed(3)}`)
}
await model.dispose()
console.log(
  `gap ${gap}: the interval holds log Z for ${counts.holds} of ${counts.seeds} seeds; the lower bound is above it for ${counts.lowerAbove}, ` +
    `the upper bound below it for ${counts.upperBelow}; the interval is ${(width / counts.seeds).toFixed(3)} nats wide on average, ` +
    `the bounds ${(gapOfBounds / counts.seeds).toFixed(3)} apart`,
)

/*
 * How often the intervals of `smcc bound` hold what they should, over seeds: on the built-in model, for infilling 2 -> 1 (a gap of two
 * tokens, one token observed), or on a program over tables, whose log Z is listed. For infilling log Z comes from a sum over the vocabulary
 * (test/conformance/gap-sums.ts): over all pairs of tokens above `--cut`, which encloses it; `--cut 0` sums all 16.8 million, in hours.
 *
 * For each sampler are told: how often the interval from the lower end of the lower bound's 95 % interval to the upper end of the upper
 * one's holds log Z, which should be at least 95 %; how often a bound lies on the wrong side of log Z by more than its error, at most 2.5 %;
 * and how often a bound's interval holds the mean of that bound over all seeds, near 95 %: 1.96 is the quantile of the normal distribution,
 * and with 20 repeats that of Student's would be 2.09, so 93.5 % where log Z-hat is normal, and less where it has a tail.
 *
 *     npm run bench:coverage -- [--seeds 100] [--gap 2] [--method smc] [--twisted] [--threshold X] [--particles 128,...] [--repeats 20]
 *                               [--cut 1e-9] [--program FILE]
 *
 * `--method smc` has rows of importance sampling beside it, as `smcc bound` has. Before the last token of so short a gap all particles weigh
 * the same, so SMC is importance sampling; `--twisted` twists them by the probability of what is observed, if it came next, and
 * `--threshold 1` resamples whatever the ESS is.
 */
import { parseArgs } from 'node:util'
import { type BoundOptions, compile, load } from '../src/index.js'
import { openModel } from '../src/models/registry.js'
import { gapProgram, gapSums } from '../test/conformance/gap-sums.js'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    gap: { type: 'string', default: '2' },
    method: { type: 'string', default: 'smc' },
    twisted: { type: 'boolean', default: false },
    threshold: { type: 'string' },
    particles: { type: 'string', default: '128' },
    repeats: { type: 'string', default: '20' },
    cut: { type: 'string', default: '1e-9' },
    program: { type: 'string' },
  },
})
if (values.method !== 'smc' && values.method !== 'importance') throw new Error('--method is smc or importance')
const seeds = Number(values.seeds)
const gap = Number(values.gap) as 1 | 2
const model = values.program === undefined ? await openModel('tiny', { base: '.' }) : null
const program = values.program === undefined ? await compile(gapProgram(gap, values.twisted)) : await load(values.program)
const options: BoundOptions = {
  particles: values.particles.split(',').map(Number),
  repeats: Number(values.repeats),
  method: values.method,
  batch: 1024,
  ...(values.threshold !== undefined && { threshold: Number(values.threshold) }),
  ...(model && { models: { lm: model } }),
  exact: 'reject',
}

const exact = model
  ? (
      await gapSums(model, gap === 1 ? 1 : Number(values.cut), (done, all, pairs) => {
        if (done === all || Number(values.cut) === 0) console.log(`${done} of ${all} first tokens, ${pairs} pairs`)
      })
    )[gap]
  : await program
      .bound({}, { seed: 0, particles: [1], repeats: 2, exact: 'enumerate' })
      .then(({ logZ }) => ({ low: logZ.low!, high: logZ.high! }))
console.log(`log Z is between ${exact.low.toFixed(5)} and ${exact.high.toFixed(5)}`)

interface Bound {
  readonly mean: number
  readonly error: number
}
const found = new Map<string, { readonly lower: Bound; readonly upper: Bound }[]>()
let shown = 0
const started = performance.now()
for (let seed = 0; seed < seeds; seed++) {
  const { rows, logZ } = await program.bound({}, { ...options, seed })
  if (logZ.low! <= exact.high && logZ.high! >= exact.low) shown++
  for (const { particles, sampler, lower, lowerError, upper, upperError } of rows) {
    const name = `${sampler} with ${particles}`
    // Where a repeat is all dead nothing is known from below, and minus infinity is below log Z.
    const below = { mean: lower ?? Number.NEGATIVE_INFINITY, error: lowerError ?? 0 }
    found.set(name, [...(found.get(name) ?? []), { lower: below, upper: { mean: upper!, error: upperError! } }])
  }
  if ((seed + 1) % 50 === 0 || seed + 1 === seeds) report(seed + 1)
}
await model?.dispose()

function report(done: number): void {
  for (const [name, bounds] of found) {
    const count = (holds: (each: (typeof bounds)[number]) => boolean) => bounds.filter(holds).length
    const mean = (of: (each: (typeof bounds)[number]) => number) => bounds.reduce((sum, each) => sum + of(each), 0) / done
    const own = (['lower', 'upper'] as const).map((side) => {
      const center = mean((each) => each[side].mean)
      return `${count((each) => Math.abs(each[side].mean - center) <= each[side].error)} (${side}, ${center.toFixed(3)})`
    })
    const low = (each: (typeof bounds)[number]) => each.lower.mean - each.lower.error
    const high = (each: (typeof bounds)[number]) => each.upper.mean + each.upper.error
    console.log(
      `${name}: the interval holds log Z for ${count((each) => low(each) <= exact.high && high(each) >= exact.low)} of ${done} seeds, ` +
        `${mean((each) => high(each) - low(each)).toFixed(3)} nats wide; the lower bound is above it for ${count((each) => low(each) > exact.high)}, ` +
        `the upper below it for ${count((each) => high(each) < exact.low)}; a bound's own mean is in its interval for ${own.join(', ')}`,
    )
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`the interval that is shown for log Z holds it for ${shown} of ${done} seeds; ${seconds} s`)
}

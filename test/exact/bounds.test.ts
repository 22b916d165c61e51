import { describe, expect, test } from 'vitest'
import { expected, expectedUpper, sampler, schemes, table } from './measure.js'

/*
 * Conditional SMC (inference.md §2): E[1 / Z-hat] = P(not all dead) / Z, and oracle A's upper bounds, by enumerating all that the sampler may
 * draw beside each exact sample. In brackets: Z E[1 / Z-hat] when the rule is broken.
 */

const lm = table({ tokens: ['0', '1'], next: { '': [0.7, 0.3], '0': [0.8, 0.2], '1': [0.4, 0.6] } })

const oracleA = `
model lm = "table"
let s = lm("")
let ones = 0
for t in 1..3 {
  sample x ~ s
  ones += x.id
  twist exp(0.4 * ones - 0.1 * t)
}
factor [0.1, 0.2, 0.5, 0.9][ones]
return s.text
`
const always = { threshold: 1, resample: 'multinomial' } as const

describe('oracle A: upper bounds of the draws as they are', () => {
  test.each([
    ['no resampling', 1, { threshold: 0 }, -0.915584],
    ['no resampling', 2, { threshold: 0 }, -1.065537],
    ['importance sampling', 2, { method: 'importance' }, -1.065537],
    ['multinomial, always', 1, always, -0.915584],
    ['multinomial, always', 2, always, -1.044282],
    ['systematic, always', 2, { threshold: 1 }, -1.064069],
  ] as const)('%s, N = %i', async (_name, particles, settings, log) => {
    const found = await expectedUpper(await sampler(oracleA, { lm }, { fuse: false }), { particles, ...settings })
    expect(found.Z).toBeCloseTo(0.2848, 12)
    expect(found.log).toBeCloseTo(log, 6)
    expect(found.inverse * found.Z).toBeCloseTo(1, 9)
  })
})

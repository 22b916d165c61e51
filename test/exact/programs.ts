import { table } from './measure.js'

/* Programs that several tests of the sampler's laws run. */

/** Oracle A of the design: two tokens. */
export const zeroOne = table({ tokens: ['0', '1'], next: { '': [0.7, 0.3], '0': [0.8, 0.2], '1': [0.4, 0.6] } })

/** Oracle A: three steps under a poor twist. `ahead`: what stands behind each twist. */
export const oracleA = (ahead = '') => `
model lm = "table"
let s = lm("")
let ones = 0
for t in 1..3 {
  sample x ~ s
  ones += x.id
  twist exp(0.4 * ones - 0.1 * t)
  ${ahead}
}
factor [0.1, 0.2, 0.5, 0.9][ones]
return s.text
`

/** Two steps with factors far apart, and a last draw that costs no paths. */
export const steep = `
sample x ~ categorical([0.7, 0.3])
factor [0.1, 2][x]
sample y ~ categorical([[0.8, 0.2], [0.4, 0.6]][x])
factor [0.1, 2][y]
return [x, y]
`

/** Particles die, finish early, carry twists through calls and branches, draw from proposals. */
export const handover = `
fn call(a: Int) -> Int {
  twist [0.5, 3][a]
  sample b ~ categorical([[0.8, 0.2], [0.4, 0.6]][a]) via categorical([0.5, 0.5])
  twist [0.2, 0.9, 1.5][a + b]
  factor [0.3, 0.8, 1.2][a + b]
  return b
}
sample a ~ categorical([0.6, 0.4])
factor [0.2, 1.5][a]
if a == 0 { return [a] }
let b = call(a)
sample c ~ categorical([[0.8, 0.2], [0.4, 0.6]][b])
require c == 1 or b == 1
return [a, b, c]
`

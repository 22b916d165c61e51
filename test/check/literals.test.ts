import { expect, test } from 'vitest'
import { literalTexts } from '../../src/check/literals.js'
import { compileSource } from '../../src/compile.js'

test('the texts of a program, without prompts', () => {
  const text = `
model lm = "tiny"
param after = " Then."
fn f(s: Context) -> String { sample x ~ s until "!" for up to 3 tokens\n return x }
let s = lm("Once upon a time")
let n = 2
factor if f(s).contains("box {n} of") { 1 } else { 0.5 }
observe after ~ s
return ["box", "end"]
`
  const { checked } = compileSource({ path: 'program.smc', text })
  expect(new Set(literalTexts(checked))).toEqual(new Set([' Then.', '!', 'box ', ' of', 'box', 'end']))
})

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { trainingText } from '../../src/cli/training-line.js'
import { inEmptyFolder, smcc } from './console.js'

const { write } = inEmptyFolder()

const table = { tokens: ['0', '1'], order: 1, end: null, next: { '': [0.7, 0.3], 0: [0.8, 0.2], 1: [0.4, 0.6] } }
const toy = {
  'toy.json': JSON.stringify(table),
  'toy.smc':
    'model lm = "table:toy.json"\nlearn twist psi(story: Context) { width: 8 }\nlet s = lm("")\nsample x ~ s for 3 tokens twisted by psi\nfactor 0.01 + x.count("1")\nreturn x\n',
}
const quick = ['--seed', '1', '--steps', '60', '--iterate', '3', '--batch', '32']

test('train writes the file beside the program, and run says that it uses it', async () => {
  write(toy)
  const before = await smcc(['run', 'toy.smc', '--seed', '1'])
  expect(before.out).toContain('twist        psi           untrained: 1 everywhere; `smcc train` fits it')
  const trained = await smcc(['train', 'toy.smc', ...quick, '--out', 'history.jsonl'])
  expect([trained.code, trained.out.split('\n')[0]]).toEqual([0, 'toy.smc · psi · seed 1'])
  expect(trained.out).toContain('written to toy.twist.safetensors')
  expect(trained.err.split('\n').filter((line) => line.startsWith('round ')).length).toBe(3)
  expect(existsSync('toy.twist.safetensors')).toBe(true)
  const history = readFileSync('history.jsonl', 'utf8').trim().split('\n')
  expect(history.map((line) => JSON.parse(line).round)).toEqual([0, 1, 2, 3])
  const after = await smcc(['run', 'toy.smc', '--seed', '1'])
  expect(after.out).toContain('twist        psi           ok  learned (ctl), from toy.twist.safetensors')
  const json = await smcc(['run', 'toy.smc', '--seed', '1', '--json'])
  expect(JSON.parse(json.out).learned).toEqual([
    { name: 'psi', file: 'toy.twist.safetensors', loss: 'ctl', programChanged: false },
  ])
})

test('what cannot be learned ends with its code and no file', async () => {
  write({ ...toy, 'toy.smc': toy['toy.smc'].replace('factor 0.01 + x.count("1")', 'require x == "222"') })
  const told = await smcc(['train', 'toy.smc', ...quick])
  expect([told.code, told.out]).toEqual([3, ''])
  expect(told.err).toContain('R033')
  expect(existsSync('toy.twist.safetensors')).toBe(false)
})

test('the live line', () => {
  const round = {
    round: 2,
    loss: 1.2345,
    ess: 27,
    particles: 64,
    alive: 1,
    lower: -3,
    logZ: null,
    positives: 9,
    tau: 1,
    seconds: 40,
  }
  expect(trainingText({ ...round, rounds: 8, step: 120, steps: 400, left: 93.4 })).toBe(
    'round 3 of 8 · step 120 of 400 · loss 1.234 · ESS/N 0.42 · 100 % alive · 93 s left',
  )
})

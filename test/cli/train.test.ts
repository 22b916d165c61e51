import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { trainingText } from '../../src/cli/training-line.js'
import { inEmptyFolder, smcc, testConsole } from './console.js'

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
  const trained = await smcc(['train', 'toy.smc', ...quick, '--out', 'first'])
  expect([trained.code, trained.out.split('\n')[0]]).toEqual([0, 'toy.smc · psi · seed 1'])
  expect(trained.out).toContain('written to toy.twist.safetensors')
  expect(trained.err.split('\n').filter((line) => line.startsWith('round ')).length).toBe(3)
  expect(existsSync('toy.twist.safetensors')).toBe(true)
  const history = readFileSync('first/history.jsonl', 'utf8').trim().split('\n')
  expect(history.map((line) => JSON.parse(line).round)).toEqual([0, 1, 2, 3])
  const after = await smcc(['run', 'toy.smc', '--seed', '1'])
  expect(after.out).toContain('twist        psi           ok  learned (ctl), from toy.twist.safetensors')
  const json = await smcc(['run', 'toy.smc', '--seed', '1', '--json'])
  expect(JSON.parse(json.out).learned).toEqual([
    { name: 'psi', file: 'toy.twist.safetensors', loss: 'ctl', programChanged: false },
  ])
})

test('exact samples, by a way or from a file: both distances are shown and kept', async () => {
  write(toy)
  const trained = await smcc(['train', 'toy.smc', ...quick, '--positives', 'exact', '--out', 'run'])
  expect(trained.code).toBe(0)
  expect(trained.err).toMatch(/ · KL \d\.\d\d and \d\.\d\d · /)
  expect(trained.out).toMatch(/trained .* · KL -?\d\.\d\d and -?\d\.\d\d · /)
  const [first] = readFileSync('run/history.jsonl', 'utf8').split('\n')
  expect(JSON.parse(first!)).toMatchObject({
    round: 0,
    klProposalTarget: expect.any(Number),
    klTargetProposal: expect.any(Number),
  })
  const picture = readFileSync('run/training.svg', 'utf8')
  expect(picture).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" /)
  expect(picture.match(/<polyline /g)).toHaveLength(5)

  await smcc(['bound', 'toy.smc', '--seed', '1', '--repeats', '40', '--particles', '1', '--no-twist', '--traces', 'traces.jsonl'])
  const fromFile = await smcc(['train', 'toy.smc', ...quick, '--positives', 'traces.jsonl', '--loss', 'dpg'])
  expect([fromFile.code, fromFile.out]).toEqual([0, expect.stringContaining(' · KL ')])
  const missing = await smcc(['train', 'toy.smc', '--positives', 'exat'])
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('did you mean `exact`?')])
})

test('a training that was cut off goes on to the file that it would have made', async () => {
  write(toy)
  await smcc(['train', 'toy.smc', ...quick, '--out', 'whole'])
  const whole = readFileSync('toy.twist.safetensors')
  const { io, interrupt } = testConsole()
  const { write: print } = io.stderr
  io.stderr.write = (text) => {
    print(text)
    if (text.startsWith('round 3 ')) interrupt()
  }
  expect(await main(['train', 'toy.smc', ...quick, '--out', 'part'], io)).toBe(130)
  const rest = ['--steps', '60', '--iterate', '3', '--batch', '32', '--out', 'part', '--resume']
  const resumed = await smcc(['train', 'toy.smc', ...rest])
  expect([resumed.code, resumed.out.split('\n')[0]]).toEqual([0, 'toy.smc · psi · seed 1'])
  expect(Buffer.compare(readFileSync('toy.twist.safetensors'), whole)).toBe(0)
  const numbers = (folder: string) =>
    readFileSync(`${folder}/history.jsonl`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => ({ ...JSON.parse(line), seconds: 0 }))
  expect(numbers('part')).toEqual(numbers('whole'))

  const other = await smcc(['train', 'toy.smc', ...rest, '--seed', '2'])
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('R035')])
  const nothing = await smcc(['train', 'toy.smc', '--out', 'new', '--resume'])
  expect([nothing.code, nothing.err]).toEqual([2, expect.stringContaining('X023')])
  write({ 'notes/monday.txt': 'buy a red ball' })
  const inUse = await smcc(['train', 'toy.smc', '--out', 'notes'])
  expect([inUse.code, inUse.err]).toEqual([2, expect.stringContaining('X015')])
})

test('a training that is cut off in its first round says that it keeps nothing, and leaves an earlier file', async () => {
  write({ ...toy, 'toy.twist.safetensors': 'of an earlier training' })
  const { io, interrupt, texts } = testConsole()
  const { write: print } = io.stderr
  io.stderr.write = (line) => {
    print(line)
    if (line.startsWith('round 1 ')) interrupt()
  }
  expect(await main(['train', 'toy.smc', ...quick, '--out', 'cut'], io)).toBe(130)
  expect(texts.out).toBe('toy.smc: stopped before the first fit was measured, so nothing is kept; no file was written\n')
  expect(readFileSync('toy.twist.safetensors', 'utf8')).toBe('of an earlier training')
  const resumed = await smcc(['train', 'toy.smc', ...quick, '--out', 'cut', '--resume'])
  expect([resumed.code, resumed.err]).toEqual([2, expect.stringContaining('X023')])
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
    upper: null,
    klProposalTarget: null,
    klTargetProposal: null,
    logZ: null,
    positives: 9,
    tau: 1,
    seconds: 40,
  }
  expect(trainingText({ ...round, rounds: 8, step: 120, steps: 400, left: 93.4 })).toBe(
    'round 3 of 8 · step 120 of 400 · loss 1.234 · ESS/N 0.42 · 100 % alive · 93 s left',
  )
  const exact = { ...round, upper: -2, klProposalTarget: 0.613, klTargetProposal: 0.387 }
  const progress = { rounds: 8, step: 120, steps: 400, left: 93.4 }
  expect(trainingText({ ...exact, ...progress })).toContain(' · KL 0.61 and 0.39 · ')
  expect(trainingText({ ...exact, ...progress, klProposalTarget: null })).toContain(' · KL inf and 0.39 · ')
})

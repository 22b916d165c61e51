import { afterEach, describe, expect, test, vi } from 'vitest'
import { compile, SmcError } from '../../src/index.js'
import { tfjs } from '../../src/tensor/tfjs.js'
import { table } from '../exact/measure.js'

/* `--backend tfjs`: the same programs, computed by TensorFlow.js. */

const opened = vi.spyOn(tfjs, 'open')
afterEach(() => opened.mockClear())

const story = `model lm = "tiny"
let story = lm("Lily had a")
sample s ~ story for 3 tokens where not s.contains("z")
observe "." ~ story
return s
`

test('a run gives the same texts, and weights to the precision of 32-bit floats', { timeout: 60_000 }, async () => {
  const program = await compile(story)
  const options = { seed: 1, particles: 8 }
  const onnx = await program.run({}, options)
  expect(opened).not.toHaveBeenCalled()
  const other = await program.run({}, { ...options, backend: 'tfjs' })
  // The trunk and the head.
  expect(opened).toHaveBeenCalledTimes(2)
  expect([onnx.settings.backend, other.settings.backend]).toEqual(['onnx', 'tfjs'])
  expect(other.samples.map(({ value }) => value)).toEqual(onnx.samples.map(({ value }) => value))
  other.samples.forEach(({ logWeight }, i) => {
    expect(Math.abs(logWeight! - onnx.samples[i]!.logWeight!)).toBeLessThan(1e-3)
  })
})

test('a training steps as it does on the other backend', { timeout: 60_000 }, async () => {
  const lm = table({ tokens: ['0', '1'], next: { '': [0.7, 0.3], '0': [0.8, 0.2], '1': [0.4, 0.6] } })
  const program = await compile(
    'model lm = "table"\nlearn twist psi(story: Context) { width: 8 }\nlet s = lm("")\nsample x ~ s for 3 tokens twisted by psi\nfactor 0.1 + x.count("1")\nreturn x\n',
  )
  const options = { models: { lm }, seed: 1, steps: 10, iterate: 1, batch: 16 }
  const losses = async (backend: 'onnx' | 'tfjs') => {
    const steps: number[] = []
    await program.train({}, { ...options, backend, onProgress: ({ loss }) => void steps.push(loss!) })
    return steps
  }
  const onnx = await losses('onnx')
  expect(opened).not.toHaveBeenCalled()
  const other = await losses('tfjs')
  // What a step needs, and what the losses need.
  expect(opened).toHaveBeenCalledTimes(2)
  expect(onnx).toHaveLength(10)
  expect(onnx[9]!).toBeLessThan(onnx[0]! - 0.005)
  for (const [step, loss] of other.entries()) expect(Math.abs(loss - onnx[step]!)).toBeLessThan(1e-4)
})

describe('what a backend cannot do is said', () => {
  test.each([
    [{ backend: 'tfjs', device: 'cuda' }, 'M023'],
    [{ backend: 'torch' }, 'R022'],
  ] as const)('%j', async (options, code) => {
    const refused = (await compile('return 1')).run({}, options as never)
    const error = await refused.catch((thrown: unknown) => thrown)
    expect((error as SmcError).diagnostics[0]!.code).toBe(code)
    expect(error).toBeInstanceOf(SmcError)
  })
})

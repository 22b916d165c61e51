import { expect, test } from 'vitest'
import { chosenSettings, deviceChoice, flagSettings, productType } from '../../src/cli/settings.js'

const none = { fuse: true, twist: true }

test('flags that were not given are absent', () => {
  expect(flagSettings(none)).toEqual({})
  expect(
    flagSettings({
      particles: '8',
      seed: '0',
      method: 'importance',
      resample: 'residual',
      threshold: '1',
      batch: '2',
      maxMemory: '0.5',
      fuse: false,
      twist: false,
    }),
  ).toEqual({
    particles: 8,
    seed: 0,
    method: 'importance',
    resample: 'residual',
    threshold: 1,
    batch: 2,
    maxMemory: 0.5,
    fuse: false,
    twist: false,
  })
})

test('steer has a setting of its own', () => {
  expect(flagSettings({ ...none, method: 'steer', expansion: '4' })).toEqual({ method: 'steer', expansion: 4 })
})

test('bad values are refused', () => {
  for (const flags of [
    { particles: '0' },
    { particles: '-3' },
    { particles: '1.5' },
    { particles: '1000000000' },
    { seed: '-1' },
    { seed: '9007199254740993' },
    { threshold: '1.5' },
    { threshold: '-0.1' },
    { batch: '0' },
    { expansion: '0' },
    { expansion: '1001' },
    { maxMemory: '0' },
    { maxMemory: '-1' },
    { maxMemory: '4 GB' },
  ])
    expect(() => flagSettings({ ...none, ...flags }), JSON.stringify(flags)).toThrow('X005')
  for (const flags of [{ resample: 'systematik' }, { method: 'mcmc' }])
    expect(() => flagSettings({ ...none, ...flags }), JSON.stringify(flags)).toThrow('X006')
  expect(() => productType('fp16')).toThrow('X006')
  expect(() => deviceChoice('gpu')).toThrow('X006')
})

test('what models run on and compute in are no settings of the sampler', () => {
  expect(flagSettings({ ...none, device: 'auto', dtype: 'fp32' })).toEqual({})
  expect([undefined, 'cpu', 'webgpu', 'cuda', 'auto'].map(deviceChoice)).toEqual(['cpu', 'cpu', 'webgpu', 'cuda', 'auto'])
  expect([undefined, 'fp32', 'int8'].map(productType)).toEqual(['fp32', 'fp32', 'int8'])
})

test('flags win over the program, which wins over the defaults', () => {
  const { settings, origin } = chosenSettings({ particles: 8 }, { particles: 16, threshold: 0.7 })
  expect(settings).toMatchObject({ particles: 8, threshold: 0.7 })
  expect([origin('particles'), origin('threshold'), origin('batch'), origin('seed'), origin('maxMemory')]).toEqual([
    'flag',
    'program',
    'default',
    'random',
    'machine',
  ])
})

test('a seed that nobody chose is random, any other is kept', () => {
  const seeds = Array.from({ length: 20 }, () => chosenSettings({}, {}).settings.seed!)
  expect(new Set(seeds).size).toBeGreaterThan(15)
  expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true)
  expect(chosenSettings({}, { seed: 3 }).settings.seed).toBe(3)
  expect(chosenSettings({ seed: 0 }, { seed: 3 }).settings.seed).toBe(0)
})

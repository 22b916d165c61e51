import type { RunResult, Step } from '../../src/infer/result.js'

const nothing: Step = { step: 0, ess: 4, alive: 4, resampled: false, logZ: -1, ancestors: null, distinctAncestors: 4 }

/** Four particles, three steps; after step 2 the slots 0, 0, 1, 1 live on. */
export const example: RunResult = {
  schema: 1,
  smcc: '0.1.0',
  program: 'infill.smc',
  programHash: 'ab12',
  models: { lm: { id: 'tiny', hash: 'cd34' } },
  settings: {
    particles: 4,
    seed: 7,
    method: 'smc',
    resample: 'systematic',
    threshold: 0.5,
    expansion: 3,
    sweeps: 10,
    fuse: true,
    twist: true,
    batch: 256,
    maxMemory: 4,
    device: 'cpu',
    backend: 'onnx',
    dtype: 'fp32',
  },
  partial: false,
  logZ: -21.368,
  ess: 3.4,
  alive: 4,
  resamples: 1,
  posterior: [
    { value: 'She opened it and looked inside.', probability: 0.62, count: 2 },
    { value: 'She\nran.', probability: 0.3, count: 1 },
    { value: '', probability: 0.08, count: 1 },
  ],
  moments: [],
  samples: [
    { value: 'She opened it and looked inside.', weight: 0.31, logWeight: -21.1 },
    { value: 'She\nran.', weight: 0.3, logWeight: -21.2 },
    { value: 'She opened it and looked inside.', weight: 0.31, logWeight: -21.1 },
    { value: '', weight: 0.08, logWeight: -22.5 },
  ],
  steps: [
    { ...nothing, step: 1, ess: 3.9 },
    { ...nothing, step: 2, ess: 1.8, resampled: true, ancestors: [0, 0, 1, 1], distinctAncestors: 2 },
    { ...nothing, step: 3, ess: 3.4, distinctAncestors: 2 },
  ],
  timing: { seconds: 1.93, tokens: 601, tokensPerSecond: 311.6 },
  warnings: [],
}

/** A result in numbers, as a state-space model gives. */
export const numeric: RunResult = {
  ...example,
  program: 'svol.smc',
  models: {},
  posterior: [],
  moments: [
    {
      path: 'mu',
      mean: -0.03214,
      sd: 0.9871,
      quantiles: { '5%': -1.62, '25%': -0.7, '50%': -0.01, '75%': 0.61, '95%': 1.634 },
    },
    {
      path: 'phi',
      mean: 1e-9,
      sd: 0.5,
      quantiles: { '5%': -0.9, '25%': -0.4, '50%': 0, '75%': 0.4, '95%': 0.9 },
    },
  ],
  samples: [1, 2, 3, 4].map((mu) => ({ value: { mu, phi: 0 }, weight: 0.25, logWeight: -2 })),
  timing: { seconds: 0.04, tokens: 0, tokensPerSecond: 0 },
}

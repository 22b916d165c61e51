import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { catalogue } from '../../src/diagnostics/catalogue/index.js'
import { compile, defaultSettings, load, type Program, type RunResult, SmcError } from '../../src/index.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smcc-api-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Codes of the errors or, where there are none, of the warnings. */
async function codes(call: () => Promise<Partial<RunResult>>): Promise<string[]> {
  try {
    return ((await call()).warnings ?? []).map((d) => d.code)
  } catch (error) {
    if (!(error instanceof SmcError)) throw error
    return error.diagnostics.map((d) => d.code)
  }
}

describe('calls that the catalogue shows', () => {
  test.each(Object.entries(catalogue).filter(([, entry]) => entry.stage === 'api'))('%s', async (code, entry) => {
    for (const [name, text] of Object.entries(entry.files ?? {})) writeFileSync(join(folder, name), text)
    const program = await load(join(folder, 'program.smc'))
    const call = (text: string) => new Function('program', `return ${text}`) as (program: Program) => Promise<RunResult>
    expect(await codes(() => call(entry.bad)(program))).toEqual([code])
    expect(await codes(() => call(entry.mended)(program))).toEqual([])
  })
})

test('a result has the fields and the settings that it was asked for', async () => {
  const program = await compile('infer { particles: 5, resample: stratified }\nsample x ~ bernoulli(0.5)\nreturn x')
  const result = await program.run({}, { seed: 3 })
  const { maxMemory, ...settings } = result.settings
  expect(settings).toEqual({
    ...defaultSettings,
    particles: 5,
    resample: 'stratified',
    seed: 3,
    device: 'cpu',
    backend: 'onnx',
    dtype: 'fp32',
  })
  expect(maxMemory).toBeGreaterThan(0.01)
  expect(result).toMatchObject({ schema: 1, partial: false, alive: 5, logZ: 0, ess: 5, resamples: 0 })
  expect(result.samples).toHaveLength(5)
  expect(result.programHash).toMatch(/^[0-9a-f]{64}$/)
})

test.each([
  [{ particles: 2.5 }, /whole number from 1/],
  [{ seed: -1 }, /whole number from 0/],
  [{ threshold: Number.NaN }, /from 0 to 1/],
  [{ maxMemory: 0 }, /GB above 0/],
  [{ maxMemory: Number.POSITIVE_INFINITY }, /GB above 0/],
  [{ resample: 'systemic' }, /systematic, stratified/],
  [{ partcles: 3 }, /no option `partcles`/],
])('an option out of its range is refused: %j', async (options, message) => {
  const program = await compile('sample x ~ bernoulli(0.5)\nreturn x')
  await expect(program.run({}, options as never)).rejects.toThrow(message)
})

test('all errors of a program are thrown at once', async () => {
  await expect(compile('let a = b\nlet c = d\nreturn a')).rejects.toMatchObject({
    blame: 'program',
    diagnostics: [{ code: 'C001' }, { code: 'C001' }],
  })
})

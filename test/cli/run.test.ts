import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { main, type Open } from '../../src/cli/main.js'
import { diagnostic, SmcError } from '../../src/diagnostics/diagnostic.js'
import type { RunResult } from '../../src/infer/result.js'
import { example } from '../report/example.js'
import { inEmptyFolder, smcc, testConsole } from './console.js'

const { write } = inEmptyFolder()
beforeEach(() => write({ 'infill.smc': 'return 1\n' }))

type Program = Awaited<ReturnType<Open>>
type Run = Program['run']

/** A program that answers at once, so that only the command line is under test. */
function opens(run: (...given: Parameters<Run>) => RunResult | Promise<RunResult>, more: object = {}): Open {
  const program = {
    path: 'infill.smc',
    diagnostics: [],
    settings: { threshold: 0.7 },
    params: [{ name: 'gap', type: 'Int', default: 12 }],
    models: ['lm'],
    stages: [],
    run: async (...given: Parameters<Run>) => run(...given),
    ...more,
  }
  return async () => program as unknown as Program
}
const answers = opens((_params, options) => ({
  ...example,
  settings: { ...example.settings, ...(options?.seed !== undefined && { seed: options.seed }) },
}))
const warning = diagnostic('R001', undefined, 'the window is full', { severity: 'warning' })

describe('streams', () => {
  test('stdout holds the page, stderr nothing', async () => {
    const { code, out, err } = await smcc(['run', 'infill.smc', '--seed', '7'], answers)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('infill.smc · tiny · 4 particles · seed 7\n')
  })

  test('warnings of the program and of the run go to stderr, each once', async () => {
    const open = opens(() => ({ ...example, warnings: [warning, warning] }), { diagnostics: [warning] })
    const { out, err } = await smcc(['run', 'infill.smc'], open)
    expect(err.match(/the window is full/g)).toHaveLength(1)
    expect(out).not.toContain('window')
  })

  test('colours only on a terminal and not against NO_COLOR', async () => {
    const run = (options: object) => smcc(['run', 'infill.smc', '--quiet'], answers, options)
    expect((await run({})).out).not.toContain('\u001b[')
    expect((await run({ columns: 80 })).out).toContain('\u001b[')
    expect((await run({ columns: 80, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b[')
    expect((await run({ env: { FORCE_COLOR: '1' } })).out).toContain('\u001b[')
  })

  test('the live line is for a terminal that is watched, and is gone at the end', async () => {
    const open = opens((_params, options) => {
      options?.onProgress?.({ step: 1, ess: 4, alive: 4, finished: 0, distinctAncestors: 4, tokens: 9, seconds: 1 })
      return example
    })
    const { err } = await smcc(['run', 'infill.smc'], open, { columns: 80 })
    expect(err).toBe('\r\u001b[2Kstep 1 · ESS 4 · 4 alive · 4 ancestors · 9 tokens/s · 1.0 s\r\u001b[2K')
    expect((await smcc(['run', 'infill.smc'], open)).err).toBe('')
    expect((await smcc(['run', 'infill.smc', '--quiet'], open, { columns: 80 })).err).toBe('')
    expect((await smcc(['run', 'infill.smc'], open, { columns: 80, env: { CI: 'true' } })).err).toBe('')
  })
})

describe('what the run is given', () => {
  test('flags, params, models, externs', async () => {
    let given: Parameters<Run> | undefined
    const open = opens((...all) => {
      given = all
      return example
    })
    await smcc('run infill.smc -D gap=8 --model lm=other --particles 16 --no-twist --allow-extern'.split(' '), open)
    expect(given![0]).toEqual({ gap: 8 })
    expect(given![1]).toMatchObject({ particles: 16, twist: false, allowExtern: true, models: { lm: 'other' } })
    // What the program sets for itself it adds itself.
    for (const name of ['batch', 'threshold']) expect(given![1]).not.toHaveProperty(name)
    expect(given![1]!.seed).toEqual(expect.any(Number))
  })

  test('a model path is meant from where the user stands', async () => {
    write({ 'deep/infill.smc': '', 'toy.json': '', 'weights/config.json': '' })
    const ids: unknown[] = []
    const open = opens((_params, options) => {
      ids.push(options?.models?.lm)
      return example
    })
    for (const id of ['table:toy.json', 'weights', 'Some/Hub-id'])
      await smcc(['run', 'deep/infill.smc', '--model', `lm=${id}`], open)
    expect(ids).toEqual(['table:../toy.json', '../weights', 'Some/Hub-id'])
  })

  test('the random seed is printed, and is the one that was used', async () => {
    let seed: number | undefined
    const open = opens((_params, options) => {
      seed = options?.seed
      return { ...example, settings: { ...example.settings, seed: seed! } }
    })
    expect((await smcc(['run', 'infill.smc'], open)).out).toContain(`seed ${seed}\n`)
  })
})

describe('results', () => {
  test('--json prints JSON alone', async () => {
    const { out } = await smcc(['run', 'infill.smc', '--json'], answers)
    expect(JSON.parse(out)).toMatchObject({ schema: 1, logZ: example.logZ })
  })

  test('--json before the program does not take it for a file', async () => {
    const { code, out } = await smcc(['run', '--json', 'infill.smc'], answers)
    expect(code).toBe(0)
    expect(JSON.parse(out).schema).toBe(1)
    expect(readFileSync('infill.smc', 'utf8')).toBe('return 1\n')
  })

  test('--json FILE and --report write files; the JSON leaves the page out', async () => {
    const { out } = await smcc('run infill.smc --json a.json --report b.html'.split(' '), answers)
    expect(out).toBe('')
    expect(JSON.parse(readFileSync('a.json', 'utf8')).schema).toBe(1)
    expect(readFileSync('b.html', 'utf8')).toContain('<!doctype html>')
    expect(readdirSync('.').sort()).toEqual(['a.json', 'b.html', 'infill.smc'])
  })

  test('--out writes a folder that report reads', async () => {
    const { code, out } = await smcc('run infill.smc --out results/first -D gap=3 --seed 9 --dtype fp32'.split(' '), answers)
    expect(code).toBe(0)
    expect(out).toContain('log Z')
    expect(readdirSync('results/first').sort()).toEqual(['manifest.json', 'particles.jsonl', 'report.html', 'steps.jsonl'])
    const manifest = JSON.parse(readFileSync('results/first/manifest.json', 'utf8'))
    expect(manifest.settings).toMatchObject({
      seed: { value: 9, from: 'flag' },
      threshold: { from: 'program' },
      particles: { from: 'default' },
      dtype: { value: 'fp32', from: 'flag' },
      backend: { value: 'onnx', from: 'default' },
    })
    expect(manifest.params).toEqual({ gap: 3 })
    const page = readFileSync('results/first/report.html', 'utf8')
    rmSync('results/first/report.html')
    expect(await smcc(['report', 'results/first'])).toEqual({ code: 0, out: 'results/first/report.html\n', err: '' })
    expect(readFileSync('results/first/report.html', 'utf8')).toBe(page)
    expect((await smcc('run infill.smc --out results/first'.split(' '), answers)).code).toBe(0)
  })

  test('places are checked before the run', async () => {
    const never = opens(() => {
      throw new Error('it ran')
    })
    write({ 'notes/a.txt': '' })
    for (const line of [
      '--json no/a.json',
      '--report no/a.html',
      '--out notes',
      '--json a --report ./a',
      '--report infill.smc',
    ]) {
      const { code, err } = await smcc(['run', 'infill.smc', ...line.split(' ')], never)
      expect(code, line).toBe(2)
      expect(err, line).toMatch(/X01[459]/)
    }
  })

  test('a result that cannot be written in the end is printed', async () => {
    mkdirSync('place')
    const open = opens(() => {
      rmSync('place', { recursive: true })
      return example
    })
    const { code, out, err } = await smcc('run infill.smc --json place/a.json'.split(' '), open)
    expect(code).toBe(2)
    expect(JSON.parse(out).schema).toBe(1)
    expect(err).toContain('X014')
  })
})

describe('exit codes', () => {
  const throws = (error: unknown) =>
    opens(() => {
      throw error
    })

  test('follow the blame', async () => {
    const finding = diagnostic('R001', undefined, 'all particles die')
    const codes = await Promise.all(
      (['program', 'command', 'inference', 'internal'] as const).map(
        async (blame) => (await smcc(['run', 'infill.smc'], throws(new SmcError(finding, blame)))).code,
      ),
    )
    expect(codes).toEqual([1, 2, 3, 4])
  })

  test('a population that died out is a failed inference', async () => {
    const dead = { ...example, alive: 0, logZ: null, ess: 0, posterior: [] }
    expect(
      (
        await smcc(
          ['run', 'infill.smc'],
          opens(() => dead),
        )
      ).code,
    ).toBe(3)
  })

  test('an internal error asks to be reported; its stack needs --debug', async () => {
    const quiet = await smcc(['run', 'infill.smc'], throws(new TypeError('x is undefined')))
    expect(quiet.code).toBe(4)
    expect(quiet.err).toContain('internal error: x is undefined')
    expect(quiet.err).toContain('please report it')
    expect(quiet.err).not.toContain('run.test.ts')
    expect((await smcc(['run', 'infill.smc', '--debug'], throws(new TypeError('x is undefined')))).err).toContain('run.test.ts')
  })

  test('a run that ends early without Ctrl-C gives what it has, and 3', async () => {
    const open = opens(() => ({ ...example, partial: true, warnings: [warning] }))
    const { code, out } = await smcc(['run', 'infill.smc', '--json'], open)
    expect(code).toBe(3)
    expect(JSON.parse(out).partial).toBe(true)
  })

  test('memory that is too small is told before anything is opened, and 3', async () => {
    write({ 'story.smc': 'model lm = "tiny"\nlet s = lm("Once")\nsample x ~ s for 3 tokens\nreturn x\n' })
    const { code, out, err } = await smcc(['run', 'story.smc', '--max-memory', '0.02'])
    expect([code, out]).toEqual([3, ''])
    expect(err).toMatch(/M018.*the weights of tiny need 2\d MB, and the run may take 20 MB.*--dtype int8/s)
    expect((await smcc(['run', 'story.smc', '--max-memory', '1', '--json'])).code).toBe(0)
  })

  test('Ctrl-C gives a partial result and 130', async () => {
    const { io, texts, interrupt } = testConsole()
    const open = opens(async (_params, options) => {
      setTimeout(interrupt, 5)
      await new Promise((resolve) => options!.signal!.addEventListener('abort', resolve))
      return { ...example, partial: true }
    })
    expect(await main(['run', 'infill.smc', '--json'], io, open)).toBe(130)
    expect(JSON.parse(texts.out).partial).toBe(true)
    expect(texts.err).toContain('stopping')
  })

  test('Ctrl-C while the model is opened ends without a result', async () => {
    const { io, texts, interrupt } = testConsole()
    const open: Open = async (...given) => {
      interrupt()
      return answers(...given)
    }
    expect(await main(['run', 'infill.smc'], io, open)).toBe(130)
    expect(texts.out).toBe('')
  })
})

test('gibbs prints its sweeps, writes them, and reads them back for the page', async () => {
  write({ 'coin.smc': 'sample x ~ uniform(1..6)\nfactor x\nsample y ~ bernoulli(0.5)\nreturn x\n' })
  const line = 'run coin.smc --method gibbs --sweeps 5 --particles 4 --seed 1'
  const { code, out, err } = await smcc([...line.split(' '), '--out', 'done', '--report', 'page.html'])
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('gibbs × 5')
  expect(out).toMatch(/ESS +[\d.]+ of 20/)
  expect(out).toMatch(/sweeps +5 +\w+ {2}path renewed in \d of 5, from its start in \d of 5/)
  expect(JSON.parse(readFileSync('done/manifest.json', 'utf8')).sweeps).toHaveLength(5)
  expect(readFileSync('page.html', 'utf8')).toContain('path renewed')
  expect((await smcc(['report', 'done'])).code).toBe(0)
  const json = JSON.parse((await smcc([...line.split(' '), '--json'])).out)
  expect(json.sweeps[0]).toMatchObject({ sweep: 1, alive: 4 })
  const other = await smcc('run coin.smc --sweeps 5'.split(' '))
  expect([other.code, other.out]).toEqual([2, ''])
  expect(other.err).toContain('`gibbs`')
  expect((await smcc('run coin.smc --method gibbs --particles 1'.split(' '))).code).toBe(2)
  expect((await smcc('bound coin.smc --method gibbs'.split(' '))).err).toContain('X022')
})

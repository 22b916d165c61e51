import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { load, type RoundDone, type RunOptions, SmcError, type TrainingOptions, twistPath } from '../../src/index.js'
import { readTwists } from '../../src/infer/learned/file.js'
import { openModel } from '../../src/models/registry.js'

/*
 * Training on table models, whose targets are known by enumeration. The state of the table is the whole text, so that psi* is within reach of
 * the network; the factor is rare under the model.
 */

const folder = mkdtempSync(join(tmpdir(), 'smcc-train-'))
afterAll(() => rmSync(folder, { recursive: true }))

const chain = (text: string) => (text.endsWith('1') ? [0.4, 0.6] : text === '' ? [0.7, 0.3] : [0.8, 0.2])
const states = ['', '0', '1', '00', '01', '10', '11', '000', '001', '010', '011', '100', '101', '110', '111']
const toy = { tokens: ['0', '1'], order: 3, end: null, next: Object.fromEntries(states.map((text) => [text, chain(text)])) }
writeFileSync(join(folder, 'toy.json'), JSON.stringify(toy))

const phi = [0.001, 0.01, 0.1, 1]
const target = (settings = '') => `model lm = "table:toy.json"
learn twist psi(story: Context) { width: 24${settings} }
let s = lm("")
sample x ~ s for 3 tokens twisted by psi
let ones = x.count("1")
factor [0.001, 0.01, 0.1, 1][ones]
return x
`

const texts = states.filter((text) => text.length === 3)
const p0 = (text: string) => [...text].reduce((mass, token, t) => mass * chain(text.slice(0, t))[Number(token)]!, 1)
const mass = (text: string) => p0(text) * phi[text.split('1').length - 1]!
const Z = texts.reduce((sum, text) => sum + mass(text), 0)

async function program(name: string, source: string) {
  const path = join(folder, `${name}.smc`)
  writeFileSync(path, source)
  return load(path)
}

async function trained(name: string, source: string, options: TrainingOptions) {
  const made = await program(name, source)
  const result = await made.train({}, { seed: 3, steps: 240, iterate: 6, ...options })
  writeFileSync(twistPath(made.path), result.file)
  return { made, result }
}

describe.each(['ctl', 'rl', 'pcl', 'sixo', 'dpg'] as const)('%s', (loss) => {
  test('finds the proposal that the target has', { timeout: 120_000 }, async () => {
    const { made, result } = await trained(loss, target(), {
      loss,
      ...(loss === 'rl' || loss === 'pcl' ? { steps: 800, rate: 0.01 } : {}),
    })
    const before = await made.run({}, { seed: 1, particles: 500, method: 'importance', twist: false })
    const after = await made.run({}, { seed: 1, particles: 500, method: 'importance' })
    // KL(q ‖ sigma) = log Z - E_q log weight; the weights are bounded, so that 500 of them tell it to a few thousandths.
    const mean = after.samples.reduce((sum, { logWeight }) => sum + logWeight!, 0) / 500
    const kl = Math.log(Z) - mean
    expect(kl).toBeLessThan(0.01)
    expect(kl).toBeGreaterThan(-0.02)
    expect(after.ess / 500).toBeGreaterThan(0.95)
    expect(before.ess / 500).toBeLessThan(0.6)
    expect(result.rounds.length).toBe(7)
    expect(after.learned).toEqual([{ name: 'psi', file: `${loss}.twist.safetensors`, loss, programChanged: false }])
  })
})

test.each(['rl', 'sixo'] as const)('draws of single tokens, by %s', { timeout: 60_000 }, async (loss) => {
  const draw = (name: string) => `sample ${name} ~ s where ${name}.length > 0\ntwist psi(s)\n`
  const source = target().replace(
    'sample x ~ s for 3 tokens twisted by psi',
    `${draw('a')}${draw('b')}${draw('c')}let x = s.text`,
  )
  const { made } = await trained(`single-${loss}`, source, { loss, rate: 0.01, batch: 256 })
  const run = (twist: boolean) => made.run({}, { seed: 1, particles: 500, method: 'importance', twist })
  const [before, after] = [await run(false), await run(true)]
  expect(before.ess / 500).toBeLessThan(0.6)
  expect(after.ess / 500).toBeGreaterThan(0.95)
})

/** Texts of different lengths beside each other, by the number of "1" and the length: phi of "" is large, so that most texts should go on. */
const spans = {
  'until a token': ['x until "0" within 4 tokens', 'factor 3 ^ x.count("1")', 4],
  'up to a number of tokens': ['x until "0" for up to 3 tokens', 'factor 0.2 * 3 ^ x.count("1")', 3],
} as const

describe.each(Object.entries(spans))('%s', (name, [span, factor, most]) => {
  test.each(['rl', 'ctl', 'sixo', 'dpg'] as const)('%s sets texts that end beside texts that go on', async (loss) => {
    const source = `model lm = "table:toy.json"
learn twist psi(story: Context) { width: 24, rate: 0.01, batch: 512 }
let s = lm("")
sample ${span} twisted by psi
${factor}
return x
`.replace('sample x', 'sample x ~ s')
    const { made } = await trained(`${loss} ${name}`, source, { loss, steps: 400 })
    const cut = most === 3 ? 0.2 : 1
    let whole = 0
    for (let ones = 0; ones < 4; ones++) {
      const text = '1'.repeat(ones)
      const ends = ones === 3 && most === 3 ? 1 : chain(text)[0]!
      whole += cut * 3 ** ones * p0(text) * ends
    }
    const run = (twist: boolean) => made.run({}, { seed: 1, particles: 1000, method: 'importance', twist })
    const [before, after] = [await run(false), await run(true)]
    // E_q[w / Z - 1 - log(w / Z)] is KL(q || sigma), with less spread than the mean of -log(w / Z).
    const kl = after.samples.reduce((sum, { logWeight }) => {
      const log = logWeight! - Math.log(whole)
      return sum + (Math.exp(log) - 1 - log) / 1000
    }, 0)
    expect(kl).toBeLessThan(0.01)
    expect(after.ess / 1000).toBeGreaterThan(0.95)
    expect(before.ess / 1000).toBeLessThan(0.8)
  })
})

test.each(['ctl', 'sixo'] as const)('texts without a draw have their share of the target, by %s', async (loss) => {
  const source = `model lm = "table:toy.json"
learn twist psi(story: Context) { width: 24, rate: 0.01, batch: 256 }
let s = lm("")
sample x ~ s matching /1*/ for up to 3 tokens twisted by psi
factor if x == "" { 1 } else { 0.04 * 5 ^ x.count("1") }
return x
`
  const { made } = await trained(`none-${loss}`, source, { loss, steps: 400, iterate: 8 })
  const run = (twist: boolean) => made.run({}, { seed: 1, particles: 1000, method: 'importance', twist })
  const [before, after] = [await run(false), await run(true)]
  expect(before.ess / 1000).toBeLessThan(0.9)
  expect(after.ess / 1000).toBeGreaterThan(0.95)
})

test('a few samples of the target are not learned by heart without end, by ctl', { timeout: 120_000 }, async () => {
  // Long texts, hardly two of which are alike: each sample of the target is a text that no rollout has.
  const tokens = [...'abcdefgh']
  const next = Object.fromEntries(['', ...tokens].map((text) => [text, tokens.map(() => 1 / 8)]))
  writeFileSync(join(folder, 'letters.json'), JSON.stringify({ tokens, order: 1, end: null, next }))
  const source = `model lm = "table:letters.json"
learn twist psi(story: Context) { rate: 0.01, batch: 32 }
let s = lm("")
sample x ~ s for 16 tokens twisted by psi
factor 1.3 ^ (x.count("a") - x.count("h"))
return x
`
  const { result } = await trained('few', source, { loss: 'ctl', steps: 200, iterate: 4 })
  // No twist: 0.17 below log Z = 0. Learned by heart: 7 and more.
  for (const { lower } of result.rounds) expect(lower).toBeGreaterThan(-2)
})

test.each(['rl', 'ctl'] as const)('factors between draws are in psi and count once, by %s', async (loss) => {
  const source = `model lm = "table:toy.json"
learn twist psi(story: Context) { width: 24, rate: 0.01, batch: 512 }
let s = lm("")
let last = ""
for i in 1..3 {
  sample t ~ s
  twist psi(s)
  factor if t == "1" { 5 } else if t == last { 0.1 } else { 1 }
  last = t
}
return s.text
`
  const { made } = await trained(`between-${loss}`, source, { loss, steps: 400 })
  const run = (twist: boolean) => made.run({}, { seed: 1, particles: 1000, method: 'importance', twist })
  const [before, after] = [await run(false), await run(true)]
  expect(after.ess / 1000).toBeGreaterThan(0.98)
  expect(before.ess).toBeLessThan(after.ess)
})

test('a twist of the caller is no factor: a learned twist of a function does not see it', async () => {
  const source = `model lm = "table:toy.json"
learn twist psi(story: Context) { width: 24, rate: 0.01, batch: 512 }
let s = lm("")
fn ones(story: Context) -> Int {
  sample x ~ story until "0" within 4 tokens twisted by psi
  factor 3 ^ x.count("1")
  return x.count("1")
}
twist 0.05
return ones(s)
`
  const { made } = await trained('caller', source, { loss: 'rl', steps: 400 })
  const run = (twist: boolean) => made.run({}, { seed: 1, particles: 1000, method: 'importance', twist })
  const [before, after] = [await run(false), await run(true)]
  expect(after.ess / 1000).toBeGreaterThan(0.95)
  expect(before.ess / 1000).toBeLessThan(0.8)
})

test('a twist that guides no draw is told of, and keeps no other from its training', async () => {
  const source = target().replace('learn twist', 'learn twist idle(story: Context) { loss: fudge }\nlearn twist')
  const warnings: string[] = []
  const { made, result } = await trained('idle', source, {
    loss: 'rl',
    steps: 100,
    iterate: 2,
    onWarning: ({ code, severity, message }) => warnings.push(`${severity} ${code}: ${message}`),
  })
  expect(warnings).toEqual(['warning R033: no draw of the program is guided by `idle`: there is nothing to learn from'])
  expect(result.twists).toEqual(['psi'])
  // What there is one of for all twists is not of one that does nothing.
  const others = source
    .replace('loss: fudge', 'loss: fudge, batch: 8, steps: 1, iterate: 1, positives: exact')
    .replace('width: 24', 'width: 24, batch: 32, steps: 40, iterate: 3')
  const steps: number[] = []
  const led = await (await program('led', others)).train(
    {},
    { seed: 3, loss: 'rl', onProgress: ({ rounds, step, steps: all }) => steps.push(rounds * 1e6 + step * 1e3 + all) },
  )
  expect(led.rounds.map(({ particles }) => particles)).toEqual([32, 32, 32, 32])
  expect([led.exact, steps.at(-1)]).toEqual([null, 3_040_040])
  const { learned } = await made.run({}, { seed: 1 })
  expect(learned?.map(({ name, file }) => [name, file])).toEqual([
    ['idle', null],
    ['psi', 'idle.twist.safetensors'],
  ])
})

test('a model whose logits are capped: the draws follow the target, and weights stay exact', { timeout: 120_000 }, async () => {
  const base = fileURLToPath(new URL('../conformance/fixtures', import.meta.url))
  const source = `model lm = "${join(base, 'gemma2')}"
learn twist psi(story: Context) { loss: rl, width: 24, batch: 128 }
let s = lm("w3 w5")
sample x ~ s for 3 tokens twisted by psi
factor [0.001, 0.01, 0.1, 1, 1, 1, 1][x.count("4")]
return x.count("4")
`
  const { made, result } = await trained('capped', source, { steps: 300, rate: 0.01 })
  const run = (options: RunOptions) => made.run({}, { seed: 1, particles: 2000, method: 'importance', ...options })
  const [before, after] = [await run({ twist: false }), await run({})]
  expect(result.rounds.at(-1)!.lower).toBeGreaterThan(result.rounds[0]!.lower + 0.5)
  expect(after.ess).toBeGreaterThan(1.5 * before.ess)
  // Var(log Z-hat) is 1 / ESS - 1 / N.
  const error = Math.sqrt(1 / before.ess + 1 / after.ess - 2 / 2000)
  expect(Math.abs(after.logZ! - before.logZ!)).toBeLessThan(4.5 * error)
})

test('dpg with a value head: what it learns is a twist too, so that resampling helps', { timeout: 120_000 }, async () => {
  const source = target().replace('[0.001, 0.01, 0.1, 1][ones]', 'if ones == 3 { 1 } else { 0.01 }')
  const spread = async (name: string, options: TrainingOptions) => {
    const { made, result } = await trained(name, source, { loss: 'dpg', steps: 150, ...options })
    const { role } = readTwists({ name, bytes: result.file }).twists.get('psi')!.head
    const logs: number[] = []
    const estimates: number[] = []
    for (let seed = 0; seed < 200; seed++) {
      const { logZ } = await made.run({}, { seed, particles: 8, threshold: 1 })
      logs.push(logZ!)
      estimates.push(Math.exp(logZ!))
    }
    const mean = (xs: number[]) => xs.reduce((a, b) => a + b) / xs.length
    const sd = Math.sqrt(mean(logs.map((log) => (log - mean(logs)) ** 2)))
    return { role, sd, mean: mean(estimates), error: (4.5 * sd * mean(estimates)) / Math.sqrt(200) }
  }
  const exact = texts.reduce((sum, text) => sum + p0(text) * (text === '111' ? 1 : 0.01), 0)
  const alone = await spread('proposal', {})
  const value = await spread('value', { valueHead: true })
  expect([alone.role, value.role]).toEqual(['proposal', 'twist'])
  for (const { mean, error } of [alone, value]) expect(Math.abs(mean - exact)).toBeLessThan(error)
  expect(value.sd).toBeLessThan(alone.sd / 2)
})

test('one seed gives one file', { timeout: 60_000 }, async () => {
  const made = await program('again', target())
  const options = { seed: 9, steps: 20, iterate: 2, batch: 16 }
  const [one, two, other] = [
    await made.train({}, options),
    await made.train({}, options),
    await made.train({}, { ...options, seed: 10 }),
  ]
  expect(Buffer.compare(one.file, two.file)).toBe(0)
  expect(Buffer.compare(one.file, other.file)).not.toBe(0)
})

test('a rare target: the learned proposal has nearly equal weights where the model has few', { timeout: 120_000 }, async () => {
  const source = target().replace('[0.001, 0.01, 0.1, 1][ones]', 'if ones == 3 { 1 } else { 0.0001 }')
  const { made } = await trained('rare', source, { batch: 128 })
  const before = await made.run({}, { seed: 1, particles: 500, method: 'importance', fuse: false, twist: false })
  const after = await made.run({}, { seed: 1, particles: 500, method: 'importance' })
  expect(before.ess / 500).toBeLessThan(0.3)
  expect(after.ess / 500).toBeGreaterThan(0.9)
})

async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof SmcError)) throw new Error(`expected an error, found ${error}`)
  return `${error.diagnostics[0]!.code} ${error.diagnostics[0]!.message}`
}

test('a target that has not fired is told of after two rounds, while it goes on', async () => {
  const made = await program('silent', target().replace('factor [0.001, 0.01, 0.1, 1][ones]', 'require ones > 3'))
  const told: string[] = []
  const rounds: number[] = []
  const training = made.train(
    {},
    {
      seed: 1,
      steps: 4,
      iterate: 4,
      batch: 8,
      onWarning: ({ code, severity, hint }) => void told.push(`${severity} ${code} ${hint}`),
      onRound: (done) => void rounds.push(done.rounds.length + 10 * told.length),
    },
  )
  expect(await refused(training)).toMatch(/R033 none of the samples of 4 rounds/)
  expect(told).toEqual([expect.stringMatching(/^warning R033 give partial success a weight: a graded `factor`/)])
  expect(rounds).toEqual([1, 12, 13, 14])
})

describe('what cannot be learned is said', () => {
  test.each([
    [
      'a target that never fires',
      target().replace('factor [0.001, 0.01, 0.1, 1][ones]', 'require ones > 3'),
      {},
      /R033 none of the samples of 2 rounds/,
    ],
    [
      'no draw to learn from',
      'model lm = "table:toy.json"\nlearn twist psi(story: Context)\nlet s = lm("")\nsample x ~ s\nreturn x',
      {},
      /R033 no draw of the program is guided/,
    ],
    ['no learned twist', 'return 1', {}, /R033 the program has no learned twist/],
    [
      'a weight that is no probability',
      target().replace('factor [', 'factor 5000\nfactor ['),
      { loss: 'fudge' },
      /R033 the loss `fudge` learns a probability/,
    ],
    [
      'exact samples where there are none',
      target().replace('factor [', 'factor uniform(0, 1).prob(0.5) * 7\nfactor ['),
      { positives: 'reject' },
      /R034 there are no exact samples of this target: not by reject: a weight is multiplied by 7/,
    ],
    ['positives from nowhere', target(), { positives: 'exat' }, /R022 expected smc, exact, enumerate/],
    ['a value head beside another loss', target(', valueHead: true'), {}, /R022 `valueHead` goes with the loss `dpg` alone/],
    ['a wrong option', target(), { stps: 3 }, /R022 there is no option `stps`/],
  ] as const)('%s', async (_, source, options, message) => {
    const made = await program('refused', source)
    expect(await refused(made.train({}, { seed: 1, steps: 4, iterate: 2, batch: 8, ...options } as TrainingOptions))).toMatch(
      message,
    )
  })
})

describe('files', () => {
  test('belong to a model, a tokenizer and a signature; a changed program is told', { timeout: 60_000 }, async () => {
    const { made } = await trained('files', target(), { steps: 10, iterate: 1 })
    const run = (source: string) => program('files', source).then((changed) => changed.run({}, { seed: 1, particles: 8 }))
    expect((await run(target())).learned![0]!.programChanged).toBe(false)
    expect((await run(target().replace('0.001', '0.002'))).learned![0]!.programChanged).toBe(true)
    expect(
      await refused(
        run(target().replace('story: Context', 'story: Context, n: Int').replace('twisted by psi', 'twisted by psi(s, 1)')),
      ),
    ).toMatch(/R031 files.twist.safetensors holds `psi` of \(Context\), and the program declares \(Context, Int\)/)
    writeFileSync(join(folder, 'other.json'), JSON.stringify({ ...toy, next: { ...toy.next, '': [0.6, 0.4] } }))
    expect(await refused(run(target().replace('toy.json', 'other.json')))).toMatch(/R031 .* for another model/)
    writeFileSync(join(folder, 'other.json'), JSON.stringify({ ...toy, tokens: ['0', '2'], next: { '': [0.6, 0.4] } }))
    expect(await refused(run(target().replace('toy.json', 'other.json')))).toMatch(/R031 .* for another tokenizer/)
    const without = await made.run({}, { seed: 1, particles: 8, twist: false })
    expect(without.learned![0]!.file).toBe(null)
  })

  test('that are damaged are refused', async () => {
    const { made, result } = await trained('damaged', target(), { steps: 4, iterate: 1, batch: 8 })
    expect(readTwists({ name: 'x', bytes: result.file }).twists.get('psi')!.loss).toBe('ctl')
    writeFileSync(twistPath(made.path), result.file.subarray(0, result.file.length - 4))
    expect(await refused(made.run({}, { seed: 1 }))).toMatch(/R032 damaged.twist.safetensors is damaged/)
    rmSync(twistPath(made.path))
    mkdirSync(twistPath(made.path))
    expect(await refused(made.run({}, { seed: 1 }))).toMatch(/R032 cannot read damaged.twist.safetensors: it is a folder/)
  })
})

test('a training that is interrupted before its first draw has learned nothing', async () => {
  const made = await program('at-once', target())
  const { partial, best, rounds } = await made.train({}, { seed: 1, steps: 4, iterate: 2, signal: AbortSignal.abort() })
  expect({ partial, best, rounds }).toEqual({ partial: true, best: 0, rounds: [] })
})

test('what is interrupted while it is measured at the end is not measured', async () => {
  const made = await program('at-the-end', target())
  const stop = new AbortController()
  const table = await openModel('table:toy.json', { base: folder })
  let last = false
  // Stopped by the first thing that the last population asks of its model.
  const lm = new Proxy(table, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name, target)
      if (typeof found !== 'function') return found
      return (...given: unknown[]) => {
        if (last && name !== 'dispose') stop.abort()
        return Reflect.apply(found, target, given)
      }
    },
  })
  const onRound = ({ rounds }: RoundDone) => {
    last = rounds.length === 2
  }
  const options = { seed: 1, steps: 4, iterate: 2, batch: 300, models: { lm }, signal: stop.signal, onRound }
  const { partial, rounds } = await made.train({}, options)
  expect({ partial, rounds: rounds.length }).toEqual({ partial: true, rounds: 2 })
})

test('an interrupted training keeps the best so far', { timeout: 60_000 }, async () => {
  const made = await program('stopped', target())
  const stop = new AbortController()
  const result = await made.train(
    {},
    {
      seed: 1,
      steps: 200,
      iterate: 10,
      signal: stop.signal,
      onProgress: ({ round }) => {
        if (round === 3) stop.abort()
      },
    },
  )
  expect(result.partial).toBe(true)
  expect(result.rounds.length).toBeLessThan(10)
  expect(result.best).toBeGreaterThan(0)
})

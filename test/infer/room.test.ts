import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileSource } from '../../src/compile.js'
import { compile, SmcError } from '../../src/index.js'
import { createHost } from '../../src/infer/host/host.js'
import { fromJson } from '../../src/infer/host/json.js'
import { leastTokens } from '../../src/infer/lengths.js'
import { openModel } from '../../src/models/registry.js'
import type { Transformer } from '../../src/models/transformer.js'

/** As `leastTokens` sees a program whose params are these. */
function least(body: string, params: readonly unknown[] = []): number {
  const compiled = compileSource({ path: 'program.smc', text: `model lm = "tiny"\n${body}\n` })
  const { graph } = compiled.stages({ fuse: true })[0]!
  const host = createHost([...graph.sites], [])
  host.params.push(...params)
  return leastTokens(graph, host)
}

describe('the tokens that are sure', () => {
  test.each<[string, string, number]>([
    ['a span', 'let s = lm("")\nsample x ~ s for 20 tokens\nreturn x', 20],
    ['spans of one context add up', 'let s = lm("")\nsample x ~ s for 20 tokens\nsample y ~ s for 5 tokens\nreturn y', 25],
    [
      'of two the longest counts',
      'let s = lm("")\nlet t = lm("")\nsample x ~ s for 20 tokens\nsample y ~ t for 5 tokens\nreturn y',
      20,
    ],
    ['a context opened on the spot', 'sample x ~ lm("") for 7 tokens\nsample y ~ lm("") for 9 tokens\nreturn x', 9],
    ['a span that may stop early', 'let s = lm("")\nsample x ~ s for up to 20 tokens\nreturn x', 0],
    ['a name for the number', 'let n = 2 * 15\nlet s = lm("")\nsample x ~ s for n tokens\nreturn x', 30],
    ['a number of chance', 'let s = lm("")\nsample n ~ uniform(10..20)\nsample x ~ s for n tokens\nreturn x', 0],
    ['a name that changes', 'let s = lm("")\nlet n = 20\nif s.text == "" { n = 1 }\nsample x ~ s for n tokens\nreturn x', 0],
    [
      'a branch may be passed by',
      'let s = lm("")\nsample a ~ bernoulli(0.5)\nif a { sample x ~ s for 20 tokens }\nreturn s.text',
      0,
    ],
    [
      'the shorter of two branches',
      'let s = lm("")\nsample a ~ bernoulli(0.5)\nif a { sample x ~ s for 20 tokens } else { sample y ~ s for 8 tokens }\nsample z ~ s for 3 tokens\nreturn z',
      11,
    ],
    ['a loop may be left at once', 'let s = lm("")\nfor i in 1..3 { sample x ~ s for 20 tokens }\nreturn s.text', 0],
    [
      'a name that stands for two contexts',
      'let s = lm("")\nsample x ~ s for 20 tokens\ns = lm("a")\nsample y ~ s for 5 tokens\nreturn y',
      20,
    ],
    [
      'a function',
      'fn tell(n: Int) -> String {\n  let s = lm("")\n  sample x ~ s for 12 tokens\n  return x\n}\nreturn tell(3)',
      12,
    ],
    [
      'recursion ends',
      'fn tell(n: Int) -> String {\n  sample x ~ lm("") for 12 tokens\n  return if n == 0 { x } else { tell(n - 1) }\n}\nreturn tell(3)',
      12,
    ],
  ])('%s', (_, body, tokens) => {
    expect(least(body)).toBe(tokens)
  })

  test('a param', () => {
    const body = 'param n: Int\nlet s = lm("")\nsample x ~ s for n tokens\nreturn x'
    expect(least(body, [fromJson(40, { kind: 'Int' }, () => undefined as never)])).toBe(40)
  })
})

const story = 'model lm = "tiny"\nlet s = lm("Once")\nsample x ~ s for 60 tokens\nreturn x'

/** What a run with this much memory, in MB, is told: the message and the hint; nothing when it may begin. It is stopped there. */
async function refusal(megabytes: number, options: object, tokens = 60): Promise<{ message: string; hint: string }> {
  const program = await compile(story.replace('60', String(tokens)))
  const signal = AbortSignal.abort()
  try {
    const result = await program.run({}, { seed: 1, maxMemory: megabytes / 1e3, signal, ...options })
    expect(result).toMatchObject({ partial: true, timing: { tokens: 0 } })
    return { message: '', hint: '' }
  } catch (error) {
    if (!(error instanceof SmcError)) throw error
    expect(error).toMatchObject({ blame: 'inference', diagnostics: [{ code: 'M018' }] })
    const { message, hint = '' } = error.diagnostics[0]!
    return { message, hint }
  }
}

describe('a run that cannot fit is refused before its first token', () => {
  test('with what fits; more than that does not', async () => {
    const { message, hint } = await refusal(60, { particles: 100 })
    expect(message).toMatch(/^100 texts of 60 tokens need 44 MB for attention state, and 2\d MB of the 60 MB/)
    const fewer = Number(/--particles (\d+)/.exec(hint)![1])
    const shorter = Number(/(\d+) tokens fit/.exec(hint)![1])
    expect(hint).not.toContain('int8')
    expect((await refusal(60, { particles: fewer })).message).toBe('')
    expect((await refusal(60, { particles: fewer + 1 })).message).not.toBe('')
    expect((await refusal(60, { particles: 100 }, shorter)).message).toBe('')
    expect((await refusal(60, { particles: 100 }, shorter + 1)).message).not.toBe('')
  })

  test('8 bits are named only where they help', async () => {
    expect((await refusal(48, { particles: 50 })).hint).toContain('`--dtype int8` fits')
    expect((await refusal(48, { particles: 50, dtype: 'int8' })).message).toBe('')
  })

  test('texts that many may share do not count one a particle', async () => {
    expect((await refusal(60, { particles: 100_000 }, 3)).message).toBe('')
  })
})

describe('a run that grows beyond its memory', () => {
  let model: Transformer
  beforeAll(async () => {
    model = (await openModel('tiny', { base: '.' })) as Transformer
  })
  afterAll(() => model.dispose())

  test('computes again what it had to drop, and gives the same particles', async () => {
    const program = await compile(
      story.replace('for 60', 'for up to 20').replace('return x', 'observe " The end." ~ s\nreturn x'),
    )
    const run = (maxMemory: number, batch: number) =>
      program.run({}, { particles: 16, seed: 5, models: { lm: model }, maxMemory, batch })
    const free = await run(4, 256)
    expect(model.rowsDropped).toBe(0)
    const tight = await run(0.0022, 7)
    expect(model.rowsDropped).toBeGreaterThan(10)
    expect(tight.partial).toBe(false)
    expect(free.warnings).toEqual([])
    expect(tight.warnings).toMatchObject([
      { code: 'M018', severity: 'warning', message: expect.stringContaining('computed again') },
    ])
    expect(tight.samples.map(({ value }) => value)).toEqual(free.samples.map(({ value }) => value))
    tight.samples.forEach(({ logWeight }, i) => {
      expect(logWeight!).toBeCloseTo(free.samples[i]!.logWeight!, 3)
    })
  })

  test('ends with what there is when not even that helps', async () => {
    const program = await compile(story.replace('for 60', 'for up to 200'))
    const result = await program.run({}, { particles: 4, seed: 5, models: { lm: model }, maxMemory: 0.0014 })
    expect(result.partial).toBe(true)
    expect(result.timing.tokens).toBeGreaterThan(40)
    expect(result.warnings[0]).toMatchObject({
      code: 'M018',
      severity: 'warning',
      message: expect.stringContaining('does not fit'),
    })
  })
})

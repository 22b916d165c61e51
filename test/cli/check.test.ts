import { describe, expect, test } from 'vitest'
import { inEmptyFolder, smcc } from './console.js'

const { write } = inEmptyFolder()
const wrong = 'let x = 1\nreturn y\n'

describe('check', () => {
  test('a program without mistakes says so', async () => {
    write({ 'good.smc': 'sample x ~ uniform(1..6)\nreturn x\n' })
    expect(await smcc(['check', 'good.smc'])).toEqual({ code: 0, out: 'good.smc: no errors\n', err: '' })
    expect(await smcc(['check', 'good.smc', '--format', 'short'])).toEqual({ code: 0, out: '', err: '' })
    expect(await smcc(['check', 'good.smc', '--format', 'json'])).toEqual({ code: 0, out: '[]\n', err: '' })
  })

  test('the findings are the result, in every format', async () => {
    write({ 'bad.smc': wrong })
    const [human, short, json] = await Promise.all(
      ['human', 'short', 'json'].map((format) => smcc(['check', 'bad.smc', '--format', format])),
    )
    for (const told of [human!, short!, json!]) expect([told.code, told.err]).toEqual([1, ''])
    expect(human!.out).toMatch(/^bad\.smc:2:8: error C001: .*\n {2}2 \| return y\n {4}\| {8}\^\n/)
    expect(human!.out).toMatch(/\nbad\.smc: 1 error\n$/)
    expect(short!.out).toMatch(/^bad\.smc:2:8: error C001: .*\n$/)
    expect(JSON.parse(json!.out)).toMatchObject([{ code: 'C001', span: { path: 'bad.smc', line: 2, column: 8 } }])
  })

  test('patterns that need neither a model nor a param are read, too', async () => {
    const program = (pattern: string) =>
      `model lm = "no/such-model"\nparam n: Int\nsample x ~ lm("a") matching ${pattern}\nreturn x\n`
    write({ 'schema.json': '{ "type": "strin" }', 'dates.ebnf': 'root ::= "a" nex\nnext ::= "b"\n' })
    const told = async (pattern: string) => {
      write({ 'p.smc': program(pattern) })
      const { code, out, err } = await smcc(['check', 'p.smc', '--format', 'short'])
      expect([code, err]).toEqual([out === '' ? 0 : 1, ''])
      return out
    }
    expect(await told('json("schema.json")')).toMatch(/^p\.smc:3:\d+: error P007: .*#\/type/)
    expect(await told('json("missing.json")')).toMatch(/^p\.smc:3:\d+: error R023: /)
    expect(await told('grammar("dates.ebnf")')).toMatch(/^dates\.ebnf:1:14: error P005: /)
    expect(await told('json({ minimum: 3, maximum: 2, type: "integer" })')).toMatch(/error P001: /)
    // What a param decides is told by the run.
    expect(await told('json({ minimum: n, maximum: 2, type: "integer" })')).toBe('')
    expect(await told('json({ enum: [1, 2] })')).toBe('')
  })
})

describe('graph', () => {
  test('prints the last stage unless another is named, in four formats', async () => {
    write({ 'good.smc': 'sample x ~ uniform(1..6)\nreturn x\n' })
    const last = await smcc(['graph', 'good.smc'])
    expect([last.code, last.err]).toEqual([0, ''])
    expect(last.out).toContain('Draw x ~ uniform(1..6)')
    expect((await smcc(['graph', 'good.smc', '--format', 'mermaid'])).out).toMatch(/^(flowchart|graph) /)
    expect((await smcc(['graph', 'good.smc', '--format', 'dot'])).out).toMatch(/^digraph /)
    expect(JSON.parse((await smcc(['graph', 'good.smc', '--format', 'json'])).out)).toBeTypeOf('object')
    const unknown = await smcc(['graph', 'good.smc', '--stage', 'buidl'])
    expect(unknown.code).toBe(2)
    expect(unknown.err).toContain('did you mean `build`?')
    expect((await smcc(['graph', 'good.smc', '--stage', 'build'])).code).toBe(0)
  })

  test('says what is drawn together with a token, and why the rest is not', async () => {
    const head = 'model lm = "tiny"\nclassifier tone = "tiny-sentiment"\nlet a = lm("x")\nlet b = lm("y")\n'
    const graph = async (body: string, ...flags: string[]) => {
      write({ 'fused.smc': `${head}${body}\nreturn a.text` })
      return (await smcc(['graph', 'fused.smc', ...flags])).out
    }
    expect(await graph('sample t ~ a\nobserve t ~ b')).toMatch(/Draw t ~ a · observed on b/)
    expect(await graph('sample s ~ a for 3 tokens where s != "z"')).toMatch(/not the end token · meeting `where`/)
    expect(await graph('sample s ~ a matching /a+/ for up to 3 tokens')).toContain('keeping to the pattern')
    expect(await graph('sample t ~ a\nfactor exp(t.length)')).toMatch(
      /Weigh factor .*not fused: all tokens are tried before the draw where the vocabulary has at most 512/,
    )
    expect(await graph('sample t ~ a\nfactor tone(t).prob("positive")')).toMatch(/Weigh .*not fused: asks a model/)
    expect(await graph('fn good(s: String) -> Weight { return tone(s).prob("positive") }\nsample t ~ a\ntwist good(t)')).toMatch(
      /Twist .*not fused: asks a model/,
    )
    expect(await graph('sample t ~ a\nlet w = b.prob(t)\nfactor w')).toMatch(/Weigh .*not fused: behind a question to a model/)
    expect(await graph('sample t ~ a\nobserve " dog" ~ b')).toMatch(/Score .*not fused: an observe of a text/)
    expect(await graph('sample t ~ a via b\nobserve t ~ b')).not.toContain('observed on b')
    expect(await graph('sample t ~ a\nfactor exp(t.length)', '--stage', 'spans')).not.toContain('not fused')
  })

  test('a wrong program has none', async () => {
    write({ 'bad.smc': wrong })
    const { code, out, err } = await smcc(['graph', 'bad.smc'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('C001')
  })
})

test('models lists the embedded one', async () => {
  const { code, out } = await smcc(['models'])
  expect(code).toBe(0)
  expect(out).toMatch(/^tiny +llama · 5.4 M · 256 tokens · 10.3 MiB · fits in memory · the embedded model/m)
  expect(out).toMatch(/^tiny-sentiment +classifier · 0.3 M · 1.8 MiB · the embedded classifier of film reviews/m)
  expect((await smcc(['models', 'show', 'tiny-sentiment'])).out).toMatch(/^labels +negative, positive$/m)
  expect((await smcc(['models', 'show', 'tinny'])).code).toBe(2)
})

describe('check --statistics', () => {
  test('prints a line a law, exits with 0, and as JSON', async () => {
    write({
      'good.smc':
        'param n = 2\nsample x ~ uniform(1..n)\nfactor x\nsample y ~ bernoulli(0.5)\nreturn [x, if y { 1 } else { 0 }]\n',
    })
    const { code, out, err } = await smcc(['check', 'good.smc', '--statistics', '-D', 'n=3'])
    expect([code, err]).toEqual([0, ''])
    for (const law of ['estimates', 'fusion', 'resampling', 'conditional'])
      expect(out).toMatch(new RegExp(`^  ${law} +ok  `, 'm'))
    expect(out).toContain('Z = 2: all 6 runs were listed')
    expect(out).toContain('every law holds')
    const json = JSON.parse((await smcc(['check', 'good.smc', '--statistics', '-D', 'n=3', '--format', 'json'])).out)
    expect(json).toMatchObject({ schema: 1, verdict: 'holds', reference: { by: 'listing', runs: 6, Z: 2 } })
  })

  test('exits with 3 where a law is broken, and says which way breaks it', async () => {
    write({ 'bad.smc': 'sample x ~ categorical([0.5, 0.5]) via categorical([1, 0])\nreturn x\n' })
    const { code, out } = await smcc(['check', 'bad.smc', '--statistics'])
    expect(code).toBe(3)
    expect(out).toMatch(/estimates +FAILS/)
    expect(out).toMatch(/1 particle: .*off by 0.5 of Z/)
    expect(out).toMatch(/^broken: /m)
  })

  test('what only a run reads needs it', async () => {
    write({ 'good.smc': 'return 1\n' })
    const { code, err } = await smcc(['check', 'good.smc', '--seed', '3'])
    expect([code, err.includes('X024')]).toEqual([2, true])
    expect((await smcc(['check', 'good.smc', '--statistics', '--format', 'short'])).code).toBe(2)
  })
})

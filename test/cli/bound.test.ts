import { readFileSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import { inEmptyFolder, smcc } from './console.js'

const { write } = inEmptyFolder()
beforeEach(() =>
  write({
    'coin.smc': 'param side: Int = 1\nsample x ~ uniform(1..6)\nrequire x > side\nreturn x\n',
    'real.smc': 'sample x ~ normal(0, 1)\nfactor exp(x)\nreturn x\n',
  }),
)

test('prints the page: bounds, log Z, how exact samples were drawn', async () => {
  const { code, out, err } = await smcc('bound coin.smc --seed 1 --particles 2,8 -D side=3'.split(' '))
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('coin.smc · 20 repeats · seed 1')
  expect(out).toMatch(/log Z +-0\.69 {2}exact/)
  expect(out).toMatch(/exact samples +enumerate/)
})

test('prints JSON, writes the page and the traces, which it takes back', async () => {
  const first = 'bound coin.smc --seed 1 --particles 2 --repeats 6 --json --report page.html --traces traces.jsonl'
  const one = await smcc(first.split(' '))
  expect([one.code, one.err]).toEqual([0, ''])
  const json = JSON.parse(one.out)
  expect(json).toMatchObject({ schema: 1, partial: false, exact: 'enumerate' })
  expect(json.rows.map((row: { sampler: string }) => row.sampler)).toEqual(['smc', 'importance'])
  expect(readFileSync('page.html', 'utf8')).toContain('Bounds on log Z')
  expect(readFileSync('traces.jsonl', 'utf8').trim().split('\n')).toHaveLength(7)
  const two = await smcc('bound coin.smc --seed 1 --particles 2 --repeats 6 --json --exact traces.jsonl'.split(' '))
  expect(JSON.parse(two.out)).toMatchObject({ exact: 'file', rows: json.rows })
  const many = await smcc('bound coin.smc --exact traces.jsonl'.split(' '))
  expect([many.code, many.out]).toEqual([2, ''])
  expect(many.err).toContain('`--repeats 6`')
  const moved = await smcc('bound coin.smc --repeats 6 -D side=2 --exact traces.jsonl'.split(' '))
  expect([moved.code, moved.out]).toEqual([2, ''])
  expect(moved.err).toContain('`side` = 1, and it is 2 now')
  const other = await smcc('bound real.smc --repeats 6 --exact traces.jsonl'.split(' '))
  expect(other.err).toContain('another program')
})

test('a program without exact samples is bounded from below alone, and told why', async () => {
  const { code, out } = await smcc('bound real.smc --seed 1 --particles 4'.split(' '))
  expect(code).toBe(0)
  expect(out).toContain('unknown')
  expect(out).toContain('not by reject: this factor may be above 1')
})

test('two outputs need two files', async () => {
  const { code, err } = await smcc('bound coin.smc --report a.html --traces a.html'.split(' '))
  expect(code).toBe(2)
  expect(err).toContain('X019')
})

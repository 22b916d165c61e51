import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { inEmptyFolder, smcc } from './console.js'

const { write } = inEmptyFolder()
const commands = ['run', 'check', 'graph', 'train', 'bound', 'fmt', 'explain', 'models', 'report']

test('help and version go to stdout and end well', async () => {
  const version = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
  expect(await smcc(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  const help = await smcc(['--help'])
  expect([help.code, help.err]).toEqual([0, ''])
  for (const name of commands) {
    expect(help.out).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect((await smcc([name, '--help'])).out).toContain(`Usage: smcc ${name}`)
  }
})

test('no command at all shows the help as a mistake', async () => {
  const { code, out, err } = await smcc([])
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain('Usage: smcc')
})

describe('mistakes are told with what was meant', () => {
  const cases: [string, string, string][] = [
    ['rnu x.smc', 'X001', 'did you mean `run`?'],
    ['infill.smc', 'X001', 'smcc run infill.smc'],
    ['run x.smc --particels 3', 'X002', 'did you mean `--particles`?'],
    ['run x.smc --particels=3', 'X002', 'did you mean `--particles`?'],
    ['check x.smc --fromat json', 'X002', 'did you mean `--format`?'],
    ['run x.smc -q', 'X002', '`smcc run --help`'],
    ['run', 'X003', 'smcc run PROGRAM.smc'],
    ['run x.smc --seed', 'X003', '--seed'],
    ['check', 'X003', '`smcc check --help`'],
    ['check a.smc b.smc', 'X004', '`smcc check --help`'],
    ['check x.smc --format jsno', 'X006', 'did you mean `json`?'],
    ['run missing.smc', 'X013', 'there is no such file'],
    ['check missing.smc', 'X013', 'there is no such file'],
    ['graph missing', 'X013', 'end in .smc'],
    ['fmt missing.smc', 'X013', 'there is no such file'],
    ['run .', 'X013', 'it is a folder'],
    ['explain X0005', 'X016', 'did you mean `X005`?'],
    ['report missing', 'X017', 'smcc run --out'],
    ['models pull tiny', 'M001', 'HuggingFaceTB/SmolLM2-135M'],
    ['models lst', 'X006', 'did you mean `list`?'],
    ['train x.smc --loss best', 'X006', 'ctl'],
    ['train x.smc --resume', 'X013', 'there is no such file'],
    ['train x.smc --backend torch', 'X006', '`tfjs`'],
    ['bound x.smc --particles 4,no', 'X005', '--particles'],
    ['bound x.smc --repeats 1', 'X005', '--repeats'],
    ['bound x.smc --method steer', 'X022', '--method smc'],
    ['bound', 'X003', '`smcc bound --help`'],
    ['run x.smc --steps llamppl', 'X007', 'add `--out DIR`'],
    ['run x.smc --steps genlm --out x', 'X006', 'llamppl'],
  ]
  test.each(cases)('smcc %s', async (line, code, hint) => {
    const told = await smcc(line.split(' '))
    expect([told.code, told.out]).toEqual([2, ''])
    expect(told.err).toContain(code)
    expect(told.err).toContain(hint)
  })
})

describe('explain', () => {
  test('shows both programs, whatever the case of the code', async () => {
    const { code, out } = await smcc(['explain', 'x005'])
    expect(code).toBe(0)
    expect(out).toContain('X005: a number is out of range')
    expect(out).toContain('    smcc run coin.smc --particles 0\n')
    expect(out).toContain('    smcc run coin.smc --particles 64\n')
  })
  test('lists all codes', async () => {
    expect((await smcc(['explain'])).out).toMatch(/^X001 {2}there is no such command$/m)
  })
  test('knows nothing that is not a code', async () => {
    expect((await smcc(['explain', 'toString'])).code).toBe(2)
  })
})

test('a damaged folder of a run is told as such', async () => {
  write({ 'run/manifest.json': '{"schema":1', 'run/particles.jsonl': '', 'run/steps.jsonl': '' })
  const { code, err } = await smcc(['report', 'run'])
  expect(code).toBe(2)
  expect(err).toContain('is damaged')
})

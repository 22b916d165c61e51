import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { inEmptyFolder, smcc } from './console.js'

const { write } = inEmptyFolder()
const messy = '// a die\nsample   x~uniform( 1 .. 6 )\nreturn x'

test('formats in place, names what changed, keeps the mode, and then rests', async () => {
  write({ 'a.smc': messy, 'b.smc': messy })
  chmodSync('a.smc', 0o600)
  expect(await smcc(['fmt', 'a.smc', 'b.smc'])).toEqual({ code: 0, out: 'a.smc\nb.smc\n', err: '' })
  expect(readFileSync('a.smc', 'utf8')).toBe('// a die\nsample x ~ uniform(1..6)\nreturn x\n')
  expect(statSync('a.smc').mode & 0o777).toBe(0o600)
  expect(await smcc(['fmt', 'a.smc', 'b.smc'])).toEqual({ code: 0, out: '', err: '' })
})

test('--check writes nothing', async () => {
  write({ 'a.smc': messy })
  expect(await smcc(['fmt', '--check', 'a.smc'])).toEqual({ code: 1, out: 'a.smc\n', err: '' })
  expect(readFileSync('a.smc', 'utf8')).toBe(messy)
})

test('a file that does not parse stays as it is, and the others are formatted', async () => {
  write({ 'bad.smc': 'sample x ~ (', 'good.smc': messy })
  const { code, out, err } = await smcc(['fmt', 'bad.smc', 'good.smc'])
  expect([code, out]).toEqual([1, 'good.smc\n'])
  expect(err).toContain('bad.smc')
  expect(readFileSync('bad.smc', 'utf8')).toBe('sample x ~ (')
})

test('- reads standard input', async () => {
  expect((await smcc(['fmt', '-'], undefined, { input: messy })).out).toBe('// a die\nsample x ~ uniform(1..6)\nreturn x\n')
})

test('a byte order mark is taken away, and what is not UTF-8 is left alone', async () => {
  write({ 'marked.smc': '\ufeffreturn 1\n' })
  expect((await smcc(['fmt', 'marked.smc'])).out).toBe('marked.smc\n')
  expect(readFileSync('marked.smc', 'utf8')).toBe('return 1\n')
  writeFileSync('latin.smc', Buffer.from('return "caf\xe9"\n', 'latin1'))
  expect((await smcc(['fmt', 'latin.smc'])).code).toBe(1)
  expect(readFileSync('latin.smc', 'latin1')).toBe('return "caf\xe9"\n')
})

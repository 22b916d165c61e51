import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { smcc } from '../cli/console.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = [
  'README.md',
  'LIMITS.md',
  'ARCHITECTURE.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
].filter((path) => path.endsWith('.md'))

describe.each(pages)('%s', (page) => {
  const text = read(page)

  test('links to what exists', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map((match) => match[1]!).filter((link) => !link.includes('://'))
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([])
  })

  test('names paths that exist', () => {
    const paths = [...text.matchAll(/`((?:src|test|docs|examples|stdlib|models|grammar|bench)\/[\w./-]*)`/g)].map(
      (match) => match[1]!,
    )
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('has no line of more than 120 characters outside tables', () => {
    const long = text.split('\n').filter((line) => line.length > 120 && !line.startsWith('|'))
    expect(long).toEqual([])
  })
})

test('README.md shows the example as it stands, and the two commands', () => {
  const readme = read('README.md')
  expect(readme).toContain(read('examples/seven-words/seven-words.smc').trim())
  expect(readme).toContain('    npm ci && npx smcc run examples/infill/infill.smc\n    npm test\n')
  const output = (text: string) => /^```\n(examples.*?)\n[\d,]+ tokens\/s/ms.exec(text)?.[1]
  expect(output(readme)).toBe(output(read('examples/seven-words/README.md')))
})

test('docs/cli.md lists the flags of smcc run that this version has', async () => {
  const { out: help } = await smcc(['run', '--help'])
  const here = [...help.matchAll(/^ +(?:-D|--[a-z-]+)(?=[ ,]).*$/gm)]
    .map((match) => match[0])
    .filter((line) => !line.includes('not in this version'))
    .flatMap((line) => /-D|--[a-z-]+/.exec(line)![0])
    .filter((flag) => !['--debug', '--help'].includes(flag))
  expect(here.length).toBeGreaterThan(12)
  const page = read('docs/cli.md')
  expect(here.filter((flag) => !page.includes(flag))).toEqual([])
})

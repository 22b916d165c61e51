import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compile, SmcError } from '../../src/index.js'

const page = readFileSync(new URL('../../docs/language.md', import.meta.url), 'utf8')
const path = fileURLToPath(new URL('../../docs/block.smc', import.meta.url))

interface Block {
  readonly line: number
  readonly source: string
  readonly checkedOnly: boolean
  /** The answer that the last line states, as JSON. */
  readonly gives: string | undefined
}

const blocks: Block[] = [...page.matchAll(/^```smc( check)?\n(.*?)^```$/gms)].map((match) => ({
  line: page.slice(0, match.index).split('\n').length + 1,
  source: match[2]!,
  checkedOnly: match[1] !== undefined,
  gives: /\/\/ gives (.*)$/.exec(match[2]!.trimEnd())?.[1],
}))

test('every fence of the page is one that the tests know', () => {
  const fences = [...page.matchAll(/^```(\S.*)$/gm)].map((match) => match[1])
  expect(new Set(fences)).toEqual(new Set(['smc', 'smc check', 'json']))
  expect(fences.filter((kind) => kind !== 'json')).toHaveLength(blocks.length)
  expect(blocks.length).toBeGreaterThan(20)
})

describe('blocks run', () => {
  test.each(blocks.filter((block) => !block.checkedOnly))('line $line', async ({ source, gives }) => {
    const program = await compile(source, { path })
    expect(program.diagnostics).toEqual([])
    const result = await program.run({}, { particles: 8, seed: 1 })
    expect(result.alive).toBeGreaterThan(0)
    if (gives === undefined) return
    for (const { value } of result.samples) expect(value).toEqual(JSON.parse(gives))
  })
})

describe('blocks of later forms are checked, and refused when run', () => {
  test.each(blocks.filter((block) => block.checkedOnly))('line $line', async ({ source }) => {
    const program = await compile(source, { path })
    expect(program.diagnostics).toEqual([])
    const refusal = program.run({}, { particles: 8, seed: 1 })
    await expect(refusal).rejects.toBeInstanceOf(SmcError)
    await refusal.catch((error: SmcError) => {
      for (const { code } of error.diagnostics) expect(code).toMatch(/^(C10\d|R014)$/)
    })
  })
})

test('the page shows the toy model that its programs use', () => {
  const shown = /^```json\n(.*?)^```$/ms.exec(page)![1]!
  expect(JSON.parse(shown)).toEqual(JSON.parse(readFileSync(new URL('../../docs/weather.json', import.meta.url), 'utf8')))
})

test('the page says how to have a code explained, and names only codes that exist', async () => {
  const { catalogue } = await import('../../src/diagnostics/catalogue/index.js')
  expect(page).toContain('smcc explain')
  const codes = [...page.matchAll(/\b[SCGMRX]\d{3}\b/g)].map((match) => match[0])
  for (const code of codes) expect(Object.keys(catalogue)).toContain(code)
})

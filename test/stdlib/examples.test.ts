import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { load } from '../../src/index.js'

const examples = new URL('../../examples/stdlib/', import.meta.url)
const library = new URL('../../stdlib/', import.meta.url)

const files = readdirSync(examples)

test.each(files)('examples/stdlib/%s runs', async (file) => {
  const program = await load(new URL(file, examples).pathname)
  expect(program.diagnostics).toEqual([])
  const result = await program.run({}, { particles: 64, seed: 1 })
  expect(result.logZ).toBeTypeOf('number')
  expect(result.alive).toBeGreaterThan(0)
})

test('every function has a comment above it and an example; helpers have neither', () => {
  for (const file of readdirSync(library)) {
    const lines = readFileSync(new URL(file, library), 'utf8').split('\n')
    lines.forEach((line, i) => {
      const name = /^fn (\w+)/.exec(line)?.[1]
      if (name === undefined) return
      const documented = lines[i - 1]!.startsWith('//')
      expect({ name, documented }).toEqual({ name, documented: files.includes(`${name}.smc`) })
    })
  }
})

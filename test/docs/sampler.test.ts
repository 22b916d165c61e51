import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { smcc } from '../cli/console.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(`${root}docs/sampler.md`, 'utf8')
const commands = [...page.matchAll(/^ {4}npx smcc (.*)$/gm)].map((match) => match[1]!)
const outputs = [...page.matchAll(/^```\n(docs\/hut\/.*?)\n```$/gms)].map((match) => match[1]!)

test('shows the programs as they stand', () => {
  const shown = [...page.matchAll(/^```smc\n(.*?)\n```$/gms)].map((match) => match[1]!)
  const files = ['prior', 'twisted', 'learned'].map((name) => readFileSync(`${root}docs/hut/${name}.smc`, 'utf8').trim())
  expect(shown).toEqual(files)
})

describe('its commands', () => {
  const bounds = commands.filter((command) => command.startsWith('bound'))
  test.each(bounds.map((command, i) => [command, i] as const))(
    '%s prints what the page shows',
    async (command, i) => {
      const home = process.cwd()
      process.chdir(root)
      try {
        const { code, out, err } = await smcc(command.split(' '))
        expect([code, err]).toEqual([0, ''])
        expect(out.trimEnd().split('\n').slice(0, -1).join('\n')).toBe(outputs[i])
      } finally {
        process.chdir(home)
      }
    },
    60_000,
  )

  test('are those of three samplers, each better than the one before', () => {
    expect(bounds).toHaveLength(3)
    const symmetrised = outputs.map((text) => Number(/^symmetrised +([\d.]+)/m.exec(text)![1]))
    expect(symmetrised).toEqual([...symmetrised].sort((a, b) => b - a))
    expect(symmetrised[2]!).toBeLessThan(0.1)
    const trains = commands.filter((command) => command.startsWith('train'))
    expect(trains).toEqual(['train docs/hut/learned.smc --seed 1 --steps 400 --iterate 8 --batch 128'])
  })
})

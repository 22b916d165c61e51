import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compile } from '../../src/index.js'
import type { LanguageModel } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'

/*
 * Documents that the built-in model writes under schemas of growing difficulty: every one of them parses and validates. Strings are kept
 * short, so that a document ends within its span; the limit cuts none that lives.
 */

const word = { type: 'string', pattern: '^[A-Za-z ]{1,10}$' }
const schemas = {
  'a record of two fields': {
    type: 'object',
    properties: { name: word, age: { type: 'integer', minimum: 0, maximum: 99 } },
    required: ['name', 'age'],
    additionalProperties: false,
  },
  'lists, choices, and fields that may be left out': {
    type: 'object',
    properties: {
      animal: { enum: ['dog', 'cat', 'bird'] },
      friends: { type: 'array', items: word, minItems: 1, maxItems: 3 },
      happy: { type: 'boolean' },
    },
    required: ['animal', 'friends'],
    additionalProperties: false,
  },
  'references, alternatives and numbers': {
    $defs: {
      place: {
        type: 'object',
        properties: { x: { type: 'integer', minimum: -9, maximum: 9 }, name: word },
        required: ['x'],
        additionalProperties: false,
      },
    },
    type: 'object',
    properties: {
      from: { $ref: '#/$defs/place' },
      to: { anyOf: [{ $ref: '#/$defs/place' }, { type: 'null' }] },
    },
    required: ['from', 'to'],
    additionalProperties: false,
  },
}

let lm: LanguageModel
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'smcc-documents-'))
  lm = await openModel('tiny', { base: '.' })
})
afterAll(() => {
  rmSync(folder, { recursive: true })
  return lm.dispose()
})

it.each(Object.entries(schemas))('%s', async (_, schema) => {
  const validate = new Ajv2020({ strict: false }).compile(schema)
  writeFileSync(join(folder, 'schema.json'), JSON.stringify(schema))
  const program = await compile(
    'model lm = "tiny"\nlet story = lm("Tom and his dog:")\nsample text ~ story matching json("schema.json") for up to 90 tokens\nreturn text',
    { path: join(folder, 'document.smc') },
  )
  const { samples } = await program.run({}, { models: { lm }, particles: 67, seed: 1 })
  const texts = samples.filter(({ logWeight }) => logWeight !== null).map(({ value }) => value as string)
  expect(texts.length).toBeGreaterThan(60)
  for (const text of texts) {
    expect(validate(JSON.parse(text)), `${text}: ${JSON.stringify(validate.errors)}`).toBe(true)
  }
})

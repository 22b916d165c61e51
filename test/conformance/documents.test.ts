import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../../src/index.js'
import type { LanguageModel } from '../../src/models/model.js'
import { openModel } from '../../src/models/registry.js'

/*
 * Documents that a model writes under schemas of growing difficulty: every one of them parses and validates. Strings are kept short, so that a
 * document ends within its span; the limit cuts none that lives. The built-in model always; SmolLM2-135M takes minutes, so only where
 * SMCC_DOCUMENTS names its file, as `models/.cache/SmolLM2-135M-Instruct.Q4_1.gguf`.
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
      born: { type: 'string', format: 'date' },
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

const ajv = new Ajv2020({ strict: false })
addFormats.default(ajv)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smcc-documents-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const large = process.env.SMCC_DOCUMENTS
describe.each(large ? ['tiny', large] : ['tiny'])('%s', (name) => {
  let lm: LanguageModel
  beforeAll(async () => {
    lm = await openModel(name, { base: '.' })
  }, 60_000)
  afterAll(() => lm.dispose())

  it.each(Object.entries(schemas))(
    '%s',
    async (_, schema) => {
      const validate = ajv.compile(schema)
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
    },
    name === 'tiny' ? undefined : 600_000,
  )
})

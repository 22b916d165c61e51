import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonPattern, schemaAutomaton } from '../../src/patterns/schema.js'
import { generator } from '../xorshift.js'
import { vocabularyOf } from './vocabularies.js'
import { accepts, walk } from './walk.js'

const ajv = new Ajv2020({ formats: { date: true } })

const person = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1, maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 120 } },
  required: ['name'],
  additionalProperties: false,
}
const order = {
  type: 'object',
  properties: {
    id: { type: 'string', pattern: '^[A-Z]{2}-\\d{3,}$', maxLength: 8 },
    when: { type: 'string', format: 'date' },
    lines: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: {
        type: 'object',
        properties: {
          what: { enum: ['nut', 'bolt', null, { é: [1] }] },
          price: { type: 'number', exclusiveMinimum: -2.5, maximum: 10.25 },
        },
        required: ['what', 'price'],
        additionalProperties: false,
      },
    },
    note: { type: ['string', 'null'] },
  },
  required: ['id', 'lines', 'extra'],
  additionalProperties: { type: 'boolean' },
}
const tree = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      oneOf: [
        {
          type: 'object',
          properties: { kind: { const: 'leaf' }, value: true },
          required: ['kind', 'value'],
          additionalProperties: false,
        },
        {
          type: 'object',
          properties: {
            kind: { const: 'fork' },
            left: { $ref: '#/$defs/node' },
            right: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
          },
          required: ['kind', 'right'],
        },
      ],
    },
  },
}

const vocabulary = vocabularyOf([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  '',
  ...[
    '{"',
    '":',
    '": "',
    '", "',
    '"}',
    '"},',
    '}, {',
    '": [',
    'null',
    'true',
    'false',
    'name',
    'age',
    'id',
    'lines',
    '\n  ',
    '12',
    '0.',
    '}}',
    '"}}',
    ']',
  ],
])

const closers = [34, 265, 125, 93, 48]

describe('documents along allowed tokens', () => {
  it.each([
    ['a flat record', person, 80],
    ['lists, bounds and patterns', order, 60],
    ['a recursive choice', tree, 60],
  ])('of %s parse and validate', async (_, schema, count) => {
    const validate = ajv.compile(schema)
    const pattern = await jsonPattern(schema, vocabulary)
    const random = generator(7)
    for (let document = 0; document < count; document++) {
      let length = 0
      const { tokens, complete } = walk(pattern, vocabulary.size, 2000, (allowed, state) => {
        if (state.accepting) return undefined
        // After a while towards the end: a quotation mark, null, `}`, `]`, 0.
        const closing = ++length > 100 ? closers.find((token) => allowed.includes(token)) : undefined
        return closing ?? allowed[Math.floor(random() * allowed.length)]!
      })
      expect(complete).toBe(true)
      const bytes = Buffer.concat(tokens.map((token) => vocabulary.bytes(token)))
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
      expect([text, validate(JSON.parse(text)), validate.errors]).toEqual([text, true, null])
    }
  })
})

const number = fc.oneof(
  fc.integer({ min: -30, max: 1200 }),
  fc.integer({ min: -3000, max: 3000 }).map((n) => n / 100),
  fc.constantFrom(0, -0.5, 0.05, 100, 99.99),
)

describe('documents of other writers', () => {
  const fitting: readonly (readonly [unknown, readonly unknown[]])[] = [
    [person, [{ name: 'Eva' }, { name: 'é"\\\n', age: 120 }]],
    [order, [{ id: 'AB-123', lines: [{ what: { é: [1] }, price: -2.25 }], note: null, extra: true, more: false }]],
    [tree, [{ kind: 'fork', left: { kind: 'leaf', value: [1, { a: [] }, {}, 'x', 1.5e-7, true] }, right: null, other: [[]] }]],
    [true, [0, -0.5, 'text', null, [], {}, [[], [{}]], { '': { a: 1 } }]],
    [
      { type: 'array', prefixItems: [{ type: 'null' }, { const: 3 }], items: { type: 'boolean' } },
      [[], [null], [null, 3], [null, 3, true, false]],
    ],
    [
      { type: 'array', minItems: 2, maxItems: 3, items: { enum: [1, 2] } },
      [
        [1, 2],
        [1, 1, 2],
      ],
    ],
    [{ type: ['integer', 'string'], maximum: 9, maxLength: 1 }, [9, -100, '', 'a']],
    [{ enum: [1, 'a', null], type: ['string', 'null'] }, ['a', null]],
    [{ oneOf: [{ type: 'integer' }, { type: 'string', format: 'uuid' }] }, [3, '00000000-0000-0000-0000-0123456789aB']],
  ]
  it.each(fitting.map(([schema, values]) => [JSON.stringify(schema), schema, values] as const))('fit %s', (_, schema, values) => {
    const automaton = schemaAutomaton(schema)
    for (const value of values) {
      for (const indent of [undefined, 2, '\t']) {
        const text = JSON.stringify(value, null, indent)
        expect([text, accepts(automaton, text)]).toEqual([text, true])
      }
      const spaced = JSON.stringify(value, null, ' ').replace(/\n */g, ' ')
      if (!/[[{] [\]}]/.test(spaced)) expect([spaced, accepts(automaton, spaced)]).toEqual([spaced, true])
    }
  })

  const strangers: readonly (readonly [unknown, readonly string[]])[] = [
    [
      person,
      [
        '{}',
        '{"age": 3, "name": "a"}',
        '{"name": ""}',
        '{"name": "a", "b": 1}',
        '{"name": "a", "age": 121}',
        ' {"name": "a"}',
        '{"name" : "a"}',
      ],
    ],
    [{ type: 'array', minItems: 2, maxItems: 3, items: { enum: [1, 2] } }, ['[1]', '[1, 1, 1, 1]', '[1, 3]', '[1, 2,]', '[,1]']],
    [{ type: 'array', prefixItems: [{ const: 1 }], items: false }, ['[2]', '[1, 1]']],
    [
      { type: 'object', properties: { a: {} }, additionalProperties: { type: 'null' } },
      ['{"b": 1}', '{"b": null, "a": 1}', '{,"a": 1}'],
    ],
    [{ type: 'string' }, ['"\\ud83d"', '"\\q"', '"\n"', "'a'"]],
    [{ type: 'string', format: 'date' }, ['"2023-02-29"', '"2024-02-30"', '"2024-13-01"', '"1900-02-29"']],
    [{ type: 'number' }, ['01', '.5', '1.', '+1', '1e400']],
  ]
  it.each(strangers.map(([schema, texts]) => [JSON.stringify(schema), schema, texts] as const))(
    'do not fit %s',
    (_, schema, texts) => {
      const automaton = schemaAutomaton(schema)
      expect(texts.filter((text) => accepts(automaton, text))).toEqual([])
    },
  )
})

describe('bounds', () => {
  it('of numbers are those of JSON Schema', () => {
    const bound = fc.option(number, { nil: undefined })
    const spelt = fc.oneof(
      number.map(String),
      number.map((n) => `${n}0`.replace(/^(-?\d+)0$/, '$1.0')),
      number.map((n) => n.toFixed(2)),
    )
    fc.assert(
      fc.property(
        fc.constantFrom('integer', 'number'),
        bound,
        bound,
        fc.boolean(),
        fc.boolean(),
        fc.array(spelt, { minLength: 20 }),
        (type, low, high, a, b, texts) => {
          const schema = {
            type,
            ...(low !== undefined && { [a ? 'minimum' : 'exclusiveMinimum']: low }),
            ...(high !== undefined && { [b ? 'maximum' : 'exclusiveMaximum']: high }),
          }
          const validate = ajv.compile(schema)
          let automaton: ReturnType<typeof schemaAutomaton> | undefined
          try {
            automaton = schemaAutomaton(schema)
          } catch (error) {
            expect(String(error)).toContain('P001')
          }
          for (const text of [...texts, String(low ?? 0), String(high ?? 0)]) {
            // Whole numbers are written without a point, and 0 without a sign.
            if (type === 'integer' && text.includes('.')) continue
            if (/^-0(\.0*)?$/.test(text) || /^-?0\d/.test(text)) continue
            expect([schema, text, automaton !== undefined && accepts(automaton, text)]).toEqual([
              schema,
              text,
              validate(JSON.parse(text)),
            ])
          }
        },
      ),
      { numRuns: 150, seed: 3 },
    )
  })

  it('of texts are those of JSON Schema', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', '\n', '\u0001', 'é', '😀', '/'), maxLength: 6 })
    const pattern = fc.constantFrom('^a', 'b$', '^[^a]*$', 'a.b', '"', '\\\\', '^(?:a|é){2,3}$', '\\n', '^\\W+$', undefined)
    fc.assert(
      fc.property(
        pattern,
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 3, max: 5 }),
        fc.array(text, { minLength: 20 }),
        (pattern, min, max, texts) => {
          const schema = { type: 'string', minLength: min, maxLength: max, ...(pattern !== undefined && { pattern }) }
          const validate = ajv.compile(schema)
          const automaton = schemaAutomaton(schema)
          for (const value of texts) {
            const written = JSON.stringify(value)
            expect([schema, written, accepts(automaton, written)]).toEqual([schema, written, validate(value)])
          }
        },
      ),
      { numRuns: 100, seed: 4 },
    )
  })
})

describe('schemas that are joined', () => {
  const list = {
    $defs: {
      named: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      chain: { type: 'object', properties: { next: { anyOf: [{ $ref: '#/$defs/chain' }, { type: 'null' }] } } },
    },
    values: [
      ...[null, true, 0, 1, 2, 3, 4, 6, -3, 1.5, '', 'a', 'ab', 'abc', [], [1], [1, 2], ['a', 4], [4, 'a', null]],
      ...[{}, { name: 'a' }, { name: 1 }, { name: 'a', age: 3 }, { name: 'a', age: 'x' }, { age: 3 }, { next: null }],
      ...[{ next: { next: null } }, { name: 'a', next: null }, { name: 'a', next: { next: null } }],
    ],
  }
  const schemas = [
    {
      allOf: [
        { type: 'integer', minimum: 2 },
        { maximum: 5, type: 'number' },
      ],
    },
    { $ref: '#/$defs/named', properties: { age: { type: 'integer' } }, additionalProperties: { type: 'string' } },
    { allOf: [{ $ref: '#/$defs/named' }, { type: 'object', properties: { age: { type: 'integer' } } }], required: ['age'] },
    { allOf: [{ $ref: '#/$defs/named' }, { $ref: '#/$defs/chain' }] },
    { allOf: [{ $ref: '#/$defs/chain' }, { $ref: '#/$defs/chain' }], additionalProperties: { $ref: '#/$defs/chain' } },
    {
      type: 'object',
      properties: { name: true, age: { type: 'integer' } },
      anyOf: [{ required: ['name'] }, { required: ['age'] }],
    },
    { type: ['integer', 'string'], anyOf: [{ type: 'null' }, { maximum: 3, type: 'number' }, { type: 'string', maxLength: 1 }] },
    {
      allOf: [
        { type: 'array', items: { type: 'integer' } },
        { type: 'array', prefixItems: [{ enum: [1, 'a'] }], maxItems: 2 },
      ],
    },
    { allOf: [{ enum: [1, 2, 'a', 'abc'] }, { type: ['integer', 'string'], minimum: 2, maxLength: 2 }] },
    { allOf: [{ anyOf: [{ const: 1 }, { type: 'string' }] }, { oneOf: [{ type: 'integer' }, { type: 'null' }] }] },
    { allOf: [{ type: 'object', additionalProperties: false, properties: { name: true } }, { $ref: '#/$defs/named' }] },
  ]
  it.each(schemas)('%j', (schema) => {
    const whole = { ...schema, $defs: list.$defs }
    const valid = ajv.compile(whole)
    const automaton = schemaAutomaton(whole)
    const found = list.values.filter((value) => accepts(automaton, JSON.stringify(value)))
    expect(found).toEqual(list.values.filter((value) => valid(value)))
    expect(found.length).toBeGreaterThan(0)
  })
})

describe('multiples', () => {
  it.each([
    [{ type: 'integer', multipleOf: 3 }, ['0', '3', '-12', '999999999999999'], ['1', '-4', '3.0', '1000000000000000']],
    [{ type: 'integer', multipleOf: 10, minimum: 5, maximum: 120 }, ['10', '120'], ['0', '5', '15', '130']],
    [{ type: 'number', multipleOf: 0.25 }, ['0.25', '-1.5', '7', '0.750', '2.0'], ['0.3', '0.251', '1.', '-0', '1e2']],
    [{ type: 'number', multipleOf: 0.01, exclusiveMinimum: 0 }, ['2.24', '0.07', '19.990'], ['0', '0.005', '1.001']],
    [{ type: 'number', multipleOf: 2.5 }, ['5', '7.5', '10.0'], ['6', '2.50001']],
  ])('%j', (schema, fit, others) => {
    const automaton = schemaAutomaton(schema)
    for (const text of fit) expect([text, accepts(automaton, text)]).toEqual([text, true])
    for (const text of others) expect([text, accepts(automaton, text)]).toEqual([text, false])
  })
})

describe('records', () => {
  const name = fc.constantFrom('a', 'ab', 'b', 'x1', 'x2', 'é"')
  const value = fc.constantFrom<unknown>(1, 'a', null, true)
  const part = fc.constantFrom<unknown>(
    ...[true, false, { type: 'integer' }, { type: ['integer', 'string'] }, { minimum: 0 }, { enum: [1, 'a', null] }],
  )
  const schemas = fc.record(
    {
      properties: fc.dictionary(name, part, { maxKeys: 3 }),
      patternProperties: fc.dictionary(fc.constantFrom('^x', '\\d', '^.{1,2}$', '"'), part, { maxKeys: 2 }),
      additionalProperties: part,
      propertyNames: fc.constantFrom<unknown>(
        ...[true, false, { maxLength: 1 }, { pattern: '^[ax]' }, { enum: ['a', 'x1', 3] }, { $ref: '#/$defs/short' }],
      ),
      required: fc.uniqueArray(name, { maxLength: 2 }),
      minProperties: fc.integer({ min: 0, max: 2 }),
      maxProperties: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: [] },
  )
  const lenient = new Ajv2020({ strict: false })

  /** In the order in which properties are written. */
  const ordered = (record: Readonly<Record<string, unknown>>, names: readonly string[]) => {
    const known = names.filter((each) => Object.hasOwn(record, each))
    const others = Object.keys(record).filter((each) => !names.includes(each))
    return { record: Object.fromEntries([...known, ...others].map((each) => [each, record[each]])), known, others }
  }

  it('are those of JSON Schema, alone and joined', () => {
    let [fitting, all, refusals] = [0, 0, 0]
    fc.assert(
      fc.property(
        fc.array(schemas, { minLength: 1, maxLength: 2 }),
        fc.array(fc.dictionary(name, value, { maxKeys: 4 }), { minLength: 30, maxLength: 30 }),
        (parts, records) => {
          const whole = parts.length === 1 ? parts[0]! : { allOf: parts }
          const schema = { type: 'object', $defs: { short: { maxLength: 2 } }, ...whole }
          const validate = lenient.compile(schema)
          const names = [
            ...new Set([
              ...parts.flatMap(({ properties = {} }) => Object.keys(properties)),
              ...parts.flatMap(({ required = [] }) => required),
            ]),
          ]
          const least = Math.max(...parts.map(({ minProperties = 0 }) => minProperties))
          // Of the properties without a name of their own one counts: they could be one, written twice.
          const counted = (each: Readonly<Record<string, unknown>>) => {
            const { known, others } = ordered(each, names)
            return known.length + Math.min(1, others.length) >= least
          }
          let automaton: ReturnType<typeof schemaAutomaton>
          try {
            automaton = schemaAutomaton(schema)
          } catch (error) {
            const message = String(error)
            if (!message.includes('P001')) expect(message).toMatch(/told apart|is below/)
            if (message.includes('P001')) expect(records.filter((record) => validate(record) && counted(record))).toEqual([])
            else refusals++
            return
          }
          for (const each of records) {
            const { record } = ordered(each, names)
            const text = JSON.stringify(record)
            expect([schema, text, accepts(automaton, text)]).toEqual([schema, text, validate(record) && counted(record)])
            all++
            if (validate(record)) fitting++
          }
        },
      ),
      { numRuns: 400, seed: 6 },
    )
    // Neither nearly all nor nearly none, and few that are refused.
    expect(fitting / all).toBeGreaterThan(0.1)
    expect(fitting / all).toBeLessThan(0.9)
    expect(refusals).toBeLessThan(100)
  })
})

describe('lists of different values', () => {
  it.each([
    { type: 'array', items: { enum: [1, 'a', { b: [2] }, 1] }, uniqueItems: true },
    {
      type: 'array',
      items: { anyOf: [{ type: 'boolean' }, { const: 1 }, { $ref: '#/$defs/a' }] },
      uniqueItems: true,
      minItems: 2,
    },
    {
      allOf: [
        { type: 'array', items: { enum: [1, true, 'a', null] }, uniqueItems: true },
        { items: { enum: ['a', 1, true] }, maxItems: 2 },
      ],
    },
    { type: 'array', uniqueItems: true, maxItems: 1 },
    { type: 'array', items: { type: ['null', 'boolean'] }, uniqueItems: true, minItems: 3 },
  ])('%j', (schema) => {
    const whole = { ...schema, $defs: { a: { const: 'a' } } }
    const validate = new Ajv2020({ strict: false }).compile(whole)
    const automaton = schemaAutomaton(whole)
    const values = [1, 'a', { b: [2] }, true, null, false, 'b']
    const lists: unknown[][] = [[]]
    for (let begin = 0, length = 1; length <= 3; length++) {
      const end = lists.length
      for (; begin < end; begin++) for (const value of values) lists.push([...lists[begin]!, value])
    }
    const found = lists.filter((list) => accepts(automaton, JSON.stringify(list)))
    expect(found).toEqual(lists.filter((list) => validate(list)))
    expect(found.length).toBeGreaterThan(1)
  })
})

describe('bounds without a type', () => {
  it('say nothing about values of other types', () => {
    const schema = { minimum: 3, maxLength: 1, minItems: 1, required: ['a'] }
    const automaton = schemaAutomaton(schema)
    const values = [2, 3, 'a', 'ab', [], [1], {}, { a: [] }, null, false]
    const validate = new Ajv2020({ strict: false }).compile(schema)
    expect(values.filter((value) => accepts(automaton, JSON.stringify(value)))).toEqual(values.filter((value) => validate(value)))
  })
})

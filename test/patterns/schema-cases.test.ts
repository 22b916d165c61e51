import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { schemaAutomaton } from '../../src/patterns/schema.js'
import { fits as fitsItself } from '../../src/patterns/schema-fits.js'
import { generator } from '../xorshift.js'
import { accepts, completion } from './walk.js'

const ajv = new Ajv2020({ strict: false })

/** A record with its properties in every order: of these, schemas fix one. */
function orders(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [value]
  const all = (entries: [string, unknown][]): [string, unknown][][] =>
    entries.length < 2
      ? [entries]
      : entries.flatMap((each, i) => all(entries.filter((_, j) => j !== i)).map((others) => [each, ...others]))
  return all(Object.entries(value)).map((entries) => Object.fromEntries(entries))
}

const fits = (automaton: ReturnType<typeof schemaAutomaton>, value: unknown) =>
  orders(value).some((each) => accepts(automaton, JSON.stringify(each)))

const values: readonly unknown[] = [
  ...[null, true, false, 0, 1, 2, 3, 1.5, -2, '', 'a', 'ab', 'b', [], [1], [1, 'a'], ['a', 1], [2, 2], ['a', 'b'], [1, 1]],
  ...[[[1]], [null], {}, { a: 1 }, { a: 'a' }, { b: 'a' }, { b: 1 }, { a: 1, b: 'a' }, { a: 'a', b: 1 }, { a: 2, b: 2 }],
  ...[
    { c: 1 },
    { a: 1, c: 'a' },
    { b: 'ab', c: 2 },
    { a: 1, b: 'a', c: null },
    { a: [1] },
    { a: { b: 1 } },
    { d: 1 },
    { a: 1, d: 2 },
  ],
]

describe('cases', () => {
  const kind = { kind: { enum: ['car', 'ship', 'sled'] }, wheels: { type: 'integer' }, sails: { type: 'integer' } }
  const vehicles = [
    ...[
      { kind: 'car' },
      { kind: 'car', wheels: 4 },
      { kind: 'ship', sails: 2 },
      { kind: 'ship', wheels: 4 },
      { kind: 'sled' },
      {},
    ],
    ...[{ wheels: 3 }, { kind: 'sled', wheels: 1, sails: 1 }, { kind: 'car', wheels: 4, sails: 1 }],
  ]
  const isCar = { properties: { kind: { const: 'car' } }, required: ['kind'] }
  const record = { type: 'object', properties: kind, additionalProperties: false }
  const texts = ['', 'a', 'b', 'ab', 'abc', 'Abc', 'é', '"', '\n']
  const lists = [[], [1], [2], [1, 2], [2, 1, 2], ['a'], ['a', 1], [1, 1, 1]]
  const families: readonly (readonly [unknown, readonly unknown[]])[] = [
    [{ ...record, if: isCar, then: { required: ['wheels'] }, else: { required: ['sails'] } }, vehicles],
    // Where the property is left out, an `if` about its value holds.
    [{ ...record, if: { properties: isCar.properties }, then: { required: ['wheels'] } }, vehicles],
    [{ ...record, if: { properties: isCar.properties }, else: { properties: { wheels: false } } }, vehicles],
    [{ ...record, dependentRequired: { wheels: ['kind'], sails: ['wheels', 'kind'] } }, vehicles],
    [{ ...record, dependentSchemas: { sails: { properties: { kind: { const: 'ship' } }, required: ['kind'] } } }, vehicles],
    [{ ...record, not: { required: ['wheels', 'sails'] } }, vehicles],
    [{ ...record, not: isCar, required: ['kind'] }, vehicles],
    [{ type: 'object', oneOf: [{ required: ['wheels'] }, { required: ['sails'] }] }, vehicles],
    [{ type: 'object', properties: { wheels: { type: 'number', not: { multipleOf: 2 } } } }, vehicles],
    [{ type: 'string', not: { enum: ['a', '"', 'abc'] } }, texts],
    [{ type: 'string', maxLength: 3, not: { anyOf: [{ pattern: '^a' }, { minLength: 3 }] } }, texts],
    [{ type: 'string', allOf: [{ pattern: 'a' }, { pattern: 'b' }, { maxLength: 2 }] }, texts],
    [{ enum: texts, not: { maxLength: 1 } }, texts],
    [{ type: 'array', contains: { const: 1 } }, lists],
    [{ type: 'array', contains: { type: 'integer' }, minContains: 2, maxContains: 2 }, lists],
    [{ type: 'array', contains: { const: 1 }, minContains: 0, maxContains: 1, maxItems: 2 }, lists],
    // The empty list is left out: ajv lets it through beside `prefixItems`, which JSON Schema does not.
    [{ type: 'array', prefixItems: [{ type: 'integer' }], contains: { const: 2 } }, lists.slice(1)],
    [{ type: 'array', items: { enum: [1, 2, 'a'] }, uniqueItems: true, contains: { type: 'string' } }, lists],
    [{ type: 'array', not: { contains: { const: 1 } } }, lists],
    [{ type: 'array', not: { items: { type: 'integer' } } }, lists],
    [{ enum: lists, minItems: 2, items: { type: 'integer' } }, lists],
    [{ type: 'object', propertyNames: { not: { enum: ['wheels', 'kind'] } } }, vehicles],
    [{ type: 'object', propertyNames: { anyOf: [{ const: 'kind' }, { pattern: '^s' }] } }, vehicles],
    [{ type: ['integer', 'null'], not: { const: 2 } }, [1, 2, null, 3, 1.5]],
    [
      {
        oneOf: [
          { type: 'integer', minimum: 1 },
          { type: 'number', maximum: 2 },
        ],
      },
      [0, 1, 1.5, 2, 2.5, 3, ''],
    ],
    [
      { not: { const: { a: 1, b: [2] } }, type: 'object' },
      [{}, { a: 1, b: [2] }, { b: [2] }, { a: 1, b: [] }, { a: 1, b: [2], c: 3 }],
    ],
  ]
  it.each(families.map(([schema, values]) => [JSON.stringify(schema), schema, values] as const))('%s', (_, schema, values) => {
    const validate = ajv.compile(schema as object)
    const automaton = schemaAutomaton(schema)
    const found = values.filter((value) => fits(automaton, value))
    expect(found).toEqual(values.filter((value) => validate(value)))
    expect(found.length).toBeGreaterThan(0)
    expect(found.length).toBeLessThan(values.length)
  })

  it('of a closed union are told by the constant, however many there are', () => {
    const names = Array.from({ length: 12 }, (_, i) => `kind ${i}`)
    const automaton = schemaAutomaton({
      type: 'object',
      properties: { kind: { enum: names }, x: { type: 'boolean' }, y: { type: 'boolean' } },
      required: ['kind'],
      additionalProperties: false,
      allOf: names.map((name, i) => ({
        if: { properties: { kind: { const: name } }, required: ['kind'] },
        then: { required: [i % 2 ? 'x' : 'y'] },
      })),
    })
    expect(accepts(automaton, '{"kind": "kind 3", "x": true}')).toBe(true)
    expect(accepts(automaton, '{"kind": "kind 3", "y": true}')).toBe(false)
    expect(accepts(automaton, '{"kind": "kind 10", "y": true}')).toBe(true)
  })
})

it('oneOf of whole numbers in bounds is followed, however many there are', () => {
  const schema = { oneOf: Array.from({ length: 12 }, (_, i) => ({ type: 'integer', minimum: 10 * i, maximum: 10 * i + 12 })) }
  const validate = ajv.compile(schema)
  const automaton = schemaAutomaton(schema)
  const all = [...Array.from({ length: 130 }, (_, i) => i - 2), 5.5, 'a']
  expect(all.filter((each) => fits(automaton, each))).toEqual(all.filter((each) => validate(each)))
})

it('`contains` counts far', () => {
  const automaton = schemaAutomaton({ type: 'array', contains: { type: 'integer' }, maxContains: 1000 })
  const list = (count: number) => JSON.stringify(['a', ...new Array(count).fill(7), 'b'])
  expect([0, 1, 1000, 1001].map((count) => accepts(automaton, list(count)))).toEqual([false, true, true, false])
})

describe('oneOf of closed records', () => {
  it.each([
    ['each with a name of its own', 8, 'k', false],
    ['each with a name of its own that the next may have', 3, 'k', true],
  ])('%s', (_, count, prefix, sharesNext) => {
    const parts = Array.from({ length: count }, (_, i) => ({
      type: 'object',
      properties: { [prefix + i]: { type: 'integer' }, ...(sharesNext && { [`${prefix}${(i + 1) % count}`]: true }) },
      required: [prefix + i],
      additionalProperties: false,
    }))
    const validate = ajv.compile({ oneOf: parts })
    const automaton = schemaAutomaton({ oneOf: parts })
    const records = [{}, { k0: 1 }, { k1: 2 }, { k0: 'a' }, { k0: 1, k1: 2 }, { k0: 1, k1: 'a' }, { k2: 1, k0: 'b' }, { k9: 1 }]
    expect(records.filter((each) => fits(automaton, each))).toEqual(records.filter((each) => validate(each)))
  })
})

describe('random schemas with cases', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const leaf = fc.constantFrom<unknown>(
    ...[
      true,
      false,
      {},
      { type: 'integer' },
      { type: 'number' },
      { type: 'string' },
      { type: ['null', 'boolean'] },
      { const: 1 },
    ],
    ...[{ const: 'a' }, { enum: [1, 'a', null] }, { enum: [[1], { a: 1 }, true] }, { minimum: 1 }, { multipleOf: 2 }],
    ...[{ exclusiveMaximum: 2, type: 'number' }, { maxLength: 1 }, { pattern: '^a' }, { pattern: 'b' }, { required: ['a'] }],
    ...[{ type: 'object', required: ['b'] }, { minItems: 1 }, { maxItems: 1, type: 'array' }, { items: { type: 'integer' } }],
    ...[
      { items: false },
      { prefixItems: [{ const: 1 }] },
      { contains: { const: 1 } },
      { contains: { type: 'string' }, maxContains: 1 },
    ],
    ...[{ contains: { type: 'integer' }, minContains: 2 }, { const: [1, 'a'] }, { const: { a: 1, b: 'a' } }],
    ...[
      { additionalProperties: false, properties: { b: { type: 'string' }, a: {} } },
      { $ref: '#/$defs/x' },
      { $ref: '#/$defs/list' },
    ],
  )
  const schemas = fc.letrec((tie) => {
    const some = fc.array(tie('any'), { minLength: 1, maxLength: 2 })
    return {
      record: fc.record(
        {
          properties: fc.dictionary(name, tie('any'), { maxKeys: 2 }),
          required: fc.uniqueArray(name, { maxLength: 2 }),
          not: tie('any'),
          dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), { maxKeys: 1 }),
          dependentSchemas: fc.dictionary(name, tie('any'), { maxKeys: 1 }),
          oneOf: some,
          anyOf: some,
          allOf: some,
          contains: tie('any'),
          items: tie('any'),
          type: fc.constantFrom<unknown>('object', 'array', ['object', 'integer'], ['string', 'array']),
        },
        { requiredKeys: [] },
      ),
      any: fc.oneof(
        { depthSize: 'small', maxDepth: 3 },
        { weight: 3, arbitrary: leaf },
        { weight: 1, arbitrary: tie('record') },
        { weight: 1, arbitrary: fc.record({ if: tie('any'), then: tie('any'), else: tie('any') }, { requiredKeys: ['if'] }) },
      ),
    }
  })
  const $defs = {
    x: { properties: { a: { $ref: '#/$defs/x' } }, type: ['object', 'integer'] },
    list: { type: 'array', items: { anyOf: [{ $ref: '#/$defs/list' }, { type: 'integer' }] } },
  }

  it('fit what ajv says', () => {
    let [all, fitting, without, refused] = [0, 0, 0, 0]
    fc.assert(
      fc.property(schemas.any, schemas.record, (...both) => {
        for (const each of both) {
          // Long ones are slow in ajv.
          if (JSON.stringify(each).length > 500) continue
          const schema = typeof each === 'object' ? { ...(each as object), $defs } : each
          const validate = ajv.compile(schema as object)
          const told = values.flatMap((value) => {
            try {
              return [{ value, is: validate(value) as boolean }]
            } catch (error) {
              // The code that ajv writes for some `dependentSchemas` lacks a variable.
              if (error instanceof ReferenceError) return []
              throw error
            }
          })
          for (const { value, is } of told)
            expect([each, value, fitsItself(schema, value, schema, '#')]).toEqual([each, value, is])
          let automaton: ReturnType<typeof schemaAutomaton>
          try {
            automaton = schemaAutomaton(schema)
          } catch (error) {
            if (String(error).includes('P001')) without++
            else refused++
            expect([each, String(error), told.filter(({ is }) => is && String(error).includes('P001'))]).toEqual([
              each,
              String(error),
              [],
            ])
            continue
          }
          for (const { value, is } of told) {
            expect([each, value, fits(automaton, value)]).toEqual([each, value, is])
            all++
            if (is) fitting++
          }
        }
      }),
      { numRuns: 400, seed: 12, endOnFailure: true },
    )
    expect(fitting / all).toBeGreaterThan(0.3)
    expect(fitting / all).toBeLessThan(0.7)
    expect(without).toBeLessThan(100)
    expect(refused).toBeLessThan(5)
  })

  /** Some bytes that the automaton allows, then the nearest end; undefined where that is far. */
  function written(automaton: ReturnType<typeof schemaAutomaton>, random: () => number): string | undefined {
    const bytes: number[] = []
    let state = automaton.start
    for (let left = Math.floor(random() * 60); left > 0; left--) {
      const next = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => automaton.step(state, byte) >= 0)
      if (next.length === 0) break
      bytes.push(next[Math.floor(random() * next.length)]!)
      state = automaton.step(state, bytes.at(-1)!)
    }
    const rest = completion(automaton, state, 3000)
    return rest && new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from([...bytes, ...rest]))
  }

  it('let nothing out that ajv denies', () => {
    const random = generator(11)
    let texts = 0
    fc.assert(
      fc.property(schemas.any, schemas.record, (...both) => {
        for (const each of both) {
          if (JSON.stringify(each).length > 400) continue
          const schema = typeof each === 'object' ? { ...(each as object), $defs } : each
          let automaton: ReturnType<typeof schemaAutomaton>
          try {
            automaton = schemaAutomaton(schema)
          } catch {
            continue
          }
          const validate = ajv.compile(schema as object)
          for (let i = 0; i < 4; i++) {
            const text = written(automaton, random)
            if (text === undefined) continue
            try {
              expect([each, text, validate(JSON.parse(text))]).toEqual([each, text, true])
              texts++
            } catch (error) {
              // As above.
              if (!(error instanceof ReferenceError)) throw error
            }
          }
        }
      }),
      { numRuns: 400, seed: 3, endOnFailure: true },
    )
    expect(texts).toBeGreaterThan(1000)
  })
})

describe('what leads back to itself', () => {
  it.each([
    [{ type: 'object', not: { $ref: '#' } }, 'P001'],
    [{ not: { $ref: '#' } }, 'P001'],
    [{ type: 'array', contains: { $ref: '#' }, maxContains: 2 }, 'P001'],
    [
      { type: 'object', propertyNames: { $ref: '#/$defs/x' }, $defs: { x: { anyOf: [{ const: 'a' }, { $ref: '#/$defs/x' }] } } },
      'P008',
    ],
    [
      {
        type: 'array',
        uniqueItems: true,
        items: { $ref: '#/$defs/x' },
        $defs: { x: { anyOf: [{ const: 1 }, { $ref: '#/$defs/x' }] } },
      },
      'P008',
    ],
  ])('%j', (schema, code) => {
    expect(() => schemaAutomaton(schema)).toThrow(code)
  })

  it('inside the value is followed', () => {
    const tree = {
      type: 'object',
      properties: { a: { not: { $ref: '#' } }, b: { $ref: '#' } },
      additionalProperties: false,
    }
    const validate = ajv.compile(tree)
    const automaton = schemaAutomaton(tree)
    const all = [
      {},
      { a: 1 },
      { a: {} },
      { b: {} },
      { b: 1 },
      { b: { a: {} } },
      { a: { a: {} } },
      { a: { c: 1 } },
      { a: { a: { a: {} } } },
    ]
    expect(all.filter((value) => fits(automaton, value))).toEqual(all.filter((value) => validate(value)))
  })
})

describe('too many cases', () => {
  const names = Array.from({ length: 40 }, (_, i) => `p${i}`)
  it.each([
    ['of `if`', names.map((name) => ({ if: { required: [name] }, then: { required: [`${name}x`] } }))],
    ['of `contains`', names.map((name) => ({ contains: { const: name } }))],
    [
      'of records that have only some names',
      names.map((name) => ({ type: 'object', not: { properties: { [name]: true }, additionalProperties: false } })),
    ],
  ])('%s', (_, allOf) => {
    expect(() => schemaAutomaton({ type: ['object', 'array'], allOf })).toThrow('P003')
  })
})

describe('a `not` of a whole type', () => {
  it.each(['string', 'number', 'object'])('%s leaves nothing of it', (type) => {
    const automaton = schemaAutomaton({ type: [type, 'null'], anyOf: [{ type: 'null' }, { type, not: { type } }] })
    expect(values.filter((value) => fits(automaton, value))).toEqual([null])
  })
})

describe('constants', () => {
  it('are equal in whatever order their properties stand', () => {
    const [ab, ba] = [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ]
    const list = schemaAutomaton({ type: 'array', items: { enum: [ab, ba, 1] }, uniqueItems: true })
    expect(accepts(list, JSON.stringify([ab, ba]))).toBe(false)
    expect(accepts(list, JSON.stringify([ba, 1]))).toBe(true)
    expect(accepts(schemaAutomaton({ enum: [ab, 1], const: ba }), JSON.stringify(ab))).toBe(true)
  })
})

describe('numbers that a reader rounds', () => {
  it.each([
    [{ type: 'number', exclusiveMinimum: 1 }, '1.0000000000000001', '1.00000000000001'],
    [{ type: 'number', exclusiveMaximum: -0.1 }, '-0.1000000000000000000001', '-0.10000000000001'],
    [{ type: 'number', not: { maximum: 0.3 } }, '0.3000000000000000', '0.30000000000001'],
    [{ type: 'number', not: { type: 'integer' } }, '3.0000000000000001', '3.5'],
    [{ type: 'integer', multipleOf: 5 }, '9007199254740995', '900719925474095'],
  ])('%j', (schema, not, does) => {
    const automaton = schemaAutomaton(schema)
    const validate = ajv.compile(schema)
    for (const text of [not, does]) expect([text, accepts(automaton, text)]).toEqual([text, validate(JSON.parse(text))])
    expect(accepts(automaton, does)).toBe(true)
  })
})

import type { CharacterDfa } from './character-dfa.js'
import { patternError } from './errors.js'
import { GrammarNodes } from './grammar-nodes.js'
import { TooLarge } from './regex-nfa.js'
import { areDisjoint, resolve } from './schema-cases.js'
import { isJoined, keyOf, partsOf } from './schema-joined.js'
import {
  alone,
  countOf,
  everyType,
  isOf,
  isRecord,
  type JsonType,
  listOf,
  namesOf,
  propertiesOf,
  requireSchema,
  type Schema,
  saysSeveral,
  schemaError,
  step,
  typesOf,
} from './schema-keywords.js'
import { type Layer, listNodes } from './schema-lists.js'
import { conjunction } from './schema-merge.js'
import { type NameGroup, PropertyNames } from './schema-names.js'
import { numberBounds } from './schema-numbers.js'
import { anyString, quoted, stringBounds } from './schema-strings.js'

/** The one rule for all values. */
const anything = 'any value'
/** Sets of names that a record must go beyond: each doubles its places, and is a bit of a whole number. */
const mostBeyond = 16

/**
 * A schema as a grammar. Space between the parts of a list or record: none, one blank, or a line break with up to 16 blanks or 8 tabs behind
 * it; none before `,` and `:`, nothing but a blank behind `:`, none around the whole. Properties stand in the order of `properties`, others
 * behind them. Throws P001, P007, P008.
 */
export class SchemaNodes {
  readonly nodes = new GrammarNodes()
  /** The rules of `$ref` and of repeated schemas, by `keyOf`. */
  readonly #rules = new Map<string, number>()
  /** Rules whose nodes are still to be laid. */
  readonly #waiting: { readonly rule: number; readonly schema: unknown; readonly path: string; readonly isJoined: boolean }[] = []
  /** Whether what is laid was joined of several schemas: cases of which then nothing is left are no mistake. */
  #isJoined = false

  readonly #layer: Layer

  constructor(private readonly root: unknown) {
    this.#layer = {
      nodes: this.nodes,
      root,
      value: (schema, path, from) => this.#value(schema, path, from),
      call: (schema, path, from) =>
        isRecord(schema) && saysSeveral(schema)
          ? this.#value(schema, path, from)
          : this.nodes.call(from, this.#rule(schema, path)),
      constant: (value, from) => this.#constant(value, from),
      gap: (from) => this.#gap(from),
      isJoined: () => this.#isJoined,
    }
    this.#rule(root, '#')
    for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) {
      const { start, final } = this.nodes.rules[next.rule]!
      this.#isJoined = next.isJoined
      this.nodes.join(this.#value(next.schema, next.path, start), final)
    }
  }

  /** The rule of a schema, equal ones being one; `path` is where it stands, for messages. */
  #rule(schema: unknown, path: string): number {
    const key = schema === true && path !== '#' ? anything : keyOf(schema)
    let rule = this.#rules.get(key)
    if (rule === undefined) {
      this.#rules.set(key, (rule = this.nodes.rule(schema === true ? anything : path)))
      this.#waiting.push({ rule, schema: schema === true ? {} : schema, path, isJoined: false })
    }
    return rule
  }

  #value(schema: unknown, path: string, from: number): number {
    if (schema === false) return this.nodes.node()
    if (schema === true) return this.nodes.call(from, this.#rule(true, path))
    requireSchema(schema, path)
    if (!isJoined(schema) && saysSeveral(schema)) return this.nodes.call(from, this.#joined(schema, path))
    const single = alone.find((keyword) => keyword in schema)
    if (single) return this.#alone(single, schema, path, from)
    const types = typesOf(schema, path) ?? everyType
    // A whole number is a number: the wider kind stands for both.
    const apart = types.filter((type) => type !== 'integer' || !types.includes('number'))
    return this.nodes.choice(
      from,
      apart.map((type) => (at) => this.#typed(type, schema, path, at)),
    )
  }

  /** The rule of a schema that says several things. Equal ones are one rule, wherever they stand, so that recursion comes to an end. */
  #joined(schema: Schema, path: string): number {
    const { allOf, ...rest } = schema
    const parts = allOf === undefined ? [] : listOf(schema, 'allOf', path)!
    if (parts.length === 0 && allOf !== undefined) throw noParts(`${path}/allOf`)
    const key = `all of ${keyOf([rest, ...parts])}`
    let rule = this.#rules.get(key)
    if (rule === undefined) {
      this.#rules.set(key, (rule = this.nodes.rule(path)))
      this.#waiting.push({ rule, schema: conjunction(this.root, [...parts, rest], path), path, isJoined: true })
    }
    return rule
  }

  #alone(keyword: (typeof alone)[number], schema: Schema, path: string, from: number): number {
    const at = `${path}/${keyword}`
    if (keyword === '$ref') {
      const target = resolve(this.root, schema.$ref, at)
      return this.nodes.call(from, this.#rule(target.schema, target.path))
    }
    if (keyword === 'const' || keyword === 'enum') {
      const types = typesOf(schema, path)
      const values = (keyword === 'const' ? [schema.const] : listOf(schema, 'enum', path)!).filter(
        (value) => types === undefined || types.some((type) => isOf(value, type)),
      )
      if (values.length === 0 && !this.#isJoined) throw nothingFits(path)
      return this.nodes.choice(
        from,
        values.map((value) => (node) => this.#constant(value, node)),
      )
    }
    const parts = listOf(schema, keyword, path)!
    if (parts.length === 0) throw noParts(at)
    if (keyword === 'oneOf' && !areDisjoint(this.root, parts, at)) return this.nodes.call(from, this.#joined(schema, path))
    return this.nodes.choice(
      from,
      // The cases of a joined schema do not stand in the document: errors in them tell where it stands.
      parts.map((part, i) => (node) => this.#value(part, this.#isJoined ? path : step(at, i), node)),
    )
  }

  #typed(type: JsonType, schema: Schema, path: string, from: number): number {
    const { nodes } = this
    switch (type) {
      case 'null':
        return nodes.text(from, 'null')
      case 'boolean':
        return nodes.choice(from, [(at) => nodes.text(at, 'true'), (at) => nodes.text(at, 'false')])
      case 'integer':
      case 'number':
        return nodes.automaton(from, this.#notEmpty(numberBounds(schema, type === 'integer', path), path))
      case 'string': {
        const bounds = stringBounds(schema, path)
        return bounds ? quoted(nodes, from, this.#notEmpty(bounds, path)) : anyString(nodes, from)
      }
      case 'array':
        return listNodes(this.#layer, schema, path, from)
      case 'object':
        return this.#object(schema, path, from)
      default:
        return type satisfies never
    }
  }

  /**
   * Properties in order, then others. `minProperties` counts those that have a name of their own, and of the others one: they may repeat their
   * names.
   */
  #object(schema: Schema, path: string, from: number): number {
    const { nodes } = this
    const required = namesOf(schema, 'required', path)
    // A property that must be there but has no schema of its own is one of the others.
    const parts = partsOf(schema)
    /** Names beside each of which another must stand: a `not` of records that have only these. */
    const beyond = parts.flatMap((part) => (isRecord(part.not) ? [Object.keys(propertiesOf(part.not, path))] : []))
    if (beyond.length > mostBeyond) throw new TooLarge()
    const all = [...new Set([...parts.flatMap((each) => Object.keys(propertiesOf(each, path))), ...required, ...beyond.flat()])]
    const names = new PropertyNames(this.root, parts, path)
    const others = names.others(all)
    const min = countOf(schema, 'minProperties', path) ?? 0
    const max = countOf(schema, 'maxProperties', path) ?? Number.POSITIVE_INFINITY
    if (max < min && this.#isJoined) return nodes.node()
    if (max < min) throw schemaError('P007', path, '`maxProperties` is below `minProperties`', 'swap them')
    const named = all
      .map((name) => ({ name, ...names.of(name) }))
      .filter(({ name, schema }) => schema !== false || required.includes(name))
    if (min > named.length && others.length === 0 && !this.#isJoined) throw nothingFits(path)
    if (min > named.length + 1 && others.length > 0) {
      const hint = 'name more properties in `properties`: others may repeat their names, so only one of them counts'
      throw schemaError('P008', `${path}/minProperties`, `${min} properties cannot be told apart here`, hint)
    }
    /** Counts from here on are as good as this one. */
    const enough = Math.max(1, min, max === Number.POSITIVE_INFINITY ? 0 : max)
    const open = nodes.text(from, '{')
    const end = nodes.node()
    /** Where a property may stand behind `count` others. */
    const key = (at: number, count: number) => this.#gap(count === 0 ? at : nodes.text(at, ','))
    const full = 2 ** beyond.length - 1
    /** A bit for each of `beyond` that a name is not one of. */
    const bits = (name: string) => beyond.reduce((mask, only, i) => mask | (only.includes(name) ? 0 : 2 ** i), 0)
    /** Places between two properties, by how many stand before them and the bits of those: `count + (enough + 1) * mask`. */
    let places = new Map([[0, open]])
    const split = (place: number) => ({ count: place % (enough + 1), mask: Math.floor(place / (enough + 1)) })
    for (const { name, schema: value, path: at } of named) {
      const next = new Map<number, number>()
      const keys = new Map<number, number>()
      for (const [place, node] of places) {
        const { count, mask } = split(place)
        if (!required.includes(name)) nodes.join(node, nodes.numbered(next, place))
        if (count === max) continue
        const to = Math.min(count + 1, enough) + (enough + 1) * (mask | bits(name))
        nodes.join(key(node, count), nodes.numbered(keys, to))
      }
      for (const [to, node] of keys)
        nodes.join(this.#value(value, at, this.#colon(nodes.text(node, JSON.stringify(name)))), nodes.numbered(next, to))
      places = next
    }
    const close = (node: number, count: number) => nodes.join(count === 0 ? node : this.#gap(node), end)
    for (const [place, node] of places) {
      const { count, mask } = split(place)
      if (count >= min && mask === full) close(node, count)
    }
    const tails = new Map<number, number>()
    /** Behind an other property, `count` in all. */
    const tail = (count: number): number => {
      const known = tails.get(count)
      if (known !== undefined) return known
      const node = nodes.node()
      tails.set(count, node)
      close(node, count)
      if (count < max) this.#other(others, key(node, count), tail(Math.min(count + 1, enough)))
      return node
    }
    if (others.length > 0)
      for (const [place, node] of places) {
        const { count } = split(place)
        if (count < max && count + 1 >= min) this.#other(others, key(node, count), tail(Math.min(count + 1, enough)))
      }
    return nodes.text(end, '}')
  }

  /** Any property without a place of its own. */
  #other(groups: readonly NameGroup[], from: number, to: number): void {
    const { nodes } = this
    for (const { names, schema, path } of groups) {
      const key = nodes.node()
      nodes.join(from, key)
      const name = names ? quoted(nodes, key, names) : anyString(nodes, key)
      nodes.join(nodes.call(this.#colon(name), this.#rule(schema, path)), to)
    }
  }

  #constant(value: unknown, from: number): number {
    const { nodes } = this
    if (typeof value !== 'object' || value === null) return nodes.text(from, JSON.stringify(value))
    const isList = Array.isArray(value)
    let at = nodes.text(from, isList ? '[' : '{')
    for (const [i, [key, part]] of Object.entries(value).entries()) {
      at = this.#gap(i > 0 ? nodes.text(at, ',') : at)
      if (!isList) at = this.#colon(nodes.text(at, JSON.stringify(key)))
      at = this.#constant(part, at)
    }
    if (Object.keys(value).length > 0) at = this.#gap(at)
    return nodes.text(at, isList ? ']' : '}')
  }

  #notEmpty(texts: CharacterDfa, path: string): CharacterDfa {
    if (texts.dfa.size === 0 && !this.#isJoined) throw nothingFits(path)
    return texts
  }

  #colon(from: number): number {
    const { nodes } = this
    return nodes.repeat(nodes.text(from, ':'), 0, 1, (at) => nodes.text(at, ' '))
  }

  #gap(from: number): number {
    const { nodes } = this
    const line = (sign: string, most: number) => (at: number) =>
      nodes.repeat(nodes.text(at, '\n'), 0, most, (each) => nodes.text(each, sign))
    return nodes.choice(from, [(at) => at, (at) => nodes.text(at, ' '), line(' ', 16), line('\t', 8)])
  }
}

function noParts(path: string) {
  return schemaError('P007', path, 'expected at least one schema', 'add one, or leave the keyword out')
}

function nothingFits(path: string) {
  return patternError('P001', `no value fits, at \`${path}\` in the schema`, {
    hint: 'mend the bounds that contradict each other',
  })
}

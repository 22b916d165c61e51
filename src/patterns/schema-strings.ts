import { SmcError } from '../diagnostics/diagnostic.js'
import { type CharacterDfa, combined } from './character-dfa.js'
import type { CodePoints } from './code-points.js'
import type { GrammarNodes } from './grammar-nodes.js'
import { regexDfa } from './regex.js'
import { formats } from './schema-formats.js'
import { partsOf } from './schema-joined.js'
import { countOf, isRecord, listOf, type Schema, schemaError, textOf } from './schema-keywords.js'

/** The texts that `minLength`, `maxLength`, `pattern`, `format` and a `not` of them leave; undefined when there is no such keyword. Throws P007 and P008. */
export function stringBounds(schema: Schema, path: string): CharacterDfa | undefined {
  const bounds = partsOf(schema).flatMap((part) => {
    const others = part.type === 'string' && isRecord(part.not) ? stringBounds(part.not, `${path}/not`) : undefined
    return [...boundsOf(part, path), ...(others ? [combined(everyText(), 'andNot', others)] : [])]
  })
  return bounds.length === 0 ? undefined : bounds.reduce((all, each) => combined(all, 'and', each))
}

/** The bounds of one schema, `not` left out. */
function boundsOf(schema: Schema, path: string): readonly CharacterDfa[] {
  const bounds: CharacterDfa[] = []
  const min = countOf(schema, 'minLength', path)
  const max = countOf(schema, 'maxLength', path)
  if (min !== undefined || max !== undefined) {
    if (max !== undefined && max < (min ?? 0)) {
      throw schemaError('P007', path, '`maxLength` is below `minLength`', 'swap them')
    }
    const keyword = max === undefined ? 'minLength' : 'maxLength'
    bounds.push(within(`${path}/${keyword}`, () => regexDfa(`[^]{${min ?? 0},${max ?? ''}}`, '')))
  }
  const pattern = textOf(schema, 'pattern', path)
  if (pattern !== undefined) bounds.push(containing(pattern, `${path}/pattern`))
  const format = textOf(schema, 'format', path)
  if (format !== undefined) {
    const known = Object.hasOwn(formats, format) ? formats[format] : undefined
    if (known === undefined) {
      const hint = `the formats are ${Object.keys(formats).join(', ')}; others can be written as \`pattern\``
      throw schemaError('P008', `${path}/format`, `the format "${format}" is not supported`, hint)
    }
    bounds.push(...known.map((each) => regexDfa(each, '')))
  }
  const listed = listOf(schema, 'enum', path)
  if (listed) bounds.push(onlyThese(listed.filter((each) => typeof each === 'string')))
  return bounds
}

/** The texts with a match: JSON Schema looks for it anywhere in a text, and `^` and `$` tie it to the ends. Throws P003, P007. */
export function containing(pattern: string, path: string): CharacterDfa {
  return within(path, () => {
    // Alone first, so that `a)(b` is not mended by the parentheses around it.
    regexDfa(pattern, '')
    return regexDfa(`[^]*(?:${pattern})[^]*`, '')
  })
}

/** Errors of an expression tell where in the schema it stands. */
function within(path: string, build: () => CharacterDfa): CharacterDfa {
  try {
    return build()
  } catch (thrown) {
    const [first] = thrown instanceof SmcError ? thrown.diagnostics : []
    if (!first) throw thrown
    throw schemaError(first.code === 'P003' ? 'P003' : 'P007', path, first.message, first.hint ?? 'mend the pattern')
  }
}

const everyText = () => regexDfa('[^]*', '')

/** Every text but these. */
export function otherThan(texts: readonly string[]): CharacterDfa {
  return texts.length === 0 ? everyText() : combined(everyText(), 'andNot', onlyThese(texts))
}

/** The texts that belong to at least one of these. */
export function anyOfThese(cases: readonly CharacterDfa[]): CharacterDfa {
  return combined(
    everyText(),
    'andNot',
    cases.reduce((none, each) => combined(none, 'andNot', each), everyText()),
  )
}

/** These texts and no other. */
export function onlyThese(texts: readonly string[]): CharacterDfa {
  const escaped = texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  return regexDfa(texts.length === 0 ? '[]' : escaped.join('|'), '')
}

const shortEscapes: Readonly<Record<number, string>> = { 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' }
/** What must not stand in a string as itself. */
const controls = [...Array.from({ length: 0x20 }, (_, code) => code), 0x22, 0x5c]

/**
 * A string in quotation marks whose text belongs to `texts`, spelt as writers of JSON spell it: `\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`,
 * the other control characters as `\u00XX`, everything else as itself.
 */
export function quoted(nodes: GrammarNodes, from: number, texts: CharacterDfa): number {
  const inside = nodes.automaton(nodes.text(from, '"'), texts, (at, set, to) => {
    const plain = set.flatMap(({ min, max }) => outsideEscapes(min, max))
    if (plain.length > 0) nodes.read(at, plain, to)
    const escaped = set.flatMap(({ min, max }) => controls.filter((code) => min <= code && code <= max))
    if (escaped.length > 0) readEscaped(nodes, at, escaped, to)
  })
  return nodes.text(inside, '"')
}

/** The escapes of these characters, as few nodes as the sets of their digits allow: every state of a bounded text has them. */
function readEscaped(nodes: GrammarNodes, from: number, codes: readonly number[], to: number): void {
  const escape = nodes.text(from, '\\')
  const letters = codes.flatMap((code) => shortEscapes[code] ?? []).sort()
  if (letters.length > 0) nodes.read(escape, among(letters.join('')), to)
  const long = codes.filter((code) => shortEscapes[code] === undefined)
  if (long.length === 0) return
  const zeros = nodes.text(escape, 'u00')
  for (const digit of ['0', '1']) {
    const last = long.map((code) => code.toString(16).padStart(2, '0')).filter((digits) => digits.startsWith(digit))
    if (last.length > 0) nodes.read(nodes.text(zeros, digit), among(last.map((digits) => digits.slice(1)).join('')), to)
  }
}

/** The parts of a range that stand in a string as themselves. */
function outsideEscapes(min: number, max: number): CodePoints {
  const parts = [
    { min: 0x20, max: 0x21 },
    { min: 0x23, max: 0x5b },
    { min: 0x5d, max: 0x10ffff },
  ]
  return parts
    .map((part) => ({ min: Math.max(min, part.min), max: Math.min(max, part.max) }))
    .filter((part) => part.min <= part.max)
}

const hex = [
  { min: 0x30, max: 0x39 },
  { min: 0x41, max: 0x46 },
  { min: 0x61, max: 0x66 },
]
const among = (characters: string): CodePoints =>
  [...characters].map((each) => ({ min: each.codePointAt(0)!, max: each.codePointAt(0)! }))

/** Any string of JSON, with every escape, but no half of a surrogate pair. */
export function anyString(nodes: GrammarNodes, from: number): number {
  const inside = nodes.node()
  nodes.join(nodes.text(from, '"'), inside)
  nodes.read(inside, outsideEscapes(0, 0x10ffff), inside)
  const escape = nodes.text(inside, '\\')
  nodes.read(escape, among('"\\/bfnrt'), inside)
  const u = nodes.text(escape, 'u')
  const digits = (at: number, sets: readonly CodePoints[]) => sets.reduce((from, set) => nodes.read(from, set), at)
  const notD = hex.map(({ min, max }) => ({ min, max })).flatMap((range) => without(range, [0x44, 0x64]))
  nodes.join(digits(u, [notD, hex, hex, hex]), inside)
  nodes.join(digits(u, [among('Dd'), [{ min: 0x30, max: 0x37 }], hex, hex]), inside)
  const high = digits(u, [among('Dd'), among('89ABab'), hex, hex])
  nodes.join(digits(nodes.text(high, '\\u'), [among('Dd'), [...among('CDEF'), ...among('cdef')], hex, hex]), inside)
  return nodes.text(inside, '"')
}

function without(range: { readonly min: number; readonly max: number }, codes: readonly number[]): CodePoints {
  let { min } = range
  const parts: { min: number; max: number }[] = []
  for (const code of codes) {
    if (code < min || code > range.max) continue
    parts.push({ min, max: code - 1 })
    min = code + 1
  }
  return [...parts, { min, max: range.max }].filter((part) => part.min <= part.max)
}

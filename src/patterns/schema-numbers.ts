import { type CharacterDfa, combined } from './character-dfa.js'
import { regexDfa } from './regex.js'
import { partsOf } from './schema-joined.js'
import { isRecord, numberOf, type Schema, schemaError } from './schema-keywords.js'
import { multiplesOf } from './schema-multiples.js'

/*
 * Numbers as JSON writes them. Their length is bounded, so that every text that fits is a finite double: 16 digits before and behind the
 * point, 2 in the exponent; a number with a bound is written without an exponent, and not as -0. Multiples are those of the decimals, exactly: 0.07
 * is one of 0.01, which a validator that divides binary numbers may deny.
 */

const whole = '(?:0|[1-9]\\d{0,15})'
const fraction = '(?:\\.\\d{1,16})?'
/** Decimals with a point of at most 15 digits: no two of them are one double, so that what is above a bound is so for its readers, too. */
const distinct = Array.from({ length: 14 }, (_, i) => `\\d{${i + 1}}\\.\\d{1,${14 - i}}`).join('|')

/** The texts of numbers that the bounds of a schema leave. Throws P007 and P008. */
export function numberBounds(schema: Schema, isInteger: boolean, path: string): CharacterDfa {
  const parts = partsOf(schema)
  const bounds = parts.map((part) => boundsOf(part, path))
  const others = parts.flatMap(({ type, not }) => (type === 'number' && isRecord(not) ? [boundsOf(not, `${path}/not`)] : []))
  const all = [...bounds, ...others]
  if (all.every(({ limits, multiples }) => limits.length === 0 && !multiples))
    return regexDfa(isInteger ? `-?${whole}` : `-?${whole}${fraction}(?:[eE][+-]?\\d{1,2})?`, '')
  const signed = regexDfa(isInteger ? `0|-?[1-9]\\d{0,15}` : `-?${whole}${fraction}`, '')
  const kind = combined(signed, 'andNot', regexDfa('-0(?:\\.0*)?', ''))
  const isTight = others.length > 0 || bounds.some(({ limits }) => limits.some(({ isStrict }) => isStrict))
  const exact = [
    ...(isTight ? [regexDfa(`-?(?:\\d+|${distinct})`, '')] : []),
    ...(all.some(({ multiples }) => multiples) ? [regexDfa(`-?(?:\\d{1,15}|${distinct})`, '')] : []),
  ].reduce((left, each) => combined(left, 'and', each), kind)
  const held = bounds.reduce((left, each) => within(each, left), exact)
  return others.reduce((left, each) => combined(left, 'andNot', within(each, left)), held)
}

/** Of the texts `kind` those within bounds. */
function within({ limits, multiples }: Bounds, kind: CharacterDfa): CharacterDfa {
  return limits.reduce(
    (all, { isLower, isStrict, value, digits }) => {
      const positive = isLower === value >= 0 ? from(digits, isStrict) : upTo(digits, isStrict)
      // Below 0 the order turns round: x >= -3 holds for every x >= 0 and for -y with y <= 3. -0 is left out.
      const minus = combined(regexDfa('-[^]*', ''), 'andNot', regexDfa('-0(?:\\.0*)?', ''))
      const plus = regexDfa('[^-][^]*', '')
      const negated = regexDfa(`-(?:${positive})`, '')
      const sameSign = value >= 0 ? regexDfa(positive, '') : combined(negated, 'and', minus)
      const otherSign = value >= 0 ? minus : plus
      const others = isLower === value < 0
      const fits = others
        ? either(combined(kind, 'and', sameSign), combined(kind, 'and', otherSign), kind)
        : combined(kind, 'and', sameSign)
      return combined(all, 'and', fits)
    },
    multiples ? combined(kind, 'and', multiples) : kind,
  )
}

interface Bounds {
  readonly limits: readonly {
    readonly isLower: boolean
    readonly isStrict: boolean
    readonly value: number
    readonly digits: Decimal
  }[]
  readonly multiples: CharacterDfa | undefined
}

function boundsOf(schema: Schema, path: string): Bounds {
  const limits = (['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'] as const).flatMap((keyword) => {
    const value = numberOf(schema, keyword, path)
    if (value === undefined) return []
    const digits = decimal(Math.abs(value))
    if (!digits) {
      const hint = 'take a bound of at most 15 digits before the point, and 6 or fewer zeros behind it'
      throw schemaError('P008', `${path}/${keyword}`, `a bound of ${value} is not supported`, hint)
    }
    return [
      { isLower: keyword === 'minimum' || keyword === 'exclusiveMinimum', isStrict: keyword.startsWith('ex'), value, digits },
    ]
  })
  return { limits, multiples: multiplesIn(schema, path) }
}

function multiplesIn(schema: Schema, path: string): CharacterDfa | undefined {
  const value = numberOf(schema, 'multipleOf', path)
  if (value === undefined) return undefined
  if (value <= 0)
    throw schemaError('P007', `${path}/multipleOf`, `expected a number above 0, found ${value}`, 'write a number such as 0.5')
  const digits = decimal(value)
  if (!digits) {
    const hint = 'take one of at most 15 digits before the point, and 6 or fewer zeros behind it'
    throw schemaError('P008', `${path}/multipleOf`, `multiples of ${value} are not supported`, hint)
  }
  return multiplesOf(Number(digits.before + digits.behind), digits.behind.length)
}

/** The texts of `all` in at least one of two. */
function either(a: CharacterDfa, b: CharacterDfa, all: CharacterDfa): CharacterDfa {
  return combined(all, 'andNot', combined(combined(all, 'andNot', a), 'andNot', b))
}

interface Decimal {
  readonly before: string
  /** Without zeros at its end. */
  readonly behind: string
}

function decimal(value: number): Decimal | undefined {
  const [before = '', behind = ''] = String(value).split('.')
  return /e/.test(String(value)) || before.length > 15 ? undefined : { before, behind }
}

/** Decimals from a bound on (> 0 digits before the point, no sign) as a regular expression. */
function from({ before, behind }: Decimal, isStrict: boolean): string {
  const larger = [`[1-9]\\d{${before.length},}(?:\\.\\d+)?`]
  for (let i = 0; i < before.length; i++) {
    const digit = Number(before[i])
    if (digit < 9) larger.push(`${before.slice(0, i)}[${digit + 1}-9]\\d{${before.length - i - 1}}(?:\\.\\d+)?`)
  }
  for (let i = 0; i < behind.length; i++) {
    const digit = Number(behind[i])
    if (digit < 9) larger.push(`${before}\\.${behind.slice(0, i)}[${digit + 1}-9]\\d*`)
  }
  if (behind === '') larger.push(isStrict ? `${before}\\.\\d*[1-9]\\d*` : `${before}(?:\\.\\d+)?`)
  else larger.push(isStrict ? `${before}\\.${behind}\\d*[1-9]\\d*` : `${before}\\.${behind}\\d*`)
  return larger.join('|')
}

/** Decimals up to a bound. */
function upTo({ before, behind }: Decimal, isStrict: boolean): string {
  const smaller: string[] = []
  for (let length = 1; length < before.length; length++)
    smaller.push(`${length === 1 ? '\\d' : `[1-9]\\d{${length - 1}}`}(?:\\.\\d+)?`)
  for (let i = 0; i < before.length; i++) {
    const least = i === 0 && before.length > 1 ? 1 : 0
    const most = Number(before[i]) - 1
    if (most >= least) smaller.push(`${before.slice(0, i)}[${least}-${most}]\\d{${before.length - i - 1}}(?:\\.\\d+)?`)
  }
  if (behind !== '') smaller.push(before)
  for (let i = 0; i < behind.length; i++) {
    const most = Number(behind[i]) - 1
    if (i > 0) smaller.push(`${before}\\.${behind.slice(0, i)}`)
    if (most >= 0) smaller.push(`${before}\\.${behind.slice(0, i)}[0-${most}]\\d*`)
  }
  if (!isStrict) smaller.push(behind === '' ? `${before}(?:\\.0+)?` : `${before}\\.${behind}0*`)
  return smaller.length === 0 ? '[]' : smaller.join('|')
}
